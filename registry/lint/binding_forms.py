"""How the shapes of bindings are written: a few short forms that each give a piece of JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

Place = Literal["server", "channel", "operation", "message"]
Shape = dict[str, Any]

TEXT: Shape = {"type": "string"}
FLAG: Shape = {"type": "boolean"}
WHOLE: Shape = {"type": "integer"}
ANY: Shape = {"type": "object"}
SCHEMA: Shape = {"type": ["object", "boolean"]}
TEXTS: Shape = {"type": "array", "items": TEXT}
SECONDS: Shape = {"anyOf": [{"type": "integer", "minimum": 0}, {"type": "object"}]}


def one_of(*values: Any) -> Shape:
    """Ask for one of these values."""
    return {"enum": list(values)}


def whole(least: int, most: int | None = None) -> Shape:
    """Ask for a whole number within bounds."""
    made: Shape = {"type": "integer", "minimum": least}
    return made if most is None else made | {"maximum": most}


def short(length: int) -> Shape:
    """Ask for text of at most so many characters."""
    return {"type": "string", "maxLength": length}


def many(item: Shape, least: int = 0) -> Shape:
    """Ask for a list of at least so many."""
    return {"type": "array", "items": item, "minItems": least}


def record(properties: Mapping[str, Shape], *required: str) -> Shape:
    """Ask for an object that may have other members too."""
    return {"type": "object", "properties": dict(properties), "required": list(required)}


def closed(properties: Mapping[str, Shape], *required: str) -> Shape:
    """Ask for an object of these members and extensions only."""
    return record(properties, *required) | {
        "patternProperties": {"^x-": True}, "additionalProperties": False,
    }  # fmt: skip


def when(key: str, value: str, then: Shape, *, default: bool = False) -> Shape:
    """Ask for `then` where a key has a value; with `default` also where the key is not there."""
    test = {"properties": {key: {"const": value}}, "required": [] if default else [key]}
    return {"if": test, "then": then}


def without(*names: str) -> Shape:
    """Ask for an object that has none of these members."""
    return {"properties": dict.fromkeys(names, False)}


# protocol → place → versions (the oldest first) with their shapes; no row for a place that the page reserves.
Table = dict[str, dict[Place, tuple[tuple[str, Shape], ...]]]
