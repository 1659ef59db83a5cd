"""Which keywords each dialect constrains by, and how those of older ones read in the words of 2020-12.

What a dialect does not list is either a note, and dropped, or a constraint of another dialect, and
refused, since dropping it would let through what its author meant to forbid.
"""

from __future__ import annotations

from typing import Any

from kernel.errors import Place, SchemaRefused
from kernel.schema.dialects import TUPLE_ITEMS, Dialect

_COMMON = frozenset(
    (
        *("type", "enum", "multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
        *("maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems", "maxProperties"),
        *("minProperties", "required", "allOf", "oneOf", "anyOf", "not", "items", "properties"),
        *("additionalProperties", "format"),
    )
)
_DRAFT_04 = _COMMON | {"patternProperties"}
_DRAFT_06 = _DRAFT_04 | {"const", "contains", "propertyNames"}
_DRAFT_07 = _DRAFT_06 | {"if", "then", "else"}
_DRAFT_2020 = _DRAFT_07 | {
    *("prefixItems", "dependentRequired", "dependentSchemas", "unevaluatedItems", "unevaluatedProperties"),
    *("minContains", "maxContains"),
}
_TUPLES = frozenset(
    {"dependencies", "additionalItems"}
)  # of draft-07 and before, which 2020-12 has other words for
_LISTED = {
    Dialect.OPENAPI_30: _COMMON,
    Dialect.DRAFT_07: _DRAFT_07 | _TUPLES,
    Dialect.DRAFT_06: _DRAFT_06 | _TUPLES,
    Dialect.DRAFT_04: _DRAFT_04 | _TUPLES,
    Dialect.OPENAPI_31: _DRAFT_2020,
    Dialect.DRAFT_2020_12: _DRAFT_2020,
}
_WITHOUT_DYNAMIC = TUPLE_ITEMS | {Dialect.OPENAPI_30}
# What constrains in some dialect: seen in another, its author meant something that we would not hold.
_CONSTRAINTS = _DRAFT_2020 | _TUPLES | {"extends", "disallow", "divisibleBy"}


def in_2020_12(node: dict[str, Any], dialect: Dialect, pointer: str) -> dict[str, Any]:
    """Give a node with its keywords, not what stands below them, in the words of 2020-12.

    Raises `SchemaRefused` for constraints that the dialect does not have.
    """
    listed = _LISTED[dialect]
    for key in node:
        if key == "$recursiveRef" or (key == "$dynamicRef" and dialect in _WITHOUT_DYNAMIC):
            raise _refused(pointer, f"{dialect} has no keyword {key!r}", "refer by $ref and JSON pointer")
        if key in _CONSTRAINTS and key not in listed:
            hint = "use what the dialect has, or name 2020-12 by $schema"
            raise _refused(pointer, f"{dialect} has no keyword {key!r}", hint)
    if dialect is Dialect.OPENAPI_30:
        node = _from_openapi_30(node, pointer)
    elif dialect in TUPLE_ITEMS:
        node = _from_draft_07(_with_numbers(node, pointer) if dialect is Dialect.DRAFT_04 else node)
    return {key: value for key, value in node.items() if key in _DRAFT_2020}


def _from_openapi_30(node: dict[str, Any], pointer: str) -> dict[str, Any]:
    """Write OpenAPI 3.0's own forms (§4.7.24) in the words of 2020-12."""
    node = _with_numbers(node, pointer)
    if "type" in node:
        if not isinstance(node["type"], str):
            raise _refused(
                pointer, "type is one word in OpenAPI 3.0", "use anyOf, or nullable: true for null"
            )
        if node.get("nullable") is True:  # counts only beside a type (3.0.3 §4.7.24.1)
            node["type"] = [node["type"], "null"]
    if isinstance(node.get("items"), list):
        raise _refused(pointer, "items is one schema in OpenAPI 3.0", "use anyOf inside items")
    return node


def _with_numbers(node: dict[str, Any], pointer: str) -> dict[str, Any]:
    """Write the boolean bounds of draft-04 (validation §5.1.2), which OpenAPI 3.0 took over, as numbers."""
    node = dict(node)
    for limit, flag in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        exclusive = node.pop(flag, False)
        if not isinstance(exclusive, bool):
            raise _refused(pointer, f"{flag} is a boolean in this dialect", f"write {limit} and {flag}: true")
        if exclusive and limit in node:
            node[flag] = node.pop(limit)
    return node


def _from_draft_07(node: dict[str, Any]) -> dict[str, Any]:
    """Write draft-07's tuples and dependencies in the words of 2020-12."""
    node = dict(node)
    rest = node.pop("additionalItems", None)
    if isinstance(node.get("items"), list):
        node["prefixItems"] = node.pop("items")
        if rest is not None:
            node["items"] = rest
    dependencies = node.pop("dependencies", None)
    if isinstance(dependencies, dict):
        node["dependentRequired"] = {
            name: part for name, part in dependencies.items() if isinstance(part, list)
        }
        node["dependentSchemas"] = {
            name: part for name, part in dependencies.items() if not isinstance(part, list)
        }
    if not node.get("prefixItems", True):
        del node["prefixItems"]  # draft-07 allows an empty list, 2020-12 does not
    return node


def _refused(pointer: str, message: str, hint: str) -> SchemaRefused:
    return SchemaRefused(message, hint=hint, place=Place(pointer=pointer))
