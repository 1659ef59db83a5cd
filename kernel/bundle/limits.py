"""Limits beyond plain rates: weights of bytes, calendar quotas, calls in flight, and limits that only count.

Plain rates (`kernel.bundle.model.Limit`) stand beside a consumer or a route; these stand in its policy.
"""

from __future__ import annotations

from typing import Annotated, Literal
from zoneinfo import ZoneInfo

import msgspec

MOST_LIMITS = 32  # of one owner
Name = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$")]
Count = Annotated[int, msgspec.Meta(ge=1, le=10**9)]
Octets = Annotated[int, msgspec.Meta(ge=1, le=10**15)]
Seconds = Annotated[int, msgspec.Meta(ge=1, le=366 * 86_400)]
Weight = Annotated[int, msgspec.Meta(ge=1, le=10**6)]


class RateLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`requests` in `seconds`, `burst` at once; with `shadow` it is counted and never refuses."""

    name: Name
    requests: Count
    seconds: Seconds
    burst: Count
    shadow: bool = False


class ByteLimit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bytes of request bodies, as they come on the wire: `bytes` in `seconds`, `burst` at once."""

    name: Name
    bytes: Octets
    seconds: Seconds
    burst: Octets
    shadow: bool = False


class Quota(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`requests` in each calendar day or month of a time zone (IANA name); nothing of it carries over."""

    name: Name
    requests: Count
    every: Literal["day", "month"]
    time_zone: str = "UTC"
    shadow: bool = False

    def __post_init__(self) -> None:
        """Refuse a time zone that is not known here; msgspec makes a ValidationError of it."""
        try:
            ZoneInfo(self.time_zone)
        except (KeyError, ValueError, OSError):
            raise ValueError("time_zone is no name of the IANA time zone database") from None


class Concurrency(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """At most so many `calls` under way at the same time, from the whole request to its answer."""

    name: Name
    calls: Count
    shadow: bool = False


AnyLimit = RateLimit | ByteLimit | Quota | Concurrency


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that one consumer or route is held to besides its plain rates.

    `when_store_lost` says what a worker does while the shared store of the limits is out of reach, for
    the plain rates of the same owner too: admit its own share of each limit, or nothing.
    """

    rates: tuple[RateLimit, ...] = ()
    bytes: tuple[ByteLimit, ...] = ()
    quotas: tuple[Quota, ...] = ()
    concurrency: tuple[Concurrency, ...] = ()
    when_store_lost: Literal["local-share", "closed"] = "local-share"

    def __post_init__(self) -> None:
        """Refuse what RateLimit could not tell apart, and more than one call should have to pass."""
        names = [limit.name for limit in self.every]
        if len(set(names)) != len(names):
            raise ValueError("limits have a name of their own each")
        if len(names) > MOST_LIMITS:
            raise ValueError(f"limits are at most {MOST_LIMITS}")

    @property
    def every(self) -> tuple[AnyLimit, ...]:
        """All of them, in the order in which RateLimit names those of one unit."""
        return (*self.rates, *self.bytes, *self.quotas, *self.concurrency)


Priority = Literal["critical", "normal", "background"]
