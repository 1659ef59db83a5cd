"""A provider that hangs, floods, resets or drips costs its own callers, and nobody else an error."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path
from typing import Any, Self

import pytest

from tests.doubles.misbehaving import WAYS, Misbehaving
from tests.doubles.upstream import Upstream, answer
from tests.house import data_folder
from tests.house.running import ask

pytestmark = pytest.mark.house
GUARDS = {"breaker": {"least_calls": 10, "open_seconds": 60}, "bulkhead": {"calls": 4, "queue": 4}}
CALLERS, HEALTHY_CALLS = 16, 150
WORDS = {
    "hang": {"upstream-timeout"},
    "drip": {"upstream-timeout"},
    "flood": {"upstream-broken", "upstream-timeout"},
    "reset": {"upstream-broken"},
}


class Crowd:
    """Callers that ask the broken route over and over until told to stop, and count what they are told."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.told: Counter[str] = Counter()
        self.begun = threading.Barrier(CALLERS + 1)
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, daemon=True) for _ in range(CALLERS)]

    def __enter__(self) -> Self:
        for one in self._threads:
            one.start()
        self.begun.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for one in self._threads:
            one.join(30)

    def _call(self) -> None:
        self.begun.wait(30)
        while not self._stop.is_set():
            self.told[ask(self.port, "POST", "/others/v1/orders", b'{"n": 1}').slug] += 1


@pytest.mark.parametrize("guards", [None, GUARDS], ids=["plain", "guarded"])
@pytest.mark.parametrize("way", WAYS)
def test_a_healthy_route_beside_a_broken_one_has_no_error(
    tmp_path: Path, way: str, guards: dict[str, Any] | None
) -> None:
    healthy, broken = Upstream({"POST /orders": answer(201, b'{"id": 1}')}), Misbehaving(way)
    data = tmp_path / "data"
    try:
        data_folder.make_beside(data, healthy.url, broken.url, guards)
        with data_folder.serving(data) as (_, port):
            with Crowd(port) as crowd:
                statuses = Counter(
                    ask(port, "POST", "/orders/v1/orders", b'{"n": 1}').status for _ in range(HEALTHY_CALLS)
                )
            assert statuses == {201: HEALTHY_CALLS}
            shed = {"circuit-open", "provider-busy"} if guards else set()
            assert crowd.told.keys() <= WORDS[way] | shed, crowd.told
            assert crowd.told.total() >= CALLERS
            assert broken.taken > 0
            if guards:
                assert crowd.told.keys() & shed, "the guards spoke"
            assert ask(port, "GET", "/-/readyz").status == 200
    finally:
        broken.close()
        healthy.close()
