"""Leases against a bound that is computed here from the admissions alone, whatever messages and clocks do.

Real accounts of several workers talk to the real script in a real Redis; time is the test's own.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import redis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kernel.bundle.limits import Concurrency, Quota
from kernel.bundle.model import Limit
from runtime_proxy.gcra import SECOND
from runtime_proxy.lease_wire import Grant, decode, encode, rate_term
from runtime_proxy.leases import SLACK, Account
from runtime_proxy.meter import ASK
from runtime_proxy.shared_limits import shared_limit
from tests.doubles.redis_server import redis_server

pytestmark = pytest.mark.redis
ROOT = Path(__file__).resolve().parents[2]
SCRIPT = (ROOT / "runtime_proxy" / "lease.lua").read_text()
MILLI = SECOND // 1000
NAMES = itertools.count()


@pytest.fixture(scope="module")
def script() -> Iterator[Callable[[str, Any], Grant]]:
    with redis_server() as server:
        client = redis.Redis.from_url(server.url)
        run = client.register_script(SCRIPT)
        yield lambda key, ask: decode(run(keys=[key], args=[encode(ask)]))
        client.close()


@dataclass
class Worker:
    """One worker's side of an account: its clock began anywhere, its requests take the time that is set."""

    house: House
    offset: int
    worker: str
    account: Account = field(init=False)
    up: bool = True
    lost_at: int = 0
    losses: int = 0
    shares: int = 1
    full: int = 0
    out: int = 0  # number of the request that is out
    due: bool = False
    waiting: list[int] = field(default_factory=list)

    def wall(self) -> float:
        return self.house.wall() / 1e6

    def now(self) -> int:
        return self.house.now + self.offset

    def queue(self, account: Account) -> None:
        self.due = True

    def report_soon(self, account: Account) -> None:
        self.due = True

    def spent_alone(self, account: Account, tokens: int) -> None:
        raise AssertionError("the store is never lost here")

    def arrive(self, weight: int) -> None:
        wait = self.account.wait(self.now(), weight)
        if wait == 0:
            self.spend(weight)
        elif wait == ASK:
            self.account._need += min(weight, self.account._most)
            self.account._least = min(self.account._least or weight, weight, self.account._most)
            self.waiting.append(weight)
            self.due = True
        else:
            self.house.refused += 1
        self.send()

    def spend(self, weight: int) -> None:
        self.account.spend(self.now(), weight)
        self.house.admitted.append((self.house.now, min(weight, self.account._most)))

    def send(self) -> None:
        if not self.due or self.out:
            return
        self.due = False
        ask = self.account.draw(self.now())
        waiting, self.waiting = self.waiting, []
        self.out = ask.number
        going, coming, lost = self.house.travel()
        self.house.at(going, lambda: self.processed(ask, waiting, coming, lost))
        if lost:
            self.house.at(SLACK, lambda: self.failed(ask.number))

    def processed(self, ask: Any, waiting: list[int], coming: int, lost: bool) -> None:
        ask.wall = self.house.wall()
        grant = self.house.script(self.house.key, ask)
        if not lost:
            self.house.at(coming, lambda: self.answered(grant, waiting))

    def answered(self, grant: Grant, waiting: list[int]) -> None:
        self.out = 0
        self.account.settle(grant, self.now())
        for weight in waiting:
            if self.account.wait(self.now(), weight) == 0:
                self.spend(weight)
            else:
                self.house.refused += 1
        self.send()

    def failed(self, number: int) -> None:
        if self.out == number:
            self.out = 0
            self.account.give_up()
            self.send()


class House:
    """Workers, the time, and what was admitted when."""

    def __init__(self, script: Callable[[str, Any], Grant], limits: tuple[Any, ...], workers: int) -> None:
        self.script = script
        self.key = f"interlock:{{test {next(NAMES)}}}:requests"
        self.now = 10**12
        self.stepped = 0  # microseconds by which the store's clock is wrong
        self.travel: Callable[[], tuple[int, int, bool]] = lambda: (0, 0, False)
        self.admitted: list[tuple[int, int]] = []
        self.refused = 0
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self.workers = [Worker(self, 10**9 * 77 * n, f"w{n}") for n in range(workers)]
        for one in self.workers:
            one.account = Account(self.key, [shared_limit(limit) for limit in limits], one, closed=False)

    def wall(self) -> int:
        return 1_800_000_000_000_000 + self.now // 1000 + self.stepped

    def at(self, later: int, what: Callable[[], None]) -> None:
        heapq.heappush(self._events, (self.now + later, next(self._order), what))

    def pass_time(self, nanoseconds: int) -> None:
        until = self.now + nanoseconds
        while self._events and self._events[0][0] <= until:
            self.now, _, what = heapq.heappop(self._events)
            what()
        self.now = until
        for one in self.workers:
            if one.account.ends_soon(one.now()):
                one.due = True
            one.send()


def worst(admitted: list[tuple[int, int]], limit: Limit) -> int:
    """Of all intervals: admitted - rate * length, at most; in tokens * seconds * SECOND."""
    most = debt = 0
    last = admitted[0][0] if admitted else 0
    for moment, weight in admitted:
        debt = max(debt - limit.requests * (moment - last), 0) + weight * limit.seconds * SECOND
        most, last = max(most, debt), moment
    return most


def within(admitted: list[tuple[int, int]], limit: Limit, more: int = 0) -> bool:
    return worst(sorted(admitted), limit) <= (limit.burst + more) * limit.seconds * SECOND


LIMITS = st.builds(Limit, st.just("calls"), st.integers(1, 2000), st.integers(1, 5), st.integers(1, 300))
ARRIVALS = st.lists(
    st.tuples(
        st.sampled_from((0, 0, 0, MILLI // 3, MILLI, 5 * MILLI, 30 * MILLI, 400 * MILLI, 3 * SECOND)),
        st.integers(0, 3),
        st.sampled_from((1, 1, 1, 1, 2, 7)),
    ),
    max_size=150,
)
CHECKED = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@CHECKED
@given(
    LIMITS, ARRIVALS, st.integers(1, 4), st.randoms(use_true_random=False), st.sampled_from((0.0, 0.1, 0.5))
)
def test_no_interval_admits_more_whatever_becomes_of_messages(
    script, limit, arrivals, workers, chance, losses
) -> None:
    house = House(script, (limit,), workers)

    def travel() -> tuple[int, int, bool]:
        if chance.random() < losses:
            return chance.randrange(6 * SLACK), 0, True  # processed late, and its answer never comes
        going = chance.randrange(SLACK // 2)
        return going, chance.randrange(SLACK // 2), False

    house.travel = travel
    for gap, who, weight in arrivals:
        house.pass_time(gap)
        house.workers[who % workers].arrive(weight)
    house.pass_time(10 * SECOND)
    assert within(house.admitted, limit)


@CHECKED
@given(
    LIMITS,
    ARRIVALS,
    st.integers(1, 4),
    st.lists(st.integers(-3_600_000_000, 3_600_000_000), min_size=1, max_size=4),
)
def test_steps_of_the_stores_clock_are_seen_by_the_clocks_of_the_workers(
    script, limit, arrivals, workers, steps
) -> None:
    house = House(script, (limit,), workers)
    for one in house.workers:  # whoever was never there before is no witness
        one.arrive(1)
    left = list(steps)
    for number, (gap, who, weight) in enumerate(arrivals):
        house.pass_time(gap)
        if left and number % 10 == 9:
            house.stepped += left.pop()
        house.workers[who % workers].arrive(weight)
    allowed = -(-limit.requests * SLACK * len(steps) // (limit.seconds * SECOND))
    assert within(house.admitted, limit, more=allowed)


@pytest.mark.parametrize("step", [3_600_000_000, -3_600_000_000])
def test_a_step_of_an_hour_gives_and_takes_next_to_nothing(script, step) -> None:
    limit = Limit("calls", 1, 10, 20)
    house = House(script, (limit,), 2)
    for number in range(40):
        house.workers[number % 2].arrive(1)
        house.pass_time(0)
    assert len(house.admitted) == 20
    house.stepped = step
    for number in range(40):
        house.pass_time(50 * MILLI)
        house.workers[number % 2].arrive(1)
    assert len(house.admitted) == 20
    for number in range(200):
        house.pass_time(500 * MILLI)
        house.workers[number % 2].arrive(1)
    assert 28 <= len(house.admitted) <= 30, "ten are earned in the hundred seconds since"


def test_a_request_that_comes_late_changes_nothing(script) -> None:
    limit = Limit("calls", 1, 3600, 20)
    house = House(script, (limit,), 1)
    (one,) = house.workers
    one.account._need = one.account._least = 4
    late = one.account.draw(one.now())
    one.account._need = one.account._least = 2
    asked = one.account.draw(one.now())
    for ask in (late, asked):
        ask.wall = house.wall()
    grant = house.script(house.key, asked)
    assert (grant.granted, grant.stale) == (2, False)
    assert house.script(house.key, late).stale
    assert house.script(house.key, asked).stale
    one.account.settle(grant, one.now())
    assert one.account.hand == 2


@pytest.mark.parametrize("workers", [1, 4])
def test_what_the_limit_allows_is_admitted_and_the_store_is_seldom_asked(script, workers) -> None:
    limit = Limit("calls", 1000, 1, 1000)
    house = House(script, (limit,), workers)
    asked = 0
    real = house.script

    def counting(key: str, ask: Any) -> Grant:
        nonlocal asked
        asked += 1
        return real(key, ask)

    house.script = counting
    for _ in range(3000):
        house.pass_time(2 * MILLI)  # half of the rate
        house.workers[_ % workers].arrive(1)
    assert house.refused == 0
    assert asked * 50 < 3000, asked
    asked, before = 0, len(house.admitted)
    began = house.now
    for _ in range(6000):
        house.pass_time(MILLI // 2)  # twice the rate
        house.workers[_ % workers].arrive(1)
    admitted = len(house.admitted) - before
    possible = limit.burst + (house.now - began) // MILLI
    print(
        f"{workers} workers at twice the rate: {admitted} of {possible} possible, {asked} requests to the store"
    )
    assert admitted >= possible * 0.9


def test_a_burst_of_one_over_four_workers_loses_no_more_than_it_takes_to_report(script) -> None:
    limit = Limit("calls", 5, 1, 1)
    house = House(script, (limit,), 4)
    admitted = []
    for number in range(60):
        house.pass_time(200 * MILLI)
        before = len(house.admitted)
        house.workers[number % 4].arrive(1)
        house.pass_time(0)
        admitted.append(len(house.admitted) - before)
        house.workers[number % 4].due = True  # what the store does 10 ms after a scarce token was granted
    assert sum(admitted) >= 59


def test_leases_shrink_to_one_as_the_limit_comes_near(script) -> None:
    limit = Limit("calls", 1, 3600, 100)
    house = House(script, (limit,), 4)
    sizes = []
    real = house.script

    def keeping(key: str, ask: Any) -> Grant:
        grant = real(key, ask)
        sizes.append(grant.granted)
        return grant

    house.script = keeping
    for number in range(100):
        house.pass_time(MILLI)
        house.workers[number % 4].arrive(1)
    assert max(sizes) > 5
    assert sizes[-1] <= 1
    assert 90 <= len(house.admitted) <= 100
    assert within(house.admitted, limit)


def test_unspent_leases_come_back(script) -> None:
    limit = Limit("calls", 1, 3600, 100)
    house = House(script, (limit,), 2)
    for _ in range(20):
        house.pass_time(MILLI)
        house.workers[0].arrive(1)
    assert house.workers[0].account.hand > 0
    for _ in range(30):
        house.pass_time(100 * MILLI)
    assert house.workers[0].account.hand == 0
    for _ in range(90):
        house.pass_time(MILLI)
        house.workers[1].arrive(1)
    assert len(house.admitted) == 100


def test_a_worker_that_vanishes_is_taken_to_have_spent_its_lease(script) -> None:
    limit = Limit("calls", 1, 3600, 100)
    house = House(script, (limit,), 2)
    for _ in range(20):
        house.pass_time(MILLI)
        house.workers[0].arrive(1)
    gone = house.workers.pop(0)
    assert gone.account.hand > 0
    house.pass_time(5 * SECOND)
    for _ in range(100):
        house.pass_time(MILLI)
        house.workers[0].arrive(1)
    assert len(house.admitted) == 100 - gone.account.hand


def test_a_quota_holds_over_the_window_and_leases_end_with_it(script) -> None:
    quota = Quota("day", 50, "day", "Europe/Berlin")
    house = House(script, (quota,), 2)
    calendar = shared_limit(quota).calendar
    assert calendar is not None
    _, midnight, _ = calendar.windows(house.wall() / 1e6)
    house.pass_time((midnight * 1_000_000 - house.wall()) * 1000 - SECOND)
    for number in range(40):
        house.pass_time(MILLI)
        house.workers[number % 2].arrive(1)
    assert len(house.admitted) == 40
    held = [one.account.until - one.now() for one in house.workers if one.account.hand]
    assert held
    assert max(held) <= SECOND
    for number in range(20):
        house.workers[number % 2].arrive(1)
    assert len(house.admitted) <= 50
    house.pass_time(SECOND)
    new = len(house.admitted)
    for number in range(70):
        house.pass_time(MILLI)
        house.workers[number % 2].arrive(1)
    assert 40 <= len(house.admitted) - new <= 50


def test_slots_are_of_all_workers_together(script) -> None:
    house = House(script, (Concurrency("parallel", 5),), 3)
    for number in range(12):
        house.workers[number % 3].arrive(1)
        house.pass_time(0)
    assert len(house.admitted) == 5
    busy = [one for one in house.workers if one.account.in_use]
    for _ in range(40):  # longer than a lease lasts: they are renewed while calls go on
        house.pass_time(SECOND // 2)
    house.workers[0].arrive(1)
    house.pass_time(0)
    assert len(house.admitted) == 5
    for one in busy:
        while one.account.in_use:
            one.account.release(one.now())
    for _ in range(10):
        house.pass_time(SECOND // 2)
    for _ in range(12):
        house.pass_time(50 * MILLI)
        house.workers[2].arrive(1)
    assert len(house.admitted) == 10


def test_several_limits_are_checked_before_any_is_counted(script) -> None:
    wide, narrow = Limit("wide", 1000, 1, 100), Limit("narrow", 1, 3600, 3)
    house = House(script, (wide, narrow), 1)
    for _ in range(20):
        house.workers[0].arrive(1)
        house.pass_time(0)
    assert len(house.admitted) == 3
    account = house.workers[0].account
    assert account.tell(house.workers[0].now()).startswith(b'"wide";r=9')
    assert account.blocks(house.workers[0].now(), 1) == ("narrow",)
    assert account.wait(house.workers[0].now(), 1) > 3000 * SECOND


def test_a_changed_limit_forgives_nothing(script) -> None:
    house = House(script, (Limit("calls", 1, 3600, 10),), 1)
    (one,) = house.workers
    for _ in range(10):
        one.arrive(1)
        house.pass_time(0)
    assert len(house.admitted) == 10
    one.account.become([shared_limit(Limit("calls", 1, 7200, 10))], closed=False)
    one.arrive(1)
    house.pass_time(0)
    assert len(house.admitted) == 10


def test_an_account_that_was_lost_begins_full(script) -> None:
    limit = Limit("calls", 10, 1, 20)
    house = House(script, (limit,), 1)
    (one,) = house.workers
    for _ in range(20):
        one.arrive(1)
        house.pass_time(0)
    house.key = f"{house.key} lost"  # what the store knew is gone
    for _ in range(5):
        one.arrive(1)
        house.pass_time(MILLI)
    house.pass_time(SECOND)
    for _ in range(20):
        one.arrive(1)
        house.pass_time(0)
    assert within(house.admitted, limit)
    assert len(house.admitted) > 25


@given(st.integers(1, 10**9), st.integers(1, 366 * 86_400), st.integers(1, 10**9))
def test_units_are_whole_exact_where_they_can_be_and_never_generous(tokens, seconds, burst) -> None:
    from kernel.errors import BundleError

    try:
        term = rate_term("x", tokens, seconds, burst)
    except BundleError:
        assert burst * seconds > 2**50
        return
    assert burst * term.token < 2**52
    ours, asked = term.pays * seconds * 1_000_000, tokens * term.token * term.quantum
    assert ours <= asked
    if burst * seconds * 1_000_000 < 2**52:
        assert ours == asked
