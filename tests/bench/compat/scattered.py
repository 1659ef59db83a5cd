"""Changes strewn evenly over a large document: what a comparison of real size has to find."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

Schema = dict[str, Any]


def scattered(root: Any, number: int) -> Any:
    """Give a copy of a document with `number` schemas changed, each in the next of the ways below."""
    made = copy.deepcopy(root)
    left = [(schema, change) for change in _CHANGES for schema in _fitting(made, change)]
    by_change = {change: [schema for schema, other in left if other is change] for change in _CHANGES}
    done: set[int] = set()
    for turn in range(number):
        change = _CHANGES[turn % len(_CHANGES)]
        among = [schema for schema in by_change[change] if id(schema) not in done]
        schema = among[(turn * len(among)) // number]
        change(schema)
        done.add(id(schema))
    return made


def _fitting(root: Any, change: Callable[[Schema], bool]) -> Iterator[Schema]:
    for schema in _in_use(root):
        if change(copy.copy(schema)):
            yield schema


def _in_use(root: Any) -> Iterator[Schema]:
    """Yield every schema of an operation, each once, references followed."""
    todo: list[Any] = [root["paths"]]
    seen: set[str] = set()
    while todo:
        part = todo.pop(0)
        for reference in dict.fromkeys(_references(part)):
            if reference not in seen:
                seen.add(reference)
                _, kind, name = reference.removeprefix("#/").split("/")
                todo.append(root["components"][kind][name])
        yield from _schemas(part)


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _schemas(node: Any) -> Iterator[Schema]:
    if isinstance(node, dict):
        if isinstance(node.get("type"), str):
            yield node
        for key, child in node.items():
            if key not in {"example", "examples", "enum", "default"}:
                yield from _schemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from _schemas(child)


def _shorter(schema: Schema) -> bool:
    fits = schema["type"] == "string" and not schema.keys() & {"enum", "format", "in"}
    return fits and bool(schema.update(maxLength=7) or True)


def _fewer(schema: Schema) -> bool:
    listed = schema.get("enum") or []
    return len(listed) > 1 and bool(schema.update(enum=listed[:-1]) or True)


def _more(schema: Schema) -> bool:
    listed = schema.get("enum") or []
    fits = schema["type"] == "string" and len(listed) > 0
    return fits and bool(schema.update(enum=[*listed, "of-tomorrow"]) or True)


def _bounded(schema: Schema) -> bool:
    fits = schema["type"] == "integer" and "maximum" not in schema
    return fits and bool(schema.update(maximum=3) or True)


def _required(schema: Schema) -> bool:
    left = [name for name in schema.get("properties") or {} if name not in (schema.get("required") or [])]
    return bool(left) and bool(schema.update(required=[*(schema.get("required") or []), left[0]]) or True)


def _closed(schema: Schema) -> bool:
    fits = bool(schema.get("properties")) and "additionalProperties" not in schema
    return fits and bool(schema.update(additionalProperties=False) or True)


def _gone(schema: Schema) -> bool:
    have = schema.get("properties") or {}
    names = [name for name in have if name not in (schema.get("required") or [])]
    kept = {name: value for name, value in have.items() if name not in names[:1]}
    return bool(names) and bool(schema.update(properties=kept) or True)


def _worded(schema: Schema) -> bool:
    return bool(schema.update(description="Said in other words.") or True)


def _retyped(schema: Schema) -> bool:
    fits = schema["type"] == "integer" and "in" not in schema
    return fits and bool(schema.update(type="string") or True)


def _filled(schema: Schema) -> bool:
    fits = schema["type"] == "array" and "minItems" not in schema
    return fits and bool(schema.update(minItems=1) or True)


_CHANGES: tuple[Callable[[Schema], bool], ...] = (
    _shorter, _fewer, _more, _bounded, _required, _closed, _gone, _worded, _retyped, _filled,
)  # fmt: skip
