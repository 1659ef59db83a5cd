"""Compares schemas that only a discriminator leads to: a base that others extend by `allOf`, and that lists none.

Where a message is declared as the base, a validator takes every value of the base, whatever its kind, and does not
look for the extension (OpenAPI 3.0.4 and 3.1.1, §Discriminator Object). Readers and generated code do. So a change of
an extension that may break somebody is undecided: neither proven, nor nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kernel.contract.positions import token
from registry.compat.containment import Answer
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_paths import operations
from registry.compat.openapi_sides import Api, Message, Part
from registry.compat.openapi_touched import text_of

_SCHEMAS = "#/components/schemas/"
_ASKED: frozenset[str] = frozenset({"parameters", "requestBody", "callbacks"})
_ANSWERED: frozenset[str] = frozenset({"responses", "callbacks"})
_READ: tuple[tuple[Message, frozenset[str]], ...] = (("request", _ASKED), ("response", _ANSWERED))


def compare_extensions(journal: Journal) -> None:
    """Note changed and removed extensions of bases that requests or answers are declared as."""
    kept = _schemas(journal.new)
    lost = {
        (base, name)
        for base, names in _families(_schemas(journal.old)).items()
        if base in kept and _lists_none(kept[base])
        for name in names
        if journal.touched.changed("schemas", name)
    }
    if not lost:
        return
    used = _used(journal)
    for base, name in sorted(lost):
        for message, bases in used.items():
            if base in bases:
                _extension(journal, base, name, message)


def _extension(journal: Journal, base: str, name: str, message: Message) -> None:
    pointer = f"/components/schemas{token(name)}"
    kept = name in _schemas(journal.new)
    label = f"`{name}`, which the discriminator of `{base}` may choose in a {message},"
    if not kept:
        rule = "change-unclassified" if message == "request" else "response-no-longer-sent"
        journal.note(rule, None, f"{label} was removed", at=(pointer, None))
        return
    sides = [api.side(message).at(pointer) for api in (journal.old, journal.new)]
    if journal.comparer.same(*sides):
        return
    inner, outer = sides if message == "request" else sides[::-1]
    proven = journal.comparer.contains(inner, outer).answer is Answer.YES
    rule = "schema-changed-compatibly" if proven else "change-unclassified"
    journal.note(rule, None, f"{label} changed", at=(pointer, pointer))


def _families(schemas: Mapping[str, dict[str, Any]]) -> dict[str, set[str]]:
    """Give the extensions of each base that has a discriminator."""
    found: dict[str, set[str]] = {}
    for name in schemas:
        for base in _extended(schemas, name):
            if isinstance(schemas[base].get("discriminator"), dict) and _lists_none(schemas[base]):
                found.setdefault(base, set()).add(name)
    return found


def _lists_none(base: Mapping[str, Any]) -> bool:
    return not {"oneOf", "anyOf"} & base.keys()


def _extended(schemas: Mapping[str, Any], name: str) -> set[str]:
    """Give what a schema extends by `allOf`, however far."""
    seen: set[str] = set()
    todo = [name]
    while todo:
        listed = schemas[todo.pop()].get("allOf")
        for part in listed if isinstance(listed, list) else ():
            ref = part.get("$ref") if isinstance(part, dict) else None
            target = ref.removeprefix(_SCHEMAS) if isinstance(ref, str) else ""
            if target in schemas and target not in seen:
                seen.add(target)
                todo.append(target)
    return seen


def _schemas(api: Api) -> dict[str, dict[str, Any]]:
    parts = api.root.get("components")
    listed = parts.get("schemas") if isinstance(parts, dict) else None
    return {
        name: schema
        for name, schema in (listed.items() if isinstance(listed, dict) else ())
        if isinstance(schema, dict)
    }


def _used(journal: Journal) -> dict[Message, set[str]]:
    """Give the names of the schemas that requests and answers are declared as in the old document."""
    found: dict[Message, set[str]] = {}
    calls = list(_operations(journal.old))
    for message, keys in _READ:
        texts = [
            text_of({key: value for key, value in part.value.items() if key in (own or keys)})
            for own, part in calls
        ]
        found[message] = {name for kind, name in journal.touched.needed(texts) if kind == "schemas"}
    return found


def _operations(api: Api) -> Iterator[tuple[frozenset[str], Part]]:
    """Give each path item and operation; what we call counts both ways, named by the keys to be read of it."""
    root, both = Part(api.root, ""), _ASKED | _ANSWERED
    for key, own in (("paths", frozenset[str]()), ("webhooks", both)):
        for item in api.members(root, key, extensible=True).values():
            yield own, item
            for _, operation in operations(api, item):
                yield own, operation
