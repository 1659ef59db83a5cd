"""Compares two OpenAPI documents: every operation, part by part, with oasdiff as the second opinion.

What no rule knows is undecided (`change-unclassified`), so that nothing fails open; where oasdiff calls
something breaking that our own comparison proves harmless, the proof decides, and where neither is sure,
the verdict is undecided.
"""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import TYPE_CHECKING, Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Finding, Severity
from kernel.errors import SchemaRefused
from registry.compat.containment import Comparer
from registry.compat.openapi_answers import compare_responses
from registry.compat.openapi_called import compare_callbacks, compare_webhooks
from registry.compat.openapi_inheritance import compare_extensions
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_parts import (
    Parameters,
    compare_parameters,
    compare_request_body,
    deprecation,
    parameters_of,
)
from registry.compat.openapi_paths import operation_pairs, taking_over
from registry.compat.openapi_places import Placed, Scope, Spot
from registry.compat.openapi_policies import compare_policies, compare_root_policies, compare_unknown_fields
from registry.compat.openapi_security import compare_security
from registry.compat.openapi_servers import compare_servers
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
        begun = Event()
        asked = beside.submit(ask_oasdiff, *journal.touched.reduced(), settings, begun.set)
        asked.add_done_callback(lambda _: begun.set())
        begun.wait()  # until then it needs the interpreter as we do; after that it runs while we compare
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
    return Finding.of(rule, pointer, what, base_pointer=pointer)


def _documents(journal: Journal) -> None:
    old, new = Part(journal.old.root, ""), Part(journal.new.root, "")
    known = _NOTES | {"paths", "webhooks", "servers", "security", "jsonSchemaDialect"}
    for key in rest_equal(old, new, known):
        journal.unclassified(None, key, old, new)
    compare_root_policies(journal, old, new)
    _paths(journal, old, new)
    compare_webhooks(journal, old, new, _operation)
    compare_extensions(journal)
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
        compare_servers(journal, scope, (first.item, second.item), (first.operation, second.operation))
    elif first is not None:
        gone = first.operation.pointer
        heir = taking_over(journal, first)
        what = f"{scope.label} was removed" + (f"; {heir} takes its calls now" if heir else "")
        journal.note("operation-removed", scope, what, at=(gone, None), spot=None if heir else Spot())
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
    compare_policies(journal, scope, old, new)
    compare_unknown_fields(journal, scope)
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
    compare_callbacks(journal, scope, ends, _operation)


__all__ = ["Severity", "compare_openapi"]
