"""The smaller steps of settling a message, each run inside the writer's transaction."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import delete, insert, select, update

from adapters.canonical.envelope import moment
from adapters.canonical.tables import audit_outbox, dead_letters, dedup, inbox
from adapters.canonical.values import Held, Known, Refusal, Settled, State
from adapters.errors import CanonicalStoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kernel.sealing.payload import Sealer


def hold(connection: Connection, held: Held, sealer: Sealer) -> Held:
    """Put the raw bytes into the inbox."""
    connection.execute(
        insert(inbox).values(
            id=held.id,
            connection=held.connection,
            received_at=moment(held.received_at),
            raw=sealer.seal(held.raw, f"canonical|raw|{held.id}"),
            bytes=len(held.raw),
            digest=held.digest,
            state="held",
            replay_of=held.replay_of,
        )
    )
    return held


def recall(connection: Connection, key: str, sealer: Sealer) -> Known | None:
    """Find the message that was taken under a key."""
    row = connection.execute(select(dedup).where(dedup.c.key == key)).first()
    return Known(row.inbox_id, row.digest, answer_of(row, sealer)) if row else None


def repeat(connection: Connection, held: Held, known: Known, record: dict[str, Any]) -> Settled:
    """Mark a message as the repetition of one that was taken."""
    state = state_of(connection, held.id)
    if state != "held":
        return Settled(state, known.answer)
    mark(connection, held.id, "duplicate")
    record = {**record, "detail": {"state": "duplicate", "of": known.inbox_id}}
    owe(connection, held.id, record)
    return Settled("duplicate", known.answer, record)


def refuse(connection: Connection, refusal: Refusal) -> Settled:
    """Make a dead letter; a message that is settled already is told as it is."""
    state = state_of(connection, refusal.held.id)
    if state != "held":
        return Settled(state)
    mark(connection, refusal.held.id, refusal.state, refusal.reason)
    if refusal.held.replay_of is None:  # a refused replay leaves its dead letter open as it was
        connection.execute(
            insert(dead_letters).values(
                inbox_id=refusal.held.id,
                connection=refusal.held.connection,
                reason=refusal.reason,
                location=refusal.location[:64],
                violations=json.dumps(refusal.violations),
                handed_back=refusal.handed_back,
                key=refusal.key,
                state="open",
                made_at=moment(datetime.now(UTC)),
            )
        )
    record = {**refusal.record, "reason": refusal.reason}
    record["detail"] = {**record.get("detail", {}), "state": refusal.state}
    owe(connection, refusal.held.id, record)
    return Settled(refusal.state, record=record)


def count_attempt(connection: Connection, inbox_id: str) -> int:
    """Count one more failed attempt and give how many there were."""
    connection.execute(update(inbox).where(inbox.c.id == inbox_id).values(attempts=inbox.c.attempts + 1))
    return int(connection.execute(select(inbox.c.attempts).where(inbox.c.id == inbox_id)).scalar() or 0)


def unfinished(connection: Connection, name: str) -> list[str]:
    """List the ids of messages of one connection that are held and not settled, oldest first."""
    rows = select(inbox.c.id).where(inbox.c.state == "held", inbox.c.connection == name).order_by(inbox.c.id)
    return list(connection.execute(rows).scalars())


def read_held(connection: Connection, inbox_id: str, sealer: Sealer) -> Held:
    """Give a message with its raw bytes; raises `CanonicalStoreError` when there is none of this id."""
    row = connection.execute(select(inbox).where(inbox.c.id == inbox_id)).first()
    if row is None:
        raise CanonicalStoreError(
            f"there is no message {inbox_id[:64]}", hint="`interlock adapter dead-letters list` shows the ids"
        )
    raw = sealer.open(bytes(row.raw), f"canonical|raw|{row.id}")
    received = datetime.fromisoformat(row.received_at)
    return Held(row.id, row.connection, received, raw, row.digest, row.replay_of)


def state_of(connection: Connection, inbox_id: str) -> State:
    """Give the state of an inbox row, locked for this transaction where the database can do so."""
    query = select(inbox.c.state).where(inbox.c.id == inbox_id).with_for_update()
    state = connection.execute(query).scalar()
    if state is None:
        raise CanonicalStoreError(
            "the inbox row is gone", hint="restore the canonical database from its backup"
        )
    return cast("State", state)


def mark(connection: Connection, inbox_id: str, state: State, reason: str = "") -> None:
    """Settle an inbox row."""
    connection.execute(
        update(inbox)
        .where(inbox.c.id == inbox_id)
        .values(state=state, reason=reason, settled_at=moment(datetime.now(UTC)))
    )


def owe(connection: Connection, inbox_id: str, record: dict[str, Any]) -> None:
    """Owe the audit log a record, in the transaction that it tells of."""
    values = {"id": record["id"], "inbox_id": inbox_id, "record": json.dumps(record)}
    connection.execute(insert(audit_outbox).values(values))


def owed(connection: Connection) -> list[dict[str, Any]]:
    """List the records that the audit log has not confirmed (after a crash)."""
    rows = connection.execute(select(audit_outbox.c.record).order_by(audit_outbox.c.id))
    return [json.loads(record) for record in rows.scalars()]


def paid(connection: Connection, record_ids: list[str]) -> None:
    """Forget records that the audit log has."""
    connection.execute(delete(audit_outbox).where(audit_outbox.c.id.in_(record_ids)))


def answer_of(row: Any, sealer: Sealer) -> bytes:
    """Open the answer of a dedup row."""
    return sealer.open(bytes(row.answer), f"canonical|answer|{row.key}")
