"""One schema with just the definitions that it needs, out of a document of any size."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from kernel.contract.positions import token, tokens_of
from kernel.contract.sites import local_pointer, resolve_pointer
from kernel.errors import Place, ReferenceRefused, SchemaRefused
from kernel.schema.anchors import Anchors
from kernel.schema.dialects import Dialect, dialect_at
from kernel.schema.lowering import Direction, Lowering, Spot

MAX_DEFINITIONS = 20_000

# Pointer ("@" and a number for what an anchor names), the property names relaxed there, and what each
# dynamic anchor means there.
_Key = tuple[str, frozenset[str], tuple[tuple[str, int], ...]]
_Dynamic = tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Bundle:
    """A schema of 2020-12 that stands alone; `names` are the property names that it knows.

    `exact` says that rounding a number of the instance could change the answer.
    """

    schema: dict[str, Any] | bool
    names: frozenset[str]
    exact: bool
    places: dict[str, str]  # name of a definition → where it stands in the document

    def place_of(self, path: list[str | int], root: Any) -> str | None:
        """Give the deepest place of the document on the way to a node of `schema`; None: below no definition."""
        if len(path) < 2 or path[0] != "$defs" or path[1] not in self.places:  # noqa: PLR2004 - $defs and a name
            return None
        pointer = self.places[str(path[1])]
        node = resolve_pointer(root, pointer)
        for step in path[2:]:
            known = (
                step in node
                if isinstance(node, dict)
                else isinstance(node, list) and step in range(len(node))
            )
            if not known:
                break  # lowering wrote it in another way
            node = node[step]
            pointer += token(str(step))
        return pointer


def bundle(schema: Any, *, root: Any, dialect: Dialect, direction: Direction | None) -> Bundle:
    """Lower a schema of `root` with the definitions that it reaches; raises `SchemaRefused`."""
    try:
        return _Bundling(root, dialect, direction).run(schema)
    except _DynamicAnchorsAsked:
        return _Bundling(root, dialect, direction, anchors=Anchors()).run(schema)


class _DynamicAnchorsAsked(Exception):
    """A `$dynamicRef` was met: only then is it worth looking for the anchors of everything on the way."""


@dataclass(slots=True)
class _Bundling:
    root: Any
    dialect: Dialect
    direction: Direction | None
    anchors: Anchors | None = None
    _definitions: dict[_Key, str] = field(default_factory=dict)
    _pending: deque[tuple[_Key, str]] = field(default_factory=deque)
    _same: dict[str, set[str]] = field(default_factory=dict)  # definitions judged on the same value
    _owner: str = ""  # the definition being lowered; "" is the schema itself

    def run(self, schema: Any) -> Bundle:
        lowering = Lowering(self.root, self.direction, self._refer, self._find, self._refer_dynamically)
        top = lowering.lower(schema, Spot("", self.dialect, dynamic=self._entered(schema, ())))
        bodies: dict[str, Any] = {}
        while self._pending:
            (pointer, relaxed, dynamic), name = self._pending.popleft()
            self._owner = name
            node, dialect, moved = self._target(pointer)
            dynamic = self._entered(node, dynamic)
            spot = Spot(pointer, dialect, relaxed=relaxed, moved=moved, dynamic=dynamic)
            bodies[name] = lowering.lower(node, spot)
        self._refuse_loops()
        bodies.update(lowering.rules)
        if isinstance(top, dict) and bodies:
            top["$defs"] = bodies
        places = {name: key[0] for key, name in self._definitions.items() if not key[0].startswith("@")}
        return Bundle(top, frozenset(lowering.names), lowering.exact, places)

    def _refer(self, ref: str, spot: Spot) -> str:
        return self._define(local_pointer(ref, spot.pointer), spot)

    def _refer_dynamically(self, ref: str, spot: Spot) -> str:
        """Name what `$dynamicRef` means: the outermost schema on the way that has the anchor (2020-12 §8.2.3.2)."""
        if ref.startswith("#/") or ref == "#":
            return self._refer(ref, spot)
        if self.anchors is None:
            raise _DynamicAnchorsAsked
        found = dict(spot.dynamic).get(ref[1:])
        if found is None:
            found = self.anchors.of(self.root).get(ref[1:])
        if found is None:
            raise SchemaRefused(
                f"{ref[:200]!r} names an anchor that is nowhere",
                hint="write $dynamicAnchor into the schema that it means",
                place=Place(pointer=spot.pointer),
            )
        return self._define(f"@{found}", spot)

    def _entered(self, node: Any, dynamic: _Dynamic) -> _Dynamic:
        """Give what anchors mean inside a schema: what the ways into it say, then what it says itself."""
        if self.anchors is None:
            return dynamic
        return tuple(sorted({**self.anchors.of(node), **dict(dynamic)}.items()))

    def _define(self, pointer: str, spot: Spot) -> str:
        key = (pointer, spot.relaxed, spot.dynamic)
        name = self._definitions.get(key)
        if name is None:
            if len(self._definitions) >= MAX_DEFINITIONS:
                raise SchemaRefused(f"more than {MAX_DEFINITIONS} definitions", hint="split the contract")
            name = self._definitions[key] = f"d{len(self._definitions)}"
            self._pending.append((key, name))
        if spot.in_place:
            self._same.setdefault(self._owner, set()).add(name)
        return name

    def _find(self, ref: str, spot: Spot) -> Any:
        try:
            return resolve_pointer(self.root, local_pointer(ref, spot.pointer), at=spot.pointer)
        except ReferenceRefused as error:
            raise SchemaRefused(error.message, hint=error.hint, place=error.place) from None

    def _target(self, pointer: str) -> tuple[Any, Dialect, bool]:
        if self.anchors is not None and pointer.startswith("@"):
            return self.anchors.nodes[int(pointer[1:])], self.dialect, False
        try:
            node = resolve_pointer(self.root, pointer)
        except ReferenceRefused as error:
            raise SchemaRefused(error.message, hint=error.hint, place=error.place) from None
        steps = tokens_of(pointer)
        # The node's own $schema and $id are looked at where it is lowered.
        parent = pointer[: len(pointer) - len(pointer.rpartition("/")[2]) - 1] if steps else ""
        dialect, moved = dialect_at(self.root, parent, self.dialect)
        return node, dialect, moved

    def _refuse_loops(self) -> None:
        """Refuse references that lead back to themselves on one value: they would be judged without end."""
        done: set[str] = set()
        for start in self._same:
            path: list[str] = []
            stack: list[str | None] = [start]
            while stack:
                name = stack.pop()
                if name is None:
                    done.add(path.pop())
                elif name in path:
                    pointer = next((key[0] for key, other in self._definitions.items() if other == name), "")
                    raise SchemaRefused(
                        "a reference leads back to itself on the same value",
                        hint="let the recursion pass through a property or an item",
                        place=Place(pointer=pointer),
                    )
                elif name not in done:
                    path.append(name)
                    stack.append(None)
                    stack.extend(sorted(self._same.get(name, ())))
