"""The schemas that stand in one schema object, read for decoding; whether they are sound is not asked here.

A keyword of the wrong type holds nothing: the schema compiler refuses it at its place.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from kernel.errors import SchemaRefused
from kernel.schema.dialects import Dialect
from kernel.schema.validator import compile_schema

if TYPE_CHECKING:
    from collections.abc import Callable

FURTHER: Final = ("additionalProperties", "unevaluatedProperties")
_PATTERNS: Final = 4096  # kept at once, of all contracts together


def listed(schema: dict[str, Any], keyword: str) -> list[Any]:
    """Give an array of schemas."""
    found = schema.get(keyword)
    return found if isinstance(found, list) else []


def named(schema: dict[str, Any], keyword: str = "properties") -> dict[str, Any]:
    """Give schemas by name."""
    found = schema.get(keyword)
    return found if isinstance(found, dict) else {}


def positions(schema: dict[str, Any]) -> list[Any]:
    """List the schemas of the first elements: `prefixItems`, or the `items` of older dialects."""
    return listed(schema, "prefixItems") or listed(schema, "items")


def further_items(schema: dict[str, Any]) -> list[Any]:
    """List what is said of the elements behind those that have a schema of their position."""
    found = (schema.get(keyword) for keyword in ("items", "unevaluatedItems"))
    return [one for one in found if isinstance(one, (dict, bool))]


def unnamed(schema: dict[str, Any], patterns: tuple[str, ...] | None) -> list[Any]:
    """List what is said of a property that has no schema by its name, and whose name matches these patterns.

    All that is said of any such property where the patterns were not asked (None).
    """
    further = [schema[keyword] for keyword in FURTHER if isinstance(schema.get(keyword), dict)]
    known = named(schema, "patternProperties")
    if patterns is None:
        return [*known.values(), *further]
    return [one for pattern, one in known.items() if pattern in patterns] or further


def matches(pattern: str, name: str) -> bool:
    """Whether a name is one of those that a pattern of `patternProperties` means."""
    return _judge(pattern)(name)


@lru_cache(maxsize=_PATTERNS)
def _judge(pattern: str) -> Callable[[Any], bool]:
    """Let the engine of the validator judge, so that both always agree."""
    try:
        return compile_schema({"pattern": pattern}, root={}, dialect=Dialect.OPENAPI_31).accepts
    except SchemaRefused:
        return _anything  # the schema itself is refused when it is compiled


def _anything(_value: Any) -> bool:
    return True
