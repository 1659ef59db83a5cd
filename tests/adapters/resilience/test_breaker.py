"""The circuit breaker: when it opens, whom it lets through to try, and what does not count."""

import pytest

from adapters.errors import CircuitOpen
from adapters.resilience.breaker import Breaker, BreakerTerms


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock) -> Breaker:
    return Breaker(
        "lab",
        BreakerTerms(window_seconds=10, least_calls=4, failure_ratio=0.5, open_seconds=5, probes=2),
        clock,
    )


def run(breaker: Breaker, *outcomes: bool | None) -> None:
    for failed in outcomes:
        breaker.ended(breaker.admit(), failed=failed)


def test_it_opens_at_the_ratio_and_not_before(breaker) -> None:
    run(breaker, False, False, True)
    assert breaker.state == "closed"
    run(breaker, True)
    assert breaker.state == "open"
    with pytest.raises(CircuitOpen) as caught:
        breaker.admit()
    assert (caught.value.retry_after, caught.value.sent) == (5, False)


def test_few_calls_open_nothing(breaker) -> None:
    run(breaker, True, True, True)
    assert breaker.state == "closed"


def test_a_success_never_opens_it(breaker) -> None:
    run(breaker, True, True, True, False)
    assert breaker.state == "closed"
    run(breaker, True)
    assert breaker.state == "open"


def test_what_says_nothing_of_the_provider_does_not_count(breaker) -> None:
    run(breaker, *[None] * 100, True, True, True)
    assert breaker.state == "closed"


def test_failures_older_than_the_window_are_forgotten(breaker, clock) -> None:
    run(breaker, True, True, True)
    clock.now += 10.1
    run(breaker, True)
    assert breaker.state == "closed"
    clock.now += 5
    run(breaker, True, True, True)
    assert breaker.state == "open"


def opened(breaker: Breaker, clock: Clock) -> None:
    run(breaker, True, True, True, True)
    clock.now += 5


def test_after_its_time_a_few_are_let_through_and_their_success_closes_it(breaker, clock) -> None:
    opened(breaker, clock)
    assert breaker.state == "half-open"
    first, second = breaker.admit(), breaker.admit()
    with pytest.raises(CircuitOpen) as caught:
        breaker.admit()
    assert caught.value.retry_after == 1
    breaker.ended(first, failed=False)
    assert breaker.state == "half-open"
    breaker.ended(second, failed=False)
    assert breaker.state == "closed"
    run(breaker, True, True, True)
    assert breaker.state == "closed"


def test_one_failed_try_opens_it_again_for_twice_as_long(breaker, clock) -> None:
    opened(breaker, clock)
    run(breaker, True)
    assert (breaker.state, breaker.opened) == ("open", 2)
    clock.now += 9.9
    assert breaker.state == "open"
    clock.now += 0.1
    run(breaker, False, False)
    assert breaker.state == "closed"
    opened(breaker, clock)
    assert breaker.state == "half-open"  # after five seconds again


def test_it_never_stays_open_for_more_than_eight_times_its_time(breaker, clock) -> None:
    opened(breaker, clock)
    for _ in range(10):
        run(breaker, True)
        clock.now += 40
        assert breaker.state == "half-open"


def test_a_try_that_was_given_up_makes_room_for_another(breaker, clock) -> None:
    opened(breaker, clock)
    run(breaker, None, None, None, None)
    assert breaker.state == "half-open"
    run(breaker, False, False)
    assert breaker.state == "closed"


def test_calls_from_before_do_not_count_after_a_change(breaker, clock) -> None:
    old = [breaker.admit() for _ in range(8)]
    opened(breaker, clock)
    for given in old[:4]:
        breaker.ended(given, failed=False)
    assert breaker.state == "half-open"
    run(breaker, False, False)
    for given in old[4:]:
        breaker.ended(given, failed=True)
    assert breaker.state == "closed"
