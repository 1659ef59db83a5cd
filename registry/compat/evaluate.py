"""Judges one value by one schema, three-valued: True, False, or None where a keyword is not known here.

This is no runtime validator (those confirm every witness); it answers for the finite values of `enum`
and `const` inside a proof, where a compiled validator per place would cost too much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from kernel.contract.digest import canonical_bytes
from registry.compat.schema_view import (
    ARRAY,
    FRACTION,
    INTEGER,
    OBJECT,
    STRING,
    UNRESOLVED,
    Node,
    View,
    atom_of,
    exact,
)
from registry.compat.text_rules import TextRules

_DEEP = 24
Answer = bool | None


def all_of(answers: Sequence[Answer]) -> Answer:
    """Give False if one is, else None if one is, else True."""
    return False if False in answers else None if None in answers else True


def any_of(answers: Sequence[Answer]) -> Answer:
    """Give True if one is, else None if one is, else False."""
    return True if True in answers else None if None in answers else False


def evaluate(node: Node, value: Any, text: TextRules, depth: int = _DEEP) -> Answer:
    """Whether the schema accepts the value; None when that is not known."""
    view = node.view
    if view.always is not None:
        return view.always
    if depth == 0:
        return None
    atom = atom_of(value)
    if atom not in view.types:
        return False
    if view.enum is not None and canonical_bytes(value) not in view.enum_keys:
        return False
    answers: list[Answer] = [None] if _unread(view, text) else []
    if atom in {INTEGER, FRACTION}:
        answers.append(_number(view, exact(value, "")))
    elif atom == STRING:
        answers.append(_string(view, value, text))
    elif atom == ARRAY:
        answers.append(_array(view, value, text, depth - 1))
    elif atom == OBJECT:
        answers.append(_object(view, value, text, depth - 1))
    if False in answers:
        return False
    answers.append(_applied(view, value, text, depth - 1))
    return all_of(answers)


def _unread(view: View, text: TextRules) -> bool:
    """Whether the schema says something whose meaning is not known."""
    return UNRESOLVED in view.opaque if text.as_validated else bool(view.opaque)


def _number(view: View, value: Fraction) -> Answer:
    low, high = view.minimum, view.maximum
    if low is not None and (value < low[0] or (low[1] and value == low[0])):
        return False
    if high is not None and (value > high[0] or (high[1] and value == high[0])):
        return False
    return view.multiple_of is None or (value / view.multiple_of).denominator == 1


def _string(view: View, value: str, text: TextRules) -> Answer:
    if len(value) < view.min_length or (view.max_length is not None and len(value) > view.max_length):
        return False
    answers: list[Answer] = []
    if view.pattern is not None:
        answers.append(text.matches(view.pattern, value))
    if view.format is not None:
        answers.append(text.has_format(view.format, value))
    return all_of(answers)


def _array(view: View, value: Sequence[Any], text: TextRules, depth: int) -> Answer:
    if len(value) < view.min_items or (view.max_items is not None and len(value) > view.max_items):
        return False
    if view.unique and len({canonical_bytes(item) for item in value}) != len(value):
        return False
    answers: list[Answer] = []
    for index, item in enumerate(value):
        node = view.prefix[index] if index < len(view.prefix) else view.items
        if node is not None:
            answers.append(evaluate(node, item, text, depth))
    if view.unlooked is not None and value:
        answers.append(None)  # which items are looked at is for the whole schema to say
    if view.contains is not None:
        held = [evaluate(view.contains, item, text, depth) for item in value]
        sure, possible = held.count(True), len(held) - held.count(False)
        most = len(held) if view.max_contains is None else view.max_contains
        if possible < view.min_contains or sure > most:
            return False
        answers.append(True if sure >= view.min_contains and possible <= most else None)
    return all_of(answers)


def _object(  # noqa: C901 - one branch for each keyword of objects
    view: View, value: Mapping[str, Any], text: TextRules, depth: int
) -> Answer:
    if len(value) < view.min_properties or (
        view.max_properties is not None and len(value) > view.max_properties
    ):
        return False
    if not view.required - view.hidden <= value.keys():
        return False
    if any(name in value and not needed <= value.keys() for name, needed in view.needs.items()):
        return False
    answers: list[Answer] = []
    for name, item in value.items():
        hits = [text.matches(pattern, name) for pattern in view.patterns]
        if name in view.properties:
            answers.append(evaluate(view.properties[name], item, text, depth))
        for hit, node in zip(hits, view.patterns.values(), strict=True):
            if hit is not False:
                answer = evaluate(node, item, text, depth)
                answers.append(answer if hit or answer else None)
        if view.additional is not None and name not in view.properties and True not in hits:
            answer = evaluate(view.additional, item, text, depth)
            answers.append(None if None in hits and answer is False else answer)
        if view.names is not None:
            answers.append(evaluate(view.names, name, text, depth))
    answers += [evaluate(node, value, text, depth) for name, node in view.dependents.items() if name in value]
    if view.unevaluated is not None:
        answers.append(None if value else True)  # which names are looked at is for the whole schema to say
    return all_of(answers)


def _applied(view: View, value: Any, text: TextRules, depth: int) -> Answer:
    answers: list[Answer] = []
    if view.ref is not None:
        answers.append(evaluate(view.ref, value, text, depth))
    answers += [evaluate(node, value, text, depth) for node in (*view.all_of, *view.inert)]
    if view.any_of:
        answers.append(any_of([evaluate(node, value, text, depth) for node in view.any_of]))
    if view.one_of:
        held = [evaluate(node, value, text, depth) for node in view.one_of]
        if held.count(True) > 1 or held.count(False) == len(held):
            answers.append(False)
        else:
            answers.append(None if None in held else True)
    if view.negated is not None:
        answer = evaluate(view.negated, value, text, depth)
        answers.append(None if answer is None else not answer)
    if view.condition is not None:
        test, then, other = view.condition
        held_if = evaluate(test, value, text, depth)
        then_answer = evaluate(then, value, text, depth) if then else True
        other_answer = evaluate(other, value, text, depth) if other else True
        chosen = then_answer if held_if else other_answer
        unsure = held_if is None
        answers.append((then_answer if then_answer == other_answer else None) if unsure else chosen)
    return all_of(answers)
