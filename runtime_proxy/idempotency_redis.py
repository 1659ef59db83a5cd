"""Idempotency keys in Redis or Valkey, shared by the workers of several hosts.

Only a server that fsyncs its append-only file before it answers is used (`appendfsync always`): a claim that
a lost second forgets is a call done twice. Replicas are not waited for, so a fail-over to one may forget.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import time
from typing import TYPE_CHECKING, Any, Final, TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.exceptions import RedisError

from kernel.errors import Place
from runtime_proxy.errors import KeysUnavailable
from runtime_proxy.idempotency_store import Kept

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from runtime_proxy.idempotency_store import Claim, State

log = logging.getLogger("interlock.proxy")
T = TypeVar("T")
ROW: Final = b"interlock:key:"  # and the row in hex
ALIVE: Final = b"interlock:alive:"  # and an owner
_BEAT: Final = 5.0  # seconds between signs of life
_DEAD_AFTER: Final = 20  # seconds without one
_PATIENCE: Final = 5.0  # seconds for an answer of the server
_CONNECTIONS: Final = 16
_PAUSES: Final = (0.5, 2.0, 10.0, 60.0, 600.0)  # seconds before a failed claim is taken back, try by try

# One key each, so that a cluster runs them. What stands there, or nothing: the key is claimed.
CLAIM: Final = """
local found = redis.call('HMGET', KEYS[1], 'state', 'fingerprint', 'request_id', 'owner', 'answer')
local again = found[1] == 'unknown' and ARGV[8] == '1' and found[2] == ARGV[1]
if found[1] and not again then return found end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'state', 'running', 'fingerprint', ARGV[1], 'owner', ARGV[2], 'request_id', ARGV[3],
  'contract', ARGV[4], 'operation', ARGV[5], 'consumer', ARGV[6], 'since', ARGV[7])
return false
"""
# A claim whose owner was taken for dead may still be ended by it: it knows best.
END: Final = """
local found = redis.call('HMGET', KEYS[1], 'state', 'request_id', 'owner')
if (found[1] ~= 'running' and found[1] ~= 'unknown') or found[2] ~= ARGV[1] or found[3] ~= ARGV[2] then return 0 end
if ARGV[3] == '' then return redis.call('DEL', KEYS[1]) end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'answer', ARGV[4])
if ARGV[5] ~= '0' then redis.call('EXPIRE', KEYS[1], ARGV[5]) end
return 1
"""


class RedisStore:
    """An `IdempotencyStore` at `url`; connects with the first claim."""

    def __init__(self, url: str) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=_CONNECTIONS,
            timeout=_PATIENCE,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
        )
        self._redis: Redis = Redis.from_pool(pool)
        self._me = secrets.token_hex(8).encode()
        self._checking: asyncio.Task[None] | None = None  # one for all that wait for it
        self._forgetting: set[asyncio.Task[None]] = set()
        self._beating: asyncio.Task[None] | None = None

    def claim(self, claim: Claim) -> asyncio.Task[Kept | None]:
        """Enter a key as running, durably, unless something stands there already."""
        return _own_task(self._claim(claim))

    def keep(self, claim: Claim, answer: bytes, ttl_seconds: int) -> asyncio.Task[None]:
        """End a claim with its sealed answer."""
        return _own_task(self._end(claim, "done", answer, ttl_seconds))

    def release(self, claim: Claim) -> asyncio.Task[None]:
        """End a claim as if it had never been."""
        return _own_task(self._end(claim, None))

    def doubt(self, claim: Claim) -> asyncio.Task[None]:
        """End a claim as unknown."""
        return _own_task(self._end(claim, "unknown"))

    async def close(self) -> None:
        """Let go of the server; what is still running here counts as dead in a while."""
        ending = [*self._forgetting, *([self._beating] if self._beating is not None else [])]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await self._redis.aclose()

    async def _claim(self, claim: Claim) -> Kept | None:
        try:
            await self._ready()
            given = (
                claim.fingerprint,
                self._me,
                claim.request_id,
                claim.contract,
                claim.operation,
                claim.consumer,
                str(time.time()),
                "1" if claim.again else "0",
            )
            found: list[Any] | None = await self._run(CLAIM, claim.row, *given)
            if found is None:
                return None
            state, fingerprint, request_id, owner, answer = found
            if state == b"running" and owner != self._me and not await self._redis.exists(ALIVE + owner):
                await self._run(END, claim.row, request_id, owner, "unknown", b"", 0)
                if claim.again:
                    return await self._claim(claim)
                state = b"unknown"
        except (RedisError, OSError) as error:
            self._forget(claim)
            raise _failed(error) from None
        return Kept(_state(state), fingerprint, request_id.decode(), answer or None)

    async def _end(self, claim: Claim, state: State | None, answer: bytes = b"", ttl: int = 0) -> None:
        try:
            await self._run(END, claim.row, claim.request_id, self._me, state or "", answer, ttl)
        except (RedisError, OSError) as error:
            raise _failed(error) from None

    def _forget(self, claim: Claim) -> None:
        """Take back, when that is possible again, what a failed claim may have entered all the same."""
        task = asyncio.create_task(self._taken_back(claim))
        self._forgetting.add(task)
        task.add_done_callback(self._forgetting.discard)

    async def _taken_back(self, claim: Claim) -> None:
        for pause in _PAUSES:
            await asyncio.sleep(pause)
            with contextlib.suppress(KeysUnavailable):
                await self._end(claim, None)
                return
        log.error("a claim that failed could not be taken back, request %s", claim.request_id)

    async def _run(self, script: str, row: bytes, *given: Any) -> Any:
        return await self._redis.eval(script, 1, ROW + row.hex().encode(), *given)

    async def _ready(self) -> None:
        """Wait until the server is known to be fit; all who come meanwhile wait for one answer."""
        if self._beating is None:
            if self._checking is None or self._checking.done():
                self._checking = asyncio.create_task(self._begin())
            await asyncio.shield(self._checking)

    async def _begin(self) -> None:
        """Refuse a server that could forget, and give the first sign of life."""
        told = await self._redis.config_get("appendonly", "appendfsync")
        if told.get("appendonly") != "yes" or told.get("appendfsync") != "always":
            raise KeysUnavailable(
                "the Redis server may forget what it has confirmed",
                hint="set `appendonly yes` and `appendfsync always`, or idempotency_store to file",
                place=Place("redis_url"),
            )
        await self._beat()
        self._beating = asyncio.create_task(self._keep_beating())

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(_BEAT)
            try:
                await self._beat()
            except (RedisError, OSError) as error:
                log.warning("no sign of life could be given to the store of idempotency keys: %s", error)

    async def _beat(self) -> None:
        await self._redis.set(ALIVE + self._me, b"", ex=_DEAD_AFTER)


def _own_task(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    return asyncio.get_running_loop().create_task(work)


def _state(text: bytes) -> State:
    states: dict[bytes, State] = {
        b"running": "running",
        b"done": "done",
        b"unknown": "unknown",
        b"resolved": "resolved",
    }
    return states[text]


def _failed(error: Exception) -> KeysUnavailable:
    return KeysUnavailable(f"idempotency keys cannot be kept in Redis: {type(error).__name__}")
