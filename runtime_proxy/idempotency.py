"""Calls under an Idempotency-Key: carried out once, repeated answers, and a no where that cannot be known.

draft-ietf-httpapi-idempotency-key-header: an operation takes part by `x-interlock-idempotency` in its
contract, after its request was found valid and before anything is recorded or sent.
"""

from __future__ import annotations

import hashlib
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from kernel.errors import AuditError, SealingError
from runtime_proxy.errors import KeysUnavailable
from runtime_proxy.exchange import Reply
from runtime_proxy.idempotency_key import key_of
from runtime_proxy.idempotency_store import Claim, Claimed
from runtime_proxy.observe import observe_request
from runtime_proxy.plan import Keyed
from runtime_proxy.refusals_keyed import (
    IdempotencyAnswerLost,
    IdempotencyKeyReused,
    IdempotencyRunning,
    IdempotencyUnavailable,
    IdempotencyUnresolved,
)

if TYPE_CHECKING:
    from adapters.port import Call
    from kernel.operation.idempotency import Idempotency
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.idempotency_store import IdempotencyStore, Kept
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.refusal import Refusal
    from runtime_proxy.settle import Settling
    from runtime_proxy.trail import Trail

log = logging.getLogger("interlock.proxy")
REPLAYED: Final = (b"idempotent-replayed", b"true")
_NOT_OURS: Final = frozenset({b"x-request-id", b"x-interlock-contract", b"ratelimit", b"ratelimit-policy"})


class _Answer(msgspec.Struct, frozen=True, array_like=True):
    status: int
    headers: list[tuple[bytes, bytes]]
    body: bytes


class Seals(Protocol):
    """What seals answers at rest (kernel.sealing.payload.Sealer)."""

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Seal for one place."""

    def open(self, sealed: bytes, context: str) -> bytes:
        """Open at the same place; raises `SealingError`."""


@dataclass(frozen=True, slots=True)
class KeyRoom:
    """Where keys are kept: the store, and what opens the answers in it."""

    store: IdempotencyStore
    sealer: Seals


class _NoKeys:
    """The store of a process that keeps no keys."""

    async def claim(self, claim: Claim) -> Kept | None:
        """Refuse: what cannot be kept is not carried out."""
        raise KeysUnavailable(f"{claim.operation} takes an Idempotency-Key, and none are kept here")

    async def keep(self, claim: Claim, answer: bytes, ttl_seconds: int) -> None:
        """Do nothing: nothing was claimed."""

    async def release(self, claim: Claim) -> None:
        """Do nothing: nothing was claimed."""

    async def doubt(self, claim: Claim) -> None:
        """Do nothing: nothing was claimed."""

    async def close(self) -> None:
        """Do nothing."""


class _NoSealer:
    """Seals nothing, since nothing is kept."""

    def seal(self, plaintext: bytes, context: str) -> bytes:
        """Refuse."""
        del plaintext, context
        raise SealingError("no answers are kept here")

    def open(self, sealed: bytes, context: str) -> bytes:
        """Refuse."""
        del sealed, context
        raise SealingError("no answers are kept here")


NO_KEYS: Final = KeyRoom(_NoKeys(), _NoSealer())


class Keeping:
    """Begins and ends calls under a key, for all operations of one process."""

    def __init__(self, room: KeyRoom, trail: Trail, settling: Settling) -> None:
        self._store = room.store
        self._sealer = room.sealer
        self._trail = trail
        self._settling = settling

    async def close(self) -> None:
        """Let go of the store."""
        await self._store.close()

    async def begin(
        self, keyed: Keyed, exchange: Exchange, served: ServedOperation, call: Call
    ) -> Reply | None:
        """Claim the key of a call; gives the reply where the call must not go out, None where it may."""
        key = key_of(exchange.headers, required=keyed.terms.required)
        if key is None:
            return None
        if not isinstance(key, bytes):
            if observe_request(served, exchange, key):
                return None
            return await self._settling.refuse(exchange, key)
        claim = _claim(keyed, exchange, served, call, key)
        try:
            kept = await self._store.claim(claim)
        except KeysUnavailable as error:
            log.critical("a call is refused, since its idempotency key cannot be kept: %s", error)
            return await self._settling.refuse(exchange, IdempotencyUnavailable())
        if kept is None:
            exchange.claim = Claimed(claim, keyed.terms)
            call.idempotent = call.idempotent or keyed.terms.provider_honours
            return None
        return await self._repeated(exchange, claim, kept)

    async def _repeated(self, exchange: Exchange, claim: Claim, kept: Kept) -> Reply:
        refusal: Refusal
        if kept.fingerprint != claim.fingerprint:
            refusal = IdempotencyKeyReused()
        elif kept.state == "running":
            refusal = IdempotencyRunning()
        elif kept.state == "unknown":
            refusal = IdempotencyUnresolved()
        elif kept.answer is None:
            refusal = IdempotencyAnswerLost()
        else:
            return await self._replay(exchange, claim, kept.answer, kept.request_id)
        return await self._settling.refuse(exchange, refusal)

    async def _replay(self, exchange: Exchange, claim: Claim, sealed: bytes, first: str) -> Reply:
        """Give the first answer again; its record is durable before it goes out, like any other."""
        try:
            answer = msgspec.msgpack.decode(self._sealer.open(sealed, _context(claim)), type=_Answer)
        except (SealingError, msgspec.MsgspecError) as error:
            log.critical("a kept answer cannot be opened: %s", error)
            return await self._settling.refuse(exchange, IdempotencyUnavailable())
        try:
            await self._trail.replayed(exchange, answer.status, answer.body, first)
        except AuditError as error:
            return self._settling.not_carried(exchange, error)
        return Reply(answer.status, [*answer.headers, REPLAYED, *exchange.reply_headers], answer.body)

    async def end(self, claimed: Claimed, exchange: Exchange, reply: Reply) -> Reply:
        """Keep, release or doubt what was claimed, durably, and give the reply; never raises."""
        claim, terms = claimed.claim, claimed.terms
        fate = claimed.fate
        if fate is None:
            fate = "keep" if exchange.sent and reply.status not in terms.not_done else "release"
        try:
            if fate == "keep":
                ours = set(exchange.reply_headers)
                lines = [one for one in reply.headers if one not in ours and one[0] not in _NOT_OURS]
                data = msgspec.msgpack.encode(_Answer(reply.status, lines, reply.body))
                sealed = self._sealer.seal(data, _context(claim))
                await self._store.keep(claim, sealed, terms.ttl_seconds)
            elif fate == "release":
                await self._store.release(claim)
            else:
                await self._store.doubt(claim)
        except (KeysUnavailable, SealingError) as error:
            # The call was carried out and its record is kept, so its answer is told; a repeat gets 409.
            log.critical("the end of a call under an idempotency key could not be kept: %s", error)
        return reply


def keyed_of(terms: Idempotency | None, route: str, operation: str) -> Keyed | None:
    """Make what an operation needs for its keys; None: its contract says nothing of them."""
    if terms is None:
        return None
    space = f"{route} {operation}" if terms.scope == "operation" else route
    return Keyed(terms, space.encode())


def _claim(keyed: Keyed, exchange: Exchange, served: ServedOperation, call: Call, key: bytes) -> Claim:
    """Name a key and the request under it, by digests: a key may be anything, even somebody's number."""
    identity = exchange.identity
    consumer = identity.key.consumer.id if identity is not None and identity.key is not None else ""
    media = next((value for name, value in exchange.headers if name == b"content-type"), b"")
    query = call.target.partition(b"?")[2]  # without the credentials that were in it
    return Claim(
        row=_digest(keyed.space, consumer.encode(), key),
        fingerprint=_digest(call.method, exchange.path, query, media, call.body),
        request_id=exchange.request_id,
        contract=served.route.name,
        operation=served.operation.id,
        consumer=consumer,
        again=keyed.terms.provider_honours,
    )


def _digest(*parts: bytes) -> bytes:
    """Hash parts so that no two lists of parts are the same text."""
    found = hashlib.sha256()
    for part in parts:
        found.update(len(part).to_bytes(8, "big"))
        found.update(part)
    return found.digest()


def _context(claim: Claim) -> str:
    return f"idempotency|{claim.row.hex()}|{claim.fingerprint.hex()}"
