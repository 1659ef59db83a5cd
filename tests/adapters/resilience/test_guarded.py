"""An adapter behind bulkhead and breaker: what goes through, what counts, and what a caller cannot bring about."""

import asyncio

import pytest

from adapters.catalog import build, check_settings, find, settings_of
from adapters.errors import (
    AdapterFull,
    AdapterSettingsError,
    CircuitOpen,
    UpstreamBroken,
    UpstreamTimeout,
    UpstreamUnreachable,
)
from adapters.partners.http import HttpAdapter
from adapters.port import Adapter, Answer, Call
from adapters.resilience.guarded import Condition, Guarded, guard
from adapters.resilience.time_left import with_time_left, written
from kernel.bundle.model import AdapterInstance


class Provider:
    name, kind = "lab", "double"

    def __init__(self) -> None:
        self.outcome: object = Answer(200, [], b"")
        self.calls: list[Call] = []
        self.gate: asyncio.Event | None = None
        self.steps: list[str] = []

    async def start(self) -> None:
        self.steps.append("start")

    async def stop(self) -> None:
        self.steps.append("stop")

    async def call(self, call: Call) -> Answer:
        self.calls.append(call)
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        assert isinstance(self.outcome, Answer)
        return self.outcome


def a_call(seconds=30.0, *headers) -> Call:
    return Call(b"GET", b"/", list(headers), b"", seconds)


async def fail(guarded: Guarded, *headers) -> None:
    with pytest.raises((UpstreamUnreachable, UpstreamTimeout, UpstreamBroken)):
        await guarded.call(a_call(30.0, *headers))


BREAKER = {"breaker": {"least_calls": 3, "failure_ratio": 1.0}}


@pytest.mark.parametrize(
    ("outcome", "headers", "opens"),
    [
        (UpstreamUnreachable("gone", sent=False), (), True),
        (UpstreamTimeout("late", sent=True), (), True),
        (UpstreamBroken("cut", sent=True), (), True),
        (UpstreamBroken("bytes that cannot be sent", sent=False), (), False),
        (UpstreamTimeout("late", sent=True), ((b"request-timeout", b"0.010"),), False),
        (UpstreamUnreachable("gone", sent=False), ((b"request-timeout", b"0.010"),), True),
    ],
)
async def test_a_caller_alone_opens_no_circuit(outcome, headers, opens) -> None:
    provider = Provider()
    guarded = Guarded(provider, BREAKER)
    provider.outcome = outcome
    for _ in range(3):
        await fail(guarded, *headers)
    provider.outcome = Answer(200, [], b"")
    if opens:
        with pytest.raises(CircuitOpen):
            await guarded.call(a_call())
        assert len(provider.calls) == 3
    else:
        assert (await guarded.call(a_call())).status == 200


@pytest.mark.parametrize(
    ("status", "opens"), [(500, True), (503, True), (501, False), (404, False), (429, False)]
)
async def test_statuses_that_count(status, opens) -> None:
    provider = Provider()
    guarded = Guarded(provider, BREAKER)
    provider.outcome = Answer(status, [], b"")
    for _ in range(3):
        assert (await guarded.call(a_call())).status == status
    assert guarded.condition().circuit == ("open" if opens else "closed")


async def test_the_room_is_given_back_however_a_call_ends() -> None:
    provider = Provider()
    guarded = Guarded(provider, {"bulkhead": {"calls": 1, "queue": 0}})
    provider.outcome = UpstreamBroken("cut", sent=True)
    await fail(guarded)
    provider.gate = asyncio.Event()
    running = guarded.call(a_call())
    await asyncio.sleep(0)
    with pytest.raises(AdapterFull):
        await guarded.call(a_call())
    assert guarded.condition() == Condition("none", 0, 1, 0, 1)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    provider.gate, provider.outcome = None, Answer(200, [], b"")
    assert (await guarded.call(a_call())).status == 200
    assert guarded.condition() == Condition("none", 0, 0, 0, 1)


async def test_time_in_the_queue_is_taken_off() -> None:
    now = 1000.0
    provider = Provider()
    guarded = Guarded(provider, {"bulkhead": {"calls": 1, "target_seconds": 60}}, clock=lambda: now)
    provider.gate = asyncio.Event()
    first = guarded.call(a_call())
    second = guarded.call(a_call(10.0, (b"request-timeout", b"10.000"), (b"accept", b"*/*")))
    await asyncio.sleep(0)
    now += 4.0
    provider.gate.set()
    await asyncio.gather(first, second)
    assert provider.calls[1].timeout_seconds == pytest.approx(6.0)
    assert provider.calls[1].headers == [(b"request-timeout", b"6.000"), (b"accept", b"*/*")]


async def test_an_open_circuit_is_not_waited_for() -> None:
    provider = Provider()
    guarded = Guarded(provider, {"breaker": {"least_calls": 1}, "bulkhead": {"calls": 1, "queue": 5}})
    provider.outcome = UpstreamBroken("cut", sent=True)
    await fail(guarded)
    with pytest.raises(CircuitOpen):
        await guarded.call(a_call())
    assert guarded.condition().waiting == 0


async def test_what_would_be_turned_away_is_said_before_anything_is_begun() -> None:
    guarded = Guarded(Provider(), {**BREAKER, "bulkhead": {"calls": 1, "queue": 1}})
    assert guarded.turns_away() is None
    guarded.inner.gate = asyncio.Event()
    calls = [asyncio.ensure_future(guarded.call(a_call()))]
    await asyncio.sleep(0)
    assert guarded.turns_away() is None  # it could wait
    calls.append(asyncio.ensure_future(guarded.call(a_call())))
    await asyncio.sleep(0)
    assert isinstance(guarded.turns_away(), AdapterFull)
    assert guarded.condition().shed == 1
    guarded.inner.gate.set()
    await asyncio.gather(*calls)
    guarded = Guarded(Provider(), BREAKER)
    guarded.inner.outcome = UpstreamUnreachable("gone", sent=False)
    for _ in range(3):
        assert guarded.turns_away() is None
        await fail(guarded)
    assert isinstance(guarded.turns_away(), CircuitOpen)
    assert Guarded(Provider(), {}).turns_away() is None


async def test_it_starts_and_stops_what_is_inside() -> None:
    provider = Provider()
    guarded = Guarded(provider, BREAKER)
    assert isinstance(guarded, Adapter)
    await guarded.start()
    await guarded.stop()
    assert (provider.steps, guarded.name, guarded.kind) == (["start", "stop"], "lab", "double")


def test_without_guards_the_adapter_stays_as_it_is() -> None:
    provider = Provider()
    assert guard(provider, {}) is provider


def test_the_catalog_puts_the_guards_on(tmp_path) -> None:
    url = {"base_url": "http://127.0.0.1:9"}
    plain = build(AdapterInstance("lab", "http", url), None)
    assert type(plain) is HttpAdapter
    guarded = build(AdapterInstance("lab", "http", {**url, "breaker": {}, "bulkhead": {"calls": 2}}), None)
    assert isinstance(guarded, Guarded)
    assert type(guarded.inner) is HttpAdapter
    assert guarded.bulkhead is not None
    assert guarded.bulkhead.terms.calls == 2
    assert {"breaker", "bulkhead"} <= settings_of(find("http").kind).keys()
    assert "breaker" not in settings_of(find("lab_hl7v2").kind)


@pytest.mark.parametrize(
    "guards",
    [
        {"breaker": {"ratio": 1}},
        {"breaker": {"failure_ratio": 0}},
        {"breaker": None},
        {"bulkhead": {"calls": 0}},
        {"bulkhead": 5},
    ],
)
def test_wrong_guards_are_refused(guards) -> None:
    with pytest.raises(AdapterSettingsError):
        check_settings(find("http").kind, {"base_url": "http://127.0.0.1:9", **guards}, name="lab")


def test_the_schemas_defaults_are_the_programs() -> None:
    from dataclasses import fields

    from adapters.resilience.breaker import BreakerTerms
    from adapters.resilience.bulkhead import BulkheadTerms
    from adapters.resilience.guarded import GUARD_SETTINGS

    for name, terms in (("breaker", BreakerTerms), ("bulkhead", BulkheadTerms)):
        told = {key: row["default"] for key, row in GUARD_SETTINGS[name]["properties"].items()}
        assert told == {field.name: field.default for field in fields(terms)}


@pytest.mark.parametrize(("seconds", "text"), [(2.0, b"2.000"), (0.0019, b"0.001"), (12.3456, b"12.345")])
def test_seconds_are_never_written_longer_than_they_are(seconds, text) -> None:
    assert written(seconds) == text
    call = with_time_left(a_call(), seconds)
    assert (call.timeout_seconds, call.headers) == (seconds, [])
