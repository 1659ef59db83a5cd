"""The second main path: one device message, from its frame to the acknowledgement of its outcome (DESIGN §5).

Read `take` and `_settle` top to bottom: hold → commit acknowledgement → identify → idempotency → canonical →
validate → publish → audit → application acknowledgement. No answer says more than the disk holds, and
whatever fails has its raw bytes, a typed reason and an audit record.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Protocol

from adapters.canonical.values import (
    CanonicalResource,
    Held,
    Pinned,
    Publication,
    Refusal,
    Settled,
    Violations,
)
from adapters.errors import CanonicalStoreError, MessageRefused
from adapters.idempotency import earlier, message_key
from adapters.identify import identify
from adapters.message import Answers, Device, Reading, Send
from adapters.reasons import Fate, reason
from adapters.retry import RetryPolicy
from kernel.audit.record import message_record
from kernel.audit.redaction import clip
from kernel.errors import AuditError, SealingError
from kernel.promise import Promise

if TYPE_CHECKING:
    from adapters.canonical.store import CanonicalStore
    from adapters.frozen_schemas import FrozenSchema, FrozenSchemas

log = logging.getLogger(__name__)


class AuditLog(Protocol):
    """What the intake needs of a journal (kernel.audit.journal.Journal)."""

    def append(self, record: dict[str, Any]) -> Promise:
        """Keep a record; the promise is kept when the disk has it, and raises `AuditError` otherwise."""


class OutsideContract(MessageRefused):
    """A canonical document that breaks its frozen schema; `violations` are places and keywords."""

    def __init__(self, violations: Violations) -> None:
        super().__init__("the canonical form breaks its schema", reason="outside-contract")
        self.violations = violations


class Intake:
    """Takes messages of all devices of one process into one canonical store."""

    def __init__(
        self,
        store: CanonicalStore,
        schemas: FrozenSchemas,
        audit: AuditLog,
        *,
        retries: RetryPolicy | None = None,
    ) -> None:
        self.store = store
        self.schemas = schemas
        self._audit = audit
        self._retries = RetryPolicy() if retries is None else retries
        self._later: set[asyncio.Task[None]] = set()

    async def take(self, raw: bytes, device: Device, send: Send, *, damage: str = "") -> Settled | None:
        """Take one message; None when it could not be held. Never raises for what a message may be.

        `damage` is the reason that the framing found (frame-broken, message-too-large, …), "" for none.
        """
        try:
            held = await self.store.hold(device.name, raw)
        except (CanonicalStoreError, SealingError) as error:
            log.error("a message could not be held: %s", error.code)  # noqa: TRY400 - no trace: it may show data
            reading = device.read(raw, damage)
            answers = device.answers(reading, "not-held", MessageRefused("not held", reason="store-failed"))
            for answer in (answers.commit, answers.application):
                if answer:
                    await send(answer)
            return None
        return await self.settle(held, device, send, damage=damage)

    async def settle(self, held: Held, device: Device, send: Send | None, *, damage: str = "") -> Settled:
        """Bring a held message to its end; `send` is None where nobody waits (recovery, retry, replay)."""
        reading = device.read(held.raw, damage)
        if reading.refusal is not None:
            return await self._hand_back(held, device, reading, reading.refusal, send)
        answers = device.answers(reading, "taken")
        if answers.commit and send:
            await send(answers.commit)
        try:
            settled = await self._process(held, device, reading, answers)
        except MessageRefused as refused:
            return await self._hand_back(held, device, reading, refused, send)
        except Exception as error:  # noqa: BLE001 - a failure of ours must neither lose the message nor claim success
            return await self._failed(held, device, reading, error, send)
        if await self._pay(settled) and settled.answer and send:
            await send(settled.answer)
        return settled

    async def recover(self, device: Device) -> int:
        """Settle what an earlier process held and did not finish; gives how many messages that were."""
        await self._pay_debts()
        waiting = await self.store.unfinished(device.name)
        for inbox_id in waiting:
            try:
                held = await self.store.read(inbox_id)
            except SealingError as error:
                log.error("message %s cannot be opened and stays held: %s", inbox_id, error.message)  # noqa: TRY400
                continue
            await self.settle(held, device, None)
        return len(waiting)

    async def stop(self) -> None:
        """Let go of what is to be tried again: it is held, and the next start recovers it."""
        for task in tuple(self._later):
            task.cancel()
        await asyncio.gather(*self._later, return_exceptions=True)

    async def _process(self, held: Held, device: Device, reading: Reading, answers: Answers) -> Settled:
        identity = identify(device, reading)
        key = message_key(self.store, held, reading)
        record = _record(held, reading, identity.device, outcome="success", codes=answers.codes)
        known = await earlier(self.store, held, key)
        if known is not None:
            return await self.store.repeat(held, known, record)
        resources: tuple[tuple[CanonicalResource, Pinned], ...] = ()
        if reading.mapped:
            schema = self.schemas.find(*device.contract)
            resources = self._validate(device.to_canonical(reading, held, identity.profile), schema)
            contract = {
                "contract": device.contract[0],
                "version": schema.pinned.version,
                "digest": schema.digest,
            }
            record.update(contract)
        publication = Publication(held, key, answers.application, record, resources)
        return await self.store.publish(publication)

    def _validate(
        self, made: tuple[CanonicalResource, ...], schema: FrozenSchema
    ) -> tuple[tuple[CanonicalResource, Pinned], ...]:
        """Check every document as it will be published; raises `OutsideContract` with all violations."""
        found: list[tuple[str, str]] = []
        for resource in made:
            whole = {**resource.document, "id": self.store.publisher.resource_id(resource), "revision": 1}
            found += schema.check(whole)
        if found:
            raise OutsideContract(tuple(found))
        return tuple((resource, schema.pinned) for resource in made)

    async def _hand_back(
        self, held: Held, device: Device, reading: Reading, refused: MessageRefused, send: Send | None
    ) -> Settled:
        """Refuse a message: a dead letter first, then the negative answer, where one is asked for."""
        row = reason(refused.reason)
        if row.blame == "ours":
            return await self._failed(held, device, reading, refused, send)
        early = reading.refusal is not None
        fate: Fate = "content-refused"
        if early:
            fate = "header-refused" if row.blame in ("header", "silent") else "body-refused"
        answers = Answers() if row.blame == "silent" else device.answers(reading, fate, refused)
        refusal = self._refusal(held, reading, refused, answers if send else Answers(), state="refused")
        settled = await self._store_refusal(refusal)
        if settled is None:
            return Settled("held")  # not durable, so nothing is said: recovery tries again
        if not await self._pay(settled) or send is None:
            return settled
        if early and answers.commit:
            await send(answers.commit)
        if answers.application:
            await send(answers.application)
        return settled

    async def _failed(
        self, held: Held, device: Device, reading: Reading, error: Exception, send: Send | None
    ) -> Settled:
        """Our own failure: hand the message back by AR, or stay silent and try again ourselves; never AA."""
        slug = error.reason if isinstance(error, MessageRefused) else "internal-failure"
        if isinstance(error, CanonicalStoreError):
            slug = "store-failed"
        log.error("message %s failed: %s (%s)", held.id, slug, type(error).__name__)
        refused = MessageRefused("a failure of Interlock", reason=slug)
        answers = device.answers(reading, "failed", refused)
        if (send is None or not answers.application) and held.replay_of is None:
            return await self._try_later(held, device, reading, refused)
        settled = await self._store_refusal(self._refusal(held, reading, refused, answers, state="failed"))
        if settled is None:
            return Settled("held")  # AR would be a lie while we may still apply it
        if await self._pay(settled) and settled.state == "failed" and send:
            await send(answers.application)
        return settled

    async def _try_later(
        self, held: Held, device: Device, reading: Reading, refused: MessageRefused
    ) -> Settled:
        try:
            attempt = await self.store.count_attempt(held.id)
        except CanonicalStoreError:
            attempt = 1
        pause = self._retries.pause(attempt)
        if pause is None:
            settled = await self._store_refusal(
                self._refusal(held, reading, refused, Answers(), state="failed")
            )
            await self._pay(settled)
            return settled or Settled("held")

        async def again() -> None:
            await asyncio.sleep(pause)
            await self.settle(held, device, None)

        task = asyncio.create_task(again())
        self._later.add(task)
        task.add_done_callback(self._later.discard)
        return Settled("held")

    def _refusal(
        self, held: Held, reading: Reading, refused: MessageRefused, answers: Answers, *, state: Any
    ) -> Refusal:
        violations = refused.violations if isinstance(refused, OutsideContract) else ()
        outcome = "refused" if state == "refused" else "failed"
        name = f"{reading.application or '-'}@{reading.facility or '-'}"
        record = _record(held, reading, name, outcome=outcome, codes=answers.codes)
        if violations:
            record["problems"] = [
                {"pointer": clip(pointer), "keyword": keyword} for pointer, keyword in violations[:16]
            ]
            record["problem_count"] = len(violations)
        negative = any(code[1:] in ("E", "R") for code in answers.codes.split())
        key = message_key(self.store, held, reading) if reading.control_id else ""
        return Refusal(
            held, refused.reason, record, state, refused.location, violations, handed_back=negative, key=key
        )

    async def _store_refusal(self, refusal: Refusal) -> Settled | None:
        try:
            return await self.store.refuse(refusal)
        except CanonicalStoreError as error:
            log.error("message %s stays held: %s", refusal.held.id, error.code)  # noqa: TRY400
            return None

    async def _pay(self, settled: Settled | None) -> bool:
        """Give the audit log its record; False where it cannot be kept, and then nothing is answered."""
        if settled is None or settled.record is None:
            return True
        try:
            await self._audit.append(dict(settled.record))
        except AuditError as error:
            log.error("the audit log did not take a message's record: %s", error.message)  # noqa: TRY400
            return False  # the record stays in the audit outbox, and a resend gets the same answer
        self.store.forget_paid([settled.record["id"]])
        return True

    async def _pay_debts(self) -> None:
        for record in await self.store.owed():
            await self._pay(Settled("held", record=record))


def _record(held: Held, reading: Reading, device: str, *, outcome: Any, codes: str) -> dict[str, Any]:
    """Build the audit record of a message: identifiers and digests, nothing that it says."""
    more = {
        "message_type": clip(reading.type),
        "message_id": clip(reading.control_id),
        "acknowledgement": codes,
        "request_id": held.id,
        "data_category": "health",
    }
    detail = {"replay_of": held.replay_of} if held.replay_of else {}
    filled = {name: value for name, value in more.items() if value}
    return message_record(
        adapter=held.connection, device=device, outcome=outcome, raw=held.raw, detail=detail, **filled
    )
