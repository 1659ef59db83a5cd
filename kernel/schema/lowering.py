"""Any dialect of schema, one node at a time, written as JSON Schema 2020-12 without a loss."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Literal

from kernel.contract.positions import token
from kernel.errors import Place, SchemaRefused
from kernel.schema.dialects import REF_ALONE, Dialect, base_keyword, named, of_format
from kernel.schema.discriminators import discriminator_of, filtered, targets_of
from kernel.schema.formats import ASSERTED, EXACT, LOWERED, SHAPED
from kernel.schema.keywords import in_2020_12
from kernel.schema.lookaheads import without_lookaheads
from kernel.schema.patterns import linear

Direction = Literal["request", "response"]

_NUMERIC = frozenset(
    {"multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "uniqueItems"}
)

_IN_PLACE_ONE = frozenset({"not", "if", "then", "else"})  # judged on the same value
_ONE = _IN_PLACE_ONE | {
    *(
        "additionalProperties",
        "unevaluatedItems",
        "unevaluatedProperties",
        "contains",
        "propertyNames",
        "items",
    ),
}
_IN_PLACE_SEVERAL = frozenset({"allOf", "anyOf", "oneOf"})
_SEVERAL = _IN_PLACE_SEVERAL | {"prefixItems"}
_OPENAPI = (Dialect.OPENAPI_30, Dialect.OPENAPI_31)  # whose schemas have a discriminator
RULE = "rule:"  # definitions of our own: `rule:<keyword to report>:<name>`


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a node stands: its pointer (for errors), its dialect, and what it inherits.

    `in_place`: judged on the same value as the definition it belongs to. `relaxed`: names of properties
    that need not be there in this direction. `moved`: a `$id` changed the base of references. `dynamic`:
    what each `$dynamicAnchor` names here, the outermost first come (bundling.py numbers the nodes).
    """

    pointer: str
    dialect: Dialect
    in_place: bool = True
    relaxed: frozenset[str] = frozenset()
    moved: bool = False
    dynamic: tuple[tuple[str, int], ...] = ()

    def below(self, *steps: str | int, in_place: bool = False) -> Spot:
        """Move to a part of the node; what is relaxed holds only for the same value, and not inside `not`."""
        pointer = self.pointer + "".join(map(token, steps))
        relaxed = self.relaxed if in_place and steps[0] != "not" else frozenset[str]()
        return Spot(pointer, self.dialect, self.in_place and in_place, relaxed, self.moved, self.dynamic)


@dataclass(slots=True)
class Lowering:
    """Lowers nodes for one compilation and notes what it learns of them on the way.

    `refer(ref, spot)` names the definition that a local reference becomes, `refer_dynamically` that of a
    `$dynamicRef`; `find(ref)` gives a reference's target.
    """

    root: Any
    direction: Direction | None
    refer: Callable[[str, Spot], str]
    find: Callable[[str, Spot], Any]
    refer_dynamically: Callable[[str, Spot], str]
    names: set[str] = field(default_factory=set)  # of properties, which errors may show
    rules: dict[str, Any] = field(default_factory=dict)  # definitions of our own that were needed
    exact: bool = False  # whether rounding a number could change the answer

    def lower(self, node: Any, spot: Spot) -> Any:
        """Give the node in 2020-12; raises `SchemaRefused`."""
        if isinstance(node, bool):
            return node
        if not isinstance(node, dict):
            raise SchemaRefused(
                "a schema is an object or a boolean",
                hint="write an object here",
                place=Place(pointer=spot.pointer),
            )
        if isinstance(node.get("schemaFormat"), str) and "schema" in node:  # AsyncAPI's Multi Format Schema
            inner = replace(spot, dialect=of_format(node["schemaFormat"], spot.pointer))
            return self.lower(node["schema"], inner.below("schema", in_place=True))
        spot = self._entered(node, spot)
        lowered: dict[str, Any] = {}
        if "$ref" in node:
            lowered["$ref"] = f"#/$defs/{self.refer(self._ref(node, spot), spot)}"
            if spot.dialect in REF_ALONE:
                return lowered  # siblings are ignored (OpenAPI 3.0 §4.7.23; draft-07 core §8.3)
        if self.direction is not None and spot.dialect is Dialect.OPENAPI_30:
            spot = replace(spot, relaxed=spot.relaxed | set(self._one_way(node, spot)))
        for key, value in in_2020_12(node, spot.dialect, spot.pointer).items():
            if key != "format":
                lowered[key] = self._value(key, value, spot)
        if "$dynamicRef" in node:
            dynamic = {
                "$ref": f"#/$defs/{self.refer_dynamically(self._ref(node, spot, '$dynamicRef'), spot)}"
            }
            lowered["allOf"] = [*lowered.get("allOf", ()), dynamic]
        self._format(node, lowered)
        self._look_ahead(node.get("pattern"), spot, lowered)
        self._discriminate(node, spot, lowered)
        return lowered

    def _entered(self, node: dict[str, Any], spot: Spot) -> Spot:
        """Take over what a node says of itself: its dialect, and a base of its own for references."""
        if "schemaFormat" in node and "schema" in node:
            raise _refused(
                spot, "this is AsyncAPI's wrapper around a schema", "compile what its `schema` holds"
            )
        if isinstance(node.get("$schema"), str):
            spot = replace(spot, dialect=named(node["$schema"], spot.pointer))
        if isinstance(node.get(base_keyword(spot.dialect)), str) and node is not self.root:
            spot = replace(spot, moved=True)
        return spot

    def _value(self, key: str, value: Any, spot: Spot) -> Any:
        # A value of a wrong shape is handed on as it is: the engine refuses it by the meta-schema.
        if key in _ONE:
            return self.lower(value, spot.below(key, in_place=key in _IN_PLACE_ONE))
        if key in _SEVERAL and isinstance(value, list):
            in_place = key in _IN_PLACE_SEVERAL
            return [self.lower(item, spot.below(key, at, in_place=in_place)) for at, item in enumerate(value)]
        by_type = _OF_OBJECTS if isinstance(value, dict) else _OF_LISTS if isinstance(value, list) else {}
        if key in by_type:
            return by_type[key](self, value, spot)
        if key == "pattern" and isinstance(value, str):
            return _translated(without_lookaheads(value)[0], spot.below(key))
        self.exact = self.exact or key in _NUMERIC or (key == "type" and _holds_integer(value))
        self.exact = self.exact or (key in ("const", "enum") and _holds_number(value))
        return value

    def _properties(self, value: dict[str, Any], spot: Spot) -> dict[str, Any]:
        self.names.update(value)
        lowered = {}
        for name, item in value.items():
            # OpenAPI 3.0 §4.7.24: readOnly is not sent in requests, writeOnly not in responses.
            wrong_way = name in spot.relaxed and self._is_one_way(item, spot, 0)
            if wrong_way:
                lowered[name] = self._rule(
                    "readOnly" if self.direction == "request" else "writeOnly", "", False
                )
            else:
                lowered[name] = self.lower(item, spot.below("properties", name))
        return lowered

    def _required(self, value: list[Any], spot: Spot) -> list[Any]:
        self.names.update(name for name in value if isinstance(name, str))
        if not spot.relaxed:
            return value
        # What is no name stays: it may be unhashable, and the engine refuses it by the meta-schema.
        return [name for name in value if not isinstance(name, str) or name not in spot.relaxed]

    def _dependent_required(self, value: dict[str, Any], _: Spot) -> dict[str, Any]:
        self.names.update(value)
        for names in value.values():
            self.names.update(name for name in names if isinstance(name, str)) if isinstance(
                names, list
            ) else None
        return value

    def _dependent_schemas(self, value: dict[str, Any], spot: Spot) -> dict[str, Any]:
        self.names.update(value)
        below = {name: spot.below("dependentSchemas", name, in_place=True) for name in value}
        return {name: self.lower(item, below[name]) for name, item in value.items()}

    def _pattern_properties(self, value: dict[str, Any], spot: Spot) -> dict[str, Any]:
        lowered: dict[str, Any] = {}
        for pattern, item in value.items():
            if not isinstance(pattern, str):
                raise _refused(spot, "a key of patternProperties is no text", "write the pattern as text")
            here = spot.below("patternProperties", pattern)
            key, schema = _translated(pattern, here), self.lower(item, here)
            # Two spellings of one pattern meet in one key: both must hold.
            lowered[key] = {"allOf": [lowered[key], schema]} if key in lowered else schema
        return lowered

    def _format(self, node: dict[str, Any], lowered: dict[str, Any]) -> None:
        name = node.get("format")
        if not isinstance(name, str):
            return
        if name in ASSERTED:
            lowered["format"] = name
            if name in SHAPED:
                lowered["allOf"] = [*lowered.get("allOf", ()), self._rule("format", name, SHAPED[name])]
        elif name in LOWERED:
            self.exact = self.exact or name in EXACT
            lowered["allOf"] = [*lowered.get("allOf", ()), self._rule("format", name, LOWERED[name])]

    def _discriminate(self, node: dict[str, Any], spot: Spot, lowered: dict[str, Any]) -> None:
        if "discriminator" not in node or spot.dialect not in _OPENAPI:
            return
        for value, target in targets_of(node).items():
            self.find(target, spot.below("discriminator", "mapping", value))
        found = discriminator_of(node, lambda ref: self.find(ref, spot))
        if found is None:
            return
        self.names.add(found.name)
        known = self._rule("discriminator", str(len(self.rules)), {"enum": list(found.values)})
        choice = filtered(found, lowered.pop(found.keyword), known)
        lowered["allOf"] = [*lowered.get("allOf", ()), choice]

    def _look_ahead(self, pattern: Any, spot: Spot, lowered: dict[str, Any]) -> None:
        if not isinstance(pattern, str):
            return
        spot = spot.below("pattern")
        for must, part in without_lookaheads(pattern)[1]:
            schema: Any = {"type": "string", "pattern": _translated(part, spot)}
            schema = {"pattern": schema["pattern"]} if must else {"not": schema}
            rule = self._rule("pattern", str(len(self.rules)), schema)
            lowered["allOf"] = [*lowered.get("allOf", ()), rule]

    def _rule(self, keyword: str, name: str, schema: Any) -> dict[str, str]:
        self.rules[f"{RULE}{keyword}:{name}"] = schema
        return {"$ref": f"#/$defs/{RULE}{keyword}:{name}"}

    def _one_way(self, node: Any, spot: Spot) -> Iterator[str]:
        """Give the properties of a value that do not travel in this direction, those of allOf included."""
        left, seen = [node], set[int]()
        while left:
            node = left.pop()
            # Once each: where branches meet again and again, there are more ways to a schema than steps to take.
            if not isinstance(node, dict) or id(node) in seen:
                continue
            seen.add(id(node))
            if isinstance(node.get("$ref"), str):
                left.append(self.find(node["$ref"], spot))
                continue
            properties = node.get("properties")
            if isinstance(properties, dict):
                yield from (name for name, item in properties.items() if self._is_one_way(item, spot, 0))
            members = node.get("allOf")
            left += members if isinstance(members, list) else ()

    def _is_one_way(self, node: Any, spot: Spot, depth: int) -> bool:
        key = "readOnly" if self.direction == "request" else "writeOnly"
        if not isinstance(node, dict) or depth > 50:  # noqa: PLR2004 - deeper than any document refers
            return False
        if isinstance(node.get("$ref"), str):
            return self._is_one_way(self.find(node["$ref"], spot), spot, depth + 1)
        return node.get(key) is True

    def _ref(self, node: dict[str, Any], spot: Spot, keyword: str = "$ref") -> str:
        ref = node[keyword]
        if not isinstance(ref, str) or not ref.startswith("#"):
            raise _refused(
                spot, f"{keyword} does not point into the document", "inline or embed what it names first"
            )
        if spot.moved:
            raise _refused(spot, "a $id around it changes what $ref means", "remove the $id of inner schemas")
        return ref


_OF_OBJECTS: dict[str, Callable[[Lowering, Any, Spot], Any]] = {
    "properties": Lowering._properties,  # noqa: SLF001 - a table of this module's own methods
    "patternProperties": Lowering._pattern_properties,  # noqa: SLF001
    "dependentSchemas": Lowering._dependent_schemas,  # noqa: SLF001
    "dependentRequired": Lowering._dependent_required,  # noqa: SLF001
}
_OF_LISTS: dict[str, Callable[[Lowering, Any, Spot], Any]] = {
    "required": Lowering._required,  # noqa: SLF001
}


def _translated(pattern: str, spot: Spot) -> str:
    try:
        return linear(pattern)
    except SchemaRefused as error:
        raise _refused(spot, error.message, error.hint) from None


def _holds_integer(types: Any) -> bool:
    # 1.00000000000000000001 is no integer, and as a double it would be one.
    return types == "integer" or (isinstance(types, list) and "integer" in types and "number" not in types)


def _holds_number(value: Any) -> bool:
    stack = [value]
    while stack:
        item = stack.pop()
        if isinstance(item, int | float | Decimal) and not isinstance(item, bool):
            return True
        if isinstance(item, dict | list):
            stack.extend(item.values() if isinstance(item, dict) else item)
    return False


def _refused(spot: Spot, message: str, hint: str) -> SchemaRefused:
    return SchemaRefused(message, hint=hint, place=Place(pointer=spot.pointer))
