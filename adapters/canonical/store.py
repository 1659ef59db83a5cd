"""The canonical store as the intake sees it: every call returns only when its effect is durable."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import SQLAlchemyError

from adapters.canonical import settle
from adapters.canonical.engine import WRITES, assert_durable, open_engine
from adapters.canonical.pseudonyms import load_pseudonyms
from adapters.canonical.publish import Publisher
from adapters.canonical.upgrade import pending, upgrade
from adapters.canonical.values import Held, Known, Publication, Refusal, Settled
from adapters.canonical.writer import Writer
from adapters.errors import CanonicalStoreError
from kernel.audit.stamps import new_id

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from kernel.sealing.payload import Sealer
    from kernel.settings import Settings


class CanonicalStore:
    """Inbox, resources, events and outbox of one data folder; several processes may have it open."""

    def __init__(self, engine: Engine, sealer: Sealer) -> None:
        self.engine = engine
        self.sealer = sealer
        try:
            with engine.connect().execution_options(**WRITES) as connection, connection.begin():
                assert_durable(connection)
                self.publisher = Publisher(sealer, load_pseudonyms(connection, sealer))
        except SQLAlchemyError as error:
            raise CanonicalStoreError(
                f"the canonical database cannot be opened ({type(error).__name__})",
                hint="check the setting database, or the data folder's space and owner",
            ) from error
        self._writer = Writer(engine)

    @classmethod
    def open(cls, settings: Settings, sealer: Sealer) -> CanonicalStore:
        """Open the store of these settings.

        SQLite is migrated on the way; PostgreSQL is not (its roles may be somebody else's to make):
        raises `CanonicalStoreError` when it is not of this release.
        """
        engine = open_engine(settings)
        if engine.dialect.name == "sqlite":
            upgrade(engine)
        elif (missing := pending(engine)) is not None:
            raise CanonicalStoreError(
                f"schema canonical has not reached revision {missing}", hint="run `interlock db upgrade`"
            )
        return cls(engine, sealer)

    def close(self) -> None:
        """Finish what waits and let go of the database."""
        self._writer.close()
        self.engine.dispose()

    def key_of(self, *parts: str) -> str:
        """Give the pseudonym of a message's key."""
        return self.publisher.pseudonyms.of("message", *parts)

    async def hold(self, connection: str, raw: bytes, *, replay_of: str | None = None) -> Held:
        """Make the raw bytes durable; raises `CanonicalStoreError`, and then nothing was kept."""
        digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
        held = Held(new_id(), connection, datetime.now(UTC), raw, digest, replay_of)
        return await self._writer.run(partial(settle.hold, held=held, sealer=self.sealer))

    async def recall(self, key: str) -> Known | None:
        """Find the message that was taken under this key."""
        return await self._writer.run(partial(settle.recall, key=key, sealer=self.sealer))

    async def publish(self, publication: Publication) -> Settled:
        """Settle a message in one transaction; raises `MessageRefused` or `CanonicalStoreError`."""
        return await self._writer.run(partial(self.publisher.publish, publication=publication))

    async def repeat(self, held: Held, known: Known, record: dict[str, Any]) -> Settled:
        """Settle the repetition of a message that was taken."""
        return await self._writer.run(partial(settle.repeat, held=held, known=known, record=record))

    async def refuse(self, refusal: Refusal) -> Settled:
        """Settle a message as a dead letter."""
        return await self._writer.run(partial(settle.refuse, refusal=refusal))

    async def count_attempt(self, inbox_id: str) -> int:
        """Count a failed attempt."""
        return await self._writer.run(partial(settle.count_attempt, inbox_id=inbox_id))

    async def unfinished(self, connection: str) -> list[str]:
        """List messages of a connection that are held and not settled, oldest first."""
        return await self._writer.run(partial(settle.unfinished, name=connection))

    async def read(self, inbox_id: str) -> Held:
        """Give a message with its raw bytes."""
        return await self._writer.run(partial(settle.read_held, inbox_id=inbox_id, sealer=self.sealer))

    async def owed(self) -> list[dict[str, Any]]:
        """List audit records that the log may not have."""
        return await self._writer.run(settle.owed)

    def forget_paid(self, record_ids: list[str]) -> None:
        """Forget audit records that the log has; nobody waits for it, a crash only tells one twice."""
        if record_ids:
            self._writer.submit(partial(settle.paid, record_ids=record_ids))
