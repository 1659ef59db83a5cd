"""The frozen schemas that canonical resources and events are checked against, compiled once per bundle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from adapters.canonical.values import Pinned, Violations
from adapters.errors import MessageRefused
from kernel.bundle.model import Bundle, ContractEntry
from kernel.contract.references import embed_urns
from kernel.contract.urn import Urn
from kernel.contract.version import Version
from kernel.errors import BundleError
from kernel.schema.validator import CompiledSchema, compile_schema, dialect_of

EVENTS_CONTRACT = "clinical-events"
_EVENTS_MAJOR = 1


@dataclass(frozen=True, slots=True)
class FrozenSchema:
    """One canonical schema in force: `check` gives where a document breaks it, never values."""

    pinned: Pinned
    digest: str
    check: Callable[[Mapping[str, Any]], Violations]


class FrozenSchemas:
    """Finds and compiles schemas of the bundle in force; `bundle` gives the current one at every call."""

    def __init__(self, bundle: Callable[[], Bundle]) -> None:
        self._bundle = bundle
        self._compiled: dict[tuple[str, ...], CompiledSchema] = {}

    def find(self, name: str, major: int) -> FrozenSchema:
        """Give the newest frozen version of a major; raises `MessageRefused` (contract-missing)."""
        bundle = _current(self._bundle)
        entry = _newest(bundle, name, major, "schema")
        events = _newest(bundle, EVENTS_CONTRACT, _EVENTS_MAJOR, "asyncapi")
        resource = self._compile(bundle, entry, "")
        event = self._compile(bundle, events, _payload_pointer(_document(bundle, events), name))
        urn = f"urn:interlock:schema:{entry.name}:{entry.version}:{entry.digest.replace(':', '-')}"
        return FrozenSchema(Pinned(urn, entry.version, _checker(event)), entry.digest, _checker(resource))

    def _compile(self, bundle: Bundle, entry: ContractEntry, pointer: str) -> CompiledSchema:
        key = (entry.digest, pointer)
        compiled = self._compiled.get(key)
        if compiled is None:
            root = embed_urns(_document(bundle, entry), lambda urn: _embedded(bundle, urn))
            schema: Any = {"$ref": f"#{pointer}"} if pointer else root
            compiled = compile_schema(schema, root=root, dialect=dialect_of(root))
            self._compiled[key] = compiled
        return compiled


def _current(bundle: Callable[[], Bundle]) -> Bundle:
    try:
        return bundle()
    except BundleError as error:
        raise MessageRefused(
            f"there is no bundle in force: {error.message}", reason="contract-missing"
        ) from error


def _newest(bundle: Bundle, name: str, major: int, kind: str) -> ContractEntry:
    usable = [
        entry
        for entry in bundle.contracts.contracts
        if entry.name == name
        and entry.kind == kind
        and entry.state != "retired"
        and Version.parse(entry.version).major == major
    ]
    if not usable:
        raise MessageRefused(f"the bundle holds no {name} {major}.x", reason="contract-missing")
    return max(usable, key=lambda entry: Version.parse(entry.version))


def _document(bundle: Bundle, entry: ContractEntry) -> Any:
    blob = bundle.blobs.get(entry.digest)
    if blob is None:
        raise MessageRefused(f"the bundle lacks the document of {entry.name}", reason="contract-missing")
    return orjson.loads(blob)


def _embedded(bundle: Bundle, urn: Urn) -> Any:
    blob = bundle.blobs.get(urn.digest)
    if blob is None:
        raise MessageRefused(f"the bundle lacks {urn.name} {urn.version}", reason="contract-missing")
    return orjson.loads(blob)


def _payload_pointer(document: Any, resource: str) -> str:
    """Find the event whose data is this resource: the message schema whose `data` refers to it by URN."""
    prefix = f"urn:interlock:schema:{resource}:"
    for name, schema in document.get("components", {}).get("schemas", {}).items():
        data = schema.get("properties", {}).get("data", {}) if isinstance(schema, dict) else {}
        if str(data.get("$ref", "")).startswith(prefix):
            return f"/components/schemas/{name}"
    raise MessageRefused(f"{EVENTS_CONTRACT} has no event for {resource}", reason="contract-missing")


def _checker(compiled: CompiledSchema) -> Callable[[Mapping[str, Any]], Violations]:
    def check(document: Mapping[str, Any]) -> Violations:
        value = dict(document)
        if compiled.accepts(value):
            return ()
        return tuple((violation.pointer, violation.keyword) for violation in compiled.violations(value))

    return check
