"""The first main path: one request, on one screen (DESIGN section 4)."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from adapters.errors import UpstreamError
from kernel.errors import AuditError
from runtime_proxy.authenticate import authenticate
from runtime_proxy.authorize import authorize
from runtime_proxy.channels import enter_channel
from runtime_proxy.connection_options import end_to_end
from runtime_proxy.deferred import Deferred, decide
from runtime_proxy.exchange import written
from runtime_proxy.forwarding import ENCODED_SLASH
from runtime_proxy.held_stream import held_until_end
from runtime_proxy.match import Miss
from runtime_proxy.misses import missed
from runtime_proxy.observe import begin_observing, observe_request, observe_response
from runtime_proxy.plan import Identity
from runtime_proxy.purpose import require_purpose
from runtime_proxy.refusal import Refusal
from runtime_proxy.refusals_call import InternalError
from runtime_proxy.refusals_edge import TargetInvalid
from runtime_proxy.refusals_head import Denied, NotReady
from runtime_proxy.route import prepare, reply_of
from runtime_proxy.settle import Settling
from runtime_proxy.shedding import NORMAL
from runtime_proxy.steps import ADAPTER, AUDIT, AUTHENTICATE, BODY, LIMIT, VALIDATE_REQUEST, VALIDATE_RESPONSE
from runtime_proxy.stream_answer import begin_stream
from runtime_proxy.throttle import throttle
from runtime_proxy.time_budget import TurnedBack
from runtime_proxy.trace import new_request_id
from runtime_proxy.validate_request import validate_request
from runtime_proxy.validate_response import validate_response

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_proxy.exchange import Exchange, Reply
    from runtime_proxy.guard import Guard
    from runtime_proxy.health import SelfReport
    from runtime_proxy.idempotency import Keeping
    from runtime_proxy.match import Match
    from runtime_proxy.plan import Access, Plan, ServedOperation, ServedRoute
    from runtime_proxy.shedding import Shedding
    from runtime_proxy.steps import Sampling
    from runtime_proxy.trail import Trail

log = logging.getLogger("interlock.proxy")


class Pipeline:
    """Carries exchanges out; it holds one reference to the plan, and a new bundle swaps that."""

    def __init__(
        self,
        guard: Guard,
        shedding: Shedding,
        trail: Trail,
        health: SelfReport,
        keeping: Keeping,
        *,
        monotonic: Callable[[], int] = time.monotonic_ns,
        wall: Callable[[], float] = time.time,
    ) -> None:
        self.plan: Plan | None = None
        self.sampling: Sampling | None = None  # who is looked at; None: nobody
        self._guard = guard
        self._shedding = shedding
        self._trail = trail
        self._settling = Settling(trail)
        self._health = health
        self._keeping = keeping
        self._monotonic = monotonic
        self._wall = wall

    # -- from the head alone ------------------------------------------------------------------------

    def admit(self, exchange: Exchange) -> bool:
        """Judge the head alone; False: `serve` answers at once, without the body."""
        try:
            exchange.request_id = new_request_id()
            exchange.reply_headers.append((b"x-request-id", exchange.request_id.encode()))
            if self.sampling is not None:
                self.sampling.begin(exchange)
            now = self._monotonic()
            refusal = self._guard.admit(exchange.peer, now)
            exchange.refusal = refusal = self._judge(exchange, now) if refusal is None else refusal
        except Exception:
            log.exception("a fault while judging a head, request %s", exchange.request_id)
            exchange.refusal = refusal = InternalError()
        if refusal is not None and isinstance(refusal, Deferred):
            exchange.needs_task = True
            return True  # the body is read while somebody else is asked
        return refusal is None and exchange.prepared is None

    def _judge_again(self, exchange: Exchange) -> Refusal | None:
        return self._judge(exchange, self._monotonic())

    def _judge(  # noqa: C901, PLR0911 - each step may be the last
        self, exchange: Exchange, now: int
    ) -> Refusal | None:
        path, _, exchange.query = exchange.target.partition(b"?")
        plan = self.plan
        if path.startswith(b"/-/"):
            exchange.prepared = self._health.reply(exchange.method, path, plan)
            if exchange.prepared is not None:
                return None
        if plan is None:
            return NotReady()
        found = plan.router.match(exchange.method, path)
        if plan.addresses is not None:
            found = plan.addresses.choose(exchange, path, found)
        if isinstance(found, Miss) and found.target is not None:
            found = found.target.in_any_version(exchange.method, found)
        if isinstance(found, Miss):
            return missed(exchange, found, path, plan)
        route: ServedRoute = found.target
        if route.browsers is not None and route.browsers.greet(exchange, found.rest):
            return None
        if route.denied:
            exchange.operation = route.probe(found)
            return Denied()
        if route.refuses_slash and ENCODED_SLASH.search(path) is not None:
            return TargetInvalid()
        if route.open:
            self._take(exchange, found, route.probe(found))
            return None
        return self._call_of(exchange, found, route, plan, now)

    def _call_of(  # noqa: C901 - each step may be the last
        self, exchange: Exchange, found: Match, route: ServedRoute, plan: Plan, now: int
    ) -> Refusal | None:
        """Authenticate, throttle, choose the exact version, authorize."""
        served = exchange.operation = route.probe(found)
        steps = exchange.steps
        if steps is not None:
            steps.judging()
        identity = authenticate(
            served.security, exchange.headers, exchange.query, plan.keys, self._wall(), exchange.certificate,
            exchange.known,
        )  # fmt: skip
        if steps is not None:
            steps.mark(AUTHENTICATE)
        if not isinstance(identity, Identity):
            return identity
        exchange.identity = identity
        version, limits, access, priority = route.current, route.limits, None, NORMAL
        if identity.key is not None:
            consumer = identity.key.consumer
            priority = consumer.priority
            access = consumer.access.get(route)
            limits = consumer.limits if access is None else access.limits
            version = access.version if access is not None and access.version is not None else version
        refusal = self._shedding.judge(priority) if self._shedding.level else None
        if refusal is None and not exchange.limited:  # else it was counted before somebody else was asked
            exchange.limited = bool(limits.told)
            refusal = throttle(limits, exchange, served.weight, now)
            if steps is not None:
                steps.mark(LIMIT)
        if refusal is not None:
            return refusal
        if version is not served.version:
            again = version.trie.match(exchange.method, found.rest, route)
            if isinstance(again, Miss):
                exchange.operation = None
                return missed(exchange, again, b"", plan)
            return self._pinned(exchange, again, version.operations[again.operation], access, plan)
        refusal = authorize(identity, access, version.audience)
        if refusal is None and route.purpose is not None:
            refusal = require_purpose(route.purpose, exchange)
        if refusal is None:
            self._take(exchange, found, served)
        return refusal

    def _pinned(
        self, exchange: Exchange, found: Match, served: ServedOperation, access: Access | None, plan: Plan
    ) -> Refusal | None:
        """Judge once more by the version that the caller is held to: it may ask for other credentials."""
        known = exchange.identity
        identity = authenticate(
            served.security, exchange.headers, exchange.query, plan.keys, self._wall(), exchange.certificate,
            exchange.known,
        )  # fmt: skip
        if isinstance(identity, Refusal):
            return identity
        if known is not None and known.key is not None:
            exchange.identity = identity = Identity(
                known.key, identity.scopes, known.held, known.noted, known.claims
            )
        refusal = authorize(identity, access, served.version.audience)
        if refusal is None and served.route.purpose is not None:
            refusal = require_purpose(served.route.purpose, exchange)
        if refusal is None:
            self._take(exchange, found, served)
        return refusal

    def _take(self, exchange: Exchange, found: Match, served: ServedOperation) -> None:
        exchange.operation = served
        exchange.path = found.path
        exchange.path_values = found.path_values
        exchange.body_limit = served.body_limit
        exchange.reply_headers += served.version.headers
        if served.route.report_requests:
            begin_observing(exchange)
        if served.streams is not None and not exchange.read_whole:
            served.streams.admit(exchange)

    # -- from the body on -----------------------------------------------------------------------------

    async def serve(self, exchange: Exchange) -> Reply:
        """Carry the exchange out; never raises but when it is cancelled."""
        try:
            if exchange.refusal is not None and isinstance(exchange.refusal, Deferred):
                exchange.refusal = await decide(exchange, exchange.refusal, self._judge_again)
            served = exchange.operation
            if exchange.prepared is not None:
                return await written(exchange.prepared)
            if exchange.refusal is not None or served is None:
                return await self._settling.refuse(exchange, exchange.refusal or InternalError())
            if exchange.deferred is not None:
                reply = await self._after_waiting(exchange, served)
            else:
                reply = await self._carry_out(exchange, served)
        except TurnedBack as turned:
            reply = await self._settling.refuse(exchange, turned.refusal)
        except Exception:
            log.exception("a fault while serving, request %s", exchange.request_id)
            reply = await self._settling.crashed(exchange)
        claimed = exchange.claim
        return reply if claimed is None else await self._keeping.end(claimed, exchange, reply)

    async def _after_waiting(self, exchange: Exchange, served: ServedOperation) -> Reply:
        """Finish the judging that `admit` left open, then carry out; what was occupied is given back."""
        try:
            while exchange.deferred is not None:
                ask, exchange.deferred = exchange.deferred, None
                exchange.refusal = await ask(exchange)
                if exchange.refusal is not None:
                    return await self._settling.refuse(exchange, exchange.refusal)
            reply = await self._carry_out(exchange, exchange.operation or served)
            if reply.stream is not None and exchange.held is not None:
                reply.stream, exchange.held = held_until_end(reply.stream, exchange.held), None
            return reply
        finally:
            if exchange.held is not None:
                exchange.held.release()

    async def _carry_out(  # noqa: C901, PLR0911, PLR0912, PLR0915 - each step may be the last
        self, exchange: Exchange, served: ServedOperation
    ) -> Reply:
        # One coroutine on purpose: each further one costs every request about a microsecond.
        settling, trail, steps = self._settling, self._trail, exchange.steps
        if steps is not None:
            steps.mark(BODY)
        refusal = validate_request(served, exchange)
        if steps is not None:
            steps.mark(VALIDATE_REQUEST)
        if refusal is not None and not observe_request(served, exchange, refusal):
            return await settling.refuse(exchange, refusal)
        call = prepare(served, exchange)
        if served.keyed is not None:
            told = await self._keeping.begin(served.keyed, exchange, served, call)
            if told is not None:
                return told
        slot = served.route.adapter
        if slot.turns_away is not None and served.instead is None:
            turned_away = slot.turns_away()
            if turned_away is not None:
                return await settling.turn_away(exchange, turned_away)
        if served.streams is not None:
            served.streams.equip(served, exchange, call)
        if steps is not None:
            steps.going_out(exchange, call)
        if served.channel is not None:
            opened = await enter_channel(served, exchange, call, trail, settling)
            if opened is not None:
                return opened
        try:
            trail.check()
            if served.changes:
                await trail.received(exchange)
                if steps is not None:
                    steps.mark(AUDIT)
        except AuditError as error:
            return settling.not_carried(exchange, error)
        slot.in_flight += 1
        exchange.sent = True
        try:
            instead = served.instead
            answer = await (slot.adapter.call(call) if instead is None else instead.call(exchange, call))
            answer.headers = end_to_end(answer.headers)
            exchange.upstream_seconds = answer.upstream_seconds
            if steps is not None:
                steps.mark(ADAPTER)
            if answer.stream is not None:
                return await begin_stream(served, exchange, answer, trail, settling)
            broken = validate_response(served, exchange, answer)
            if steps is not None:
                steps.mark(VALIDATE_RESPONSE)
            if broken and not observe_response(served, exchange, broken):
                return await settling.withhold(exchange, served, answer, broken)
            reply = reply_of(answer, exchange)
            await trail.completed(exchange, answer, broken)
            if steps is not None:
                steps.mark(AUDIT)
            return reply
        except UpstreamError as error:
            if steps is not None:
                steps.mark(ADAPTER)
            return await settling.no_answer(exchange, served, error)
        except AuditError as error:
            return settling.not_recorded(exchange, served, error)
        except asyncio.CancelledError:
            settling.abandoned(exchange)
            raise
        finally:
            slot.in_flight -= 1

    async def protocol_refusal(self, slug: str, peer: str, exchange: Exchange | None) -> Reply:
        """Answer a request that the edge could not read: `slug` names a row of refusals.py."""
        return await self._settling.unread(slug, peer, exchange)
