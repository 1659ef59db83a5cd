"""GCRA: the bound is computed here a second time, from the arrivals alone."""

from hypothesis import given
from hypothesis import strategies as st

from kernel.bundle.model import Limit
from runtime_proxy.gcra import SECOND, Cell, take


def admitted_within_bound(times: list[int], limit: Limit) -> bool:
    """For every interval [a, b] between two admissions: count <= burst + rate * (b - a), in exact numbers."""
    for first, start in enumerate(times):
        for last in range(first, len(times)):
            count = last - first + 1
            if (count - limit.burst) * limit.seconds * SECOND > limit.requests * (times[last] - start):
                return False
    return True


@given(
    st.integers(1, 50),
    st.integers(1, 90),
    st.integers(1, 20),
    st.lists(st.integers(0, 4 * SECOND), max_size=60),
)
def test_no_interval_admits_more_than_burst_plus_rate(requests, seconds, burst, gaps) -> None:
    limit = Limit("burst", requests, seconds, burst)
    cell = Cell(limit)
    now = 1_000 * SECOND
    times = []
    for gap in gaps:
        now += gap
        if take((cell,), now) == 0:
            times.append(now)
    assert admitted_within_bound(times, limit)


@given(st.integers(1, 50), st.integers(1, 90), st.integers(1, 20))
def test_what_the_limit_allows_is_admitted(requests, seconds, burst) -> None:
    cell = Cell(Limit("burst", requests, seconds, burst))
    now = 77 * SECOND
    assert [take((cell,), now) for _ in range(burst)] == [0] * burst
    wait = take((cell,), now)
    assert wait > 0
    assert take((cell,), now + wait - 1) > 0
    assert take((cell,), now + wait) == 0


def test_nothing_is_lost_to_rounding() -> None:
    cell = Cell(Limit("sevenths", 7, 1, 7))
    assert [take((cell,), SECOND) for _ in range(7)] == [0] * 7
    assert [cell.wait(SECOND, weight) for weight in range(8)] == [
        0, 142_857_143, 285_714_286, 428_571_429, 571_428_572, 714_285_715, 857_142_858, SECOND,
    ]  # fmt: skip
    assert (cell.remaining(SECOND + 142_857_142), cell.remaining(SECOND + 142_857_143)) == (0, 1)
    assert (cell.tat, cell.rest) == (2 * SECOND, 0)


def test_a_limit_may_be_as_large_as_a_policy_takes() -> None:
    year = 366 * 86_400
    cell = Cell(Limit("year", 10**15, year, 10**15))
    now = 10**18
    cell.spend(now, 10**15)
    assert cell.remaining(now) == 0
    assert cell.wait(now, 1) == 32  # of 31.6 ns
    assert cell.wait(now, 10**15) == year * SECOND
    assert cell.tell(now) == b'"year";r=0;t=1'
    assert cell.remaining(now + year * SECOND // 2) == 5 * 10**14
    slow = Cell(Limit("slow", 1, year, 10**9))
    assert take((slow,), now) == 0
    assert (slow.remaining(now), slow.tell(now)) == (10**9 - 1, b'"slow";r=999999999;t=31622400')
    slow.drain(now)
    assert slow.wait(now) == year * SECOND


def test_what_is_told_of_a_limit_is_true() -> None:
    cell = Cell(Limit("minute", 60, 60, 3))
    now = 5 * SECOND
    assert (cell.remaining(now), cell.tell(now)) == (3, b'"minute";r=3;t=0')
    take((cell,), now)
    assert (cell.remaining(now), cell.tell(now)) == (2, b'"minute";r=2;t=1')
    take((cell,), now)
    assert cell.tell(now) == b'"minute";r=1;t=2'
    take((cell,), now)
    assert (cell.remaining(now), cell.tell(now)) == (0, b'"minute";r=0;t=1')
    assert take((cell,), now) == SECOND
    assert cell.remaining(now + SECOND) == 1


def test_a_refused_call_is_counted_nowhere() -> None:
    wide, narrow = Cell(Limit("wide", 10, 1, 10)), Cell(Limit("narrow", 1, 60, 1))
    assert take((wide, narrow), SECOND) == 0
    before = wide.tat
    assert take((wide, narrow), SECOND) == 60 * SECOND
    assert wide.tat == before


def test_a_changed_limit_forgives_nothing() -> None:
    old = Cell(Limit("day", 2, 60, 2))
    now = 9 * SECOND
    take((old,), now)
    take((old,), now)
    new = Cell(Limit("day", 4, 60, 2))
    new.inherit(old, now)
    assert new.remaining(now) == 0
    assert take((new,), now) > 0
    assert new.wait(now + 60 * SECOND) == 0
