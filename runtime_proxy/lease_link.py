"""The connection to the Redis of the limits: one script, an answer in time or none, and which Redis it is."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError, ResponseError

from kernel.errors import SettingsError
from runtime_proxy.gcra import SECOND
from runtime_proxy.leases import SLACK

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: Final = (RedisError, OSError, TimeoutError)  # what speaking to Redis may end with
GREETING: Final = 1.0  # seconds for a probe
_SCRIPT: Final = (Path(__file__).parent / "lease.lua").read_text(encoding="utf-8")
_MARK: Final = (
    "interlock:limits:full"  # the Redis process that may have lost state, and since when all was full
)
_BACK: Final = "interlock:limits:back"  # when the first worker found it again
_TOGETHER: Final = 0.7  # seconds after that at which all workers go back to it: each has found it by then


class LeaseLink:
    """Speaks to Redis; everything may raise one of `FAULTS`. `clock` gives monotonic nanoseconds."""

    def __init__(self, url: str, clock: Callable[[], int]) -> None:
        try:
            self._client: Any = Redis.from_url(
                url,
                socket_timeout=GREETING,
                socket_connect_timeout=GREETING,
                retry=Retry(NoBackoff(), 0),
                max_connections=2,
                client_name="interlock-limits",
            )
        except ValueError:
            raise SettingsError(
                "redis_url is no address of a Redis", hint="redis://[user:password@]host:port/number"
            ) from None
        self._clock = clock
        self._again = 0  # wall clock of the store, microseconds: when all workers go back to it
        self._run = ""  # the Redis process that was spoken to last
        self._sha = ""
        self.full = 0  # wall clock of the store: when every account was full; 0: not known

    async def run(self, asks: list[tuple[str, bytes]]) -> list[bytes]:
        """Run the script once for each account, in time; raises where Redis refuses one of them."""
        return await self._in_time(self._run_all(asks))

    async def _run_all(self, asks: list[tuple[str, bytes]]) -> list[bytes]:
        answers = await self._evaluate(asks)
        if any(isinstance(answer, NoScriptError) for answer in answers):
            self._sha = await self._client.script_load(_SCRIPT)
            answers = await self._evaluate(asks)
        for answer in answers:
            if not isinstance(answer, bytes):
                raise (
                    answer if isinstance(answer, RedisError) else ResponseError("not an answer of the script")
                )
        return answers

    async def _evaluate(self, asks: list[tuple[str, bytes]]) -> list[Any]:
        pipeline = self._client.pipeline(transaction=False)
        for key, ask in asks:
            pipeline.evalsha(self._sha, 1, key, ask)
        answers: list[Any] = await pipeline.execute(raise_on_error=False)
        return answers

    async def _in_time(self, sending: Any) -> list[bytes]:
        """Wait as long as the store may take; a turn of our own loop that was late is not its fault."""
        began = self._clock()
        task: asyncio.Task[list[bytes]] = asyncio.ensure_future(sending)
        try:
            await asyncio.wait({task}, timeout=SLACK / SECOND)
            if not task.done() and self._clock() - began > SLACK + SLACK // 4:
                await asyncio.wait({task}, timeout=SLACK / SECOND / 4)
            if not task.done():
                raise TimeoutError
            return task.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    async def time_until_again(self) -> float:
        """Seconds until all workers go back to the store."""
        return (self._again - await self._time()) / 1e6

    async def _time(self) -> int:
        seconds, micros = await self._client.time()
        return int(seconds) * 1_000_000 + int(micros)

    async def greet(self, *, back: bool = False) -> None:
        """Load the script, and find out whether this is the Redis process that was known before.

        Another one may have lost what was counted last, even with an append-only file. Whoever notices
        leaves a mark, and every account is taken as full at that moment. Workers that are `back` go on with
        their own shares until a moment that the first of them sets, so that none has both.
        """
        now = await self._time()
        if back:
            await self._client.set(_BACK, now, nx=True, px=3_000)
            self._again = int(await self._client.get(_BACK) or now) + int(_TOGETHER * 1e6)
        run = str((await self._client.info("server"))["run_id"])
        self._sha = await self._client.script_load(_SCRIPT)
        mark = await self._client.get(_MARK)
        known, _, since = mark.decode().partition(" ") if mark else ("", "", "0")
        if known != run and self._run not in {"", run}:
            known, since = run, str(max(self._again, now))
            await self._client.set(_MARK, f"{run} {since}")
        self.full = int(since) if known == run else 0
        self._run = run

    async def disconnect(self) -> None:
        """Drop connections, whatever became of them."""
        await self._client.connection_pool.disconnect()

    async def close(self) -> None:
        """End."""
        with contextlib.suppress(*FAULTS):
            await self._client.aclose()
