"""Resilience as a caller sees it: its time budget, retries by policy, and what the guards refuse."""

import json

import pytest

from adapters.errors import AdapterFull, CircuitOpen, UpstreamBroken, UpstreamUnreachable
from kernel.bundle.policy import RoutePolicy
from kernel.bundle.repeats import Hedging, Retries

ORDER = {"code": "2823-3", "priority": "urgent"}
FAST = Retries(pause_seconds=0.001, longest_pause_seconds=0.001)


def told(house) -> list[bytes]:
    return [value for name, value in house.provider.calls[-1].headers if name == b"request-timeout"]


async def test_without_a_budget_nothing_is_told(house) -> None:
    await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (told(house), house.provider.calls[0].timeout_seconds) == ([], 30.0)


async def test_the_callers_time_bounds_the_call_and_goes_on_with_what_is_left(house) -> None:
    exchange = house.exchange("POST", "/orders/v1/orders", ORDER, ("request-timeout", "7.5"))
    exchange.started -= 2.0  # it came two seconds ago
    assert house.pipeline.admit(exchange)
    assert (await house.pipeline.serve(exchange)).status == 201
    (call,) = house.provider.calls
    assert 0 < call.timeout_seconds <= 5.5
    assert [float(one) for one in told(house)] == [pytest.approx(call.timeout_seconds, abs=0.001)]


async def test_the_routes_own_time_holds_all_the_same(house) -> None:
    await house.ask("POST", "/orders/v1/orders", ORDER, ("request-timeout", "3600"))
    assert (told(house), house.provider.calls[0].timeout_seconds) == ([b"30.000"], 30.0)


@pytest.mark.parametrize(
    "lines",
    [["x"], [""], ["-1"], ["1e3"], ["1,5"], [" 1s"], ["1234567"], ["inf"], ["2", "2"]],
)
async def test_a_budget_that_cannot_be_read_is_refused(house, kit, lines) -> None:
    reply = await house.ask("POST", "/orders/v1/orders", ORDER, *(("request-timeout", one) for one in lines))
    assert (reply.status, kit.problem(reply)["slug"]) == (400, "time-budget-invalid")
    assert house.provider.calls == []
    assert house.journal.stages() == ["refused"]


async def test_time_that_is_over_is_not_forwarded(house, kit) -> None:
    exchange = house.exchange("POST", "/orders/v1/orders", ORDER, ("request-timeout", "1"))
    exchange.started -= 1.0
    assert house.pipeline.admit(exchange)
    reply = await house.pipeline.serve(exchange)
    assert (reply.status, kit.problem(reply)["slug"]) == (504, "time-budget-spent")
    reply = await house.ask("POST", "/orders/v1/orders", ORDER, ("request-timeout", "0"))
    assert kit.problem(reply)["slug"] == "time-budget-spent"
    assert house.provider.calls == []


async def test_a_header_that_the_contract_declares_is_the_contracts(make_house, kit) -> None:
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["parameters"] = [
        {"name": "Request-Timeout", "in": "header", "schema": {"enum": ["short", "long"]}}
    ]
    house = make_house()
    await house.publish(document)
    assert (await house.ask("POST", "/orders/v1/orders", ORDER, ("request-timeout", "long"))).status == 201
    assert told(house) == [b"long"]


def failing(house, kit, *failures):
    left = list(failures)

    def answer(call):
        if left:
            step = left.pop(0)
            if isinstance(step, Exception):
                raise step
            return kit.answer(step)
        return kit.answer(
            204 if call.method == b"GET" else 201, None if call.method == b"GET" else {"id": "o-1"}
        )

    house.provider.answer = answer


async def test_retries_are_off_until_a_route_asks_for_them(house, kit) -> None:
    failing(house, kit, UpstreamUnreachable("gone", sent=False))
    assert (await house.ask("GET", "/orders/v1/status")).status == 502
    assert len(house.provider.calls) == 1


async def test_a_safe_call_is_sent_again_and_recorded_once(make_house, kit) -> None:
    house = make_house()
    await house.publish(policy=RoutePolicy(retries=FAST))
    failing(house, kit, UpstreamBroken("cut", sent=True), 503)
    assert (await house.ask("GET", "/orders/v1/status")).status == 204
    assert len(house.provider.calls) == 3
    assert house.journal.stages() == ["completed"]


async def test_an_order_that_may_have_been_taken_is_never_sent_again(make_house, kit) -> None:
    house = make_house()
    await house.publish(policy=RoutePolicy(retries=FAST, hedging=Hedging(after_seconds=0.001)))
    failing(house, kit, UpstreamBroken("cut", sent=True))
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 502
    assert len(house.provider.calls) == 1
    assert house.journal.records[-1]["outcome"] == "unknown"
    failing(house, kit, UpstreamUnreachable("gone", sent=False))
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 201


async def test_two_routes_share_one_adapter_and_not_their_retries(make_house) -> None:
    house = make_house()
    await house.publish(policy=RoutePolicy(retries=FAST))
    plan = house.pipeline.plan
    (route,), (slot,) = plan.routes, plan.slots
    assert route.adapter is not slot
    assert (route.adapter.name, route.adapter.adapter.kind) == (slot.name, slot.adapter.kind)
    await house.publish()
    (route,), (slot,) = house.pipeline.plan.routes, house.pipeline.plan.slots
    assert route.adapter is slot, "a plain route pays nothing"


@pytest.mark.parametrize(
    ("error", "slug"),
    [
        (CircuitOpen("open", retry_after=7), "circuit-open"),
        (AdapterFull("full", retry_after=7), "provider-busy"),
    ],
)
async def test_what_the_guards_keep_back_is_a_503_with_retry_after(house, kit, error, slug) -> None:
    failing(house, kit, error)
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.problem(reply)["slug"], kit.header(reply, "retry-after")) == (503, slug, "7")
    record = house.journal.records[-1]
    assert (record["outcome"], record["refusal"], record["stage"]) == ("failed", slug, "completed")
    assert json.loads(reply.body)["contract"] == "orders"


async def test_what_would_be_turned_away_is_refused_before_it_is_recorded_as_received(house, kit) -> None:
    (slot,) = house.pipeline.plan.slots
    slot.turns_away = lambda: CircuitOpen("open", retry_after=7)
    for _ in range(50):
        reply = await house.ask("POST", "/orders/v1/orders", ORDER)
        assert (reply.status, kit.problem(reply)["slug"], kit.header(reply, "retry-after")) == (
            503,
            "circuit-open",
            "7",
        )
    assert house.provider.calls == []
    stages = house.journal.stages()
    assert set(stages) == {"refused", "series-opened"}  # an outage does not fill the log
    assert len(stages) < 50
    slot.turns_away = lambda: None
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 201


async def test_the_guards_are_asked_through_the_retries_of_a_route(make_house) -> None:
    house = make_house()
    await house.publish(policy=RoutePolicy(retries=FAST))
    (route,), (slot,) = house.pipeline.plan.routes, house.pipeline.plan.slots
    assert route.adapter.turns_away is slot.turns_away
