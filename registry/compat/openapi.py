"""Compares two OpenAPI documents: every operation, part by part, with oasdiff as the second opinion.

What no rule knows is undecided (`change-unclassified`), so that nothing fails open; where oasdiff calls
something breaking that our own comparison proves harmless, the proof decides, and where neither is sure,
the verdict is undecided.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Finding, Severity
from kernel.contract.positions import token
from kernel.errors import SchemaRefused
from kernel.operation.idempotency import EXTENSION as IDEMPOTENCY
from registry.compat.containment import Comparer
from registry.compat.idempotency import rule_of_idempotency
from registry.compat.openapi_answers import compare_responses
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_parts import (
    Parameters,
    compare_parameters,
    compare_request_body,
    deprecation,
    parameters_of,
)
from registry.compat.openapi_paths import operation_pairs, operations
from registry.compat.openapi_places import Placed, Scope, Spot
from registry.compat.openapi_security import compare_security
from registry.compat.openapi_sides import Api, Part, rest_equal
from registry.compat.openapi_touched import Touched
from registry.compat.openapi_witness import Shower
from registry.compat.rules import BY_ID
from registry.compat.schema_view import Unreadable
from registry.compat.second_opinion import ask_oasdiff, weighed

if TYPE_CHECKING:
    from kernel.settings import Settings

_VERSION = re.compile(r"3\.[012](\.\d+)?(-\S*)?")
_NOTES = frozenset(
    {"summary", "description", "tags", "externalDocs", "info", "openapi", "components", "$self"}
)
_LIMIT = "x-interlock-max-body"


def compare_openapi(old: Any, new: Any, settings: Settings | None) -> tuple[list[Finding], dict[str, str]]:
    """Give the findings and the engines that were asked."""
    for root in (old, new):
        if not _VERSION.fullmatch(str(root.get("openapi"))):
            return [_finding("kinds-differ", "/openapi", "Only OpenAPI 3.0, 3.1 and 3.2 can be compared")], {}
    try:
        comparer, touched = Comparer(declared_only=True), Touched(old, new)
        journal = Journal(comparer, Api(old, "old", touched), Api(new, "new", touched), touched)
    except SchemaRefused as error:
        return [_finding("kinds-differ", "/jsonSchemaDialect", error.message)], {}
    except Unreadable as error:
        return [_finding("document-not-comparable", "", error.message)], {}
    with ThreadPoolExecutor(1) as beside:
        asked = beside.submit(ask_oasdiff, *journal.touched.reduced(), settings)  # it runs while we compare
        try:
            _documents(journal)
        except Unreadable as error:
            journal.add(_finding("document-not-comparable", "", error.message), None)
        journal.findings.update(list(Shower(journal).shown()))
        opinion, engines = weighed(journal, asked.result())
    found = [*journal.result(), *opinion]
    return found or [_finding("notes-changed", "", "Only notes changed")], engines


def _finding(name: str, pointer: str, what: str) -> Finding:
    rule = BY_ID[name]
    return Finding(
        rule.id, rule.severity, pointer, what, why=rule.why, remedy=rule.remedy, base_pointer=pointer
    )


def _documents(journal: Journal) -> None:
    old, new = Part(journal.old.root, ""), Part(journal.new.root, "")
    known = _NOTES | {"paths", "webhooks", "servers", "security", "jsonSchemaDialect"}
    for key in rest_equal(old, new, known):
        journal.unclassified(None, key, old, new)
    _paths(journal, old, new)
    _webhooks(journal, old, new)
    empty = not any(part.value.get(key) for part in (old, new) for key in ("paths", "webhooks"))
    if empty and canonical_bytes(old.value.get("components")) != canonical_bytes(new.value.get("components")):
        journal.unclassified(None, "components", old, new)  # a library of parts: who uses them is not known


def _paths(journal: Journal, old: Part, new: Part) -> None:
    def broken(pointer: str, error: Unreadable) -> None:
        journal.add(_finding("document-not-comparable", pointer, error.message), None)

    for first, second in operation_pairs(journal, old, new, broken):
        here = second or first
        assert here is not None  # one of the two stands
        label = f"{here.method} {here.template}"
        scope = Scope(label, (here.method, here.template), ends=(first, second))
        try:
            _pair(journal, scope, first, second)
        except Unreadable as error:
            broken(here.operation.pointer, error)


def _pair(journal: Journal, scope: Scope, first: Placed | None, second: Placed | None) -> None:
    if first is not None and second is not None:
        renamed = dict(zip(first.names, second.names, strict=True))
        parameters = (
            parameters_of(journal.old, first.item, first.operation, renamed),
            parameters_of(journal.new, second.item, second.operation, {}),
        )
        _operation(journal, scope, (first.operation, second.operation), parameters)
        _servers(journal, scope, (first.item, second.item), (first.operation, second.operation))
    elif first is not None:
        gone = first.operation.pointer
        what = f"{scope.label} was removed"
        journal.note("operation-removed", scope, what, at=(gone, None), spot=Spot())
    elif second is not None:
        place = second.operation.pointer
        journal.note("operation-added", scope, f"{scope.label} was added", at=(None, place))


def _operation(
    journal: Journal, scope: Scope, ends: tuple[Part, Part], parameters: tuple[Parameters, Parameters]
) -> None:
    old, new = ends
    known = _NOTES | {
        "operationId", "parameters", "requestBody", "responses", "callbacks", "deprecated", "security", "servers",
    }  # fmt: skip
    for key in rest_equal(old, new, known):
        journal.unclassified(scope, key, old, new)
    _policies(journal, scope, old, new)
    deprecation(journal, scope, scope.label, old, new)
    if old.value.get("operationId") != new.value.get("operationId"):
        ids = [part.value.get("operationId") for part in ends]
        journal.note(
            "operation-id-changed", scope, f"{scope.label}: operationId changed",
            at=(old.pointer, new.pointer), before=ids[0], after=ids[1],
        )  # fmt: skip
    compare_parameters(journal, scope, *parameters)
    compare_request_body(journal, scope, old, new)
    compare_responses(journal, scope, old, new)
    compare_security(journal, scope, old, new)
    _callbacks(journal, scope, old, new)


def _policies(journal: Journal, scope: Scope, old: Part, new: Part) -> None:
    """Judge our own extensions; those of others are notes."""
    for key in dict.fromkeys((*old.value, *new.value)):
        before, after = old.value.get(key), new.value.get(key)
        if not key.startswith("x-interlock-") or canonical_bytes(before) == canonical_bytes(after):
            continue
        rule = rule_of_idempotency(before, after) if key == IDEMPOTENCY else None
        if rule is not None:
            what = f"{scope.label}: the Idempotency-Key is declared differently"
            at = (old.pointer, new.pointer)
            journal.note(rule, scope, what, at=at, before=before, after=after, spot=Spot())
        elif (
            key == _LIMIT
            and (isinstance(before, int) or before is None)
            and (isinstance(after, int) or after is None)
        ):
            lowered = after is not None and (before is None or after < before)
            rule = "limit-lowered" if lowered else "limit-raised"
            what = f"{scope.label}: the largest body is now {after}"
            at = (old.pointer, new.pointer)
            journal.note(rule, scope, what, at=at, before=before, after=after, spot=Spot())
        else:
            journal.unclassified(scope, key, old, new)


def _callbacks(journal: Journal, scope: Scope, old: Part, new: Part) -> None:
    before, after = journal.old.members(old, "callbacks"), journal.new.members(new, "callbacks")
    for name in dict.fromkeys((*before, *after)):
        here, there = before.get(name), after.get(name)
        if here is None or there is None:
            place = (here.pointer if here else None, there.pointer if there else None)
            what = f"{scope.label}: callback {name!r} was {'added' if here is None else 'removed'}"
            journal.note("callback-changed", scope, what, at=place)
            continue
        _called_items(journal, scope, f"callback {name}", (here, there))


def _called_items(journal: Journal, scope: Scope, name: str, ends: tuple[Part, Part]) -> None:
    """Compare maps of URL (or nothing) to path item, where we are the caller."""
    urls = [
        {
            url: api.part(value, end.pointer + token(url))
            for url, value in end.value.items()
            if not url.startswith("x-")
        }
        for api, end in zip((journal.old, journal.new), ends, strict=True)
    ]
    for url in dict.fromkeys((*urls[0], *urls[1])):
        here, there = urls[0].get(url), urls[1].get(url)
        if here is None or there is None:
            what = f"{scope.label}: {name}: {url!r} was added or removed"
            place = (here.pointer if here else None, there.pointer if there else None)
            journal.note("callback-changed", scope, what, at=place)
        else:
            _called_item(journal, scope, name, (here, there))


def _called_item(journal: Journal, scope: Scope, name: str, ends: tuple[Part, Part]) -> None:
    before, after = dict(operations(journal.old, ends[0])), dict(operations(journal.new, ends[1]))
    for method in dict.fromkeys((*before, *after)):
        here, there = before.get(method), after.get(method)
        placed = [
            None if end is None else Placed("/", item, method, end)
            for item, end in zip(ends, (here, there), strict=True)
        ]
        label = f"{scope.label}: {name} {method}" if name else f"{scope.label} {method}"
        inner = Scope(label, scope.key, called=True, ends=(placed[0], placed[1]))
        if here is None or there is None:
            place = (here.pointer if here else None, there.pointer if there else None)
            journal.note("callback-changed", scope, f"{inner.label} was added or removed", at=place)
            continue
        parameters = (
            parameters_of(journal.old, ends[0], here, {}),
            parameters_of(journal.new, ends[1], there, {}),
        )
        _operation(journal, inner, (here, there), parameters)


def _webhooks(journal: Journal, old: Part, new: Part) -> None:
    before, after = journal.old.members(old, "webhooks"), journal.new.members(new, "webhooks")
    for name in dict.fromkeys((*before, *after)):
        here, there = before.get(name), after.get(name)
        scope = Scope(f"webhook {name}", ("", name), called=True)
        if here is None and there is not None:
            journal.note("webhook-added", scope, f"webhook {name!r} was added", at=(None, there.pointer))
        elif there is None and here is not None:
            journal.note("webhook-removed", scope, f"webhook {name!r} was removed", at=(here.pointer, None))
        elif here is not None and there is not None:
            _called_item(journal, scope, "", (here, there))


def _servers(journal: Journal, scope: Scope, items: tuple[Part, Part], operations: tuple[Part, Part]) -> None:
    """Judge the addresses that hold for an operation: its own, else its path's, else the document's."""
    lists, pointers = [], []
    for api, item, operation in zip((journal.old, journal.new), items, operations, strict=True):
        owner = next((part for part in (operation, item) if "servers" in part.value), Part(api.root, ""))
        listed = owner.value.get("servers") or [{"url": "/"}]
        lists.append({canonical_bytes(_address(server)): server for server in listed})
        pointers.append(f"{owner.pointer}/servers" if "servers" in owner.value else owner.pointer)
    gone = [server for key, server in lists[0].items() if key not in lists[1]]
    added = [server for key, server in lists[1].items() if key not in lists[0]]
    if gone:
        what = "An address of the server changed or is gone"
        journal.note("server-changed", scope, what, at=(pointers[0], pointers[1]), before=gone, after=added)
    elif added:
        journal.note("server-added", scope, "A server was added", at=(pointers[0], pointers[1]), after=added)


def _address(server: Any) -> Any:
    if not isinstance(server, dict):
        raise Unreadable("a server is an object with a url")
    plain = {key: value for key, value in server.items() if key not in {"description", "name"}}
    return {key: value for key, value in plain.items() if not key.startswith("x-")}


__all__ = ["Severity", "compare_openapi"]
