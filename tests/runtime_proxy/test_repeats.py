"""An outage is told at once and once a second, with how many lines were left out."""

from __future__ import annotations

import logging

import pytest

from runtime_proxy import repeats
from runtime_proxy.repeats import Repeats


class Clock:
    now = 100.0

    def monotonic(self) -> float:
        return self.now


def test_a_kind_is_told_at_once_then_once_a_second_with_a_count(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    monkeypatch.setattr(repeats, "time", clock)
    said = Repeats(logging.getLogger("interlock.proxy"))

    def lines() -> list[str]:
        found = [record.getMessage() for record in caplog.records]
        caplog.clear()
        return found

    with caplog.at_level(logging.WARNING):
        for number in range(1_000):
            said.say(logging.WARNING, ("laboratory", "broken"), "laboratory broke, request %d", number)
        assert lines() == ["laboratory broke, request 0"]
        said.say(logging.WARNING, ("laboratory", "late"), "laboratory is late")
        said.say(logging.WARNING, ("pharmacy", "broken"), "pharmacy broke")
        assert lines() == ["laboratory is late", "pharmacy broke"]
        clock.now += 1.0
        said.say(logging.WARNING, ("laboratory", "broken"), "laboratory broke, request %d", 1_000)
        assert lines() == ["laboratory broke, request 1000 (999 more like it were not written)"]
        clock.now += 1.0
        said.say(logging.WARNING, ("laboratory", "broken"), "laboratory broke, request %d", 1_001)
        assert lines() == ["laboratory broke, request 1001"]


def test_kinds_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repeats, "time", Clock())
    said = Repeats(logging.getLogger("interlock.proxy"))
    for number in range(3_000):
        said.say(logging.DEBUG, (f"route-{number}", "broken"), "broken")
    assert len(said._kinds) <= 1_000
