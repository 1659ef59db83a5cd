"""How a call ends: its audit record is durable before the first byte of its answer, or the answer says so."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Any

from adapters.errors import CallShed
from adapters.errors import UpstreamTimeout as Late
from adapters.errors import UpstreamUnreachable as Unreachable
from kernel.errors import AuditError
from kernel.promise import Promise
from runtime_proxy.exchange import Exchange
from runtime_proxy.mock import Declined
from runtime_proxy.refusals import REFUSALS
from runtime_proxy.refusals_call import (
    AuditUnavailable,
    InternalError,
    OutcomeUnknown,
    ProviderBrokeContract,
    UpstreamBroken,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from runtime_proxy.refusals_shed import shed
from runtime_proxy.repeats import Repeats
from runtime_proxy.replies import answer_of
from runtime_proxy.trace import new_request_id

if TYPE_CHECKING:
    from adapters.errors import UpstreamError
    from adapters.port import Answer
    from kernel.audit.record import Outcome
    from kernel.operation.violation import Violation
    from runtime_proxy.exchange import Reply
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.refusal import Refusal
    from runtime_proxy.trail import Trail

log = logging.getLogger("interlock.proxy")

_TOLD = 5  # places named in one log line
_WITHHELD = (
    "The provider was asked, its answer is withheld: the audit record could not be kept. Nothing was changed."
)


class Settling:
    """Ends exchanges, each with its record in `trail`."""

    def __init__(self, trail: Trail) -> None:
        self._trail = trail
        self._repeats = Repeats(log)

    def not_carried(self, exchange: Exchange, error: AuditError) -> Reply:
        """Refuse a call whose *received* cannot be kept: nothing has gone out."""
        text = "a call is refused, since its audit record cannot be kept: %s"
        self._repeats.say(logging.CRITICAL, ("", "not carried"), text, error)
        return answer_of(AuditUnavailable(), exchange)

    def not_recorded(self, exchange: Exchange, served: ServedOperation, error: AuditError) -> Reply:
        """End a call whose *completed* cannot be kept: its answer is withheld, and not denied."""
        text = "the end of a call could not be recorded: %s"
        self._repeats.say(logging.CRITICAL, ("", "not recorded"), text, error)
        if exchange.sent and served.changes:
            if exchange.claim is not None:
                exchange.claim.fate = "doubt"
            return answer_of(OutcomeUnknown(), exchange)
        return answer_of(AuditUnavailable(_WITHHELD if exchange.sent else ""), exchange)

    async def withhold(
        self,
        exchange: Exchange,
        served: ServedOperation,
        answer: Answer,
        broken: tuple[Violation, ...],
    ) -> Reply:
        """End with 502, since the answer is outside the contract; the record says where."""
        places = ", ".join(f"{one.location} {one.name}{one.pointer} {one.keyword}" for one in broken[:_TOLD])
        self._repeats.say(
            logging.WARNING,
            (served.route.name, served.operation.id),
            "%s %s: the provider broke the contract (status %d: %s), request %s",
            served.version.contract,
            served.operation.id,
            answer.status,
            places,
            exchange.request_id,
        )
        refusal = ProviderBrokeContract()
        if exchange.claim is not None:
            exchange.claim.fate = "keep"  # it was carried out, whatever a status of ours may mean elsewhere
        return await self._end(
            exchange,
            served,
            answer_of(refusal, exchange),
            outcome="failed",
            answer=answer,
            refusal=refusal,
            violations=broken,
        )

    async def no_answer(self, exchange: Exchange, served: ServedOperation, error: UpstreamError) -> Reply:
        """End without an answer: unreachable, too late, or not HTTP; what was sent decides what is known."""
        exchange.sent = error.sent
        if exchange.source is not None and exchange.source.refusal is not None:
            return await self._broken_off(exchange, served, exchange.source.refusal)
        unknown = error.sent and not served.idempotent
        if exchange.claim is not None:
            exchange.claim.fate = "doubt" if unknown else "release"
        refusal: Refusal
        if isinstance(error, CallShed):
            refusal = shed(error)
        elif isinstance(error, Declined):
            refusal = error.refusal
        elif isinstance(error, Late):
            refusal = UpstreamTimeout("" if error.sent else "No connection to the provider was free in time.")
        elif isinstance(error, Unreachable):
            refusal = UpstreamUnreachable()
        else:
            refusal = UpstreamBroken()
        name = served.route.name
        text = "%s: %s, request %s"
        self._repeats.say(
            logging.WARNING, (name, refusal.slug), text, name, error.message, exchange.request_id
        )
        return await self._end(
            exchange,
            served,
            answer_of(refusal, exchange),
            outcome="unknown" if unknown else "failed",
            refusal=refusal,
        )

    async def turn_away(self, exchange: Exchange, error: CallShed) -> Reply:
        """End before anything was begun: the guards of the adapter would turn the call away, as a count in a series."""
        if exchange.claim is not None:
            exchange.claim.fate = "release"
        return await self.refuse(exchange, shed(error))

    async def _broken_off(self, exchange: Exchange, served: ServedOperation, refusal: Refusal) -> Reply:
        """End a call whose body was no proper one: the provider has seen an incomplete message."""
        return await self._end(
            exchange,
            served,
            answer_of(refusal, exchange),
            outcome="unknown" if served.changes else "failed",
            refusal=refusal,
            violations=refusal.violations,
        )

    async def refuse(self, exchange: Exchange, refusal: Refusal) -> Reply:
        """End before the provider was asked; one record, or a count in a series."""
        reply = answer_of(refusal, exchange)
        try:
            durable = self._trail.refused(exchange, refusal)
            if durable is not None:
                await durable
        except AuditError as error:
            log.critical("a refusal could not be recorded: %s", error)
            closes, reply = reply.close, answer_of(AuditUnavailable(), exchange)
            reply.close = reply.close or closes
        return reply

    async def unread(self, slug: str, peer: str, exchange: Exchange | None) -> Reply:
        """End a request that the edge could not read, or not to its end."""
        if exchange is None:
            exchange = Exchange(b"", b"", [], peer, time.perf_counter())
        if not exchange.request_id:
            exchange.request_id = new_request_id()
            exchange.reply_headers.append((b"x-request-id", exchange.request_id.encode()))
        refusal = REFUSALS.get(slug, InternalError)()
        exchange.refusal = refusal
        try:
            return await self.refuse(exchange, refusal)
        except Exception:
            log.exception("a fault while refusing an unread request, request %s", exchange.request_id)
            return answer_of(InternalError(), exchange)

    async def crashed(self, exchange: Exchange) -> Reply:
        """End after a fault of ours: nothing passes, and what the provider may have done is not denied."""
        served = exchange.operation
        try:
            if served is not None and (exchange.received is not None or exchange.sent):
                unknown = exchange.sent and served.changes
                if exchange.claim is not None:
                    exchange.claim.fate = "doubt" if unknown else "release"
                refusal: Refusal = OutcomeUnknown() if unknown else InternalError()
                return await self._end(
                    exchange,
                    served,
                    answer_of(refusal, exchange),
                    outcome="unknown" if unknown else "failed",
                    refusal=refusal,
                )
            return await self.refuse(exchange, InternalError())
        except Exception:
            log.exception("a fault while recording a fault, request %s", exchange.request_id)
            return answer_of(OutcomeUnknown() if exchange.sent else InternalError(), exchange)

    def abandoned(self, exchange: Exchange) -> None:
        """Record that the exchange was given up while the call was out; nobody waits for the record."""
        if exchange.settled:
            return
        try:
            kept = self._trail.ended(exchange, outcome="unknown", more={"reason": "consumer-gone"})
            kept.add_done_callback(_look)
        except AuditError as error:
            log.critical("the end of an abandoned call could not be recorded: %s", error)

    async def _end(
        self,
        exchange: Exchange,
        served: ServedOperation,
        reply: Reply,
        *,
        outcome: Outcome,
        **more: Any,
    ) -> Reply:
        """Keep *completed*, then let the reply go; what cannot be kept is never answered as if it were."""
        try:
            await self._trail.ended(exchange, outcome=outcome, status=reply.status, **more)
        except AuditError as error:
            return self.not_recorded(exchange, served, error)
        return reply


def _look(kept: Promise) -> None:
    if not kept.cancelled() and kept.exception() is not None:
        log.critical("the end of an abandoned call could not be recorded: %s", kept.exception())
