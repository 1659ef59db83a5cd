"""Counts each answered exchange: numbers at places that are looked up once for an operation, then only added to."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from bisect import bisect_left
from pathlib import Path
from typing import TYPE_CHECKING, Final

from runtime_proxy.console import table
from runtime_proxy.console.exposition import write
from runtime_proxy.console.series import Series, gather
from runtime_proxy.console.table import CALL_BUCKETS, CODE_CLASSES, NONE, OWN_BUCKETS
from runtime_proxy.counting import Counting
from runtime_proxy.refusals import REFUSALS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from runtime_proxy.console.access_log import AccessLog
    from runtime_proxy.console.series import Totals
    from runtime_proxy.console.table import Metric
    from runtime_proxy.exchange import Exchange, Reply
    from runtime_proxy.plan import ServedOperation

log = logging.getLogger("interlock.proxy")
_BEAT_SECONDS: Final = 1.0
_CALL_SUM: Final = len(CALL_BUCKETS) + 1
_OWN_SUM: Final = len(OWN_BUCKETS) + 1
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


class Meters:
    """The metrics of one worker; `answered` is called by the edge with every answer."""

    def __init__(self, folder: Path, worker: str, *, most_rows: int, log: AccessLog | None = None) -> None:
        self.series = Series(folder / f"{worker}.series", most_rows=most_rows)
        self.worker = worker
        self.log = log
        self._folder = folder
        self._gauges: list[Callable[[Meters], None]] = [_of_process]
        self._started = time.time()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        self._failed = False
        row = self.series.row
        self._refusals = {slug: row(table.REFUSALS_TOTAL, slug) for slug in REFUSALS}
        self._observed = row(table.OBSERVED)
        self._commit = row(table.COMMIT)
        self._records = row(table.RECORDS)
        self._meters: dict[tuple[str, ...], Counting] = {}
        self._unmatched = self._meter((NONE, NONE, NONE), NONE)

    # -- for every answer -----------------------------------------------------------------------------

    def answered(self, exchange: Exchange | None, reply: Reply, slug: str) -> None:
        """Count one answer; `slug` names what the edge itself refused. Never raises: an answer is going out."""
        try:
            self._count(exchange, reply, slug)
        except Exception:
            if not self._failed:
                self._failed = True
                log.exception("an answer could not be counted; this is told once")

    def _count(  # noqa: C901 - one line for each thing that is counted
        self, exchange: Exchange | None, reply: Reply, slug: str
    ) -> None:
        numbers = self.series.numbers
        if exchange is None:
            self._count_refusal(slug)
            numbers[self._of_consumer(self._unmatched, NONE)[reply.status // 100 - 1]] += 1
            if self.log is not None:
                self.log.unread(reply, slug)
            return
        served = exchange.operation
        if served is None:
            if exchange.prepared is not None:
                return  # what we say about ourselves is no traffic
            meter = self._unmatched
        else:
            meter = served.meter or self._meter_of(served)
        took = time.perf_counter() - exchange.started
        numbers[meter.duration + bisect_left(CALL_BUCKETS, took)] += 1
        numbers[meter.duration + _CALL_SUM] += int(took * 1e6)
        provider = exchange.upstream_seconds
        if provider:
            numbers[meter.upstream + bisect_left(CALL_BUCKETS, provider)] += 1
            numbers[meter.upstream + _CALL_SUM] += int(provider * 1e6)
            took -= provider
        if provider or not exchange.sent:  # else nobody knows how much of it was the provider's
            took = max(took, 0.0)
            numbers[meter.overhead + bisect_left(OWN_BUCKETS, took)] += 1
            numbers[meter.overhead + _OWN_SUM] += int(took * 1e6)
        identity = exchange.identity
        consumer = identity.key.consumer.id if identity is not None and identity.key is not None else NONE
        places = meter.consumers.get(consumer) or self._of_consumer(meter, consumer)
        numbers[places[reply.status // 100 - 1]] += 1
        if exchange.refusal is not None:
            self._count_refusal(exchange.refusal.slug)
        if exchange.cached:
            self.count(table.CACHE, *meter.labels, exchange.cached)
        if exchange.observed:
            numbers[self._observed] += exchange.observed
            self._count_let_through(exchange, meter, consumer)
        if self.log is not None:
            self.log.answered(exchange, reply)

    def committed(self, records: int, seconds: float) -> None:
        """Count one group commit; called by the journal's thread, which is the only one at these numbers."""
        numbers = self.series.numbers
        numbers[self._commit + bisect_left(OWN_BUCKETS, seconds)] += 1
        numbers[self._commit + _OWN_SUM] += int(seconds * 1e6)
        numbers[self._records] += records

    def count(self, metric: Metric, *labels: str, by: int = 1) -> None:
        """Count something that is rare."""
        self.series.numbers[self.series.row(metric, *labels)] += by

    def calls(self, counting: Counting) -> int:
        """Say how many answers were counted there."""
        return sum(self.series.numbers[counting.duration : counting.duration + _CALL_SUM])

    def _count_let_through(self, exchange: Exchange, meter: Counting, consumer: str) -> None:
        of_answer = exchange.observed_answers
        for side, found in (("request", exchange.observed - of_answer), ("response", of_answer)):
            if found:
                self.count(table.LET_THROUGH, *meter.labels, consumer, side, by=found)

    def countings(self) -> Iterator[Counting]:
        """Give where each operation that was called is counted."""
        for key, counting in self._meters.items():
            if key[0] != NONE:
                yield counting

    def _count_refusal(self, slug: str) -> None:
        place = self._refusals.get(slug)
        if place is None:
            place = self._refusals[slug] = self.series.row(table.REFUSALS_TOTAL, slug)
        self.series.numbers[place] += 1

    def _meter_of(self, served: ServedOperation) -> Counting:
        version = served.version
        labels = (version.contract, version.version, served.operation.id)
        served.meter = made = self._meter(labels, served.route.adapter.name)
        return made

    def _meter(self, labels: tuple[str, str, str], partner: str) -> Counting:
        key = (*labels, partner)
        found = self._meters.get(key)
        if found is None:
            found = self._meters[key] = self._counting(labels, partner)
        return found

    def _counting(self, labels: tuple[str, str, str], partner: str) -> Counting:
        row = self.series.row
        return Counting(
            labels, row(table.DURATION, *labels), row(table.OVERHEAD, *labels), row(table.UPSTREAM, partner)
        )

    def _of_consumer(self, meter: Counting, consumer: str) -> tuple[int, ...]:
        found = meter.consumers.get(consumer)
        if found is None:
            row = self.series.row
            found = tuple(row(table.REQUESTS, *meter.labels, consumer, one) for one in CODE_CLASSES)
            meter.consumers[consumer] = found
        return found

    # -- now and then ---------------------------------------------------------------------------------

    def watch(self, gauges: Callable[[Meters], None]) -> None:
        """Have `gauges` set its gauges (`set`) once a second and before each page of ours."""
        self._gauges.append(gauges)

    def set(self, metric: Metric, value: float, *labels: str) -> None:
        """Set a gauge; its label `worker` is filled in."""
        own = (self.worker, *labels) if metric.labels[:1] == ("worker",) else labels
        self.series.set(metric, value, *own)

    def start(self) -> None:
        """Begin to set gauges; call it inside the serving loop."""
        self._due = asyncio.get_running_loop().time()
        self._beat()

    def stop(self) -> None:
        """End, and let go of the file and the log."""
        if self._timer is not None:
            self._timer.cancel()
        if self.log is not None:
            self.log.close()
        self.series.close()

    def page(self) -> bytes:
        """Write the metrics of all workers."""
        return b"".join(self.pieces())

    def pieces(self) -> Iterator[bytes]:
        """Write the same in pieces that take about a millisecond each."""
        self._set_all()
        totals: Totals = {}
        for _ in gather(self._folder, totals):
            yield b""
        yield from write(totals)

    def _beat(self) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self.set(table.LOOP_LAG, now - self._due)
        self._set_all()
        if self.log is not None:
            self.log.flush()
        self._due = loop.time() + _BEAT_SECONDS
        self._timer = loop.call_at(self._due, self._beat)

    def _set_all(self) -> None:
        for one in self._gauges:
            one(self)
        self.set(table.STARTED, self._started)
        self.set(table.ROWS, self.series.rows)
        self.series.beat()


def _of_process(meters: Meters) -> None:
    times = os.times()
    meters.set(table.CPU, times.user + times.system)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    meters.set(table.MEMORY, pages * _PAGE)
