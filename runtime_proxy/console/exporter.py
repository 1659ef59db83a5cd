"""Sends traces to a collector (OTLP/HTTP, JSON) from a task of its own: no call ever waits for it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import TYPE_CHECKING, Final

import orjson

from kernel.errors import SettingsError
from runtime_proxy.console import table
from runtime_proxy.console.spans import export_request
from runtime_proxy.fetching import FetchFailed, Source

if TYPE_CHECKING:
    from typing import Any

    from runtime_proxy.console.meters import Meters
    from runtime_proxy.console.seen import Seen

log = logging.getLogger("interlock.proxy")
MOST_WAITING: Final = 2048  # exchanges; what comes beyond is dropped, and counted
_TOGETHER: Final = 64  # exchanges in one request: some 450 spans, 200 KB
_BEAT_SECONDS: Final = 1.0
_TIMEOUT_SECONDS: Final = 5.0
_TRIES: Final = 3
_LAST_SECONDS: Final = 2.0  # that the end of the worker waits for the collector


class Exporter:
    """The traces of one worker on their way to `endpoint`, like http://127.0.0.1:4318/v1/traces."""

    def __init__(self, endpoint: str, resource: dict[str, Any], *, beat: float = _BEAT_SECONDS) -> None:
        if not endpoint.startswith(("http://", "https://")):
            raise SettingsError(
                "trace_endpoint: an http or https URL expected",
                hint="for example http://127.0.0.1:4318/v1/traces",
            )
        self._source = Source(endpoint, timeout_seconds=_TIMEOUT_SECONDS)
        self._resource = resource
        self._beat = beat
        self._waiting: deque[Seen] = deque()
        self._task: asyncio.Task[None] | None = None
        self._failing = False
        self.fates = {"sent": 0, "dropped": 0, "failed": 0}  # exchanges since the start
        self._told = dict(self.fates)

    def offer(self, one: Seen) -> None:
        """Take an exchange, or drop it where too many wait."""
        if len(self._waiting) >= MOST_WAITING:
            self.fates["dropped"] += 1
        else:
            self._waiting.append(one)

    def start(self) -> None:
        """Begin to send; call it inside the serving loop."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Send what waits, as far as that takes no longer than two seconds."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._send_all(tries=1), _LAST_SECONDS)
        self.fates["dropped"] += len(self._waiting)
        self._waiting.clear()
        await self._source.close()

    def gauge(self, meters: Meters) -> None:
        """Tell the counts."""
        for fate, count in self.fates.items():
            if count > self._told[fate]:
                meters.count(table.TRACED, fate, by=count - self._told[fate])
                self._told[fate] = count

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._beat)
            try:
                await self._send_all(tries=_TRIES)
            except Exception:
                log.exception("a fault while traces were sent")

    async def _send_all(self, *, tries: int) -> None:
        while self._waiting:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), _TOGETHER))]
            try:
                await self._send(batch, tries)
            except asyncio.CancelledError:
                self.fates["failed"] += len(batch)
                raise

    async def _send(self, batch: list[Seen], tries: int) -> None:
        body = export_request(self._resource, batch)
        for one in range(tries):
            try:
                answer = await self._source.post_json(body)
            except FetchFailed as error:
                if not self._failing:
                    self._failing = True
                    log.warning("traces do not reach their collector: %s", error)
                if one < tries - 1:
                    await asyncio.sleep(self._beat * 2**one)
            else:
                self._failing = False
                _look(answer.body)
                self.fates["sent"] += len(batch)
                return
        self.fates["failed"] += len(batch)


def _look(body: bytes) -> None:
    """Say what a collector took only in part (ExportTracePartialSuccess)."""
    with contextlib.suppress(orjson.JSONDecodeError, AttributeError):
        partial = orjson.loads(body or b"{}").get("partialSuccess") or {}
        if int(partial.get("rejectedSpans") or 0):
            log.warning("the collector refused %s spans", int(partial["rejectedSpans"]))
