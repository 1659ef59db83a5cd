"""Keeps answers where the contract allows it (RFC 9111), for one consumer and one exact version each.

Whoever asks was authenticated, limited and authorized before, and the call is recorded, whether its answer was kept
or comes from the provider: only the provider is spared. Each worker keeps its own.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

from adapters.port import Answer
from kernel.operation.caching import HEALTH
from runtime_proxy.cache_rules import (
    BYPASSING,
    CONDITIONS,
    age_of,
    directives_of,
    fresh_seconds,
    is_met,
    may_keep,
    seconds_in,
    vary_of,
)
from runtime_proxy.cache_store import CacheStore, Kept

if TYPE_CHECKING:
    from collections.abc import Hashable

    from adapters.port import Call, Headers
    from kernel.bundle.model import Bundle, ContractEntry
    from kernel.operation.caching import Caching
    from runtime_proxy.cache_rules import Directives
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.plan import ServedOperation, ServedRoute, ServedVersion

_ESCAPE: Final = re.compile(rb"%[0-9a-fA-F]{2}")
_UNRESERVED: Final = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# What clients, proxies and tracing put into any request: it asks for nothing else, unless `Vary` names it.
_NOISE: Final = CONDITIONS | frozenset(
    b"accept-encoding baggage cache-control dnt forwarded from host max-forwards origin pragma priority referer"
    b" save-data traceparent tracestate upgrade-insecure-requests user-agent via x-correlation-id x-forwarded-for"
    b" x-forwarded-host x-forwarded-proto x-request-id x-requested-with request-timeout".split()
)
# `connection` stays, for it names what else belongs to the connection; the pipeline drops all of that.
_NOT_KEPT: Final = frozenset((b"age",))
_OF_A_BODY: Final = frozenset((b"content-type", b"content-length", b"content-encoding", b"content-language"))
_NOT_MODIFIED, _OK, _FIRST_ERROR = 304, 200, 400


class Cache:
    """Answers calls of one operation from what is kept, and asks the adapter for what is not."""

    __slots__ = ("_served", "_store", "_terms")

    def __init__(
        self,
        terms: Caching,
        served: ServedOperation,
        store: CacheStore,
    ) -> None:
        self._terms = terms
        self._served = served
        self._store = store

    async def call(self, exchange: Exchange, call: Call) -> Answer:
        """Give the answer; raises as the adapter does."""
        asked = directives_of(exchange.headers) or {}
        shown = b",".join(value for name, value in exchange.headers if name == b"authorization")
        if (
            exchange.body
            or any(name in BYPASSING for name, _ in exchange.headers)
            or (shown and not self._terms.authorization)
        ):
            return await self._ask(call)
        question = self._question(exchange, call, shown)
        kept, now = self._store.find(question, call.headers), self._store.clock()
        conditions = [line for line in call.headers if line[0] in CONDITIONS]
        if kept is not None and _is_fresh(kept, asked, _is_pragma(exchange.headers), now):
            exchange.cached = "hit"
            return _told(kept, conditions, call.method, now, b"hit; ttl=%d" % (kept.fresh - kept.age(now)))
        if call.method != b"GET":
            return await self._ask(call)
        validators = _validators(kept) if kept is not None else []
        if validators:
            call.headers = [line for line in call.headers if line[0] not in CONDITIONS] + validators
        turn, room = self._store.turn(self._served.route), (self._served.route, _path(call.target))
        answer = await self._ask(call)
        exchange.cached, found = "miss", answer
        if kept is not None and validators and answer.status == _NOT_MODIFIED:
            exchange.cached, found = "revalidated", _renewed(kept, answer)
        if turn == self._store.turn(self._served.route):
            self._keep(question, room, asked, found, call.headers, authorized=bool(shown))
        if not validators or (found is answer and answer.status != _OK):
            return answer
        told = Kept(
            found.status,
            tuple(found.headers),
            found.body,
            self._store.clock() - age_of(found, self._store.wall()),
            0,
        )
        how = b"fwd=stale; fwd-status=%d" % answer.status
        made = _told(told, conditions, call.method, self._store.clock(), how)
        made.upstream_seconds = answer.upstream_seconds
        return made

    async def _ask(self, call: Call) -> Answer:
        return await self._served.route.adapter.adapter.call(call)

    def _question(self, exchange: Exchange, call: Call, shown: bytes) -> Hashable:
        """Say what is asked, by whom: a consumer is shown nothing that was told to another."""
        identity, route = exchange.identity, self._served.route
        consumer = identity.key.consumer.id if identity is not None and identity.key is not None else ""
        purpose = b""
        if route.purpose is not None:
            purpose = b",".join(value for name, value in exchange.headers if name == route.purpose.header)
        lines = [line for line in call.headers if line[0] not in _NOISE and not line[0].startswith(b"sec-")]
        further = [(b"authorization", shown), (b"purpose", purpose), *sorted(lines)]
        asked = hashlib.sha256(b"\0".join(b"%b:%b" % line for line in further)).digest()
        return self._served, consumer, normal_target(call.target), asked

    def _keep(
        self,
        question: Hashable,
        room: tuple[Hashable, bytes],
        asked: Directives,
        answer: Answer,
        headers: Headers,
        *,
        authorized: bool,
    ) -> None:
        told = directives_of(answer.headers)
        if told is None or not may_keep(answer, asked, told, authorized=authorized):
            return
        if self._served.operation.check_response(answer.status, answer.headers, answer.body):
            return  # it is no answer of this contract
        fresh = fresh_seconds(answer.headers, told, self._store.wall())
        if self._terms.max_age is not None:
            fresh = min(fresh, self._terms.max_age)
        lines = tuple(line for line in answer.headers if line[0] not in _NOT_KEPT)
        made = self._store.clock() - age_of(answer, self._store.wall())
        kept = Kept(answer.status, lines, answer.body, made, fresh)
        if fresh > 0 or _validators(kept):
            self._store.keep(question, room, vary_of(answer.headers), headers, kept)


class Forgetting:
    """Carries calls that may change something to the adapter, and forgets what they may have changed."""

    __slots__ = ("_served", "_store")

    def __init__(self, served: ServedOperation, store: CacheStore) -> None:
        self._served = served
        self._store = store

    async def call(self, exchange: Exchange, call: Call) -> Answer:
        """Give the adapter's answer; without one, the change may have been made all the same."""
        del exchange
        refused = False
        try:
            answer = await self._served.route.adapter.adapter.call(call)
            refused = answer.status >= _FIRST_ERROR
            return answer
        finally:
            if not refused:
                self._store.forget(self._served.route, _path(call.target))


def cached(route: ServedRoute, version: ServedVersion, store: CacheStore, *, health: bool) -> None:
    """Let answers of a version be kept where its contract says so; never what is marked as `health` data."""
    if health or route.policy.mock is not None or version.operations.keys() == set():
        return
    if all(operation.caching is None for operation in version.operations):
        return
    for operation, served in version.operations.items():
        if operation.caching is not None:
            served.instead = Cache(operation.caching, served, store)
        elif served.changes:
            served.instead = Forgetting(served, store)


def marks_health(bundle: Bundle, entry: ContractEntry) -> bool:
    """Say whether metadata call the data of a contract health data, or those of a canonical schema that it uses."""
    seen, pending = {entry.digest}, [entry]
    schemas = [one for one in bundle.contracts.contracts if one.kind == "schema"]
    while pending:
        one = pending.pop()
        if one.metadata.get("sensitivity") == HEALTH:
            return True
        text = bundle.blobs.get(one.digest, b"")
        for schema in schemas:
            named = schema.digest.rpartition(":")[2].encode()  # a URN writes `sha256-` before it
            if schema.digest not in seen and named in text:
                seen.add(schema.digest)
                pending.append(schema)
    return False


def normal_target(target: bytes) -> bytes:
    """Write a target so that spellings of one are one (RFC 3986 section 6.2.2); the order of fields stays."""
    return _ESCAPE.sub(_unescaped, target).removesuffix(b"?")


def _unescaped(escape: re.Match[bytes]) -> bytes:
    code = int(escape[0][1:], 16)
    return bytes((code,)) if code in _UNRESERVED else escape[0].upper()


def _path(target: bytes) -> bytes:
    return normal_target(target.partition(b"?")[0]).rstrip(b"/")


def _is_pragma(headers: Headers) -> bool:
    return any(name == b"pragma" and b"no-cache" in value.lower() for name, value in headers)


def _is_fresh(kept: Kept, asked: Directives, pragma: bool, now: float) -> bool:  # noqa: FBT001
    """Say whether it may be given without asking (RFC 9111 sections 4.2 and 5.2.1); stale ones never are."""
    age = kept.age(now)
    if age >= kept.fresh or b"no-cache" in asked or (pragma and not asked):
        return False
    longest, least = seconds_in(asked, b"max-age"), seconds_in(asked, b"min-fresh")
    return (longest is None or age <= longest) and (least is None or kept.fresh - age >= least)


def _validators(kept: Kept) -> list[tuple[bytes, bytes]]:
    """Write the conditions under which the provider need not send it again (section 4.3.1)."""
    fields = dict(kept.headers)
    lines = [(b"if-none-match", fields[b"etag"])] if b"etag" in fields else []
    return lines or ([(b"if-modified-since", fields[b"last-modified"])] if b"last-modified" in fields else [])


def _renewed(kept: Kept, answer: Answer) -> Answer:
    """Give what is kept under the fields that the provider's 304 brings (sections 3.2 and 4.3.4)."""
    new = {name for name, _ in answer.headers} - _OF_A_BODY
    lines = [line for line in kept.headers if line[0] not in new]
    lines += [line for line in answer.headers if line[0] in new]
    return Answer(kept.status, lines, kept.body, answer.upstream_seconds)


def _told(kept: Kept, conditions: Headers, method: bytes, now: float, how: bytes) -> Answer:
    """Write it as an answer to this call: with its age, and as 304 where the caller has it already."""
    lines = [line for line in kept.headers if line[0] not in _NOT_KEPT]
    lines += ((b"age", b"%d" % kept.age(now)), (b"cache-status", b"interlock; " + how))
    if kept.status == _OK and conditions and is_met(conditions, dict(kept.headers)):
        return Answer(_NOT_MODIFIED, [line for line in lines if line[0] not in _OF_A_BODY], b"")
    if method == b"HEAD":
        lines = [line for line in lines if line[0] != b"content-length"]
        return Answer(kept.status, [*lines, (b"content-length", b"%d" % len(kept.body))], b"")
    return Answer(kept.status, lines, kept.body)
