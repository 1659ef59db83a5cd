"""Bindings say what a protocol needs: those that are known must have the shape of their specification."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import token
from registry.lint import asyncapi_bindings
from registry.lint.asyncapi_bindings import PROTOCOLS
from registry.lint.binding_forms import Place
from registry.lint.reading import Hit, Subject
from registry.lint.rule import ERROR, EVENTS, WARNING, Rule
from registry.lint.structure import violations

_HOMES: dict[str, Place] = {
    "server": "server", "channel": "channel", "operation": "operation", "operation-trait": "operation",
    "message": "message", "message-trait": "message",
}  # fmt: skip
_SECTIONS: dict[str, Place] = {
    "/components/serverBindings": "server",
    "/components/channelBindings": "channel",
    "/components/operationBindings": "operation",
    "/components/messageBindings": "message",
}


def invalid_bindings(subject: Subject) -> Iterator[Hit]:
    """Find bindings that break the shape which their protocol's specification gives them."""
    for pointer, place, protocol, binding in _bindings(subject):
        if protocol not in PROTOCOLS:
            continue
        if not isinstance(binding, dict):
            continue  # said of the document's structure
        found = asyncapi_bindings.shape(protocol, place, _version(binding))
        if found is not None:
            for hit in violations(found.document, binding, found.schema, pointer):
                yield Hit(hit.pointer, f"{hit.what} ({protocol} {place} binding)")


def unchecked_bindings(subject: Subject) -> Iterator[Hit]:
    """Find bindings of protocols, or of versions, whose shape is not known here."""
    for pointer, place, protocol, binding in _bindings(subject):
        version = _version(binding) if isinstance(binding, dict) else None
        if protocol not in PROTOCOLS:
            yield Hit(pointer, f"no shape of a binding for `{protocol[:60]}` is known")
        elif asyncapi_bindings.shape(protocol, place, version) is None:
            known = ", ".join(asyncapi_bindings.versions(protocol, place))
            told = f"version {str(version)[:20]} of the {protocol} {place} binding is not known ({known} are)"
            yield Hit(f"{pointer}/bindingVersion", told)


def _version(binding: dict[str, Any]) -> str | None:
    written = binding.get("bindingVersion")
    return written if isinstance(written, str) and written != "latest" else None


def _bindings(subject: Subject) -> Iterator[tuple[str, Place, str, Any]]:
    """Give pointer, place, protocol and value of each binding; those of other formats than ours not."""
    for part in subject.of("bindings"):
        place = _HOMES.get(part.parent) or _SECTIONS.get(part.pointer.rpartition("/")[0])
        if place is None:
            continue
        for protocol, declared in part.node.items():
            if not protocol.startswith("x-"):
                binding, home = subject.follow(declared, part.pointer + token(protocol))
                yield home, place, protocol, binding


_SEND = "operations: {give: {action: send, channel: {$ref: '#/channels/results'}, bindings: "
_CHANNEL = "channels: {results: {address: lab.results, title: Results}}\n"

BINDING_RULES: tuple[Rule, ...] = (
    Rule(
        "binding-invalid", ERROR, EVENTS,
        "Whoever connects by the binding would be told what its protocol does not know.",
        "Correct the place as the page of the protocol's binding says; keys of your own start with x-.",
        good=_CHANNEL + _SEND + "{mqtt: {qos: 1, retain: false}}}}",
        bad=_CHANNEL + _SEND + "{mqtt: {qos: 3, retain: false}}}}",
        find=invalid_bindings, clause="Bindings",
    ),
    Rule(
        "binding-unchecked", WARNING, EVENTS,
        "What is not known cannot be checked, and must not pass unnoticed.",
        "Use a binding of the specification in a version that is known, or accept the finding.",
        good=_CHANNEL + _SEND + "{mqtt: {qos: 1, bindingVersion: 0.2.0}}}}",
        bad=_CHANNEL + _SEND + "{mqtt: {qos: 1, bindingVersion: 9.0.0}}}}",
        find=unchecked_bindings, clause="Bindings",
    ),
)  # fmt: skip
