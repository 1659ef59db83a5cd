"""The connection to the Redis of the limits: one script, an answer in time or none, and which Redis it is."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError, ResponseError

from kernel.errors import SettingsError
from runtime_proxy.gcra import SECOND
from runtime_proxy.leases import SLACK

if TYPE_CHECKING:
    from collections.abc import Callable

FAULTS: Final = (RedisError, OSError, TimeoutError)  # what speaking to Redis may end with
GREETING: Final = 1.0  # seconds for a probe
_RUN: Final = re.compile(rb"run_id:(\w+)")
_CLUSTER: Final = re.compile("rediss?\\+cluster")
_CONNECTIONS: Final = 32  # to each node of a cluster
_SCRIPT: Final = (Path(__file__).parent / "lease.lua").read_text(encoding="utf-8")
_MARK: Final = (
    "interlock:limits:full"  # the Redis process that may have lost state, and since when all was full
)
_BACK: Final = "interlock:limits:back"  # when the first worker found it again
_TOGETHER: Final = 0.7  # seconds after that at which all workers go back to it: each has found it by then


class LeaseLink:
    """Speaks to Redis; everything may raise one of `FAULTS`. `clock` gives monotonic nanoseconds."""

    def __init__(self, url: str, clock: Callable[[], int]) -> None:
        self._cluster = _CLUSTER.fullmatch(url.partition("://")[0]) is not None
        try:
            self._client = self._connected(url)
        except ValueError:
            raise SettingsError(
                "redis_url is no address of a Redis",
                hint="redis://[user:password@]host:port/number, or redis+cluster://… of any node",
            ) from None
        self.patience = SLACK / SECOND  # seconds for an answer
        self._clock = clock
        self._again = 0  # wall clock of the store, microseconds: when all workers go back to it
        self._run = ""  # the Redis process that was greeted last, and
        self._met = ""  # the one at the other end of the connection
        self._sha = ""
        self.full = 0  # wall clock of the store: when every account was full; 0: not known

    def _connected(self, url: str) -> Any:
        once = Retry(NoBackoff(), 0)
        more: dict[str, Any] = {"socket_timeout": GREETING, "socket_connect_timeout": GREETING}
        if self._cluster:
            plain = url.replace("+cluster", "", 1)
            return RedisCluster.from_url(plain, retry=once, max_connections=_CONNECTIONS, **more)
        more |= {"max_connections": 2, "client_name": "interlock-limits", "redis_connect_func": self._meet}
        return Redis.from_url(url, retry=once, **more)

    async def _meet(self, connection: Any) -> None:
        """Ask who is there, on every new connection: the client makes them again without telling."""
        await connection.on_connect()
        await connection.send_command("INFO", "server")
        found = _RUN.search(bytes(await connection.read_response()))
        self._met = found[1].decode() if found else ""

    async def run(self, asks: list[tuple[str, bytes]]) -> list[bytes]:
        """Run the script once for each account, in time; raises where Redis refuses one of them."""
        return await self._in_time(self._run_all(asks))

    async def _run_all(self, asks: list[tuple[str, bytes]]) -> list[bytes]:
        answers = await self._evaluate(asks)
        if self._met != self._run and not self._cluster:
            raise RedisConnectionError("another Redis process")
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer  # a script that is not known is a process that was not greeted
            if not isinstance(answer, bytes):
                raise ResponseError("not an answer of the script")
        return answers

    async def _evaluate(self, asks: list[tuple[str, bytes]]) -> list[Any]:
        if self._cluster:  # each account is on the node of its owner
            runs = [self._client.evalsha(self._sha, 1, key, ask) for key, ask in asks]
            return await asyncio.gather(*runs, return_exceptions=True)
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
            await asyncio.wait({task}, timeout=self.patience)
            if not task.done() and self._clock() - began > SLACK + SLACK // 4:
                await asyncio.wait({task}, timeout=self.patience / 4)
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
        run = await self._process()
        self._sha = await self._client.script_load(_SCRIPT)
        mark = await self._client.get(_MARK)
        known, _, since = mark.decode().partition(" ") if mark else ("", "", "0")
        if known != run and self._run not in {"", run}:
            known, since = run, str(max(self._again, now))
            await self._client.set(_MARK, f"{run} {since}")
        self.full = int(since) if known == run else 0
        self._run = run

    async def _process(self) -> str:
        """Name the Redis processes that hold accounts now: one, or the primaries of a cluster."""
        if not self._cluster:
            return self._met
        told = await self._client.info("server", target_nodes=RedisCluster.PRIMARIES)
        nodes = told.values() if "run_id" not in told else [told]
        return hashlib.sha256(" ".join(sorted(str(node["run_id"]) for node in nodes)).encode()).hexdigest()

    async def disconnect(self) -> None:
        """Drop connections, whatever became of them."""
        if self._cluster:
            await self._client.aclose()
        else:
            await self._client.connection_pool.disconnect()

    async def close(self) -> None:
        """End."""
        with contextlib.suppress(*FAULTS):
            await self._client.aclose()
