"""Says in plainer keywords what some mean: choices of one, double negation, settled conditions, discriminators.

What is written here holds for every value as the keywords did, and looks at the same properties and items,
so that `unevaluated…` beside it means what it meant.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.schema.discriminators import Discriminator, discriminator_of
from registry.compat.schema_view import ARRAY, ATOMS, FRACTION, INTEGER, OBJECT, STRING, Node, View, atom_of

ANNOTATIONS = frozenset({
    "$comment", "$schema", "$anchor", "$defs", "definitions", "$vocabulary", "title", "description",
    "default", "deprecated", "example", "examples", "externalDocs", "readOnly", "writeOnly",
})  # fmt: skip
MOST_TWINS = 8  # alternatives among which equal ones are looked for
# What speaks of some types only, and says nothing where no value has one of them.
_ONLY_OF: tuple[tuple[frozenset[str], tuple[str, ...]], ...] = (
    (frozenset({INTEGER, FRACTION}), ("minimum", "maximum", "multiple_of")),
    (frozenset({STRING}), ("min_length", "max_length", "pattern", "format")),
    (frozenset({ARRAY}), ("prefix", "items", "contains", "min_contains", "max_contains", "min_items", "max_items",
                          "unique", "unlooked")),
    (frozenset({OBJECT}), ("properties", "patterns", "additional", "unevaluated", "names", "required", "hidden",
                           "min_properties", "max_properties", "needs", "dependents")),
)  # fmt: skip
_SLOTS: Mapping[str, str] = {"oneOf": "one_of", "anyOf": "any_of"}


def plain_words(node: Node, found: dict[str, Any]) -> None:
    """Rewrite the keywords of one node that were read into the slots of a `View`."""
    if "discriminator" in found:
        _discriminator(node, found)
    _choice(found, "any_of")
    _choice(found, "one_of")
    if found.get("negated") is not None:
        _negation(node, found)
    if found.get("condition") is not None:
        _condition(found)
    types = found.get("types", ATOMS)
    if found.get("enum") is not None:
        types = found["types"] = types & set(map(atom_of, found["enum"]))
    for atoms, slots in _ONLY_OF:
        if not types & atoms:
            for slot in slots:
                found.pop(slot, None)


def _ever(raw: Any) -> bool:
    """Whether a schema is plainly taken by every value."""
    return raw is True or (isinstance(raw, dict) and not _said(raw))


def _never(raw: Any) -> bool:
    """Whether a schema is plainly taken by none."""
    return raw is False or (isinstance(raw, dict) and _said(raw) == {"not"} and _ever(raw["not"]))


def _said(raw: Mapping[str, Any]) -> set[str]:
    return {key for key in raw if key not in ANNOTATIONS and not key.startswith("x-")}


def _also(found: dict[str, Any], slot: str, nodes: Iterable[Node]) -> None:
    found[slot] = (*found.get(slot, ()), *nodes)


def _choice(found: dict[str, Any], slot: str) -> None:
    """Leave out what nobody can choose; a choice of one holds like a part of `allOf`."""
    choices = found.get(slot)
    if not choices:
        return
    left = [node for node in choices if not _never(node.raw)]
    if slot == "any_of" and len(left) <= MOST_TWINS:
        left = _without_twins(left)
    if not left:
        found["types"] = frozenset()
    found[slot] = tuple(left) if len(left) > 1 else ()
    if len(left) == 1:
        _also(found, "all_of", left)


def _without_twins(nodes: list[Node]) -> list[Node]:
    kept: list[Node] = []
    for node in nodes:
        # Python's own equality is cheap and takes 1 for True: the bytes decide.
        twins = (o for o in kept if o.raw == node.raw and canonical_bytes(o.raw) == canonical_bytes(node.raw))
        if node.raw is None or next(twins, None) is None:
            kept.append(node)
    return kept


def _negation(node: Node, found: dict[str, Any]) -> None:
    inner: Node = found["negated"]
    raw = inner.raw
    if _ever(raw) or _never(raw):
        found["negated"] = None
        if _ever(raw):
            found["types"] = frozenset()
        return
    said = _said(raw) if isinstance(raw, dict) else set()
    if said == {"not"}:
        found["negated"] = None
        _also(found, "inert", [node.side.node(f"{inner.pointer}/not", raw["not"], inner.dialect)])
    elif said == {"type"}:
        found["negated"] = None
        found["types"] = found.get("types", ATOMS) - inner.view.types


def _condition(found: dict[str, Any]) -> None:
    test, then, other = found["condition"]
    if _ever(test.raw) or _never(test.raw):
        chosen = then if _ever(test.raw) else other
        found["condition"] = None
        _also(found, "all_of", [chosen] if chosen is not None else [])


def _discriminator(node: Node, found: dict[str, Any]) -> None:
    """Write out whom a discriminator chooses, as kernel/schema/discriminators.py does for the validators.

    One that can choose nobody stays in the view: it is compared as it is written.
    """
    read = discriminator_of(node.raw, lambda ref: node.side.resolve(ref, node.pointer).raw)
    if read is None:
        return
    branches = found.pop(_SLOTS[read.keyword])
    del found["discriminator"]
    made = View(any_of=tuple(_alternatives(node, read, branches)))
    _also(found, "all_of", [node.side.made(f"{node.pointer}/~chosen", made, node.dialect)])


def _alternatives(node: Node, read: Discriminator, branches: tuple[Node, ...]) -> Iterable[Node]:
    side, dialect, home = node.side, node.dialect, f"{node.pointer}/~chosen"
    named: dict[int, list[str]] = {}
    for value, index in read.values.items():
        named.setdefault(index, []).append(value)

    def says(values: list[str], step: str) -> dict[str, Any]:
        keys = frozenset(map(canonical_bytes, values))
        listed = side.made(f"{home}/{step}/~value", View(enum=tuple(values), enum_keys=keys), dialect)
        return {"required": frozenset({read.name}), "properties": {read.name: listed}}

    def alternative(step: str, **slots: Any) -> Node:
        return side.made(f"{home}/{step}", View(types=frozenset({OBJECT}), **slots), dialect)

    for index, values in sorted(named.items()):
        yield alternative(f"~{index}", all_of=(branches[index],), **says(values, f"~{index}"))
    if read.others is not None:
        known = side.made(f"{home}/~known", View(**says(list(read.values), "~known")), dialect)
        yield alternative("~others", all_of=(branches[read.others],), negated=known)
    rest: dict[str, Any] = {_SLOTS[read.keyword]: branches}
    yield side.made(f"{home}/~rest", View(types=ATOMS - {OBJECT}, **rest), dialect)
