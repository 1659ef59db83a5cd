"""Goals about numbers and strings: bounds, multiples, lengths, patterns, formats."""

from __future__ import annotations

from fractions import Fraction
from functools import reduce
from math import lcm

from registry.compat.facts import Case
from registry.compat.proving import Proving
from registry.compat.schema_view import ARRAY, FRACTION, INTEGER, OBJECT, STRING, Node, View
from registry.compat.text_rules import SHAPES, WHOLE_SHAPES, TextRules

MOST_LISTED = 50  # texts of an enumeration that are held to patterns

_BOUNDED = {ARRAY: ("min_items", "max_items"), OBJECT: ("min_properties", "max_properties")}


def barren(text: TextRules, case: Case, atom: str) -> bool:
    """Whether bounds leave no value of one type."""
    if atom in {INTEGER, FRACTION}:
        low, high = case.lower(atom), case.upper(atom)
        if low is None or high is None:
            return False
        return low[0] > high[0] or (
            low[0] == high[0] and (low[1] or high[1] or (atom == FRACTION and _whole(low[0])))
        )
    if atom == STRING:
        shortest, longest = _lengths(text, case)
        nothing = longest is not None and shortest > longest
        return nothing or text.no_text(_patterns(case), (), shortest, longest)
    if atom in _BOUNDED:
        least, most = _BOUNDED[atom]
        upper = case.most(most)
        lower = max(case.least(least), len(case.required()) if atom == OBJECT else 0)
        return upper is not None and lower > upper
    return False


def _whole(number: Fraction) -> bool:
    return number.denominator == 1


def numbers(prover: Proving, case: Case, goal: Node) -> bool:
    """Prove the numeric keywords of the goal for the numbers of the case."""
    view = goal.view
    for atom in (INTEGER, FRACTION):
        if atom not in case.types:
            continue
        if view.minimum is not None and not _above(case.lower(atom), view.minimum):
            return prover.fails("minimum", goal)
        if view.maximum is not None and not _below(case.upper(atom), view.maximum):
            return prover.fails("maximum", goal)
        if view.multiple_of is not None and not _multiple(case, atom, view.multiple_of):
            return prover.fails("multipleOf", goal)
    return True


def _above(have: tuple[Fraction, bool] | None, want: tuple[Fraction, bool]) -> bool:
    return have is not None and (have[0] > want[0] or (have[0] == want[0] and (have[1] or not want[1])))


def _below(have: tuple[Fraction, bool] | None, want: tuple[Fraction, bool]) -> bool:
    return have is not None and (have[0] < want[0] or (have[0] == want[0] and (have[1] or not want[1])))


def _multiple(case: Case, atom: str, want: Fraction) -> bool:
    have = [part.multiple_of for part in case.parts if part.multiple_of is not None]
    if atom == INTEGER:
        have.append(Fraction(1))
    return bool(have) and _whole(reduce(_common, have) / want)


def _common(one: Fraction, other: Fraction) -> Fraction:
    """Give the least common multiple of two steps: what is a multiple of both is one of it."""
    bottom = one.denominator * other.denominator
    return Fraction(lcm(one.numerator * other.denominator, other.numerator * one.denominator), bottom)


def strings(prover: Proving, case: Case, goal: Node) -> bool:
    """Prove the string keywords of the goal for the strings of the case."""
    if STRING not in case.types:
        return True
    view = goal.view
    low, high = _lengths(prover.text, case)
    none, have = prover.text.no_text, _patterns(case)
    if low < view.min_length and not none(have, (), low, view.min_length - 1):
        return prover.fails("minLength", goal)
    longest = view.max_length
    if longest is not None and (high is None or high > longest) and not none(have, (), longest + 1, high):
        return prover.fails("maxLength", goal)
    if view.pattern is not None and not _matched(prover, case, view.pattern):
        return prover.fails("pattern", goal)
    if view.format is not None and not _formatted(prover, case, view.format):
        return prover.fails("format", goal)
    return True


def _lengths(text: TextRules, case: Case) -> tuple[int, int | None]:
    low, high = case.least("min_length"), case.most("max_length")
    for part in case.parts:
        least, most = text.lengths(part.pattern, part.format)
        low = max(low, least)
        high = most if high is None else high if most is None else min(high, most)
    return low, high


def _matched(prover: Proving, case: Case, want: str) -> bool:
    have = _patterns(case)
    if any(prover.text.pattern_within(pattern, want) for pattern in (*have, "")):
        return True
    return prover.text.no_text(have, (want,), *_lengths(prover.text, case))


def _patterns(case: Case) -> tuple[str, ...]:
    """Give the patterns that every text of the case holds, those that its formats look like included."""
    shapes = (SHAPES.get(part.format or "") for part in case.parts)
    named = (*(part.pattern for part in case.parts), *shapes)
    return tuple(dict.fromkeys(pattern for pattern in named if pattern is not None))


def listed(prover: Proving, case: Case, view: View) -> bool:
    """Whether the patterns of texts leave none but those that an enumeration lists."""
    texts = [value for value in view.enum or () if isinstance(value, str)]
    have = _patterns(case)
    if case.types != {STRING} or not have or not texts or len(texts) > MOST_LISTED:
        return False
    want = f"^(?:{'|'.join(map(_literal, texts))})$"
    return prover.text.no_text(have, (want,), *_lengths(prover.text, case))


def _literal(text: str) -> str:
    """Write a text as a pattern of ECMA-262 that finds nothing else (§22.2.1 SyntaxCharacter)."""
    return "".join(f"\\{char}" if char in r"^$\.*+?()[]{}|" else char for char in text)


def _formatted(prover: Proving, case: Case, want: str) -> bool:
    if want == "byte" and prover.declared_only and any(map(_in_base64, case.nodes)):
        return True
    if want in WHOLE_SHAPES and _matched(prover, case, SHAPES[want]):
        return True
    return any(
        part.format is not None and prover.text.format_within(part.format, want) for part in case.parts
    )


def _in_base64(node: Node) -> bool:
    """Whether a writer says that its text is base64: what 3.0 calls `byte`, 3.1 says so (3.1.1 §4.8.24.5)."""
    return isinstance(node.raw, dict) and node.raw.get("contentEncoding") == "base64"
