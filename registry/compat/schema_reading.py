"""Reads one schema object into a `View`: lowering of OpenAPI 3.0 and draft-07 to the words of 2020-12.

Whatever is not of the expected form, or is a keyword that is not known here, is kept in `View.opaque`
or refused with `Unreadable`, so that an unread constraint can never pass for an absent one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fractions import Fraction
from math import lcm
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.positions import token
from kernel.schema.dialects import REF_ALONE, TUPLE_ITEMS, Dialect
from kernel.schema.formats import LOWERED
from registry.compat.schema_names import is_name
from registry.compat.schema_plain import ANNOTATIONS, plain_words
from registry.compat.schema_view import ATOMS, FRACTION, INTEGER, Node, Unreadable, View, exact

_TYPES: Mapping[str, frozenset[str]] = {name: frozenset({name}) for name in ATOMS - {FRACTION}} | {
    "number": frozenset({INTEGER, FRACTION})
}
# In 2019-09 and later `content…` are notes, and OpenAPI's `xml` says how, not what.
_NOTES_LATER = frozenset({"contentMediaType", "contentEncoding", "contentSchema"})
_NOTES_OPENAPI = frozenset({"xml", "discriminator"})
# `password` and `binary` narrow nothing; `double` leaves out only what no JSON reader could hold.
_IDLE_FORMATS = frozenset({"password", "binary", "double"})
# kernel/schema/formats.py lowers them to bounds; those of a double are no bounds to what a double holds.
_NUMERIC_FORMATS = frozenset(name for name, rule in LOWERED.items() if "minimum" in rule) - {"double"}
_STAND_IN = "~hidden"  # no JSON pointer has this step: `~` is always written ~0
_OPENAPI = frozenset({Dialect.OPENAPI_30, Dialect.OPENAPI_31})
_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_BOOLEAN_BOUNDS = frozenset({Dialect.OPENAPI_30, Dialect.DRAFT_04})
_LATER = frozenset({
    "prefixItems", "minContains", "maxContains", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
    "unevaluatedItems", "nullable", "discriminator",
})  # fmt: skip
_SIX = _LATER | {"if", "then", "else"}
_FOUR = _SIX | {"const", "contains", "propertyNames"}
_UNKNOWN_TO: Mapping[Dialect, frozenset[str]] = {
    Dialect.OPENAPI_30: (_FOUR - {"nullable", "discriminator"})
    | {"patternProperties", "dependencies", "additionalItems"},
    Dialect.OPENAPI_31: frozenset({"nullable", "additionalItems", "dependencies"}),
    Dialect.DRAFT_2020_12: frozenset({"nullable", "additionalItems", "dependencies", "discriminator"}),
    Dialect.DRAFT_07: _LATER,
    Dialect.DRAFT_06: _SIX,
    Dialect.DRAFT_04: _FOUR,
}


def read_view(node: Node) -> View:
    """Read the node's keywords; raises `Unreadable` for a keyword whose value has the wrong form."""
    raw = node.raw
    if isinstance(raw, bool):
        return View(always=raw)
    if not isinstance(raw, dict):
        raise Unreadable(f"what stands at #{node.pointer} is no schema")
    if node.dialect is None:
        raise Unreadable(f"the schema at #{node.pointer} follows a dialect that is not known here")
    if "$ref" in raw and (node.dialect in REF_ALONE or set(raw) - {"$ref"} <= ANNOTATIONS):
        return View(ref=node.side.resolve(raw["$ref"], node.pointer))
    found: dict[str, Any] = {}
    opaque: dict[str, Any] = {}
    for key, value in raw.items():
        if is_name(node, key, value, found):
            continue
        reader = None if _foreign(key, node.dialect) else _READERS.get(key)
        if reader is not None:
            reader(node, value, found)
        elif key in node.side.keep or not _is_note(key, node.dialect):
            opaque[key] = value
    _finish(node, raw, found)
    return View(**found, opaque=opaque)


def _foreign(key: str, dialect: Dialect | None) -> bool:
    """Whether a keyword has no meaning in this vocabulary (then it is opaque)."""
    return dialect is not None and key in _UNKNOWN_TO[dialect]


def _is_note(key: str, dialect: Dialect | None) -> bool:
    if key.startswith("x-") or key in ANNOTATIONS:
        return True
    if key in _NOTES_LATER:
        return dialect not in TUPLE_ITEMS
    # Beside JSON Schema's own words, `discriminator` is nobody's: the validators pass it over there.
    return key in _NOTES_OPENAPI and (dialect in _OPENAPI or key == "discriminator")


def _finish(node: Node, raw: dict[str, Any], found: dict[str, Any]) -> None:
    """Read what needs more than one keyword: nullable, boolean bounds, formats of numbers, array `items`."""
    dialect = node.dialect
    if dialect is Dialect.OPENAPI_30 and raw.get("nullable") is True and "types" in found:
        found["types"] |= {"null"}
    for key, slot in _BOUNDS.items() if dialect in _BOOLEAN_BOUNDS else ():
        if raw.get(key) is True and slot in found:
            found[slot] = (found[slot][0], True)
    if "enum" in found:
        found["enum_keys"] = frozenset(map(canonical_bytes, found["enum"]))
    form = found.get("format")
    if form in _IDLE_FORMATS or form in _NUMERIC_FORMATS:
        del found["format"]
        for key, value in LOWERED.get(form, {}).items() if form in _NUMERIC_FORMATS else ():
            _READERS[key](node, value, found)
    if isinstance(raw.get("items"), list) and "additionalItems" in raw:
        found["items"] = _child(node, "additionalItems", raw["additionalItems"])
    if "if" in raw and not _foreign("if", dialect) and ("then" in raw or "else" in raw):
        found["condition"] = tuple(
            _child(node, name, raw[name]) if name in raw else None for name in ("if", "then", "else")
        )
    plain_words(node, found)


def _count(node: Node, value: Any) -> int:
    number = exact(value, node.pointer)
    if number.denominator != 1 or number < 0:
        raise Unreadable(f"a count was expected at #{node.pointer}")
    return int(number)


def _child(node: Node, step: str, raw: Any) -> Node:
    return node.side.node(f"{node.pointer}/{step}", raw, node.dialect)


def _children(node: Node, step: str, raw: Any) -> dict[str, Node]:
    if not isinstance(raw, dict):
        raise Unreadable(f"an object was expected at #{node.pointer}/{step}")
    return {name: _child(node, step + token(name), value) for name, value in raw.items()}


def _list(node: Node, step: str, raw: Any) -> tuple[Node, ...]:
    if not isinstance(raw, list) or (not raw and step.endswith("Of")):
        raise Unreadable(f"a list was expected at #{node.pointer}/{step}")
    return tuple(_child(node, f"{step}/{index}", value) for index, value in enumerate(raw))


def _strings(node: Node, raw: Any) -> frozenset[str]:
    if not isinstance(raw, list) or not all(isinstance(item, str) for item in raw):
        raise Unreadable(f"a list of strings was expected at #{node.pointer}")
    return frozenset(raw)


def _text(node: Node, raw: Any) -> str:
    if not isinstance(raw, str):
        raise Unreadable(f"a string was expected at #{node.pointer}")
    return raw


def _read_type(node: Node, raw: Any, found: dict[str, Any]) -> None:
    names = raw if isinstance(raw, list) else [raw]
    atoms: frozenset[str] = frozenset()
    for name in names:
        if not isinstance(name, str) or name not in _TYPES:
            raise Unreadable(f"the schema at #{node.pointer} names a type that does not exist")
        atoms |= _TYPES[name]
    found["types"] = atoms


def _read_enum(node: Node, raw: Any, found: dict[str, Any]) -> None:
    if not isinstance(raw, list):
        raise Unreadable(f"a list was expected at #{node.pointer}/enum")
    found["enum"] = _both(found.get("enum"), tuple(raw))


def _read_const(node: Node, raw: Any, found: dict[str, Any]) -> None:
    del node
    found["enum"] = _both(found.get("enum"), (raw,))


def _both(first: tuple[Any, ...] | None, second: tuple[Any, ...]) -> tuple[Any, ...]:
    if first is None:
        return second
    keys = {canonical_bytes(value) for value in second}
    return tuple(value for value in first if canonical_bytes(value) in keys)


def _bound(slot: str, *, exclusive: bool) -> Callable[[Node, Any, dict[str, Any]], None]:
    def read(node: Node, raw: Any, found: dict[str, Any]) -> None:
        if isinstance(raw, bool) and exclusive and node.dialect in _BOOLEAN_BOUNDS:
            return
        new = (exact(raw, node.pointer), exclusive)
        old = found.get(slot)
        tighter = old is None or (
            (new > old) if slot == "minimum" else ((new[0], not new[1]) < (old[0], not old[1]))
        )
        if tighter:
            found[slot] = new

    return read


def _read_multiple(node: Node, raw: Any, found: dict[str, Any]) -> None:
    new, old = exact(raw, node.pointer), found.get("multiple_of")
    if new <= 0:
        raise Unreadable(f"multipleOf at #{node.pointer} is not positive")
    if old is not None:  # both hold: the least common multiple of two fractions
        new = Fraction(lcm(new.numerator * old.denominator, old.numerator * new.denominator), 1)
        new /= exact(raw, node.pointer).denominator * old.denominator
    found["multiple_of"] = new


def _read_items(node: Node, raw: Any, found: dict[str, Any]) -> None:
    if isinstance(raw, list):
        if node.dialect not in TUPLE_ITEMS:
            raise Unreadable(f"a schema was expected at #{node.pointer}/items")
        found["prefix"] = _list(node, "items", raw)
    else:
        found["items"] = _child(node, "items", raw)


def _read_properties(node: Node, raw: Any, found: dict[str, Any]) -> None:
    children = _children(node, "properties", raw)
    hidden = frozenset(name for name, child in children.items() if node.side.hides(child))
    found["hidden"] = hidden
    found["properties"] = {
        name: node.side.node(f"{child.pointer}/{_STAND_IN}", False, node.dialect) if name in hidden else child
        for name, child in children.items()
    }


def _needs(children: dict[str, Node]) -> dict[str, frozenset[str]]:
    return {name: _strings(child, child.raw) for name, child in children.items()}


def _read_dependencies(node: Node, raw: Any, found: dict[str, Any]) -> None:
    children = _children(node, "dependencies", raw)
    lists = {
        name: _strings(node, child.raw) for name, child in children.items() if isinstance(child.raw, list)
    }
    found["needs"] = {**found.get("needs", {}), **lists}
    schemas = {name: child for name, child in children.items() if name not in lists}
    found["dependents"] = {**found.get("dependents", {}), **schemas}


def _put(slot: str, convert: Callable[[Node, Any], Any]) -> Callable[[Node, Any, dict[str, Any]], None]:
    def read(node: Node, raw: Any, found: dict[str, Any]) -> None:
        found[slot] = convert(node, raw)

    return read


def _nothing(node: Node, raw: Any, found: dict[str, Any]) -> None:
    """Read together with its neighbours by `_finish`."""
    del node, raw, found


_READERS: Mapping[str, Callable[[Node, Any, dict[str, Any]], None]] = {
    "$ref": _put("ref", lambda node, raw: node.side.resolve(raw, node.pointer)),
    "type": _read_type,
    "nullable": _nothing,
    "enum": _read_enum,
    "const": _read_const,
    "minimum": _bound("minimum", exclusive=False),
    "maximum": _bound("maximum", exclusive=False),
    "exclusiveMinimum": _bound("minimum", exclusive=True),
    "exclusiveMaximum": _bound("maximum", exclusive=True),
    "multipleOf": _read_multiple,
    "minLength": _put("min_length", _count),
    "maxLength": _put("max_length", _count),
    "pattern": _put("pattern", _text),
    "format": _put("format", _text),
    "prefixItems": _put("prefix", lambda node, raw: _list(node, "prefixItems", raw)),
    "items": _read_items,
    "additionalItems": _nothing,
    "contains": _put("contains", lambda node, raw: _child(node, "contains", raw)),
    "minContains": _put("min_contains", _count),
    "maxContains": _put("max_contains", _count),
    "minItems": _put("min_items", _count),
    "maxItems": _put("max_items", _count),
    "uniqueItems": _put("unique", lambda _, raw: raw is True),
    "properties": _read_properties,
    "patternProperties": _put("patterns", lambda node, raw: _children(node, "patternProperties", raw)),
    "additionalProperties": _put("additional", lambda node, raw: _child(node, "additionalProperties", raw)),
    "unevaluatedProperties": _put(
        "unevaluated", lambda node, raw: _child(node, "unevaluatedProperties", raw)
    ),
    "unevaluatedItems": _put("unlooked", lambda node, raw: _child(node, "unevaluatedItems", raw)),
    "propertyNames": _put("names", lambda node, raw: _child(node, "propertyNames", raw)),
    "required": _put("required", _strings),
    "minProperties": _put("min_properties", _count),
    "maxProperties": _put("max_properties", _count),
    "dependentRequired": _put("needs", lambda node, raw: _needs(_children(node, "dependentRequired", raw))),
    "dependentSchemas": _put("dependents", lambda node, raw: _children(node, "dependentSchemas", raw)),
    "dependencies": _read_dependencies,
    "allOf": _put("all_of", lambda node, raw: _list(node, "allOf", raw)),
    "anyOf": _put("any_of", lambda node, raw: _list(node, "anyOf", raw)),
    "oneOf": _put("one_of", lambda node, raw: _list(node, "oneOf", raw)),
    "not": _put("negated", lambda node, raw: _child(node, "not", raw)),
    "if": _nothing,
    "then": _nothing,
    "else": _nothing,
    "discriminator": _put("discriminator", lambda _, raw: raw if isinstance(raw, dict) else {}),
}
