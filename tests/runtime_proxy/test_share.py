"""What several workers share, and what each has of its own: limits, device listeners, ids, serials."""

import asyncio
import os
from typing import Any

import pytest

from adapters.port import Listener
from kernel.audit.stamps import new_id
from kernel.bundle.model import AdapterInstance, Limit
from kernel.bundle.read import BundleRead, BundleSource, PartMark
from kernel.sealing.keys import Trust
from runtime_proxy.adapter_set import AdapterSet
from runtime_proxy.gcra import SECOND, take
from runtime_proxy.throttle import LocalLimiter
from runtime_proxy.trace import continue_trace, new_request_id


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_workers_together_admit_what_the_limit_says(workers: int) -> None:
    limit = Limit("calls", 60, 60, 8)
    now = 1_000 * SECOND
    limiters = [LocalLimiter(workers) for _ in range(workers)]
    cells = [one.owner("consumer a", (limit,), None, now).requests for one in limiters]

    def admitted(at: int) -> int:
        return sum(take(own, at) == 0 for own in cells for _ in range(50))

    assert admitted(now) == 8
    assert admitted(now) == 0
    assert admitted(now + 4 * SECOND) == 4
    assert admitted(now + 60 * SECOND) == 8


def test_a_burst_of_one_is_one_for_each_worker() -> None:
    limit = Limit("calls", 60, 60, 1)
    limiters = [LocalLimiter(4) for _ in range(4)]
    cells = [one.owner("a", (limit,), None, SECOND).requests for one in limiters]
    takes = [take(own, SECOND) for own in cells for _ in range(2)]
    assert takes.count(0) == 4


class Device:
    """A listener that keeps what is done with it."""

    kind = "double"

    def __init__(self, name: str, *, fails: bool = False) -> None:
        self.name, self.fails = name, fails
        self.done: list[str] = []

    async def start(self) -> None:
        if self.fails:
            raise OSError("in use")
        self.done.append("start")

    async def stop(self) -> None:
        self.done.append("stop")

    def address(self) -> tuple[str, int]:
        return "127.0.0.1", 2575


async def _taken(devices: dict[str, Device], *names: str) -> AdapterSet:
    made = AdapterSet(lambda one: devices[one.name], grace=0, listening=False)
    await _change(made, *names)
    return made


async def _change(adapters: AdapterSet, *names: str) -> None:
    change = await adapters.prepare([AdapterInstance(name, "double") for name in names])
    await adapters.listen(change)
    adapters.commit(change)


async def test_a_worker_that_is_not_chosen_opens_no_device_listener() -> None:
    devices = {name: Device(name) for name in ("a", "b", "c")}
    assert isinstance(devices["a"], Listener)
    adapters = await _taken(devices, "a", "b")
    await _change(adapters, "b", "c")
    assert [one.done for one in devices.values()] == [[], [], []]
    assert adapters.addresses() == {}
    await adapters.open_listeners()
    await adapters.open_listeners()
    assert [one.done for one in devices.values()] == [[], ["start"], ["start"]]
    assert set(adapters.addresses()) == {"b", "c"}
    await _change(adapters, "a", "b")
    assert [one.done for one in devices.values()] == [["start"], ["start"], ["start", "stop"]]
    await adapters.close_listeners()
    assert [one.done[-1] for one in devices.values()] == ["stop"] * 3
    await adapters.stop()
    assert [len(one.done) for one in devices.values()] == [2, 2, 2]


async def test_a_listener_that_cannot_listen_is_alone_out() -> None:
    devices = {"a": Device("a"), "b": Device("b", fails=True)}
    adapters = await _taken(devices, "a", "b")
    await adapters.open_listeners()
    assert set(adapters.addresses()) == {"a"}
    devices["b"].fails = False
    while set(adapters.addresses()) != {"a", "b"}:
        await asyncio.sleep(0.01)
    await adapters.stop()
    assert [one.done for one in devices.values()] == [["start", "stop"], ["start", "stop"]]


def test_a_forked_worker_makes_ids_of_its_own() -> None:
    def ids() -> list[str]:
        return [new_request_id()[-12:], continue_trace(None)[0], new_id()[-12:]]

    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.write(writing, " ".join(ids()).encode())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    theirs = os.read(reading, 1000).decode().split()
    os.close(reading)
    os.close(writing)
    assert len(theirs) == 3
    assert not set(theirs) & set(ids())


def test_a_worker_that_lags_behind_does_not_make_the_others_forget(tmp_path) -> None:
    file = tmp_path / "run" / "seen.json"

    def read(serial: int) -> Any:
        return BundleRead(None, {"contracts": PartMark(serial, f"d{serial}")})  # type: ignore[arg-type]

    workers = [BundleSource(tmp_path, lambda: Trust(()), file) for _ in range(2)]
    workers[0].accept(read(6))
    workers[1].accept(read(5))
    assert b'"serial":6' in file.read_bytes()
    workers[1].accept(read(7))
    assert b'"serial":7' in file.read_bytes()
