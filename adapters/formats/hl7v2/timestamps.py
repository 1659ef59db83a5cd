"""HL7 times (ch. 2A TS, DTM, DT): as precise as sent, with the offset that was sent or the connection's."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Literal

from adapters.errors import MessageRefused

Precision = Literal["year", "month", "day", "hour", "minute", "second", "fraction"]
_SHAPE = re.compile(
    r"(?P<year>\d{4})(?:(?P<month>\d{2})(?:(?P<day>\d{2})(?:(?P<hour>\d{2})(?:(?P<minute>\d{2})"
    r"(?:(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6}))?)?)?)?)?)?(?P<offset>[+-]\d{4}|Z)?",
    re.ASCII,
)
_PARTS: tuple[Precision, ...] = ("fraction", "second", "minute", "hour", "day", "month", "year")


@dataclass(frozen=True, slots=True)
class Timestamp:
    """A moment: `at` as the canonical schema writes it, `instant` in UTC where at least the hour is known."""

    raw: str
    at: str
    precision: Precision
    offset: Literal["sent", "connection", "none"]
    instant: datetime | None

    def document(self) -> dict[str, str]:
        """Give the canonical `time` object."""
        return {"at": self.at, "raw": self.raw, "precision": self.precision, "offset": self.offset}


def read_time(raw: str, zone: tzinfo, *, location: str = "") -> Timestamp | None:
    """Read a time; None for nothing, `MessageRefused` (time-unreadable) for what is no time.

    A time of day without offset is in `zone`. Old v2.1 to v2.2 precision components (`20240101^D`) must be
    cut off before. Spaces at the ends and trailing zeros of a date (`19900804000000`) are kept as sent.
    """
    text = raw.strip()
    if not text or text == '""':
        return None
    found = _SHAPE.fullmatch(text)
    if found is None:
        raise MessageRefused("a time cannot be read", reason="time-unreadable", location=location)
    precision = next(part for part in _PARTS if found[part] is not None)
    try:
        moment = _moment(found)
        if precision in ("year", "month", "day"):
            at = "-".join(found[part] for part in ("year", "month", "day") if found[part])
            return Timestamp(text, at, precision, "none", None)
        sent = found["offset"]
        moment = moment.replace(tzinfo=_offset(sent) if sent else zone)
        at = moment.isoformat(timespec="microseconds" if precision == "fraction" else "seconds")
        instant = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise MessageRefused("a time does not exist", reason="time-unreadable", location=location) from None
    return Timestamp(text, _short_fraction(at), precision, "sent" if sent else "connection", instant)


def write_time(moment: datetime) -> str:
    """Write a time with offset as HL7 does, to the second."""
    return moment.strftime("%Y%m%d%H%M%S%z")


def _moment(found: re.Match[str]) -> datetime:
    fraction = (found["fraction"] or "0").ljust(6, "0")
    return datetime(  # noqa: DTZ001 - the caller adds the offset and knows whose it is
        int(found["year"]),
        int(found["month"] or 1),
        int(found["day"] or 1),
        int(found["hour"] or 0),
        int(found["minute"] or 0),
        int(found["second"] or 0),
        int(fraction),
    )


def _offset(text: str) -> timezone:
    if text == "Z":
        return UTC
    hours, minutes = int(text[1:3]), int(text[3:5])
    if minutes > 59:  # noqa: PLR2004 - minutes of an hour
        raise ValueError(text)
    distance = timedelta(hours=hours, minutes=minutes)
    return timezone(-distance if text[0] == "-" else distance)


def _short_fraction(at: str) -> str:
    return re.sub(r"(\.\d*?[1-9])0+(?=[+-])|\.0+(?=[+-])", r"\1", at)
