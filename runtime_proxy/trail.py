"""The audit records of an exchange: what is kept, when, and that nothing is answered without it."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING, Any, Final

from kernel.audit.record import exchange_record, outcome_of
from kernel.audit.stamps import new_id
from kernel.audit.stamps import now as wall_clock
from kernel.errors import AuditError
from kernel.promise import Promise
from runtime_proxy.further_facts import note_further
from runtime_proxy.record_forms import form_of
from runtime_proxy.refusal import errors_of
from runtime_proxy.refusal_series import RefusalSeries

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.port import Answer
    from kernel.audit.record import Outcome, Stage
    from kernel.operation.violation import Violation
    from runtime_proxy.audit_journal import AuditJournal
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.refusal import Refusal

log = logging.getLogger("interlock.proxy")
_SWEEP_SECONDS = 1.0
_perf_counter: Final = time.perf_counter


class Trail:
    """Writes records of exchanges to one journal; `fields` are the same for all (server, environment)."""

    def __init__(
        self,
        journal: AuditJournal,
        fields: dict[str, str],
        *,
        clock: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self._journal = journal
        self._fields = fields
        self._clock = clock
        self._series = RefusalSeries(wall_clock)
        self._loop: asyncio.AbstractEventLoop | None = None  # once it serves
        self._sweeper: asyncio.Task[None] | None = None

    def check(self) -> None:
        """Raise `AuditError` when it is known already that nothing can be kept."""
        failure = self._journal.failure
        if failure is not None:
            raise AuditError(failure.message, hint=failure.hint, place=failure.place)

    def start(self) -> None:
        """Begin to close series that are due; call it inside the serving loop."""
        self._loop = asyncio.get_running_loop()
        self._sweeper = self._loop.create_task(self._sweep())

    async def stop(self) -> None:
        """Close all series; the journal stays open, for it is not ours."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        await self._close_series(everything=True)

    def received(self, exchange: Exchange) -> Promise:
        """Record that a call which may change something is about to go out, or a stream to come in."""
        served, consumer, key = _who(exchange)
        duration = _microseconds_of(exchange)
        form = form_of(exchange, served, self._journal)
        if form is not None and exchange.body:
            draft = form.received(
                request_id=exchange.request_id,
                client=exchange.peer,
                consumer=consumer,
                key=key,
                trace_id=exchange.trace_id,
                body=exchange.body,
                duration_us=duration,
            )
            exchange.received = draft.record_id
            return self._journal.append(draft, self._loop)
        record = exchange_record(
            served.audit,
            "received",
            request_id=exchange.request_id,
            client=exchange.peer,
            consumer=consumer or None,
            key=key or None,
            trace_id=exchange.trace_id,
            request_body=exchange.body,
            duration_us=duration,
        )
        note_further(record, exchange)
        exchange.received = record["id"]
        return self._journal.append(record, self._loop)

    def completed(self, exchange: Exchange, answer: Answer, broken: tuple[Violation, ...] = ()) -> Promise:
        """Record the provider's answer; `broken` is what was let through on purpose (report only)."""
        served, consumer, key = _who(exchange)
        status = answer.status
        duration = _microseconds_of(exchange)
        exchange.settled = True
        form = form_of(exchange, served, self._journal)
        if (
            form is not None
            and answer.body
            and not (broken or exchange.observed or exchange.cached or exchange.source is not None)
            and (exchange.received is not None or not exchange.body)
        ):
            draft = form.completed(
                request_id=exchange.request_id,
                client=exchange.peer,
                consumer=consumer,
                key=key,
                trace_id=exchange.trace_id,
                closes=exchange.received or "",
                status=status,
                body=answer.body,
                upstream_us=int(answer.upstream_seconds * 1e6),
                duration_us=duration,
            )
            return self._journal.append(draft, self._loop)
        record = exchange_record(
            served.audit,
            "completed",
            request_id=exchange.request_id,
            client=exchange.peer,
            consumer=consumer or None,
            key=key or None,
            trace_id=exchange.trace_id,
            closes=exchange.received,
            outcome=outcome_of(status),
            status=status,
            problems=errors_of(broken) if broken else None,
            request_body=None if exchange.received else exchange.body,
            response_body=answer.body,
            upstream_status=status,
            upstream_us=int(answer.upstream_seconds * 1e6),
            duration_us=duration,
        )
        note_further(record, exchange)
        return self._journal.append(record, self._loop)

    def ended(
        self,
        exchange: Exchange,
        *,
        outcome: Outcome,
        status: int | None = None,
        answer: Answer | None = None,
        refusal: Refusal | None = None,
        violations: tuple[Violation, ...] = (),
        more: dict[str, Any] | None = None,
    ) -> Promise:
        """Record an end without the provider's answer going out; `answer` is what it said, if anything."""
        record = self._record(
            exchange,
            "completed",
            closes=exchange.received,
            outcome=outcome,
            status=status,
            refusal=refusal.slug if refusal is not None else None,
            problems=errors_of(violations) if violations else None,
            request_body=None if exchange.received else exchange.body,
            response_body=answer.body if answer is not None else None,
            upstream_status=answer.status if answer is not None else None,
            upstream_us=int(answer.upstream_seconds * 1e6) if answer is not None else None,
            more=more,
        )
        exchange.settled = True
        return self._journal.append(record, self._loop)

    def replayed(self, exchange: Exchange, status: int, body: bytes, first: str) -> Promise:
        """Record that the answer to an earlier exchange (`first`: its request id) is given again."""
        record = self._record(
            exchange,
            "replayed",
            outcome=outcome_of(status),
            status=status,
            request_body=exchange.body,
            response_body=body,
            more={"replays": first},
        )
        exchange.settled = True
        return self._journal.append(record, self._loop)

    def refused(self, exchange: Exchange, refusal: Refusal) -> Promise | None:
        """Record a call that never reached its provider; None: it was counted into a series."""
        now = self._clock()
        peer, slug = exchange.peer, refusal.slug
        if self._series.count(peer, slug, now):
            return None
        opens = self._series.opens(peer, now)
        record = self._record(
            exchange,
            "series-opened" if opens else "refused",
            outcome="refused",
            status=refusal.status,
            refusal=slug,
            problems=errors_of(refusal.violations),
        )
        if opens:
            self._series.open(peer, slug, record, now)
        return self._journal.append(record, self._loop)

    def _record(self, exchange: Exchange, stage: Stage, **more: Any) -> dict[str, Any]:
        served = exchange.operation
        identity = exchange.identity
        row = identity.key if identity is not None else None
        record = exchange_record(
            served.audit if served is not None else self._fields,
            stage,
            request_id=exchange.request_id,
            client=exchange.peer,
            consumer=row.consumer.id if row is not None else None,
            key=row.id if row is not None else None,
            trace_id=exchange.trace_id or None,
            duration_us=_microseconds_of(exchange),
            **more,
        )
        note_further(record, exchange)
        return record

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(_SWEEP_SECONDS)
            await self._close_series(everything=False)

    async def _close_series(self, *, everything: bool) -> None:
        for series in self._series.due(self._clock(), everything=everything):
            record = {
                **series.fields,
                "id": new_id(),
                "recorded": wall_clock(),
                "stage": "series-closed",
                "outcome": "refused",
                "closes": series.opened,
                "count": sum(series.counts.values()),
                "detail": dict(series.counts),
                "first_at": series.first_at,
                "last_at": series.last_at,
            }
            try:
                await self._journal.append(record)
            except AuditError as error:
                log.critical("the end of a series of refusals could not be kept: %s", error)


def _microseconds_of(exchange: Exchange) -> int:
    return int((_perf_counter() - exchange.started) * 1e6)


def _who(exchange: Exchange) -> tuple[ServedOperation, str, str]:
    """Give the operation, and the ids of consumer and key ("" where nobody in particular calls)."""
    served, identity = exchange.operation, exchange.identity
    assert served is not None  # only a matched call is carried out
    row = identity.key if identity is not None else None
    if row is None:
        return served, "", ""
    return served, row.consumer.id, row.id
