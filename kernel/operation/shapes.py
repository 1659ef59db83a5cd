"""What decoders must know of a schema before anything can be validated: its types, items and properties.

Text on the wire has no type: `7` in a query is a number or a string by what the schema admits. A shape
answers that, and only that; the validator decides whether the decoded value conforms.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final
from urllib.parse import unquote

from kernel.operation.scalars import JsonType, type_of
from kernel.operation.subschemas import FURTHER, further_items, listed, matches, named, positions, unnamed

TYPES: Final[tuple[JsonType, ...]] = ("null", "boolean", "integer", "number", "string", "array", "object")
SCALARS: Final = frozenset(TYPES[:5])
_BRANCHES: Final = 512  # schema nodes looked at for one question; more than any real document asks
_MOST_PATTERNS: Final = 10  # each doubles the kinds of names that there may be
_NUMERIC: Final = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"})
_OBJECT: Final = frozenset({"properties", "additionalProperties", "patternProperties", "required"})
# Keywords that never refuse a value, so that `{"type": "string", "description": …}` needs no validator.
ANNOTATIONS: Final = frozenset({"title", "description", "default", "example", "examples", "deprecated"}) | {
    *("externalDocs", "xml", "readOnly", "writeOnly", "$comment"),
}


def dereference(root: Any, node: Any) -> Any:
    """Follow local `$ref`s (`#/…`) until something else stands there; gives {} where one leads nowhere.

    Whether references resolve is judged at submission and by the schema compiler; here a lost one only
    means that nothing is known.
    """
    return follow(root, node, "")[0]


def follow(root: Any, node: Any, pointer: str) -> tuple[Any, str]:
    """Follow local `$ref`s and say where what is found really stands, as a JSON pointer."""
    for _ in range(_BRANCHES):
        reference = node.get("$ref") if isinstance(node, dict) else None
        if not isinstance(reference, str):
            return node, pointer
        node, pointer = lookup(root, reference), unquote(reference[1:])
    return {}, pointer


def lookup(root: Any, reference: str) -> Any:
    """Resolve `#` or `#/a/b` in the document; gives {} for anything else and for what is not there."""
    if not reference.startswith("#/"):
        return root if reference in {"#", ""} else {}
    node = root
    for token in reference[2:].split("/"):
        key = token.replace("~1", "/").replace("~0", "~")
        if "%" in key:
            key = unquote(key)
        if isinstance(node, dict) and key in node:
            node = node[key]
        elif isinstance(node, list) and key.isdecimal() and int(key) < len(node):
            node = node[int(key)]
        else:
            return {}
    return node


class Shape:
    """The union of some schemas, read for decoding; parts are looked up when asked for, and kept.

    `types` are the JSON types admitted, in the order of the schema; `scalars` those that one piece of
    text can carry, just `string` where the schema leaves every type open (`untyped`).
    """

    __slots__ = (
        "_element",
        "_elements",
        "_members",
        "_names",
        "_patterns",
        "_root",
        "accepts",
        "is_array",
        "scalars",
        "schemas",
        "types",
        "untyped",
    )

    def __init__(self, root: Any, schemas: Iterable[Any]) -> None:
        self._root = root
        self.schemas = tuple(schemas)
        found: dict[JsonType, None] = {}
        known: dict[int, tuple[JsonType, ...]] = {}
        for schema in self.schemas:
            found.update(dict.fromkeys(_types(root, schema, known)))
        self.types: tuple[JsonType, ...] = tuple(found)
        self.untyped = len(found) == len(TYPES)
        self.scalars = ("string",) if self.untyped else tuple(name for name in found if name in SCALARS)
        self.is_array = "array" in found and found.keys() <= {"array", "null"}
        # Judges what a piece of text may stand for; schemas.py makes it where several types are admitted.
        self.accepts: Callable[[Any], bool] | None = None
        self._element: Shape | None = None
        self._elements: tuple[Shape, ...] = ()
        self._members: dict[str | tuple[str, ...] | None, Shape] = {}
        self._names: dict[str, None] | None = None
        self._patterns: tuple[str, ...] | None = None

    @property
    def is_object(self) -> bool:
        """Whether nothing but objects (and null) is admitted."""
        return "object" in self.types and set(self.types) <= {"object", "null"}

    def element(self) -> Shape:
        """Give the shape of an array's elements (of all positions together)."""
        if self._element is None:
            found: list[Any] = []
            for node in self._branches():
                found += [*positions(node), *further_items(node)]
            self._element = Shape(self._root, self._telling(found) or [True])
        return self._element

    def spelled(self) -> tuple[Shape, ...]:
        """Give the shapes of an array's elements by position; the last one is that of all further ones."""
        if not self._elements:
            count = max((len(positions(node)) for node in self._branches()), default=0)
            self._elements = tuple(map(self._at, range(count + 1))) if count else (self.element(),)
        return self._elements

    def positions(self, count: int) -> list[Shape]:
        """Give the shape of each of the first `count` elements."""
        *first, further = self.spelled()
        return [*first[:count], *[further] * (count - len(first))]

    def _at(self, position: int) -> Shape:
        found: list[Any] = []
        for node in self._branches():
            first = positions(node)
            found += [first[position]] if position < len(first) else further_items(node)
        made = Shape(self._root, self._telling(found) or [True])
        return made if made.types else self.element()  # where nothing may stand, the validator says so

    def member_names(self) -> dict[str, None]:
        """List the property names that the schema spells out."""
        if self._names is None:
            self._names = {}
            for node in self._branches():
                self._names.update(dict.fromkeys(named(node)))
        return self._names

    def member(self, name: str) -> Shape:
        """Give the shape of a property; those of which the schema says the same share one."""
        key = name if name in self.member_names() else self.matching(name)
        if key not in self._members:
            self._members[key] = Shape(self._root, (self.member_schema(name),))
        return self._members[key]

    def matching(self, name: str) -> tuple[str, ...] | None:
        """List the patterns of `patternProperties` that a name matches: all such names share what is said.

        None where there are so many patterns that the kinds of names could not be counted: all share all then.
        """
        if self._patterns is None:
            keys = (pattern for node in self._branches() for pattern in named(node, "patternProperties"))
            self._patterns = tuple(dict.fromkeys(keys))
        if len(self._patterns) > _MOST_PATTERNS:
            return None
        return tuple(pattern for pattern in self._patterns if matches(pattern, name))

    def member_schema(self, name: str) -> Any:
        """Give the schema of a property; True where nothing is said."""
        found = self._said_of(name, cases=False)
        if not found and (found := self._said_of(name, cases=True)):
            found.append({"type": "string"})  # what the text is where the case is another
        found = self._telling(found)
        return (found[0] if len(found) == 1 else {"anyOf": found}) if found else True

    def _telling(self, found: list[Any]) -> list[Any]:
        """Leave out what says nothing of the type beside what does: a bound or an example does not open it."""
        return [one for one in found if len(_types(self._root, one, {})) < len(TYPES)] or found

    def _said_of(self, name: str, *, cases: bool) -> list[Any]:
        """List the schemas of a property, or of those that have none of their own."""
        found: list[Any] = []
        spelled = name in self.member_names()
        patterns = None if spelled else self.matching(name)
        for node in self._branches(cases=cases):
            if not spelled:
                found += unnamed(node, patterns)
            elif name in named(node):
                found.append(named(node)[name])
        return found

    def requires(self, name: str) -> bool:
        """Whether some part of the schema asks for the property."""
        return any(name in listed(node, "required") for node in self._branches())

    def pointer_of(self, name: str) -> str:
        """Write one step of a JSON pointer; a property that the schema does not name stays unnamed."""
        if name not in self.member_names():
            return "/{key}"
        return "/" + name.replace("~", "~0").replace("/", "~1")

    @property
    def is_open(self) -> bool:
        """Whether the schema asks for further properties in so many words."""
        return any(
            node.get("patternProperties")
            or any(node.get(keyword) is True or isinstance(node.get(keyword), dict) for keyword in FURTHER)
            for node in self._branches()
        )

    def _branches(self, *, cases: bool = True) -> Iterator[dict[str, Any]]:
        """Walk the nodes that describe the same instance; with `cases`, those too that depend on what it holds."""
        seen: set[int] = set()
        waiting = list(reversed(self.schemas))
        while waiting and len(seen) < _BRANCHES:
            node = waiting.pop()
            if not isinstance(node, dict) or id(node) in seen:
                continue
            seen.add(id(node))
            yield node
            if isinstance(node.get("$ref"), str):
                waiting.append(lookup(self._root, node["$ref"]))
            if cases:
                waiting += reversed(list(named(node, "dependentSchemas").values()))
                waiting += [node[keyword] for keyword in ("else", "then", "if") if keyword in node]
            for keyword in ("oneOf", "anyOf", "allOf"):
                if isinstance(node.get(keyword), list):
                    waiting += reversed(node[keyword])


def _types(root: Any, schema: Any, known: dict[int, tuple[JsonType, ...]]) -> tuple[JsonType, ...]:
    """List the JSON types that a schema admits, in its own order.

    `known` keeps what was found for each node, so that shared parts cost once and recursion ends.
    """
    if schema is False:
        return ()
    if not isinstance(schema, dict):
        return TYPES
    if id(schema) in known:
        return known[id(schema)]
    known[id(schema)] = TYPES  # what a schema says about itself through itself narrows nothing
    found = _own_types(schema)
    narrowings = [] if "$ref" not in schema else [_types(root, dereference(root, schema), known)]
    narrowings += [_types(root, part, known) for part in listed(schema, "allOf")]
    for keyword in ("anyOf", "oneOf"):
        if parts := listed(schema, keyword):
            union = dict.fromkeys(name for part in parts for name in _types(root, part, known))
            narrowings.append(tuple(union))
    for narrowing in narrowings:
        found = _both(found, narrowing)
    known[id(schema)] = found
    return found


def _both(first: tuple[JsonType, ...], second: tuple[JsonType, ...]) -> tuple[JsonType, ...]:
    """Intersect, in the order of whichever says more; `integer` survives beside `number`."""
    if len(first) > len(second):
        first, second = second, first
    wanted = set(second) | ({"integer"} if "number" in second else set())
    found = [name for name in first if name in wanted]
    if "number" in first and "integer" in second and "integer" not in found:
        found.append("integer")
    return tuple(found)


def _own_types(schema: dict[str, Any]) -> tuple[JsonType, ...]:
    """Read `type`, or guess from the other keywords what the author had in mind."""
    declared = schema.get("type")
    if isinstance(declared, str):
        names: tuple[JsonType, ...] = (declared,)
    elif isinstance(declared, list):
        names = tuple(name for name in declared if isinstance(name, str))
    elif "const" in schema:
        names = (type_of(schema["const"]),)
    elif isinstance(schema.get("enum"), list):
        names = tuple(dict.fromkeys(type_of(value) for value in schema["enum"]))
    else:
        return _guessed(schema)
    if schema.get("nullable") is True and "null" not in names:
        names = (*names, "null")
    return names


def _guessed(schema: dict[str, Any]) -> tuple[JsonType, ...]:
    keywords = schema.keys()
    if keywords & _OBJECT:
        return ("object",)
    if keywords & {"items", "prefixItems"}:
        return ("array",)
    if keywords & _NUMERIC:
        return ("number", "string")
    return TYPES
