"""Reads what a part says of its own life: deprecated, since when, until when, and how much it promises.

`x-sunset` is the date of the Sunset header (RFC 8594), `x-deprecation` that of the Deprecation header (RFC 9745),
`x-stability-level` one of draft, alpha, beta, stable. Dates are judged by day, in UTC: a sunset has passed from the
day after it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, cast

from registry.compat.policy_profiles import LEVELS, Level

SUNSET: Final = "x-sunset"
DEPRECATION: Final = "x-deprecation"
STABILITY: Final = "x-stability-level"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_SECONDS: Final = re.compile(r"@(-?\d{1,11})")


@dataclass(frozen=True, slots=True)
class Life:
    """What one part says; `unknown` names the keys whose values cannot be read (they count as absent)."""

    deprecated: bool = False
    since: date | None = None
    sunset: date | None = None
    level: Level | None = None
    unknown: tuple[str, ...] = ()

    def over(self, as_of: date) -> bool:
        """Whether the part was deprecated with a sunset that has passed."""
        return self.deprecated and self.sunset is not None and self.sunset < as_of


def life_of(part: Mapping[str, Any]) -> Life:
    """Read the words of one part; AsyncAPI, which has no `deprecated` of its own, writes `x-deprecated`."""
    unknown = []
    dates: dict[str, date | None] = {}
    for key in (DEPRECATION, SUNSET):
        dates[key] = day_of(part[key]) if key in part else None
        if key in part and dates[key] is None:
            unknown.append(key)
    level = part.get(STABILITY)
    if level is not None and level not in LEVELS:
        unknown.append(STABILITY)
        level = None
    return Life(
        part.get("deprecated") is True or part.get("x-deprecated") is True,
        dates[DEPRECATION],
        dates[SUNSET],
        cast("Level | None", level),
        tuple(unknown),
    )


def day_of(text: Any) -> date | None:
    """Read a day: 2027-01-31, an RFC 3339 time, an HTTP date (RFC 9110 §5.6.7), or @seconds (RFC 9651 §3.3.7)."""
    if not isinstance(text, str) or len(text) > 64:  # noqa: PLR2004 - no date is longer
        return None
    seconds = _SECONDS.fullmatch(text)
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        if seconds:
            return datetime.fromtimestamp(int(seconds[1]), UTC).date()
        if text[:1].isdigit():
            moment = datetime.fromisoformat(text)
            return moment.astimezone(UTC).date() if moment.tzinfo else None
        moment = parsedate_to_datetime(text)
        return moment.astimezone(UTC).date() if moment.tzinfo else None
    except (ValueError, OverflowError, OSError):
        return None
