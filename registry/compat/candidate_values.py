"""Strings and numbers for candidates: boundaries, constants, and texts that match patterns and formats."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from typing import Any

from kernel.schema.pattern_text import samples
from registry.compat.facts import Case
from registry.compat.languages import difference
from registry.compat.schema_view import FRACTION, INTEGER, STRING, View, atom_of

LONGEST = 5000  # characters that are written to pass a length
_FORMATS = {
    "date-time": ("2026-11-20T08:31:00Z", "2026-11-20T08:31:00.125+01:00"),
    "date": ("2026-11-20", "2024-02-29"),
    "time": ("08:31:00Z", "08:31:00.5+01:00"),
    "duration": ("PT5M", "P1Y2M"),
    "email": ("ada@ward.example", "a@b"),
    "idn-email": ("ada@ward.example",),
    "hostname": ("lab.example", "a"),
    "idn-hostname": ("lab.example",),
    "ipv4": ("192.0.2.7", "255.255.255.255"),
    "ipv6": ("2001:db8::7", "::1"),
    "uri": ("https://lab.example/a", "urn:x:y"),
    "uri-reference": ("/a/b", "https://lab.example/a", ""),
    "iri": ("https://lab.example/ä",),
    "iri-reference": ("/ä", "a"),
    "uuid": ("7d444840-9dc0-11d1-b245-5ffdce74fad2", "00000000-0000-0000-0000-000000000000"),
    "uri-template": ("/orders/{id}", "a"),
    "json-pointer": ("/a/b", ""),
    "relative-json-pointer": ("0", "1/a"),
    "regex": ("^a+$", "a"),
    "byte": ("aGVsbG8=", ""),
}
_PLAIN = ("text", "a", "", "Z", "0", "12", "-", "text with spaces", "ÄÖ", "true", "null", "1.5", "\U0001f9ea")


def string_values(case: Case, views: list[View]) -> Iterator[str]:
    """Texts for one case: what fits its own patterns and formats first, then what the others name."""
    own = list(case.parts)
    for part in own:
        yield from fitting_texts(part)
    for length in _lengths(case, own):
        yield from _of_length(own, length)
    yield from _PLAIN
    others = views[len(own) :]
    for pattern in [view.pattern for view in others if view.pattern is not None]:
        for text in (difference(part.pattern or "", pattern) for part in own):
            if isinstance(text, str):
                yield text
    for view in others:
        yield from fitting_texts(view)
        yield from (value for value in view.enum or () if isinstance(value, str))
    for length in _lengths(case, others):
        yield from _of_length(own, length)


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
    for bound in (low, high):
        if bound is not None:
            found += [bound[0], bound[0] + 1, bound[0] - 1]
    found += [Fraction(n) for n in (0, 1, 7, -1, 12, 12345, -12345)]
    for view in views:
        for edge in [pair[0] for pair in (view.minimum, view.maximum) if pair]:
            found += [edge, edge + 1, edge - 1, *(edge + s for s in steps), *(edge - s for s in steps)]
        found += [Fraction(v) for v in view.enum or () if _exact(v)]
    found += [step * factor for step in steps for factor in (1, 2, 3, 5, 7)]
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


def _exact(value: Any) -> bool:
    return (
        isinstance(value, int | float | Decimal) and not isinstance(value, bool) and atom_of(value) != STRING
    )


def written(number: Fraction) -> int | float | None:
    """Give the JSON number of an exact value, None where a double would round it."""
    if number.denominator == 1:
        return int(number)
    value = float(number)
    return value if Fraction(Decimal(repr(value))) == number else None
