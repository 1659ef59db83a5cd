"""Scalar values for the plainest reading of a schema's keywords, drawn from a seeded generator."""

from __future__ import annotations

import uuid
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from kernel.schema.pattern_text import samples

if TYPE_CHECKING:
    from random import Random

_WORDS: Final = ("alder", "birch", "cedar", "elm", "hazel", "linden", "maple", "rowan", "spruce", "willow")
_FIXED: Final[dict[str, tuple[str, ...]]] = {
    "duration": ("PT5M", "P1D"),
    "uri": ("https://example.com/alder", "https://example.com/birch"),
    "uri-reference": ("/alder", "/birch"),
    "uri-template": ("/alder/{id}",),
    "iri": ("https://example.com/alder",),
    "iri-reference": ("/alder",),
    "email": ("ward@example.com", "laboratory@example.com"),
    "idn-email": ("ward@example.com",),
    "hostname": ("host.example.com",),
    "idn-hostname": ("host.example.com",),
    "ipv4": ("192.0.2.7", "198.51.100.20"),
    "ipv6": ("2001:db8::7",),
    "json-pointer": ("/alder",),
    "relative-json-pointer": ("0",),
    "regex": ("^a+$",),
    "byte": ("c2FtcGxl",),
    "base64url": ("c2FtcGxl",),
    "http-date": ("Tue, 12 Mar 2024 09:30:00 GMT",),
}
_SPAN: Final = 100  # how far a number lies from its one bound, where there is but one
_LONGEST: Final = 4096  # characters of a text that is made
_TRIES: Final = 24  # samples of one pattern


def number_of(node: dict[str, Any], random: Random, *, whole: bool) -> int | float:
    """Draw a number between the bounds of a schema, a multiple where one is asked for."""
    low, high = _bound(node, "minimum", "exclusiveMinimum"), _bound(node, "maximum", "exclusiveMaximum")
    step = _decimal(node.get("multipleOf")) or (Decimal(1) if whole else Decimal("0.5"))
    if whole and step % 1:
        step *= 1 / (step % 1)
    if low is None:
        low = (Decimal(1) if high is None or high[0] > 1 else high[0] - _SPAN, False)
    if high is None:
        high = (low[0] + _SPAN, False)
    first, last = -(-low[0] // step), high[0] // step
    first += low[1] and first * step == low[0]
    last -= high[1] and last * step == high[0]
    if first > last:  # between two steps: only a number without a step, in the middle
        middle = (low[0] + high[0]) / 2
        return int(middle) if whole else float(middle)
    value = (first + random.randint(0, min(int(last - first), 10**9))) * step
    return int(value) if whole or value == value.to_integral_value() else float(value)


def text_of(node: dict[str, Any], random: Random) -> str:
    """Draw a text: of the format, else of the pattern, else words, as long as is asked for."""
    least, most = _count(node, "minLength", 0), _count(node, "maxLength", _LONGEST)
    pattern, form = node.get("pattern"), node.get("format")
    if isinstance(pattern, str):
        found = [one for one in islice(samples(pattern, _TRIES), _TRIES) if least <= len(one) <= most]
        if found:
            return random.choice(found[: max(len(found) // 2, 1)])
    if isinstance(form, str):
        found_text = _formatted(form, random)
        if found_text is not None:
            return found_text
    text = random.choice(_WORDS)
    while len(text) < min(least, _LONGEST):
        text += " " + random.choice(_WORDS)
    return text[: max(least, min(most, len(text)))][:most]


def _formatted(form: str, random: Random) -> str | None:
    day, hour = f"2024-{random.randint(1, 12):02}-{random.randint(1, 28):02}", random.randint(0, 23)
    clock = f"{hour:02}:{random.randint(0, 59):02}:00Z"
    match form:
        case "date-time":
            return f"{day}T{clock}"
        case "date":
            return day
        case "time":
            return clock
        case "uuid":
            return str(uuid.UUID(int=random.getrandbits(128), version=4))
        case _:
            return random.choice(_FIXED[form]) if form in _FIXED else None


def _bound(node: dict[str, Any], plain: str, strict: str) -> tuple[Decimal, bool] | None:
    """Give a bound and whether it is excluded; OpenAPI 3.0 says the latter by `true` beside the plain one."""
    inner, outer = _decimal(node.get(plain)), node.get(strict)
    if isinstance(outer, bool):
        return None if inner is None else (inner, outer)
    edge = _decimal(outer)
    if edge is None:
        return None if inner is None else (inner, False)
    if inner is not None and (inner > edge if plain == "minimum" else inner < edge):
        return inner, False
    return edge, True


def _decimal(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)):
        return None
    try:
        found = Decimal(str(value))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def _count(node: dict[str, Any], name: str, default: int) -> int:
    value = node.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default
