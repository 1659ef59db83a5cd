"""Conformance evidence in the registry's database."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Any

from sqlalchemy import insert, select

from registry.review.evidence import Evidence
from registry.store.release_tables import conformance

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

_C = conformance.c
_NAMES = tuple(one.name for one in fields(Evidence))


class SqlEvidence:
    """See registry/review/release_shelves.py: EvidenceShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, evidence: Evidence) -> int:
        """Keep a run; its `id` is ignored and the new one returned."""
        row = {name: getattr(evidence, name) for name in _NAMES if name != "id"}
        row |= {"counts": dict(evidence.counts), "tools": dict(evidence.tools), "rules": list(evidence.rules)}
        number: int = self._connection.execute(insert(conformance).values(row).returning(_C.id)).scalar_one()
        return number

    def find(self, contract: str, version: str, limit: int) -> tuple[Evidence, ...]:
        """Give the runs against a version, newest first."""
        which = (_C.contract == contract) & (_C.version == version)
        query = select(conformance).where(which).order_by(_C.id.desc()).limit(limit)
        return tuple(map(_evidence, self._connection.execute(query)))

    def latest(self, digest: str) -> Evidence | None:
        """Give the newest run against these bytes that counts: all operations were called, or it failed."""
        counts = _C.complete.is_(True) | (_C.outcome == "failed")
        query = select(conformance).where(_C.digest == digest, counts)
        row = self._connection.execute(query.order_by(_C.id.desc()).limit(1)).one_or_none()
        return None if row is None else _evidence(row)


def _evidence(row: Row[Any]) -> Evidence:
    values = {name: getattr(row, name) for name in _NAMES}
    return Evidence(**{**values, "rules": tuple(row.rules)})
