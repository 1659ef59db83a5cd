"""Audit records that wait for the journal, kept in the transaction of what they tell of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select, update

from registry.review.shelves import OutboxRow
from registry.store.access_tables import audit_outbox

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from sqlalchemy import Connection

_O = audit_outbox.c


class SqlOutbox:
    """See registry/review/shelves.py: Outbox."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, record: Mapping[str, Any], at: datetime) -> None:
        """Keep a record."""
        row = {"id": record["id"], "recorded_at": at, "record": dict(record)}
        self._connection.execute(insert(audit_outbox).values(row))

    def waiting(self, limit: int) -> tuple[OutboxRow, ...]:
        """Give the oldest rows that are not marked as relayed."""
        query = select(_O.position, _O.record).where(_O.relayed_at.is_(None)).order_by(_O.position)
        return tuple(
            OutboxRow(row.position, row.record) for row in self._connection.execute(query.limit(limit))
        )

    def count(self) -> int:
        """Count the rows that wait."""
        query = select(func.count()).select_from(audit_outbox).where(_O.relayed_at.is_(None))
        return int(self._connection.execute(query).scalar_one())

    def relayed(self, positions: Iterable[int], at: datetime) -> None:
        """Mark rows: the journal holds them durably."""
        which = _O.position.in_(list(positions)) & _O.relayed_at.is_(None)
        self._connection.execute(update(audit_outbox).where(which).values(relayed_at=at))
