"""Reads the store back for people: dead letters, events, resources. Opens payloads only when asked to."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, select

from adapters.canonical.tables import dead_letters, events, inbox, resources
from adapters.errors import CanonicalStoreError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from kernel.sealing.payload import Sealer

MOST = 1000  # rows of one listing


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One dead letter without its content; `violations` are (pointer, keyword)."""

    id: str
    connection: str
    reason: str
    location: str
    violations: tuple[tuple[str, str], ...]
    handed_back: bool
    state: str
    received_at: str
    bytes: int
    digest: str
    replayed_by: str | None


class Reading:
    """Listings of one store; every method opens a read transaction of its own."""

    def __init__(self, engine: Engine, sealer: Sealer) -> None:
        self._engine = engine
        self._sealer = sealer

    def letters(self, *, state: str = "", limit: int = 100) -> list[DeadLetter]:
        """List dead letters, newest first; `state` is open, replayed, superseded or "" for all."""
        query = select(dead_letters, inbox.c.received_at, inbox.c.bytes, inbox.c.digest).join(
            inbox, inbox.c.id == dead_letters.c.inbox_id
        )
        if state:
            query = query.where(dead_letters.c.state == state)
        query = query.order_by(dead_letters.c.inbox_id.desc()).limit(min(limit, MOST))
        with self._engine.connect() as connection:
            return [_letter(row) for row in connection.execute(query)]

    def letter(self, inbox_id: str) -> DeadLetter:
        """Give one dead letter; raises `CanonicalStoreError`."""
        query = (
            select(dead_letters, inbox.c.received_at, inbox.c.bytes, inbox.c.digest)
            .join(inbox, inbox.c.id == dead_letters.c.inbox_id)
            .where(dead_letters.c.inbox_id == inbox_id)
        )
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            raise CanonicalStoreError(
                f"there is no dead letter {inbox_id[:64]}", hint="`interlock adapter dead-letters list`"
            )
        return _letter(row)

    def raw(self, inbox_id: str) -> bytes:
        """Open the bytes of a message as they arrived: health data."""
        with self._engine.connect() as connection:
            sealed = connection.execute(select(inbox.c.raw).where(inbox.c.id == inbox_id)).scalar()
        if sealed is None:
            raise CanonicalStoreError(f"there is no message {inbox_id[:64]}")
        return self._sealer.open(bytes(sealed), f"canonical|raw|{inbox_id}")

    def events(self, *, after: int = 0, limit: int = 100) -> list[dict[str, Any]]:
        """List events in order, without their data."""
        query = select(events).where(events.c.sequence > after).order_by(events.c.sequence)
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(min(limit, MOST))).all()
        return [
            {
                "sequence": row.sequence,
                "id": row.id,
                "type": row.type,
                "subject": row.subject,
                "schema": row.schema_urn,
                "made_at": row.made_at,
                "message": row.inbox_id,
            }
            for row in rows
        ]

    def event(self, event_id: str) -> dict[str, Any]:
        """Open one event with its data: health data; raises `CanonicalStoreError`."""
        with self._engine.connect() as connection:
            sealed = connection.execute(select(events.c.envelope).where(events.c.id == event_id)).scalar()
        if sealed is None:
            raise CanonicalStoreError(f"there is no event {event_id[:64]}", hint="`interlock adapter events`")
        opened: dict[str, Any] = orjson.loads(self._sealer.open(bytes(sealed), f"canonical|event|{event_id}"))
        return opened

    def resources(self, *, limit: int = 100) -> list[dict[str, Any]]:
        """List resources, last changed first, without their content."""
        query = select(resources).order_by(resources.c.updated_at.desc(), resources.c.id)
        with self._engine.connect() as connection:
            rows = connection.execute(query.limit(min(limit, MOST))).all()
        return [
            {
                "id": row.id,
                "kind": row.kind,
                "revision": row.revision,
                "status": row.status,
                "updated_at": row.updated_at,
                "message": row.inbox_id,
            }
            for row in rows
        ]

    def resource(self, resource_id: str) -> dict[str, Any]:
        """Open the current state of one resource: health data; raises `CanonicalStoreError`."""
        with self._engine.connect() as connection:
            row = connection.execute(select(resources).where(resources.c.id == resource_id)).first()
        if row is None:
            raise CanonicalStoreError(
                f"there is no resource {resource_id[:64]}", hint="`interlock adapter resources`"
            )
        context = f"canonical|resource|{row.id}|{row.revision}"
        opened: dict[str, Any] = orjson.loads(self._sealer.open(bytes(row.document), context))
        return opened

    def open_letters(self) -> int:
        """Count the dead letters that are neither replayed nor superseded."""
        query = select(func.count()).select_from(dead_letters).where(dead_letters.c.state == "open")
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def counts(self) -> dict[str, int]:
        """Count messages by state (held, published, …)."""
        query = select(inbox.c.state, func.count()).group_by(inbox.c.state)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def _letter(row: Any) -> DeadLetter:
    violations = tuple((pointer, keyword) for pointer, keyword in json.loads(row.violations))
    return DeadLetter(
        row.inbox_id, row.connection, row.reason, row.location, violations, row.handed_back, row.state,
        row.received_at, row.bytes, row.digest, row.replayed_by,
    )  # fmt: skip
