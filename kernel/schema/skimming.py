"""Makes a skim of a schema (kernel/schema/skim.py): what it does not know becomes a rule that never says yes."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from kernel.schema.lowering import RULE
from kernel.schema.skim import (
    MOST_MEMBERS,
    Every,
    Items,
    Later,
    Member,
    Members,
    Rule,
    Skim,
    Some,
    Value,
)
from kernel.schema.skim_patterns import runs_of
from kernel.schema.skim_scalars import Numbers, Texts

_MOST_RULES: Final = 2_000  # some milliseconds of work, between two calls
_DEEPEST: Final = 64  # schemas in each other
_EXACT: Final = 10**15  # whole numbers below are told from all that a skim reads by their doubles
_FARTHEST: Final = 10**300  # a double, and beyond all that a skim reads
_MOST_COUNTED: Final = 2**40  # more than any body has octets
_TYPES: Final = ("string", "number", "integer", "object", "array", "boolean", "null")
_DATED: Final = frozenset({"date", "date-time"})
_FOUR: Final = "\\x2d[0-9A-Fa-f]{4}"
# Formats as patterns, or those of their texts that nearly all are.
_ROWS: Final = {
    "uuid": f"^[0-9A-Fa-f]{{8}}{_FOUR}{_FOUR}{_FOUR}\\x2d[0-9A-Fa-f]{{12}}$",
    "uri": "^https?://[A-Za-z0-9][A-Za-z0-9\\x2d\\x2e_/]*$",
}
_REF: Final = "#/$defs/"

_OF_VALUES: Final = frozenset(
    (
        *("type", "enum", "const", "format", "pattern", "minLength", "maxLength"),
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("properties", "required", "additionalProperties", "minProperties", "maxProperties"),
        *("items", "minItems", "maxItems", "uniqueItems"),
    )
)
_OF_SCHEMAS: Final = frozenset({"$ref", "allOf", "anyOf", "oneOf"})
_NOTHING: Final = Rule()


def skim_of(schema: Any) -> Skim | None:
    """Make a skim of a schema of 2020-12 that stands alone, lowered (bundling.py); None where it would know nothing."""
    skimming = _Skimming(schema.get("$defs", {}) if isinstance(schema, dict) else {})
    rule = skimming.rule_of(schema)
    # A text could be read over and over again where rules of one value meet in every turn of a recursion.
    known = rule is not _NOTHING and not (skimming.recurs and skimming.rereads)
    return Skim(rule) if known else None


class _Skimming:
    def __init__(self, definitions: dict[str, Any]) -> None:
        self._definitions = definitions
        self._made: dict[str, Rule] = {}
        self._left = _MOST_RULES
        self._anything: Value | None = None
        self._under_way: set[str] = set()
        self._depth = 0
        self.recurs = False  # a definition is part of itself
        self.rereads = False  # a value may be read more than once

    def rule_of(self, node: Any) -> Rule:
        """Give the rule of a node; that which never says yes for keywords that are not known here."""
        self._left -= 1
        if node is True or node == {}:
            return self._any()
        if not isinstance(node, dict) or self._left < 0 or self._depth == _DEEPEST:
            return _NOTHING
        self._depth += 1
        made = self._rule(node)
        self._depth -= 1
        return made

    def _rule(self, node: dict[str, Any]) -> Rule:
        keywords = node.keys() - {"$defs"}
        if keywords - _OF_VALUES - _OF_SCHEMAS:
            return _NOTHING
        parts = [] if keywords <= _OF_SCHEMAS else [self._value(node)]
        if "$ref" in node:
            parts.append(self._referred(node["$ref"]))
        implied = f"{_REF}{RULE}format:{node.get('format')}" if node.get("format") in _DATED else ""
        parts += [self.rule_of(item) for item in node.get("allOf", ()) if item != {"$ref": implied}]
        parts += [self._one_of(node[key], key) for key in ("anyOf", "oneOf") if key in node]
        if _NOTHING in parts:
            return _NOTHING
        if len(parts) == 1:
            return parts[0]
        self.rereads = True
        return Every(tuple(parts))

    def _any(self) -> Value:
        """Give the rule that admits every value."""
        if self._anything is None:
            self._anything = made = Value()
            made.texts, made.numbers, made.truth, made.null = Texts(), Numbers(), True, True
            made.members, made.items = Members(made), Items(made)
        return self._anything

    def _referred(self, ref: str) -> Rule:
        name = ref.removeprefix(_REF)
        self.recurs = self.recurs or name in self._under_way
        if name not in self._made:
            self._made[name] = later = Later()
            self._under_way.add(name)
            later.rule = self._made[name] = self.rule_of(self._definitions.get(name, False))
            self._under_way.remove(name)
        return self._made[name]

    def _one_of(self, nodes: list[Any], key: str) -> Rule:
        if key == "oneOf" and not self._apart(nodes):
            return _NOTHING
        rules = [rule for rule in map(self.rule_of, nodes) if rule is not _NOTHING]
        self.rereads = self.rereads or len(rules) > 1
        return Some(tuple(rules)) if rules else _NOTHING

    def _apart(self, nodes: list[Any]) -> bool:
        """Whether no value can fit two of them, since their types are others."""
        seen: set[str] = set()
        for node in nodes:
            types = self._types(node)
            if "integer" in types:
                types.add("number")
            if seen & types:
                return False
            seen |= types
        return True

    def _types(self, node: Any, depth: int = 0) -> set[str]:
        if not isinstance(node, dict) or depth > 8:  # noqa: PLR2004 - a chain of references
            return set(_TYPES)
        if "type" in node:
            named = node["type"]
            return {named} if isinstance(named, str) else set(named)
        ref = node.get("$ref")
        if isinstance(ref, str):
            return self._types(self._definitions.get(ref.removeprefix(_REF)), depth + 1)
        return set(_TYPES)

    def _value(self, node: dict[str, Any]) -> Rule:
        types = self._types({"type": node.get("type", list(_TYPES))})
        value = Value()
        value.truth, value.null = "boolean" in types, "null" in types
        if "string" in types:
            value.texts = _texts(node)
        if types & {"number", "integer"}:
            value.numbers = _numbers(node, whole="number" not in types)
        if "object" in types:
            value.members = self._members(node)
        if "array" in types and not node.get("uniqueItems", False):
            value.items = self._items(node)
        if "enum" in node or "const" in node:
            _narrow(value, node)
        empty = not (
            value.texts or value.numbers or value.members or value.items or value.truth or value.null
        )
        return _NOTHING if empty else value

    def _members(self, node: dict[str, Any]) -> Members | None:
        properties, required = node.get("properties", {}), node.get("required", [])
        names = dict.fromkeys((*properties, *required))
        if len(names) > MOST_MEMBERS:
            return None
        others = self.rule_of(node.get("additionalProperties", True))
        made = Members(
            None if others is _NOTHING else others,
            least=_count(node, "minProperties", 0),
            most=_count(node, "maxProperties", -1),
        )
        for at, name in enumerate(names):
            rule = self.rule_of(properties[name]) if name in properties else others
            if rule is _NOTHING and name in required:
                return None
            octets = _octets(name)
            made.known[octets] = Member(octets, 1 << at, rule)
            if name in required:
                made.required |= 1 << at
        return made

    def _items(self, node: dict[str, Any]) -> Items:
        rule = self.rule_of(node.get("items", True))
        return Items(rule, least=_count(node, "minItems", 0), most=_count(node, "maxItems", -1))


def _texts(node: dict[str, Any]) -> Texts | None:
    made = Texts(least=_count(node, "minLength", 0), most=_count(node, "maxLength", -1))
    form, pattern = node.get("format"), node.get("pattern")
    if form in _DATED:
        made.dated, made.timed = True, form == "date-time"
    elif form in _ROWS and pattern is None:
        pattern = _ROWS[form]
    elif form is not None:
        return None
    if pattern is not None:
        found = runs_of(pattern)
        if found is None:
            return None
        made.runs, made.open = found
    return made


def _numbers(node: dict[str, Any], *, whole: bool) -> Numbers | None:
    if node.get("multipleOf", 1) != 1:
        return None
    made = Numbers(whole=whole or "multipleOf" in node)
    for key, exclusive in (("minimum", False), ("exclusiveMinimum", True)):
        if key in node:
            bound, exact = _bound(node[key])
            made.bound_below(bound, is_open=exclusive or not exact)
    for key, exclusive in (("maximum", False), ("exclusiveMaximum", True)):
        if key in node:
            bound, exact = _bound(node[key])
            made.bound_above(bound, is_open=exclusive or not exact)
    return made


def _count(node: dict[str, Any], keyword: str, default: int) -> int:
    return int(min(node.get(keyword, default), _MOST_COUNTED))


def _bound(value: float | Decimal) -> tuple[float, bool]:
    """Give a bound as a double, and whether this is the bound itself."""
    exact = isinstance(value, int) and abs(value) < _EXACT
    return float(max(-_FARTHEST, min(value, _FARTHEST))), exact


def _narrow(value: Value, node: dict[str, Any]) -> None:
    """Hold a value to an enumeration; only its texts and null are known here."""
    listed = [*node["enum"]] if "enum" in node else [node["const"]]
    if "enum" in node and "const" in node:
        listed = [item for item in listed if item == node["const"]]
    texts = frozenset(_octets(item) for item in listed if isinstance(item, str))
    if value.texts is not None:
        value.texts.among = texts
    value.numbers = value.members = value.items = None
    value.truth = False
    value.null = value.null and None in listed


def _octets(text: str) -> bytes:
    return text.encode(errors="surrogatepass")  # half a pair is never met: it is no UTF-8
