"""The clocks of one message: reads times in the connection's zone and notes what a reader must know."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo
from typing import Any

from adapters.errors import MessageRefused
from adapters.formats.hl7v2.parse import Segment
from adapters.formats.hl7v2.timestamps import Timestamp, read_time

_SKEW = timedelta(minutes=5)  # how far a source's clock may run ahead of ours


@dataclass(slots=True)
class Clock:
    """Collects in `flags` what goes into `quality`: clock-assumed, time-unreadable and the like."""

    zone: tzinfo
    zone_given: bool
    flag_times: bool
    received_at: datetime
    flags: set[str] = field(default_factory=set)

    def read(self, segment: Segment, number: int) -> dict[str, Any] | None:
        """Read a time field as canonical `time`; None where it is empty.

        Raises `MessageRefused` (time-unreadable) where the profile wants that rather than a flag.
        """
        when, document = self._read(segment, number)
        if when is not None and when.instant is not None and when.instant > self.received_at + _SKEW:
            self.flags.add("measured-after-received")
        return document

    def instant(self, segment: Segment, number: int) -> datetime | None:
        """Give the moment of a time field in UTC, None where it has none."""
        when, _ = self._read(segment, number)
        return when.instant if when else None

    def _read(self, segment: Segment, number: int) -> tuple[Timestamp | None, dict[str, Any] | None]:
        raw = segment.value(number)
        try:
            when = read_time(raw, self.zone, location=segment.at(number))
        except MessageRefused:
            if not self.flag_times:
                raise
            self.flags.add("time-unreadable")
            return None, {"raw": raw[:512], "precision": "unreadable", "offset": "none"}
        if when is None:
            return None, None
        if when.offset == "connection" and not self.zone_given:
            self.flags.add("clock-assumed")
        return when, when.document()
