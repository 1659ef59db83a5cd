"""Throttling: what is announced is what holds, and a new bundle forgives nothing."""

import time
from typing import Any

from kernel.bundle.model import Limit
from runtime_proxy.exchange import Exchange
from runtime_proxy.gcra import SECOND
from runtime_proxy.meter import OwnerLimits
from runtime_proxy.throttle import LocalLimiter, limit_set, throttle

MINUTE = Limit("per-minute", 60, 60, 2)
DAY = Limit("day", 1000, 86_400, 100)


def counted(limits: Any, now: int, headers: list[tuple[bytes, bytes]] | None = None, weight: int = 1) -> Any:
    exchange = Exchange(b"GET", b"/", [], "192.0.2.1", time.perf_counter())
    refusal = throttle(limits, exchange, weight, now)
    if headers is not None:
        headers += exchange.reply_headers
    return refusal


def test_headers_announce_every_limit_in_structured_fields() -> None:
    limiter = LocalLimiter()
    limits = limit_set(limiter, limiter.owner("consumer ward", (MINUTE, DAY), None, SECOND))
    headers: list[tuple[bytes, bytes]] = []
    assert counted(limits, SECOND, headers) is None
    assert headers == [
        (b"ratelimit-policy", b'"per-minute";q=60;w=60, "day";q=1000;w=86400'),
        (b"ratelimit", b'"per-minute";r=1;t=1, "day";r=99;t=87'),
    ]


def test_a_refusal_names_the_limit_and_when_to_come_back() -> None:
    limiter = LocalLimiter()
    limits = limit_set(limiter, limiter.owner("consumer ward", (MINUTE, DAY), None, SECOND))
    for _ in range(2):
        assert counted(limits, SECOND) is None
    headers: list[tuple[bytes, bytes]] = []
    refusal = counted(limits, SECOND, headers)
    assert refusal is not None
    assert (refusal.slug, refusal.detail) == ("over-limit", 'The limit "per-minute" is used up; wait 1 s.')
    assert refusal.header_lines()[-1] == (b"retry-after", b"1")
    assert dict(headers)[b"ratelimit"] == b'"per-minute";r=0;t=1, "day";r=98;t=173'


def test_without_limits_nothing_is_announced() -> None:
    headers: list[tuple[bytes, bytes]] = []
    assert counted(limit_set(LocalLimiter()), 0, headers) is None
    assert headers == []


def test_names_are_quoted_safely() -> None:
    limiter = LocalLimiter()
    held = limiter.owner("x", (Limit('a"b\\c', 1, 1, 1),), None, 0)
    assert limit_set(limiter, held).policy == (b"ratelimit-policy", b'"a\\"b\\\\c";q=1;w=1')


def test_a_new_bundle_keeps_what_was_counted() -> None:
    limiter = LocalLimiter()
    first = limiter.owner("consumer ward", (MINUTE,), None, SECOND).requests
    assert counted(limit_set(limiter, OwnerLimits(first)), SECOND) is None
    assert limiter.owner("consumer ward", (MINUTE,), None, SECOND).requests == first
    assert limiter.owner("consumer clinic", (MINUTE,), None, SECOND).requests != first
    (changed,) = limiter.owner("consumer ward", (Limit("per-minute", 60, 60, 1),), None, SECOND).requests
    assert changed.remaining(SECOND) == 0


def test_limits_of_consumer_and_route_hold_together() -> None:
    limiter = LocalLimiter()
    route = limiter.owner("route lab-orders v1", (Limit("route", 1, 60, 1),), None, 0)
    ward = limit_set(limiter, limiter.owner("consumer ward", (MINUTE,), None, 0), route)
    clinic = limit_set(limiter, limiter.owner("consumer clinic", (MINUTE,), None, 0), route)
    assert counted(ward, 0) is None
    refusal = counted(clinic, 0)
    assert refusal is not None
    assert refusal.detail == 'The limit "route" is used up; wait 60 s.'
    assert clinic.cells[0].remaining(0) == 2, "the refused call costs its consumer nothing"


def test_a_heavy_call_costs_its_weight_and_at_most_the_burst() -> None:
    limiter = LocalLimiter()
    limits = limit_set(limiter, limiter.owner("consumer ward", (Limit("calls", 60, 60, 5),), None, 0))
    headers: list[tuple[bytes, bytes]] = []
    assert counted(limits, 0, headers, weight=3) is None
    assert dict(headers)[b"ratelimit"] == b'"calls";r=2;t=3'
    refusal = counted(limits, 0, weight=3)
    assert refusal is not None
    assert refusal.detail == 'The limit "calls" is used up; wait 1 s.'
    assert counted(limits, 0, weight=2) is None
    assert counted(limits, 5 * SECOND, weight=9) is None, "the whole burst"
    assert limits.cells[0].remaining(5 * SECOND) == 0
