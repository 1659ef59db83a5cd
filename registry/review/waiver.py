"""A waiver in the registry: who accepted which finding of a contract, why, until when; and the shelf of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Protocol

from registry.compat.policy_tables import Waiver

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class RecordedWaiver:
    """One acceptance; it holds from when it was recorded to the end of `expires` (UTC), unless it was revoked.

    `owner` answers for it, `recorded_by` is the board member who recorded it.
    """

    id: int
    contract: str
    fingerprint: str
    rule: str
    what: str
    owner: str
    reason: str
    expires: date
    review_id: int
    recorded_at: datetime
    recorded_by: str
    revoked_at: datetime | None = None
    revoked_by: str | None = None
    revoke_reason: str = ""

    def holds(self, at: datetime) -> bool:
        """Whether it is in force at a moment."""
        revoked = self.revoked_at is not None and self.revoked_at <= at
        return self.recorded_at <= at and not revoked and at.astimezone(UTC).date() <= self.expires

    @property
    def as_rule(self) -> Waiver:
        """The same as interlock.toml writes it, for the policy."""
        return Waiver(
            self.fingerprint, self.owner, self.reason, self.expires, self.contract, self.rule, self.what
        )


class WaiverShelf(Protocol):
    """Waivers, standing and not; nothing is ever forgotten."""

    def add(self, waiver: RecordedWaiver) -> int:
        """Record one; its `id` is ignored and the new one returned."""

    def get(self, waiver_id: int) -> RecordedWaiver | None:
        """Give one."""

    def of(self, contract: str) -> tuple[RecordedWaiver, ...]:
        """Give all of a contract, oldest first."""

    def revoke(self, waiver_id: int, at: datetime, by: str, reason: str) -> None:
        """Revoke one that stands."""


def in_force(waivers: Iterable[RecordedWaiver], at: datetime) -> tuple[RecordedWaiver, ...]:
    """Give those that hold at a moment."""
    return tuple(one for one in waivers if one.holds(at))
