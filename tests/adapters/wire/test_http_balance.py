"""Several upstreams: who gets a call, who is left out, how one comes back, and what the checks change."""

import asyncio
import random
from collections import Counter

import pytest

from adapters.catalog import build
from adapters.errors import AdapterSettingsError, UpstreamBroken, UpstreamUnreachable
from adapters.port import Answer, Call
from adapters.wire.http_balance import BalancedClient, BalanceTerms, Upstream
from adapters.wire.http_health import HealthChecks, HealthTerms
from kernel.bundle.model import AdapterInstance
from tests.doubles.upstream import Upstream as Server
from tests.doubles.upstream import answer


class Client:
    def __init__(self) -> None:
        self.outcome: object = Answer(200, [], b"")
        self.calls: list[Call] = []
        self.gate: asyncio.Event | None = None
        self.closed = False

    async def send(self, call: Call) -> Answer:
        self.calls.append(call)
        if self.gate is not None:
            await self.gate.wait()
        if isinstance(self.outcome, Exception):
            raise self.outcome
        assert isinstance(self.outcome, Answer)
        return self.outcome

    async def close(self) -> None:
        self.closed = True


class World:
    def __init__(self, count: int = 3, **terms) -> None:
        self.now = 1000.0
        self.clients = [Client() for _ in range(count)]
        upstreams = [Upstream(f"u{number}", client) for number, client in enumerate(self.clients)]
        self.balanced = BalancedClient(
            upstreams, BalanceTerms(**terms), clock=lambda: self.now, chance=random.Random(7)
        )
        self.upstreams = self.balanced.upstreams

    async def ask(self, count: int = 1) -> Counter[str]:
        outcomes: Counter[str] = Counter()
        for _ in range(count):
            try:
                outcomes[str((await self.balanced.send(a_call())).status)] += 1
            except UpstreamUnreachable:
                outcomes["unreachable"] += 1
            except UpstreamBroken:
                outcomes["broken"] += 1
        return outcomes

    def chosen(self, times: int) -> Counter[str]:
        return Counter(self.balanced.choose().name for _ in range(times))


def a_call() -> Call:
    return Call(b"GET", b"/", [], b"", 30.0, idempotent=True)


def test_equal_ones_share() -> None:
    chosen = World().chosen(3000)
    assert all(800 < chosen[name] < 1200 for name in ("u0", "u1", "u2"))


def test_the_less_busy_of_two_is_taken() -> None:
    world = World(2)
    world.upstreams[0].in_flight = 1
    assert world.chosen(100) == {"u1": 100}


async def test_calls_under_way_are_counted() -> None:
    world = World(2)
    world.clients[0].gate = world.clients[1].gate = asyncio.Event()
    tasks = [asyncio.ensure_future(world.balanced.send(a_call())) for _ in range(6)]
    await asyncio.sleep(0.01)
    assert [one.in_flight for one in world.upstreams] == [3, 3]
    tasks[0].cancel()
    world.clients[0].gate.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert [one.in_flight for one in world.upstreams] == [0, 0]


@pytest.mark.parametrize(
    "outcome",
    [UpstreamUnreachable("gone", sent=False), UpstreamBroken("cut", sent=True), Answer(503, [], b"")],
)
async def test_failures_in_a_row_leave_an_upstream_out(outcome) -> None:
    world = World(3, eject_after=3, eject_seconds=10)
    world.clients[0].outcome = outcome
    await world.ask(200)
    assert len(world.clients[0].calls) == 3
    world.upstreams[1].in_flight = world.upstreams[2].in_flight = 1000
    assert "u0" not in world.chosen(200), "however busy the others are"
    world.upstreams[1].in_flight = world.upstreams[2].in_flight = 0
    world.now += 9.9
    await world.ask(50)
    assert len(world.clients[0].calls) == 3


async def test_a_success_between_failures_keeps_it_in() -> None:
    world = World(1, eject_after=2, most_ejected=1.0)
    for outcome in (Answer(503, [], b""), Answer(200, [], b"")) * 5:
        world.clients[0].outcome = outcome
        await world.ask()
    assert world.upstreams[0].ejected_until < 0


async def test_a_caller_cannot_have_an_upstream_left_out() -> None:
    world = World(2, eject_after=1)
    world.clients[0].outcome = UpstreamBroken("bytes that cannot be sent", sent=False)
    await world.ask(20)
    assert world.upstreams[0].ejected_until < 0


async def test_never_more_than_the_share_is_left_out() -> None:
    world = World(4, eject_after=1, most_ejected=0.5)
    for client in world.clients:
        client.outcome = UpstreamUnreachable("gone", sent=False)
    await world.ask(100)
    assert sum(one.ejected_until > world.now for one in world.upstreams) == 2
    assert sum(len(client.calls) for client in world.clients) == 100


async def test_it_comes_back_slowly_and_is_left_out_longer_the_next_time() -> None:
    world = World(2, eject_after=1, eject_seconds=10, slow_start_seconds=100)
    world.clients[0].outcome = UpstreamUnreachable("gone", sent=False)
    await world.ask(50)
    back = world.upstreams[0]
    assert back.ejected_until == world.now + 10
    world.now += 10
    assert back.weight(world.now, 100) == pytest.approx(0.1)
    assert back.weight(world.now + 50, 100) == pytest.approx(0.5)
    for one in world.upstreams:
        one.in_flight = 4
    assert world.chosen(50) == {"u1": 50}
    world.upstreams[1].in_flight = 60  # ten times as busy: now it is its turn
    assert world.chosen(50) == {"u0": 50}
    await world.ask(1)
    assert back.ejected_until == world.now + 20
    world.now += 200
    world.clients[0].outcome = Answer(200, [], b"")
    await world.ask(1)
    assert back.ejections == 0


def test_where_none_is_usable_all_are_tried() -> None:
    world = World(2)
    for one in world.upstreams:
        one.healthy = False
    assert set(world.chosen(100)) == {"u0", "u1"}


async def test_checks_take_an_upstream_out_and_back() -> None:
    world = World(2)
    askers = [Client(), Client()]
    checks = HealthChecks(world.balanced, askers, HealthTerms("/alive", 0.0, 1.0, up_after=2, down_after=3))
    checks.start()
    askers[0].outcome = Answer(503, [], b"")
    while world.upstreams[0].healthy:
        await asyncio.sleep(0)
    assert len([call for call in askers[0].calls if call.target == b"/alive"]) >= 3
    assert world.upstreams[1].healthy
    assert world.chosen(50) == {"u1": 50}
    world.now += 5.0
    askers[0].outcome = Answer(204, [], b"")
    while not world.upstreams[0].healthy:
        await asyncio.sleep(0)
    assert world.upstreams[0].recovered_at == world.now
    await checks.stop()
    assert [client.closed for client in askers] == [True, True]


async def test_a_blip_changes_nothing() -> None:
    world = World(1)
    asker = Client()
    checks = HealthChecks(world.balanced, [asker], HealthTerms("/", 0.0, 1.0, down_after=3))
    outcomes = [Answer(503, [], b""), Answer(503, [], b""), Answer(200, [], b"")] * 10

    async def send(call: Call) -> Answer:
        asker.calls.append(call)
        assert world.upstreams[0].healthy
        return outcomes.pop() if outcomes else Answer(200, [], b"")

    asker.send = send  # type: ignore[method-assign]
    checks.start()
    while outcomes:
        await asyncio.sleep(0)
    await checks.stop()
    assert world.upstreams[0].healthy


# -- with real sockets --------------------------------------------------------------------------------


@pytest.fixture
def servers():
    made = [Server({"GET /api/who": answer(200, b'"%d"' % number)}) for number in range(3)]
    yield made
    for one in made:
        one.close()


async def test_an_adapter_over_three_servers_goes_on_when_one_is_gone(servers) -> None:
    settings = {
        "base_urls": [f"{one.url}/api" for one in servers],
        "balance": {"eject_after": 1},
        "health": {"path": "/alive", "interval_seconds": 0.05},
    }
    adapter = build(AdapterInstance("lab", "http", settings), None)
    await adapter.start()
    try:
        call = Call(b"GET", b"/who", [], b"", 10.0, idempotent=True)
        seen = {(await adapter.call(call)).body for _ in range(60)}
        assert seen == {b'"0"', b'"1"', b'"2"'}
        servers[0].answers |= {"GET /api/who": answer(503), "GET /alive": answer(503)}
        statuses = [(await adapter.call(call)).status for _ in range(60)]
        assert statuses.count(503) <= 1, "an ejection ends them"
        while adapter.standing()[0].healthy:
            await asyncio.sleep(0.01)
        assert [one.healthy for one in adapter.standing()] == [False, True, True]
    finally:
        await adapter.stop()
    assert any(seen.target == "/alive" for seen in servers[1].seen)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"base_url": "http://a.example", "base_urls": ["http://a.example"]},
        {"base_urls": []},
        {"base_urls": ["http://a.example", "http://a.example"]},
        {"base_urls": ["http://a.example/x", "http://b.example/y"]},
        {"base_urls": ["http://a.example", "ftp://b.example"]},
        {"base_url": "http://a.example", "balance": {}},
        {"base_url": "http://a.example", "health": {"path": "/"}},
        {"base_urls": ["http://a.example"], "health": {}},
        {"base_urls": ["http://a.example"], "health": {"path": "alive"}},
        {"base_urls": ["http://a.example"], "balance": {"most_ejected": 1.1}},
    ],
)
def test_settings_that_make_no_sense_are_refused(settings) -> None:
    with pytest.raises(AdapterSettingsError):
        build(AdapterInstance("lab", "http", settings), None)


def test_the_schemas_defaults_are_the_programs() -> None:
    from dataclasses import fields

    from adapters.partners.http import KIND

    for name, terms in (("balance", BalanceTerms), ("health", HealthTerms)):
        rows = KIND.settings_schema["properties"][name]["properties"]
        known = {field.name: field.default for field in fields(terms) if field.name != "path"}
        assert {key: row["default"] for key, row in rows.items() if key != "path"} == known
