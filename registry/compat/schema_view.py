"""What a schema says, in one vocabulary: the values that the prover, the sampler and the differ share.

A `Node` is a schema at a JSON pointer of one document; its `View` holds the keywords in the words of
2020-12 (OpenAPI 3.0's `nullable` and boolean bounds, draft-07's `dependencies` and array `items` are
lowered), with annotations left out. Keywords that nobody here models go to `View.opaque`: what stands
there can be equal or not, and is never guessed at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from math import isfinite
from typing import Any, Literal, Protocol

from kernel.errors import InterlockError
from kernel.schema.dialects import Dialect

Traffic = Literal["request", "response"] | None

NULL, BOOLEAN, INTEGER, FRACTION = "null", "boolean", "integer", "fraction"
STRING, ARRAY, OBJECT = "string", "array", "object"
# `number` is two atoms: integers (1 and 1.0 alike) and the rest.
ATOMS = frozenset({NULL, BOOLEAN, INTEGER, FRACTION, STRING, ARRAY, OBJECT})


class Unreadable(InterlockError):
    """A schema that cannot be read for comparing: an unresolvable reference, a keyword of a wrong form."""

    code = "schema-not-comparable"


def exact(value: Any, where: str) -> Fraction:
    """Give a JSON number as the decimal value that its text denotes; raises `Unreadable` for others."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise Unreadable(f"a number was expected at #{where}")
    if not isinstance(value, int) and not isfinite(value):  # `1e400` is an int that no float holds
        raise Unreadable(f"the number at #{where} is not finite")
    return Fraction(Decimal(repr(value)) if isinstance(value, float) else value)


def atom_of(value: Any) -> str:
    """Give the type of a JSON value as an atom (`integer` for every whole number)."""
    if value is None:
        return NULL
    if isinstance(value, bool):
        return BOOLEAN
    if isinstance(value, int | float | Decimal):
        return INTEGER if exact(value, "").denominator == 1 else FRACTION
    if isinstance(value, str):
        return STRING
    return OBJECT if isinstance(value, Mapping) else ARRAY


class Reads(Protocol):
    """The document side of a node: `registry.compat.schema_side.Side`."""

    tag: str  # old or new
    root: Any
    traffic: Traffic
    keep: frozenset[str]  # notes that count on this side
    as_validated: bool  # whether the runtime validators read the schemas as this side does
    steady: Callable[[str], bool]  # whether the other document has the very same at a pointer

    def node(self, pointer: str, raw: Any, dialect: Dialect | None) -> Node:
        """Give the one node of a place; `dialect` is that of what it stands in."""

    def at(self, pointer: str) -> Node:
        """Give the node at a JSON pointer; raises `Unreadable` when there is nothing."""

    def resolve(self, reference: Any, pointer: str) -> Node:
        """Follow a `$ref`; raises `Unreadable`."""

    def dynamic(self, name: str) -> tuple[str, ...]:
        """Give the pointers of the schemas with a dynamic anchor of that name."""

    def hides(self, node: Node) -> bool:
        """Whether a property with this schema does not travel in the direction of this side."""

    def view(self, node: Node) -> View:
        """Read a node's keywords once."""

    def made(self, pointer: str, view: View, dialect: Dialect | None) -> Node:
        """Give a node that no text stands for: what keywords mean together, in other words."""


class Node:
    """A schema at a place, in a dialect (None: an unknown one). Equality is by document and pointer."""

    __slots__ = ("_hash", "_view", "dialect", "pointer", "raw", "side")

    def __init__(self, side: Reads, pointer: str, raw: Any, dialect: Dialect | None) -> None:
        self.side = side
        self.pointer = pointer
        self.raw = raw
        self.dialect = dialect
        self._hash = hash((id(side), pointer))
        self._view: View | None = None

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and other.side is self.side and other.pointer == self.pointer

    def __repr__(self) -> str:
        return f"Node({self.side.tag}#{self.pointer})"

    @property
    def view(self) -> View:
        """The keywords, read once."""
        if self._view is None:
            self._view = self.side.view(self)
        return self._view


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """The keywords of one schema object; None or empty means that it says nothing."""

    always: bool | None = None  # a boolean schema
    types: frozenset[str] = ATOMS
    enum: tuple[Any, ...] | None = None
    enum_keys: frozenset[bytes] = frozenset()  # canonical bytes of `enum`
    minimum: tuple[Fraction, bool] | None = None  # (bound, exclusive)
    maximum: tuple[Fraction, bool] | None = None
    multiple_of: Fraction | None = None
    min_length: int = 0
    max_length: int | None = None
    pattern: str | None = None
    format: str | None = None
    prefix: tuple[Node, ...] = ()
    items: Node | None = None
    contains: Node | None = None
    min_contains: int = 1
    max_contains: int | None = None
    min_items: int = 0
    max_items: int | None = None
    unique: bool = False
    properties: Mapping[str, Node] = field(default_factory=dict)
    patterns: Mapping[str, Node] = field(default_factory=dict)
    additional: Node | None = None
    unevaluated: Node | None = None  # unevaluatedProperties
    unlooked: Node | None = None  # unevaluatedItems
    names: Node | None = None
    required: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()  # properties that do not travel in this direction
    min_properties: int = 0
    max_properties: int | None = None
    needs: Mapping[str, frozenset[str]] = field(default_factory=dict)  # dependentRequired
    dependents: Mapping[str, Node] = field(default_factory=dict)  # dependentSchemas
    ref: Node | None = None
    all_of: tuple[Node, ...] = ()
    inert: tuple[Node, ...] = ()  # what holds under two nots: as `all_of`, but it looks at nothing
    any_of: tuple[Node, ...] = ()
    one_of: tuple[Node, ...] = ()
    negated: Node | None = None
    condition: tuple[Node, Node | None, Node | None] | None = None  # if, then, else
    discriminator: Mapping[str, Any] | None = None
    opaque: Mapping[str, Any] = field(default_factory=dict)


def refers(value: Any) -> bool:
    """Whether a value holds a reference, whose target its text does not show."""
    if isinstance(value, Mapping):
        return any(
            key in {"$ref", "$dynamicRef", "$recursiveRef"} or refers(item) for key, item in value.items()
        )
    return isinstance(value, list) and any(refers(item) for item in value)


def reachable(node: Node, seen: set[Node] | None = None) -> Iterator[View]:
    """Every view that a schema is made of, references followed, each once; what was seen before is left out."""
    seen = set() if seen is None else seen
    todo = [node]
    while todo:
        here = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        view = here.view
        yield view
        todo += [*view.prefix, *view.properties.values(), *view.patterns.values(), *view.dependents.values()]
        todo += [
            *view.all_of,
            *view.inert,
            *view.any_of,
            *view.one_of,
            *(part for part in view.condition or () if part),
        ]
        todo += [
            n
            for n in (
                view.items,
                view.contains,
                view.additional,
                view.names,
                view.ref,
                view.negated,
                view.unevaluated,
                view.unlooked,
            )
            if n
        ]


# Stands in a schema in the place of a registry URN that could not be looked up.
UNRESOLVED = "$unresolved"


def unresolved(node: Node, whole: set[Node]) -> bool:
    """Whether a schema leans on a registry URN that could not be looked up; `whole` gains what is seen not to."""
    walked = set(whole)
    if any(UNRESOLVED in view.opaque for view in reachable(node, walked)):
        return True
    whole |= walked
    return False
