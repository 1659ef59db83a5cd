"""Values that travel as text: the readings among which a receiver chooses by its own types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from math import isfinite
from typing import Any

from registry.compat.evaluate import evaluate
from registry.compat.facts import Known, cases
from registry.compat.schema_view import ARRAY, BOOLEAN, NULL, OBJECT, STRING, Node, View
from registry.compat.text_rules import TextRules

MOST_READINGS = 512
MOST_LISTED = 200  # values of an enumeration that are judged one by one
_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,400})")  # as RFC 8259 §6 writes numbers; `1_000` is none
_NUMBER = re.compile(r"-?(0|[1-9][0-9]{0,400})(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_CARRIED = re.compile(r"[!-~]([ -~]*[!-~])?")


Proven = Callable[[Node, Node], bool]


@dataclass(frozen=True, slots=True)
class Wire:
    """How a value may be read again when it travelled as text: parameters, forms, headers.

    `place` is header or path where such a value stands, which cannot carry every text. `repeated`: a list is
    sent as one field for each item, so that one field is a list of one, and several are no single value.
    `mixed`: some fields may be written in another form than text, so that nothing is concluded from text for each.
    """

    place: str = ""
    repeated: bool = False
    mixed: bool = False

    def sendable(self, value: Any) -> bool:
        """Whether a value can be sent: an empty list or object leaves nothing on the wire.

        A header loses the blanks around it and holds no controls (RFC 9110 §5.5); a path has no empty or dot
        segments.
        """
        if value in ([], {}):
            return False
        if self.place == "header":
            return all(_CARRIED.fullmatch(leaf) for _, leaf in _leaves(value, ()) if isinstance(leaf, str))
        return self.place != "path" or value not in ("", ".", "..")

    def readings(self, value: Any) -> Iterator[Any]:
        """Give the readings of a value that a receiver may choose among, as its own types ask."""
        for form in _repeated(value) if self.repeated else _forms(value):
            yield from self._typed(form)

    def _typed(self, value: Any) -> Iterator[Any]:
        """Read each text as any type that it can be."""
        leaves = list(_leaves(value, ()))
        choices = [list(_as_text(leaf)) for _, leaf in leaves]
        total = 1
        for choice in choices:
            total *= len(choice)
        for number in range(min(total, MOST_READINGS)):
            made, left = value, number
            for (path, _), choice in zip(leaves, choices, strict=True):
                made = _with(made, path, choice[left % len(choice)])
                left //= len(choice)
            yield made


def _forms(value: Any) -> Iterator[Any]:
    """One text may be a list of one; a list may be written with commas, or read by one of its texts."""
    yield value
    if isinstance(value, list):
        yield from value
        if all(isinstance(item, str | int | float) for item in value):
            yield ",".join(str(item) for item in value)
    elif not isinstance(value, dict):
        yield [value]
        if isinstance(value, str) and "," in value:
            yield list(value.split(","))


def _repeated(value: Any) -> Iterator[Any]:
    """One field is a list of one, or a single value; several are a list, or refused as a single value."""
    yield value
    if isinstance(value, list):
        if len(value) == 1:
            yield value[0]
    elif not isinstance(value, dict):
        yield [value]


def _leaves(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], Any]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value


def _as_text(leaf: Any) -> Iterator[Any]:
    yield leaf
    if isinstance(leaf, str):
        if leaf in {"true", "false", "null", ""}:
            yield {"true": True, "false": False}.get(leaf)
        if _WHOLE.fullmatch(leaf):
            yield int(leaf)
        elif _NUMBER.fullmatch(leaf) and isfinite(float(leaf)):
            yield float(leaf)
    elif leaf is None:
        yield from ("", "null")
    else:
        yield {True: "true", False: "false"}.get(leaf, str(leaf)) if isinstance(leaf, bool) else str(leaf)


def _with(value: Any, path: tuple[Any, ...], leaf: Any) -> Any:
    if not path:
        return leaf
    head, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {**value, head: _with(value[head], rest, leaf)}
    return [*value[:head], _with(value[head], rest, leaf), *value[head + 1 :]]


def reads_any_text(inner: Node, outer: Node) -> bool:
    """Whether single values are sent and any text is taken: then every one of them is, as it is written."""
    view = _target(outer).view
    least = view.min_length
    if view.types != {STRING} or least > 1:
        return False
    if any(getattr(view, name) != getattr(_ANY_TEXT, name) for name in _FIELDS):
        return False
    # A number or a boolean is written with a character at least; null and an empty text with none.
    return all(
        not case.types & {ARRAY, OBJECT, *((NULL,) if least else ())}
        and (STRING not in case.types or case.least("min_length") >= least)
        for case in cases(Known(frozenset({inner})))
    )


def reads_each_text(inner: Node, outer: Node, wire: Wire, text: TextRules) -> bool:
    """Whether the values sent are few, and each has a reading that is taken."""
    values: list[Any] = []
    for case in cases(Known(frozenset({inner}))):
        listed = (True, False) if case.types == {BOOLEAN} else case.values
        if listed is None:
            return False
        values += listed
    return len(values) <= MOST_LISTED and all(
        evaluate(inner, value, text) is False
        or any(evaluate(outer, reading, text) is True for reading in wire.readings(value))
        for value in values
    )


def reads_by_part(inner: Node, outer: Node, proven: Proven) -> bool:
    """Whether plain lists or objects are sent and read, of which each part is taken as it travels.

    `proven` answers for parts that say the same by their values. An object's parts are its fields; what stands
    deeper than the items of a list among them is not written as text.
    """
    here, there = _target(inner), _target(outer)
    if not _only(here, _OBJECT_FIELDS, OBJECT) or not _only(there, _OBJECT_FIELDS, OBJECT):
        return _list_by_item(here, there, proven)
    have, want = here.view, there.view
    if have.hidden or want.hidden or not have.properties or not want.required <= have.required:
        return False
    if any(node is not None and node.view.always is not True for node in (have.additional, want.additional)):
        return False
    if have.additional is not None and set(want.properties) - set(have.properties):
        return False  # what it opens, it may send
    return all(
        name not in want.properties or _part(node, want.properties[name], proven)
        for name, node in have.properties.items()
    )


def _part(inner: Node, outer: Node, proven: Proven) -> bool:
    if reads_any_text(inner, outer) or proven(inner, outer):
        return True
    return _list_by_item(_target(inner), _target(outer), proven)


def _list_by_item(here: Node, there: Node, proven: Proven) -> bool:
    if not _only(here, _SIZED_LIST_FIELDS, ARRAY) or not _only(there, _SIZED_LIST_FIELDS, ARRAY):
        return False
    have, want = here.view, there.view
    if have.items is None or want.items is None or have.min_items < want.min_items:
        return False
    if want.max_items is not None and (have.max_items is None or have.max_items > want.max_items):
        return False
    return reads_any_text(have.items, want.items) or proven(have.items, want.items)


def _only(node: Node, allowed: frozenset[str], kind: str) -> bool:
    """Whether a schema is of one type, and says nothing but in some words."""
    return node.view.types == {kind} and all(
        getattr(node.view, name) == getattr(_ANY_TEXT, name) for name in _WORDS - allowed
    )


def item_of_any_list(inner: Node, outer: Node, wire: Wire) -> Node | None:
    """Give the schema of items where single values are sent and a list of any length is read; else None."""
    if not wire.repeated:
        return None
    view = _target(outer).view
    plain = all(getattr(view, name) == getattr(_ANY_LIST, name) for name in _LIST_FIELDS)
    if view.types != {ARRAY} or not plain or view.items is None:
        return None
    if view.min_items > 1 or (view.max_items is not None and view.max_items < 1):
        return None
    single = all(not case.types & {ARRAY, OBJECT} for case in cases(Known(frozenset({inner}))))
    return view.items if single else None


def _target(node: Node) -> Node:
    for _ in range(16):
        if node.view.ref is None:
            break
        node = node.view.ref
    return node


_WORDS = frozenset(row.name for row in fields(View)) - {"types"}
_OBJECT_FIELDS = frozenset({"properties", "required", "additional", "hidden"})
_SIZED_LIST_FIELDS = frozenset({"items", "min_items", "max_items"})
_ANY_TEXT = View(types=frozenset({STRING}))
_FIELDS = [row.name for row in fields(View) if row.name not in {"types", "min_length"}]
_ANY_LIST = View(types=frozenset({ARRAY}))
_LISTED = {"types", "items", "min_items", "max_items", "unique"}  # a list of one repeats nothing
_LIST_FIELDS = [row.name for row in fields(View) if row.name not in _LISTED]
