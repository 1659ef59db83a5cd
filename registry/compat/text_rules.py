"""Patterns and formats of strings, judged by the same engine as our runtime validators."""

from __future__ import annotations

from functools import lru_cache

import jsonschema_rs

from kernel.errors import SchemaRefused
from kernel.schema.formats import ASSERTED, LOWERED
from kernel.schema.pattern_text import width
from kernel.schema.patterns import linear
from registry.compat.languages import included, text_between

# Formats whose values have a fixed or bounded length in code points (RFC 3339 full-date, RFC 9562).
_LENGTHS: dict[str, tuple[int, int | None]] = {
    "date": (10, 10), "uuid": (36, 36), "ipv4": (7, 15), "ipv6": (2, 45), "hostname": (1, 253), "idn-hostname": (1, None),
    "date-time": (20, None), "time": (9, None), "duration": (3, None), "email": (3, None), "idn-email": (3, None),
    "uri": (2, None), "iri": (2, None), "relative-json-pointer": (1, None),
}  # fmt: skip
# `hostname` takes xn-- labels that are no IDNA, which `idn-hostname` refuses.
_INCLUDED = {
    ("uri", "uri-reference"), ("iri", "iri-reference"), ("uri", "iri"), ("uri", "iri-reference"),
    ("uri-reference", "iri-reference"), ("email", "idn-email"),
}  # fmt: skip

# What every text of a format looks like (RFC 3339 full-date, RFC 9562, RFC 2673 dotted-quad).
SHAPES = {
    "date": "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "uuid": "^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$",
    "ipv4": r"^[0-9]{1,3}(\.[0-9]{1,3}){3}$",
}
WHOLE_SHAPES = frozenset({"uuid"})  # and whatever looks like it has the format


class TextRules:
    """Answers about single strings; None means that the engine cannot say.

    With `as_validated` keywords that no dialect knows are passed over, as the runtime validators do.
    """

    def __init__(self, *, as_validated: bool = False) -> None:
        self.as_validated = as_validated

    def matches(self, pattern: str, text: str) -> bool | None:
        """Whether an ECMA-262 pattern is found in the text."""
        return _holds("pattern", pattern, text)

    def has_format(self, name: str, text: str) -> bool | None:
        """Whether the text has the format; None for formats that are not asserted."""
        if "pattern" in LOWERED.get(name, {}):
            return _holds("pattern", LOWERED[name]["pattern"], text)
        return _holds("format", name, text) if name in ASSERTED else None

    def lengths(self, pattern: str | None, form: str | None) -> tuple[int, int | None]:
        """Give the least and greatest length that a pattern or format allows."""
        low, high = _LENGTHS.get(form or "", (0, None))
        if pattern is not None:
            least, most = width(pattern)
            low = max(low, least)
            high = most if high is None else high if most is None else min(high, most)
        return low, high

    def pattern_within(self, inner: str, outer: str) -> bool:
        """Whether every text in which one pattern is found holds the other."""
        return inner == outer or included(inner, outer)

    def no_text(
        self, holding: tuple[str, ...], failing: tuple[str, ...], least: int, most: int | None
    ) -> bool:
        """Whether it is known that no text of such a length holds all of some patterns and none of others."""
        return bool(holding or failing) and text_between(holding, failing, least, most) is True

    def format_within(self, inner: str, outer: str) -> bool:
        """Whether every text of one format has the other."""
        return inner == outer or (inner, outer) in _INCLUDED


@lru_cache(maxsize=4096)
def _holds(keyword: str, argument: str, text: str) -> bool | None:
    check = _checker(keyword, argument)
    return None if check is None else bool(check.is_valid(text))


@lru_cache(maxsize=1024)
def _checker(keyword: str, argument: str) -> jsonschema_rs.Validator | None:
    try:
        argument = linear(argument) if keyword == "pattern" else argument
        return jsonschema_rs.Draft202012Validator(
            {keyword: argument},
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
            offline=True,
        )
    except (ValueError, SchemaRefused):
        return None
