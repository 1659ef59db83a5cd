"""Retries and hedging: what may be sent again, how often, how long after, and what never."""

import asyncio
from types import SimpleNamespace

import pytest

from adapters.errors import AdapterFull, CircuitOpen, UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from adapters.port import Answer, Call
from adapters.resilience.repeating import Repeating
from kernel.bundle.repeats import Hedging, Retries

UNSENT = UpstreamUnreachable("nobody there", sent=False)


def late(sent=True):
    return UpstreamTimeout("late", sent=sent)


def cut():
    return UpstreamBroken("cut", sent=True)


class Provider:
    """Does what stands in `script`, one after the other; the last for ever."""

    name, kind = "lab", "double"

    def __init__(self, world, *script) -> None:
        self.world = world
        self.script = list(script)
        self.calls: list[Call] = []

    async def call(self, call: Call) -> Answer:
        self.calls.append(call)
        assert self.world.slot.in_flight == 1
        step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        self.world.now += self.world.takes
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, Answer) else Answer(step, [], b"")


class World:
    def __init__(self, *script, retries=Retries(), hedging=None, chance=0.5) -> None:  # noqa: B008 - frozen
        self.now = 1000.0
        self.takes = 0.0
        self.pauses: list[float] = []
        self.provider = Provider(self, *script)
        self.slot = SimpleNamespace(adapter=self.provider, in_flight=0)
        self.adapter = Repeating(
            self.slot, retries, hedging, clock=lambda: self.now, chance=lambda: chance, pause=self.pause
        )

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    async def ask(self, method=b"GET", idempotent=None, seconds=30.0, headers=()):
        known = method in {b"GET", b"PUT", b"DELETE"} if idempotent is None else idempotent
        call = Call(method, b"/", list(headers), b"", seconds, idempotent=known)
        try:
            return (await self.adapter.call(call)).status
        except Exception as error:  # noqa: BLE001 - what it was is what is asked
            return error

    @property
    def count(self) -> int:
        return len(self.provider.calls)


@pytest.mark.parametrize(
    ("method", "idempotent", "failure", "tries"),
    [
        (b"GET", None, UNSENT, 2),
        (b"POST", None, UNSENT, 2),
        (b"POST", None, late(sent=False), 2),
        (b"GET", None, late(), 2),
        (b"PUT", None, cut(), 2),
        (b"GET", None, 503, 2),
        (b"POST", True, late(), 2),  # under a key that the provider honours
        (b"POST", True, 502, 2),
        (b"POST", None, late(), 1),
        (b"POST", None, cut(), 1),
        (b"POST", None, 503, 1),
        (b"GET", None, 500, 1),
        (b"GET", None, 404, 1),
        (b"GET", None, 429, 1),
        (b"GET", None, CircuitOpen("open", retry_after=1), 1),
        (b"GET", None, AdapterFull("full", retry_after=1), 1),
    ],
)
async def test_what_is_sent_again(method, idempotent, failure, tries) -> None:
    world = World(failure, 200)
    outcome = await world.ask(method, idempotent)
    assert world.count == tries
    assert outcome == (200 if tries == 2 else failure)
    assert (world.adapter.retried, world.slot.in_flight) == (tries - 1, 0)


async def test_there_is_an_end_and_the_last_answer_is_given() -> None:
    world = World(503, 502, 504)
    assert await world.ask() == 504
    assert world.count == 3
    error = cut()
    world = World(503, error)
    assert await world.ask() is error


async def test_pauses_double_under_their_ceiling_and_are_spread() -> None:
    world = World(503, retries=Retries(tries=6, pause_seconds=0.1, longest_pause_seconds=0.5))
    await world.ask()
    assert world.pauses == pytest.approx([0.05, 0.1, 0.2, 0.25, 0.25])


async def test_the_providers_own_word_is_waited_for() -> None:
    world = World(Answer(503, [(b"retry-after", b"3")], b""), 200)
    assert await world.ask() == 200
    assert world.pauses == [3.0]
    world = World(Answer(503, [(b"retry-after", b"31")], b""), 200)
    assert await world.ask() == 503, "longer than the call may take"
    assert world.pauses == []


async def test_all_tries_together_have_the_time_of_one_call() -> None:
    world = World(late(), retries=Retries(tries=10, burst=10))
    world.takes = 4.0
    await world.ask(seconds=9.0, headers=[(b"request-timeout", b"9.000")])
    left = [call.timeout_seconds for call in world.provider.calls]
    assert left == pytest.approx([9.0, 9 - 4 - 0.025, 9 - 8 - 0.075])
    told = [dict(call.headers)[b"request-timeout"] for call in world.provider.calls]
    assert [float(one) for one in told] == pytest.approx(left, abs=0.0011)


async def test_a_try_may_have_less() -> None:
    world = World(late(), 200, retries=Retries(try_seconds=2.0))
    assert await world.ask() == 200
    assert [call.timeout_seconds for call in world.provider.calls] == [2.0, 2.0]


async def test_that_bytes_were_sent_once_is_not_forgotten() -> None:
    world = World(late(), UpstreamUnreachable("gone", sent=False), retries=Retries(tries=2))
    outcome = await world.ask(b"POST", idempotent=True)
    assert isinstance(outcome, UpstreamUnreachable)
    assert outcome.sent


async def test_a_provider_that_fails_altogether_gets_few_calls_more() -> None:
    world = World(503, retries=Retries(tries=3, budget=0.1, burst=5))
    for _ in range(200):
        await world.ask()
    assert 200 + 5 <= world.count <= 200 + 5 + 20
    world.provider.script = [200]
    for _ in range(100):
        await world.ask()
    world.provider.script, before = [503], world.count
    for _ in range(3):
        await world.ask()
    assert world.count - before == 3 + 5, "what was saved up, and no more"


# -- hedging ----------------------------------------------------------------------------------------


class Slow(Provider):
    """Answers each call when the test says so."""

    def __init__(self, world) -> None:
        super().__init__(world, 200)
        self.open: list[asyncio.Future[Answer]] = []
        self.arrived = asyncio.Event()

    async def call(self, call: Call) -> Answer:
        self.calls.append(call)
        self.open.append(asyncio.get_running_loop().create_future())
        if len(self.calls) == 2:
            self.arrived.set()
        return await self.open[-1]


def hedged(**terms) -> World:
    world = World(200, retries=None, hedging=Hedging(after_seconds=0.005, **terms))
    world.provider = Slow(world)
    world.slot.adapter = world.provider
    return world


@pytest.mark.parametrize("first", [0, 1])
async def test_the_first_answer_of_two_counts(first) -> None:
    world = hedged()
    asked = asyncio.create_task(world.ask())
    await world.provider.arrived.wait()
    world.provider.open[first].set_result(Answer(200 + first, [], b""))
    assert await asked == 200 + first
    assert world.provider.open[1 - first].cancelled()
    assert (world.adapter.hedged, world.slot.in_flight) == (1, 0)


async def test_a_failure_waits_for_the_other() -> None:
    world = hedged()
    asked = asyncio.create_task(world.ask())
    await world.provider.arrived.wait()
    world.provider.open[0].set_exception(cut())
    await asyncio.sleep(0)
    world.provider.open[1].set_result(Answer(200, [], b""))
    assert await asked == 200


async def test_what_is_not_idempotent_is_never_hedged() -> None:
    world = hedged()
    for idempotent in (False, True):  # a key does not make two at once safe
        asked = asyncio.create_task(world.ask(b"POST", idempotent))
        await asyncio.sleep(0.03)
        world.provider.open[-1].set_result(Answer(200, [], b""))
        assert await asked == 200
    assert (world.count, world.adapter.hedged) == (2, 0)


async def test_hedges_have_a_budget() -> None:
    world = hedged(budget=0.01, burst=1)
    asked = asyncio.create_task(world.ask())
    await world.provider.arrived.wait()
    world.provider.open[0].set_result(Answer(200, [], b""))
    await asked
    asked = asyncio.create_task(world.ask())
    await asyncio.sleep(0.03)
    world.provider.open[2].set_result(Answer(200, [], b""))
    assert (await asked, world.count) == (200, 3)


async def test_giving_up_gives_both_up() -> None:
    world = hedged()
    asked = world.adapter.call(Call(b"GET", b"/", [], b"", 30.0, idempotent=True))
    await world.provider.arrived.wait()
    asked.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asked
    assert [one.cancelled() for one in world.provider.open] == [True, True]
    assert world.slot.in_flight == 0
