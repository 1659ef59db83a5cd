"""What every limit can be asked, whether this worker keeps it alone or shares it with others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, Protocol

if TYPE_CHECKING:
    import asyncio

ASK: Final = -1  # `wait`: nothing can be said before the shared store was asked
CLOSED: Final = -2  # `wait`: the shared store is out of reach, and the owner's policy admits nothing then
Unit = Literal["requests", "bytes", "slots"]


class Meter(Protocol):
    """One limit, or all those of one owner and unit that are kept together; `now` in monotonic ns."""

    policy: bytes  # item (or items) of the RateLimit-Policy field

    def wait(self, now: int, weight: int = 1) -> int:
        """0 admits; above 0 are the nanoseconds to wait; else `ASK` or `CLOSED`. Changes nothing."""

    def spend(self, now: int, weight: int = 1) -> None:
        """Count a call that `wait` admitted at the same `now`."""

    def tell(self, now: int) -> bytes:
        """Write the item (or items) of the RateLimit field."""

    def blocks(self, now: int, weight: int) -> tuple[str, ...]:
        """Name the limits that do not admit the call."""

    def describe(self) -> tuple[str, ...]:
        """Say each limit in words."""


class SlotMeter(Meter, Protocol):
    """A limit on calls under way."""

    def release(self, now: int) -> None:
        """Give back what one `spend` took."""


class Asker(Protocol):
    """A meter that may answer `ASK`."""

    def ask(self, weight: int) -> asyncio.Future[None]:
        """Have the store asked for what a call needs; done when it has answered, or is out of reach."""

    def refund(self) -> None:
        """Give back what was granted to a call that another limit refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Shadow:
    """A limit that is counted and never refuses."""

    owner: str
    name: str
    unit: Unit
    meter: Meter


@dataclass(frozen=True, slots=True, eq=False)
class OwnerLimits:
    """All limits of one consumer or route."""

    requests: tuple[Meter, ...] = ()
    bytes: tuple[Meter, ...] = ()
    slots: tuple[SlotMeter, ...] = ()
    shadows: tuple[Shadow, ...] = ()

    @property
    def announced(self) -> tuple[Meter, ...]:
        """Those that RateLimit tells of, in the order in which it does."""
        return self.requests + self.bytes + self.slots
