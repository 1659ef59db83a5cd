"""The one transaction in which a message becomes resource, event and outbox row, and is marked so."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, insert, select, text, update

from adapters.canonical.envelope import build_event, moment
from adapters.canonical.revision import Head, decide
from adapters.canonical.settle import answer_of, mark, owe, state_of
from adapters.canonical.tables import dead_letters, dedup, events, inbox, outbox, resources, revisions
from adapters.canonical.values import CanonicalResource, Held, Pinned, Publication, Settled, State
from adapters.errors import MessageRefused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from adapters.canonical.pseudonyms import Pseudonyms
    from kernel.sealing.payload import Sealer

_ORDER_LOCK = 0x1E71_0C4D  # PostgreSQL: one publisher at a time, so that sequence order is commit order
_SHORT = 40  # hex digits of a resource's id: 160 bits


@dataclass(frozen=True, slots=True)
class _Revision:
    name: str
    number: int
    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Holds what every publication needs; `publish` runs inside the writer's transaction."""

    sealer: Sealer
    pseudonyms: Pseudonyms

    def resource_id(self, resource: CanonicalResource) -> str:
        """Give the opaque id that all revisions of a resource share."""
        return self.pseudonyms.of("resource", resource.kind, *resource.key)[:_SHORT]

    def publish(self, connection: Connection, publication: Publication) -> Settled:
        """Settle one held message; raises `MessageRefused` when its key or its revision forbids it.

        Safe to call again after an unknown outcome: a message that is settled already is told as it is.
        """
        held = publication.held
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ORDER_LOCK})
        state = state_of(connection, held.id)
        if state != "held":
            return Settled(state, publication.answer)
        known = connection.execute(select(dedup).where(dedup.c.key == publication.key)).first()
        if known is not None:
            return self._known(connection, publication, known)
        made = [self._revise(connection, publication, *pair) for pair in publication.resources]
        events_made = tuple(event for _, event in made if event)
        new_state: State = "stored-only" if not made else "published" if events_made else "unchanged"
        self._close_letter(connection, held)
        self._remember(connection, publication)
        mark(connection, held.id, new_state)
        record = {
            **publication.record,
            "detail": {**publication.record.get("detail", {}), "state": new_state},
        }
        if events_made:
            record["event_id"] = events_made[0]
            record["detail"]["events"] = len(events_made)
        owe(connection, held.id, record)
        return Settled(new_state, publication.answer, record, tuple(name for name, _ in made), events_made)

    def _known(self, connection: Connection, publication: Publication, known: Any) -> Settled:
        """Judge a message whose key was taken before: the same bytes, other bytes, or a late replay."""
        held = publication.held
        if held.replay_of is not None:
            raise MessageRefused(
                "a message with this key was taken since; a replay would apply it twice",
                reason="control-id-reused",
                location="MSH[1]-10",
            )
        if known.digest != held.digest:
            raise MessageRefused(
                "MSH-10 was used for another message", reason="control-id-reused", location="MSH[1]-10"
            )
        mark(connection, held.id, "duplicate")
        record = {**publication.record, "detail": {"state": "duplicate", "of": known.inbox_id}}
        owe(connection, held.id, record)
        return Settled("duplicate", answer_of(known, self.sealer), record)

    def _revise(
        self, connection: Connection, publication: Publication, resource: CanonicalResource, pinned: Pinned
    ) -> tuple[str, str]:
        """Add one revision with its event; ("id", "") when the content is what is held already."""
        held = publication.held
        name = self.resource_id(resource)
        recorded = moment(resource.recorded_at) if resource.recorded_at else None
        row = connection.execute(select(resources).where(resources.c.id == name)).first()
        before = Head(row.status, row.recorded_at, row.content_digest) if row else None
        if row is not None:
            self._not_superseded(connection, held.replay_of, row.inbox_id)
        verdict = decide(before, Head(resource.status, recorded, resource.content_digest))
        if verdict == "unchanged":
            return name, ""
        revision = row.revision + 1 if row else 1
        document = {**resource.document, "id": name, "revision": revision}
        sealed = self.sealer.seal(orjson.dumps(document), f"canonical|resource|{name}|{revision}")
        now = moment(datetime.now(UTC))
        values = {
            "revision": revision,
            "status": resource.status,
            "recorded_at": recorded,
            "content_digest": resource.content_digest,
            "document": sealed,
            "inbox_id": held.id,
            "updated_at": now,
        }
        if row is None:
            connection.execute(insert(resources).values(id=name, kind=resource.kind, **values))
        else:
            connection.execute(update(resources).where(resources.c.id == name).values(**values))
        connection.execute(
            insert(revisions).values(
                resource_id=name, revision=revision, status=resource.status, document=sealed,
                inbox_id=held.id, made_at=now,
            )
        )  # fmt: skip
        return name, self._emit(connection, held, (resource, pinned), _Revision(name, revision, document))

    def _emit(
        self, connection: Connection, held: Held, pair: tuple[CanonicalResource, Pinned], made: _Revision
    ) -> str:
        resource, pinned = pair
        sequence = (connection.execute(select(func.max(events.c.sequence))).scalar() or 0) + 1
        whose = ("patient", *resource.patient) if resource.patient else ("resource", made.name)
        partition = self.pseudonyms.of("partition", *whose)[:_SHORT]
        event = build_event(
            resource, pinned, held, resource_id=made.name, revision=made.number, partition_key=partition,
            sequence=sequence, document=made.document,
        )  # fmt: skip
        if violations := pinned.check_event(event):
            pointer, keyword = violations[0]
            raise MessageRefused(
                f"the event breaks its contract at {pointer} ({keyword})", reason="internal-failure"
            )
        connection.execute(
            insert(events).values(
                sequence=sequence, id=event["id"], type=event["type"], subject=made.name,
                partition_key=partition, schema_urn=pinned.urn, inbox_id=held.id,
                made_at=event["recordedtime"],
                envelope=self.sealer.seal(orjson.dumps(event), f"canonical|event|{event['id']}"),
            )
        )  # fmt: skip
        connection.execute(insert(outbox).values(sequence=sequence, partition_key=partition))
        return str(event["id"])

    def _not_superseded(self, connection: Connection, replay_of: str | None, applied_by: str) -> None:
        """Refuse a replay when the thing was touched by a message that came after the dead letter."""
        if replay_of is None:
            return
        came = select(inbox.c.received_at)
        then = connection.execute(came.where(inbox.c.id == replay_of)).scalar()
        since = connection.execute(came.where(inbox.c.id == applied_by)).scalar()
        if then is not None and since is not None and since >= then:
            raise MessageRefused(
                "a resend of the same result was applied since", reason="older-than-held", location="OBR[1]-3"
            )

    def _remember(self, connection: Connection, publication: Publication) -> None:
        """Keep key and answer for resends; dead letters of the same key are the sender's past now."""
        key = publication.key
        sealed = self.sealer.seal(publication.answer, f"canonical|answer|{key}")
        values = {"key": key, "digest": publication.held.digest, "inbox_id": publication.held.id}
        connection.execute(insert(dedup).values(**values, answer=sealed))
        connection.execute(
            update(dead_letters)
            .where(dead_letters.c.key == key, dead_letters.c.state == "open")
            .values(state="superseded", closed_at=moment(datetime.now(UTC)))
        )

    def _close_letter(self, connection: Connection, held: Held) -> None:
        if held.replay_of is None:
            return
        closed = connection.execute(
            update(dead_letters)
            .where(dead_letters.c.inbox_id == held.replay_of, dead_letters.c.state == "open")
            .values(state="replayed", replayed_by=held.id, closed_at=moment(datetime.now(UTC)))
        )
        if closed.rowcount != 1:
            raise MessageRefused(
                "the dead letter was replayed, or a resend of it was taken", reason="control-id-reused"
            )
