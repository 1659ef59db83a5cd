"""Strings and numbers for candidates: boundaries, constants, and texts that match patterns and formats."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor, lcm
from typing import Any

from kernel.schema.formats import LOWERED
from kernel.schema.pattern_text import samples
from registry.compat.facts import Case, place
from registry.compat.languages import text_between
from registry.compat.schema_view import FRACTION, INTEGER, STRING, View, atom_of

MOST_NEAR = 24
MOST_STEPS = 24  # distinct multiples after another
EXACT_BELOW = 2**64  # integers of all widths are exact below
NEAR_BOUND = 2**53  # farther bounds (those of int64) are tried after what the other schema says
LONGEST = 5000  # characters that are written to pass a length
_FORMATS = {
    "date-time": ("2026-11-20T08:31:00Z", "2026-11-20T08:31:00.125+01:00"),
    "date": ("2026-11-20", "2024-02-29"),
    "time": ("08:31:00Z", "08:31:00.5+01:00"),
    "duration": ("PT5M", "P1Y2M"),
    "email": ("ada@ward.example", "a@b"),
    "idn-email": ("ada@ward.example", "ä@ward.example"),
    "hostname": ("lab.example", "a"),
    "idn-hostname": ("lab.example", "bücher.example"),
    "ipv4": ("192.0.2.7", "255.255.255.255"),
    "ipv6": ("2001:db8::7", "::1"),
    "uri": ("https://lab.example/a", "urn:x:y"),
    "uri-reference": ("/a/b", "https://lab.example/a", ""),
    "iri": ("https://lab.example/ä",),
    "iri-reference": ("/ä", "a"),
    "uuid": ("7d444840-9dc0-11d1-b245-5ffdce74fad2", "7D444840-9DC0-11D1-B245-5FFDCE74FAD2"),
    "uri-template": ("/orders/{id}", "a"),
    "json-pointer": ("/a/b", ""),
    "relative-json-pointer": ("0", "1/a"),
    "regex": ("^a+$", "a"),
    "byte": ("aGVsbG8=", ""),
}
# How a text of a format is made longer, one character at a time.
_STRETCHED = {
    "date-time": ("2026-11-20T08:31:00.", "1", "Z"), "time": ("08:31:00.", "1", "Z"), "duration": ("P", "1", "Y"),
    "email": ("", "a", "@b"), "idn-email": ("", "a", "@b"), "hostname": ("", "a", ""), "idn-hostname": ("", "a", ""),
    "uri": ("a:", "b", ""), "iri": ("a:", "b", ""), "uri-reference": ("", "a", ""), "iri-reference": ("", "a", ""),
    "uri-template": ("", "a", ""), "json-pointer": ("/", "a", ""), "relative-json-pointer": ("0/", "a", ""),
    "regex": ("", "a", ""), "base64url": ("", "A", ""), "byte": ("", "A", ""),
}  # fmt: skip
_PLAIN = (
    "text",
    "a",
    "",
    "Z",
    "0",
    "12",
    "-",
    "text with spaces",
    "(",
    "ÄÖ",
    "true",
    "null",
    "1.5",
    "\U0001f9ea",
)


def string_values(case: Case, views: list[View]) -> Iterator[str]:
    """Texts for one case: what fits its own patterns and formats first, then what the others name."""
    own, others = list(case.parts), views[len(case.parts) :]
    yield from _between(case, ())
    for part in own:
        yield from fitting_texts(part)
    for length in _lengths(case, own):
        yield from _of_length(own, length)
    for form in [part.format for part in own if part.format is not None]:
        yield from _of_format(form, _lengths(case, [*own, *others]))
    yield from _PLAIN
    for view in others:
        yield from _between(case, _patterns([view]))
        yield from (value for value in view.enum or () if isinstance(value, str))
        if view.max_length is not None or view.min_length:
            yield from _between(case, (), view)
    for barred in sorted(case.without, key=place):
        yield from _between(case, _patterns([barred.view]))
    for view in others:
        yield from fitting_texts(view)
    for length in _lengths(case, others):
        yield from _of_length(own, length)


def _patterns(views: list[View]) -> tuple[str, ...]:
    """Give the patterns of some views, those of their formats included."""
    formats = [LOWERED.get(view.format or "", {}).get("pattern") for view in views]
    return tuple(dict.fromkeys(p for p in (*(view.pattern for view in views), *formats) if p is not None))


def _between(case: Case, failing: tuple[str, ...], passing: View | None = None) -> Iterator[str]:
    """Give a text that fits all own patterns and lengths, and not others, or lengths that others refuse."""
    holding = _patterns(list(case.parts))
    least, most = case.least("min_length"), case.most("max_length")
    if passing is None and not (failing or holding):
        return
    ranges = [(least, most)]
    if passing is not None:
        above = () if passing.max_length is None else ((max(least, passing.max_length + 1), most),)
        below = ((least, passing.min_length - 1),) if passing.min_length > least else ()
        ranges = [*above, *below] if holding else []
    for low, high in ranges:
        text = text_between(holding, failing, low, high)
        if isinstance(text, str):
            yield text


def _of_format(form: str, lengths: list[int]) -> Iterator[str]:
    """Texts of one format that are as long as a bound asks, where the format can be stretched."""
    begin, fill, end = _STRETCHED.get(form, ("", "", ""))
    for length in lengths:
        if fill and length > len(begin) + len(end):
            yield begin + fill * (length - len(begin) - len(end)) + end


def fitting_texts(view: View) -> Iterator[str]:
    """Give a few texts for the pattern and the format of one view."""
    if view.pattern is not None:
        yield from samples(view.pattern)
    if view.format is not None:
        yield from _FORMATS.get(view.format, ())


def _lengths(case: Case, views: list[View]) -> list[int]:
    least, most = case.least("min_length"), case.most("max_length")
    wanted = {least} if least else set()
    for view in views:
        bounds = [bound for bound in (view.min_length, view.max_length) if bound]
        wanted |= {bound + step for bound in bounds for step in (-1, 0, 1)}
    top = LONGEST if most is None else min(most, LONGEST)
    return sorted(length for length in wanted if least <= length <= top)


def _of_length(own: list[View], length: int) -> Iterator[str]:
    """Texts of one length: plain ones, and matching ones that are stretched to it."""
    for part in own:
        if part.pattern is not None:
            for text in samples(part.pattern, 2):
                for fill in text[-1:] + text[:1]:
                    yield text + fill * (length - len(text)) if len(text) <= length else text[:length]
                    yield fill * (length - len(text)) + text if len(text) <= length else text[-length:]
    yield "x" * length
    yield "7" * length


def number_values(case: Case, views: list[View], atom: str) -> Iterator[Any]:
    """Numbers for one case: its own bounds first, then around the bounds and multiples of the others."""
    steps = [view.multiple_of for view in views if view.multiple_of]
    found: list[Fraction] = []
    low, high = case.lower(atom), case.upper(atom)
    own = [
        end for bound in (low, high) if bound is not None for end in (bound[0], bound[0] + 1, bound[0] - 1)
    ]
    found += [end for end in own if abs(end) <= NEAR_BOUND]
    found += [Fraction(n) for n in (0, 1, 7, -1, 12, 12345, -12345)]
    count = len(case.parts)
    for view in (*views[count:], *views[:count]):  # what may refuse them first
        for edge in [pair[0] for pair in (view.minimum, view.maximum) if pair]:
            # Beside the bounds of `float` a reader that rounds sees no difference.
            found += [edge * 2] if abs(edge) > EXACT_BELOW else []
            found += [edge, edge + 1, edge - 1, *(edge + s for s in steps), *(edge - s for s in steps)]
        found += [Fraction(v) for v in view.enum or () if _exact(v)]
    found += own
    found += [step * factor for step in steps for factor in (1, 2, 3, 5, 7)]
    found += _multiples(case, found)
    halves = [Fraction(1, 2), Fraction(3, 2), Fraction(-1, 2)]
    if atom == FRACTION:
        found = halves + [
            n + half
            for n in found
            for half in (Fraction(0), Fraction(1, 2), Fraction(-1, 2), Fraction(1, 1000))
        ]
    for number in dict.fromkeys(found):
        if (number.denominator == 1) is (atom == INTEGER):
            value = written(number)
            if value is not None:
                yield value


def _multiples(case: Case, near: list[Fraction]) -> list[Fraction]:
    """Give multiples of all own steps: around what matters, and one after another for lists of distinct ones."""
    own = [part.multiple_of for part in case.parts if part.multiple_of is not None] or [Fraction(1)]
    step = own[0]
    for other in own[1:]:
        step = Fraction(lcm(step.numerator * other.denominator, other.numerator * step.denominator),
                        step.denominator * other.denominator)  # fmt: skip
    around = [
        n for number in near[:MOST_NEAR] for n in (floor(number / step) * step, ceil(number / step) * step)
    ]
    low = max((part.minimum[0] for part in case.parts if part.minimum is not None), default=Fraction(0))
    return [*around, *(ceil(low / step) * step + step * count for count in range(MOST_STEPS))]


def _exact(value: Any) -> bool:
    return (
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) and atom_of(value) != STRING
    )


def written(number: Fraction) -> int | float | None:
    """Give the JSON number of an exact value, None where a double would round it."""
    if number.denominator == 1:
        return int(number)
    try:
        value = float(number)
    except OverflowError:  # half a step beyond `1e400`
        return None
    return value if Fraction(Decimal(repr(value))) == number else None
