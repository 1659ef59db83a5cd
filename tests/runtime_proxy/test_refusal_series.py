"""Refusals in a storm: few records, a true count, and bounded memory."""

from runtime_proxy.gcra import SECOND
from runtime_proxy.refusal_series import CROWD, SERIES_SECONDS, SINGLE_BURST, RefusalSeries


class Recorder:
    """Does what Trail does, without a journal."""

    def __init__(self, **more) -> None:
        self.series = RefusalSeries(lambda: "2026-11-20T08:00:00.000000000Z", **more)
        self.records: list[str] = []

    def refuse(self, peer: str, slug: str, now: int) -> None:
        if self.series.count(peer, slug, now):
            return
        opens = self.series.opens(peer, now)
        self.records.append("series-opened" if opens else "refused")
        if opens:
            record = {"id": f"id-{len(self.records)}", "client": peer, "refusal": slug, "status": 401}
            self.series.open(peer, slug, record, now)


def test_a_few_refusals_have_a_record_each() -> None:
    recorder = Recorder()
    for second in range(10):
        recorder.refuse("192.0.2.7", "credentials-missing", second * SECOND)
    assert recorder.records == ["refused"] * 10
    assert recorder.series.due(100 * SECOND) == []


def test_a_storm_opens_one_series_and_is_counted() -> None:
    recorder = Recorder()
    for index in range(1000):
        recorder.refuse("192.0.2.7", "over-limit" if index % 2 else "credentials-missing", SECOND)
    assert recorder.records == ["refused"] * SINGLE_BURST + ["series-opened"]
    assert recorder.series.due(SECOND) == []
    (series,) = recorder.series.due(SECOND + SERIES_SECONDS * SECOND)
    assert series.opened == "id-21"
    assert series.fields == {"client": "192.0.2.7", "refusal": "credentials-missing"}
    assert series.counts == {"credentials-missing": 490, "over-limit": 490}
    assert sum(series.counts.values()) + SINGLE_BURST == 1000


def test_a_storm_that_goes_on_opens_the_next_series() -> None:
    recorder = Recorder()
    now = SECOND
    closed = 0
    for _ in range(30_000):
        recorder.refuse("192.0.2.7", "over-limit", now)
        now += SECOND // 1000
        closed += len(recorder.series.due(now))
    opened = recorder.records.count("series-opened")
    assert opened == 6
    assert closed == 5
    assert len(recorder.records) <= SINGLE_BURST + opened * 2 + 30 * 5


def test_every_refusal_is_recorded_or_counted_exactly_once() -> None:
    recorder = Recorder()
    now, counted = SECOND, 0
    for index in range(5000):
        recorder.refuse(f"192.0.2.{index % 3}", "not-found", now)
        now += SECOND // 200
        counted += sum(sum(one.counts.values()) for one in recorder.series.due(now))
    counted += sum(sum(one.counts.values()) for one in recorder.series.due(now, everything=True))
    assert recorder.records.count("refused") + counted == 5000


def test_sources_do_not_share_a_series() -> None:
    recorder = Recorder()
    for _ in range(30):
        recorder.refuse("192.0.2.7", "not-found", SECOND)
    recorder.refuse("192.0.2.8", "not-found", SECOND)
    assert recorder.records[-1] == "refused"


def test_a_full_table_counts_new_sources_together() -> None:
    recorder = Recorder(most_sources=2)
    recorder.refuse("a", "not-found", SECOND)
    recorder.refuse("b", "not-found", SECOND)
    for index in range(100):
        recorder.refuse(f"c{index}", "not-found", SECOND)
    assert recorder.records.count("series-opened") == 1
    (series,) = recorder.series.due(SECOND, everything=True)
    assert sum(series.counts.values()) == 100 - SINGLE_BURST
    assert len(recorder.series._sources) <= 3
    assert CROWD in recorder.series._sources


def test_sources_that_owe_nothing_are_forgotten() -> None:
    recorder = Recorder()
    recorder.refuse("192.0.2.7", "not-found", SECOND)
    recorder.series.due(60 * SECOND)
    assert recorder.series._sources == {}
