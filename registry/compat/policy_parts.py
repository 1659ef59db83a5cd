"""Finds the parts of a document that have a life of their own: operations, parameters, properties, channels, messages.

A part is known by a key that does not depend on order, so that it is found again in another version.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from kernel.contract.grammar import Grammar, grammar_of, members
from kernel.contract.positions import token
from kernel.contract.sites import local_pointer, resolve_pointer
from kernel.errors import DocumentError, ReferenceRefused
from registry.compat.policy_dates import Life, life_of

Key = tuple[str, ...]
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_SCHEMAS: Final = frozenset({"schema", "payload"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `pointer` is where it stands in the list or map that holds it, `label` names it in a sentence.

    `schema` is the pointer of the schema that declares a property.
    """

    label: str
    pointer: str
    life: Life
    schema: str = ""


def parts_of(root: Any, other: Any = None) -> dict[Key, Part]:
    """Give every part of a document by its key; what cannot be read is no part, and stays as it is.

    Properties are left out where they are the same in the `other` document: large documents have many.
    """
    if not isinstance(root, dict):
        return {}
    try:
        grammar = grammar_of(root)
    except DocumentError:
        return {}
    found: dict[Key, Part] = {}
    for key, part in (*_FINDERS[grammar.kind](root), *_properties(root, other, grammar)):
        found.setdefault(key, part)
    return found


def _openapi(root: Mapping[str, Any]) -> Iterator[tuple[Key, Part]]:
    general = _life(root.get("info"))
    for path, item in _items(root.get("paths")):
        if path.startswith("x-") or "$ref" in item:
            continue
        shape, at = re.sub(r"\{[^{}]*\}", "{}", path), f"/paths{token(path)}"
        yield from _parameters(root, (shape, ""), path, at, item)
        for method, operation in _items(item):
            if method in _METHODS:
                label = f"{method.upper()} {path}"
                life = _within(life_of(operation), _life(item), general)
                yield ("operation", shape, method), Part(label, at + token(method), life)
                yield from _parameters(root, (shape, method), label, at + token(method), operation)
    for name, item in _items(root.get("webhooks")):
        for method, operation in _items(item):
            if method in _METHODS and "$ref" not in item:
                pointer = f"/webhooks{token(name)}{token(method)}"
                life = _within(life_of(operation), _life(item), general)
                yield ("webhook", name, method), Part(f"webhook {name} {method.upper()}", pointer, life)


def _parameters(
    root: Any, key: tuple[str, str], label: str, at: str, owner: Mapping[str, Any]
) -> Iterator[tuple[Key, Part]]:
    listed = owner.get("parameters")
    for index, written in enumerate(listed if isinstance(listed, list) else ()):
        parameter = _followed(root, written)
        name, place = parameter.get("name"), parameter.get("in")
        if isinstance(name, str) and isinstance(place, str):
            pointer = f"{at}/parameters/{index}"
            said = f"the {place} parameter {name!r} of {label}"
            yield ("parameter", *key, place, name), Part(said, pointer, life_of(parameter))


def _asyncapi(root: Mapping[str, Any]) -> Iterator[tuple[Key, Part]]:
    general = _life(root.get("info"))
    for name, channel in _items(root.get("channels")):
        at = f"/channels{token(name)}"
        life = _within(_life(channel), general)
        yield ("channel", name), Part(f"channel {name!r}", at, life)
        for word in ("publish", "subscribe"):
            operation = channel.get(word)
            if isinstance(operation, dict):
                label = f"{word} of channel {name!r}"
                yield (
                    ("operation", name, word),
                    Part(label, at + token(word), _within(life_of(operation), life)),
                )
                yield from _alternatives(root, (name, word), label, at + token(word), operation)
        for message, written in _items(channel.get("messages")):
            pointer = f"{at}/messages{token(message)}"
            said = f"message {message!r} of channel {name!r}"
            yield ("message", name, "", message), Part(said, pointer, _life(_followed(root, written)))
    for name, operation in _items(root.get("operations")):
        life = _within(_life(operation), general)
        yield ("operation", name), Part(f"operation {name!r}", f"/operations{token(name)}", life)


def _alternatives(
    root: Any, key: tuple[str, str], label: str, at: str, operation: Mapping[str, Any]
) -> Iterator[tuple[Key, Part]]:
    """Give the messages among which an AsyncAPI 2 operation chooses, by the name of each."""
    message = operation.get("message")
    listed = message.get("oneOf") if isinstance(message, dict) else None
    for index, written in enumerate(listed if isinstance(listed, list) else ()):
        one = _followed(root, written)
        named = written.get("$ref") if isinstance(written, dict) else None
        name = named or one.get("messageId") or one.get("name")
        if isinstance(name, str):
            said = f"message {name.rpartition('/')[2]!r} of {label}"
            yield ("message", *key, name), Part(said, f"{at}/message/oneOf/{index}", life_of(one))


def _schema(root: Mapping[str, Any]) -> Iterator[tuple[Key, Part]]:
    yield ("schema",), Part("the schema", "", life_of(root))


_FINDERS: Final = {"openapi": _openapi, "asyncapi": _asyncapi, "schema": _schema}


def _properties(root: Any, other: Any, grammar: Grammar) -> Iterator[tuple[Key, Part]]:
    """Give every property that says anything of its life, wherever a schema stands."""
    todo: list[tuple[str, Any, Any, str]] = [("", root, other, grammar.root)]
    while todo:
        at, node, twin, type_ = todo.pop()
        if not isinstance(node, dict) or node == twin:
            continue
        if type_ in _SCHEMAS and isinstance(node.get("properties"), dict):
            for name, below in node["properties"].items():
                life = life_of(below) if isinstance(below, dict) and "$ref" not in below else _NOTHING
                if life != _NOTHING:
                    pointer = f"{at}/properties{token(name)}"
                    said = f"the property {name!r} at #{at}"
                    yield ("property", at, name), Part(said, pointer, life, schema=at)
        for key, value, row in grammar.fields(type_, node):
            here, there = at + token(key), twin.get(key) if isinstance(twin, dict) else None
            if value != there:
                for step, item in members(row, value):
                    begun = here if step is None else here + token(step)
                    todo.append((begun, item, _member(there, step), row.type))


def _member(node: Any, step: str | int | None) -> Any:
    """Give what stands at the same step of the other document, None where nothing does."""
    if step is None:
        return node
    if isinstance(node, dict):
        return node.get(step)
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None


_NOTHING: Final = Life()


def _items(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, dict):
        for name, value in node.items():
            if isinstance(value, dict):
                yield name, value


def _life(node: Any) -> Life:
    return life_of(node) if isinstance(node, dict) else _NOTHING


def _within(own: Life, *around: Life) -> Life:
    """Take the level of stability of what stands around a part that says none of its own."""
    level = next((life.level for life in (own, *around) if life.level is not None), None)
    return replace(own, level=level)


def _followed(root: Any, node: Any) -> dict[str, Any]:
    for _ in range(8):
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            break
        try:
            node = resolve_pointer(root, local_pointer(node["$ref"], ""))
        except ReferenceRefused:
            return {}
    return node if isinstance(node, dict) else {}
