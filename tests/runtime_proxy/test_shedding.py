"""Load shedding: the least urgent calls go first, only while the loop lags in a row, and never critical ones."""

import hashlib
import time

import pytest

from kernel.bundle.model import Consumer, Grant, Key
from kernel.bundle.policy import ConsumerPolicy
from runtime_proxy.limit_counters import LimitCounters
from runtime_proxy.shedding import BACKGROUND, CRITICAL, NORMAL, TICK, Shedding

ORDER = {"code": "2823-3", "priority": "urgent"}


@pytest.mark.parametrize(
    ("lags", "level"),
    [
        ((0.0, 0.0, 0.0), 0),
        ((5.0, 0.0, 0.0), 0),
        ((5.0, 5.0), 0),
        ((0.3, 0.3, 0.3), 1),
        ((0.3, 0.9, 0.9), 1),
        ((0.6, 0.6, 0.6), 2),
        ((0.6, 0.6, 0.6, 0.2), 2),
        ((0.6, 0.6, 0.6, 0.1), 1),
        ((0.6, 0.6, 0.6, 0.1, 0.0), 0),
        ((0.3, 0.3, 0.3, 0.2, 0.2), 1),
    ],
)
def test_the_level_follows_lags_in_a_row(lags, level) -> None:
    shedding = Shedding(0.25, LimitCounters())
    for lag in lags:
        shedding.look(lag)
    assert shedding.level == level


async def test_the_lag_of_the_loop_is_measured() -> None:
    shedding = Shedding(0.001, LimitCounters())
    shedding.start()
    loop_turns = 0
    import asyncio

    while shedding.level < 2 and loop_turns < 50:
        time.sleep(TICK + 0.02)  # what a busy loop looks like to its timers
        await asyncio.sleep(0)
        loop_turns += 1
    assert shedding.level == 2
    shedding.stop()
    assert shedding.level == 0


def consumers() -> tuple[Consumer, ...]:
    return tuple(
        Consumer(
            name,
            name,
            "internal",
            (Key(name, hashlib.sha256(f"ilk_{name}_s".encode()).hexdigest()),),
            (Grant("orders", 1),),
            (),
            ConsumerPolicy(priority=name),
        )
        for name in ("critical", "background")
    )


async def test_the_class_of_the_consumer_decides(make_house, kit) -> None:
    house = make_house()
    await house.publish(consumers=consumers())
    seen = {}
    for level in range(3):
        house.plane._shedding.level = level
        for name, key in (("critical", None), ("normal", kit.KEY), ("background", None)):
            reply = await house.ask("POST", "/orders/v1/orders", ORDER, key=key or f"ilk_{name}_s")
            seen[level, name] = reply.status
    shed = {key for key, status in seen.items() if status == 503}
    assert shed == {(1, "background"), (2, "background"), (2, "normal")}
    assert (reply.status, kit.problem(reply)["slug"], kit.header(reply, "retry-after")) == (
        503,
        "overloaded",
        "2",
    )
    metrics = (await house.ask("GET", "/-/metrics", key=None)).body.decode()
    assert 'interlock_shed_total{priority="background"} 2' in metrics
    assert 'interlock_shed_total{priority="normal"} 1' in metrics
    assert (await house.ask("GET", "/orders/v1/status", key=None)).status == 503, (
        "nobody in particular is normal"
    )


def test_a_bound_of_nothing_sheds_nobody() -> None:
    shedding = Shedding(0, LimitCounters())
    shedding.start()
    assert shedding.level == 0
    assert [priority for priority in (CRITICAL, NORMAL, BACKGROUND) if shedding.judge(priority)] == []
