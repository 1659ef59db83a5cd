"""Waivers in the registry's database."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select, update

from registry.review.waiver import RecordedWaiver
from registry.store.judging_tables import waivers

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row

_W = waivers.c
_NAMES = tuple(one.name for one in fields(RecordedWaiver))


class SqlWaivers:
    """See registry/review/waiver.py: WaiverShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, waiver: RecordedWaiver) -> int:
        """Record one; its `id` is ignored and the new one returned."""
        row = {name: getattr(waiver, name) for name in _NAMES if name != "id"}
        row["expires"] = waiver.expires.isoformat()
        number: int = self._connection.execute(insert(waivers).values(row).returning(_W.id)).scalar_one()
        return number

    def get(self, waiver_id: int) -> RecordedWaiver | None:
        """Give one."""
        row = self._connection.execute(select(waivers).where(_W.id == waiver_id)).one_or_none()
        return None if row is None else _waiver(row)

    def of(self, contract: str) -> tuple[RecordedWaiver, ...]:
        """Give all of a contract, oldest first."""
        query = select(waivers).where(_W.contract == contract).order_by(_W.id)
        return tuple(map(_waiver, self._connection.execute(query)))

    def revoke(self, waiver_id: int, at: datetime, by: str, reason: str) -> None:
        """Revoke one that stands."""
        values = {"revoked_at": at, "revoked_by": by, "revoke_reason": reason}
        self._connection.execute(update(waivers).where(_W.id == waiver_id).values(values))


def _waiver(row: Row[Any]) -> RecordedWaiver:
    values = {name: getattr(row, name) for name in _NAMES}
    return RecordedWaiver(**{**values, "expires": date.fromisoformat(row.expires)})
