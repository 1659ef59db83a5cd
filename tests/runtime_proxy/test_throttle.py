"""Throttling: what is announced is what holds, and a new bundle forgives nothing."""

from kernel.bundle.model import Limit
from runtime_proxy.gcra import SECOND
from runtime_proxy.throttle import LocalLimiter, limit_set, throttle

MINUTE = Limit("per-minute", 60, 60, 2)
DAY = Limit("day", 1000, 86_400, 100)


def test_headers_announce_every_limit_in_structured_fields() -> None:
    limiter = LocalLimiter()
    limits = limit_set(limiter.cells("consumer ward", (MINUTE, DAY), SECOND))
    headers: list[tuple[bytes, bytes]] = []
    assert throttle(limits, limiter, SECOND, headers) is None
    assert headers == [
        (b"ratelimit-policy", b'"per-minute";q=60;w=60, "day";q=1000;w=86400'),
        (b"ratelimit", b'"per-minute";r=1;t=1, "day";r=99;t=87'),
    ]


def test_a_refusal_names_the_limit_and_when_to_come_back() -> None:
    limiter = LocalLimiter()
    limits = limit_set(limiter.cells("consumer ward", (MINUTE, DAY), SECOND))
    for _ in range(2):
        assert throttle(limits, limiter, SECOND, []) is None
    headers: list[tuple[bytes, bytes]] = []
    refusal = throttle(limits, limiter, SECOND, headers)
    assert refusal is not None
    assert (refusal.slug, refusal.detail) == ("over-limit", 'The limit "per-minute" is used up; wait 1 s.')
    assert refusal.header_lines()[-1] == (b"retry-after", b"1")
    assert dict(headers)[b"ratelimit"] == b'"per-minute";r=0;t=1, "day";r=98;t=173'


def test_without_limits_nothing_is_announced() -> None:
    headers: list[tuple[bytes, bytes]] = []
    assert throttle(limit_set(), LocalLimiter(), 0, headers) is None
    assert headers == []


def test_names_are_quoted_safely() -> None:
    cells = LocalLimiter().cells("x", (Limit('a"b\\c', 1, 1, 1),), 0)
    assert limit_set(cells).policy == (b"ratelimit-policy", b'"a\\"b\\\\c";q=1;w=1')


def test_a_new_bundle_keeps_what_was_counted() -> None:
    limiter = LocalLimiter()
    first = limiter.cells("consumer ward", (MINUTE,), SECOND)
    assert limiter.take(first, SECOND) == 0
    assert limiter.cells("consumer ward", (MINUTE,), SECOND) == first
    assert limiter.cells("consumer clinic", (MINUTE,), SECOND) != first
    (changed,) = limiter.cells("consumer ward", (Limit("per-minute", 60, 60, 1),), SECOND)
    assert changed.remaining(SECOND) == 0


def test_limits_of_consumer_and_route_hold_together() -> None:
    limiter = LocalLimiter()
    route = limiter.cells("route lab-orders v1", (Limit("route", 1, 60, 1),), 0)
    ward = limit_set(limiter.cells("consumer ward", (MINUTE,), 0), route)
    clinic = limit_set(limiter.cells("consumer clinic", (MINUTE,), 0), route)
    assert throttle(ward, limiter, 0, []) is None
    refusal = throttle(clinic, limiter, 0, [])
    assert refusal is not None
    assert refusal.detail == 'The limit "route" is used up; wait 60 s.'
    assert clinic.cells[0].remaining(0) == 2, "the refused call costs its consumer nothing"
