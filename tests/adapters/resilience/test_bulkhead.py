"""The bulkhead: how many at once, how many wait, and who is refused when the queue stands."""

import asyncio

import pytest

from adapters.errors import AdapterFull
from adapters.resilience.bulkhead import Bulkhead, BulkheadTerms


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def made(clock, **terms) -> Bulkhead:
    given = {
        "calls": 2,
        "queue": 3,
        "wait_seconds": 60.0,
        "target_seconds": 0.1,
        "interval_seconds": 1.0,
        **terms,
    }
    return Bulkhead("lab", BulkheadTerms(**given), clock)


async def waiting(bulkhead: Bulkhead, count: int, seconds: float = 60.0) -> list[asyncio.Task[float]]:
    tasks = [asyncio.create_task(bulkhead.enter(seconds)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_so_many_at_once_and_so_many_wait(clock) -> None:
    bulkhead = made(clock)
    assert [await bulkhead.enter(1), await bulkhead.enter(1)] == [0.0, 0.0]
    queued = await waiting(bulkhead, 3)
    assert (bulkhead.inside, bulkhead.waiting) == (2, 3)
    with pytest.raises(AdapterFull) as caught:
        await bulkhead.enter(1)
    assert (caught.value.retry_after, caught.value.sent, bulkhead.shed) == (1, False, 1)
    clock.now += 0.05
    bulkhead.leave()
    assert await queued[0] == pytest.approx(0.05)  # first come, first served
    assert (bulkhead.inside, bulkhead.waiting) == (2, 2)
    bulkhead.leave()
    bulkhead.leave()
    assert [await one for one in queued[1:]] == [pytest.approx(0.05)] * 2
    bulkhead.leave()
    bulkhead.leave()
    assert (bulkhead.inside, bulkhead.waiting) == (0, 0)


async def test_nobody_overtakes_the_queue(clock) -> None:
    bulkhead = made(clock, calls=1)
    await bulkhead.enter(1)
    first, second = await waiting(bulkhead, 2)
    bulkhead.leave()
    bulkhead_third = asyncio.create_task(bulkhead.enter(1))
    await asyncio.sleep(0)
    assert (first.done(), second.done(), bulkhead_third.done()) == (True, False, False)
    bulkhead.leave()
    await second
    bulkhead.leave()
    await bulkhead_third


async def test_without_a_queue_the_next_is_refused(clock) -> None:
    bulkhead = made(clock, calls=1, queue=0)
    await bulkhead.enter(1)
    with pytest.raises(AdapterFull):
        await bulkhead.enter(1)


@pytest.mark.parametrize(("terms", "seconds"), [({"wait_seconds": 0.01}, 60.0), ({}, 0.01)])
async def test_where_nothing_moves_waiting_ends(clock, terms, seconds) -> None:
    bulkhead = made(clock, calls=1, **terms)
    await bulkhead.enter(1)
    with pytest.raises(AdapterFull):
        await bulkhead.enter(seconds)
    assert (bulkhead.inside, bulkhead.waiting) == (1, 0)
    bulkhead.leave()
    assert bulkhead.inside == 0


async def test_a_burst_is_served_whole(clock) -> None:
    bulkhead = made(clock, calls=1, queue=100)
    await bulkhead.enter(1)
    queued = await waiting(bulkhead, 50)
    for _ in range(50):
        clock.now += 0.011  # the last waits more than half a second, above the target
        bulkhead.leave()
        await asyncio.sleep(0)
    assert [one.exception() for one in queued] == [None] * 50


async def test_a_queue_that_stands_is_kept_short(clock) -> None:
    bulkhead = made(clock, calls=1, queue=1000)
    await bulkhead.enter(1)
    queued: list[asyncio.Task[float]] = []
    for _ in range(40):  # for four seconds, two come for each that is served
        queued += await waiting(bulkhead, 2)
        clock.now += 0.1
        bulkhead.leave()
        await asyncio.sleep(0)
        if bulkhead.inside == 0:
            await bulkhead.enter(1)
    refused = [one for one in queued if one.done() and one.exception() is not None]
    assert bulkhead.shed == len(refused) > 20
    assert bulkhead.waiting < 20
    for one in queued:
        one.cancel()
    await asyncio.gather(*queued, return_exceptions=True)


async def test_a_single_long_wait_is_no_standing_queue(clock) -> None:
    bulkhead = made(clock, calls=1)
    await bulkhead.enter(1)
    for _ in range(3):
        (late,) = await waiting(bulkhead, 1)
        clock.now += 30
        bulkhead.leave()
        assert await late == pytest.approx(30.0)
        bulkhead.leave()
        await bulkhead.enter(1)  # nobody waits: it does not stand


async def test_whoever_gives_up_leaves_no_hole(clock) -> None:
    bulkhead = made(clock, calls=1)
    await bulkhead.enter(1)
    first, second = await waiting(bulkhead, 2)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert bulkhead.waiting == 1
    bulkhead.leave()
    second.cancel()  # its turn had come in the same turn of the loop
    await asyncio.gather(second, return_exceptions=True)
    assert (bulkhead.inside, bulkhead.waiting) == (0, 0)
