"""Shadow mode: by route and by consumer, what is outside the contract passes, is counted, and is on record."""

import hashlib

import msgspec
import pytest
from prometheus_client.parser import text_string_to_metric_families

from kernel.bundle.introducing import Shadow
from kernel.bundle.model import Consumer, Grant, Key
from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from runtime_proxy.console.meters import Meters

ORDER = {"code": "2823-3", "priority": "urgent"}
BROKEN = {"code": "Sandberg"}
OTHER = "ilk_w2_fedcba9876543210"


@pytest.fixture
def meters(tmp_path):
    made = Meters(tmp_path / "metrics", "proxy-1a", most_rows=256)
    yield made
    made.stop()


def night_ward(policy: ConsumerPolicy) -> Consumer:
    key = Key("w2", hashlib.sha256(OTHER.encode()).hexdigest())
    return Consumer("night", "night ward", "internal", (key,), (Grant("orders", 1),), policy=policy)


async def test_a_route_in_shadow_refuses_nothing_for_the_contracts_sake(make_house, kit) -> None:
    house = make_house()
    await house.publish(policy=RoutePolicy(shadow=Shadow()))
    house.provider.answer = lambda _: kit.answer(201, {"state": "lost"})
    reply = await house.ask("POST", "/orders/v1/orders", BROKEN)
    assert (reply.status, kit.header(reply, "x-interlock-violations")) == (201, "4")
    record = house.journal.records[-1]
    assert record["report_only"] is True
    assert record["let_through"] == {"request": 2, "response": 2}
    assert (await house.ask("POST", "/orders/v1/orders", BROKEN, key=None)).status == 401
    assert (await house.ask("GET", "/orders/v1/patients")).status == 404


@pytest.mark.parametrize(
    ("shadow", "sent", "answered", "status"),
    [
        (Shadow(answers=False), BROKEN, {"id": "1"}, 201),
        (Shadow(answers=False), ORDER, {"state": "lost"}, 502),
        (Shadow(requests=False), BROKEN, {"id": "1"}, 422),
        (Shadow(requests=False), ORDER, {"state": "lost"}, 201),
    ],
)
async def test_each_side_of_a_route_by_itself(make_house, kit, shadow, sent, answered, status) -> None:
    house = make_house()
    await house.publish(policy=RoutePolicy(shadow=shadow))
    house.provider.answer = lambda _: kit.answer(201, answered)
    assert (await house.ask("POST", "/orders/v1/orders", sent)).status == status


async def test_a_consumer_in_shadow_is_alone_in_it(make_house, kit, meters) -> None:
    house = make_house(meters=meters)
    await house.publish(consumers=(night_ward(ConsumerPolicy(shadow=Shadow())),))
    house.provider.answer = lambda _: kit.answer(201, {"state": "lost"})
    refused = await house.ask("POST", "/orders/v1/orders", BROKEN)
    assert refused.status == 422
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 502
    assert "let_through" not in house.journal.records[-1]
    for _ in range(2):
        passed = await house.ask("POST", "/orders/v1/orders", BROKEN, key=OTHER)
        meters.answered(house.last, passed, "")
    assert (passed.status, kit.header(passed, "x-interlock-violations")) == (201, "4")
    assert house.provider.calls[-1].body == b'{"code": "Sandberg"}'
    counts = {
        (sample.labels["consumer"], sample.labels["operation"], sample.labels["side"]): sample.value
        for family in text_string_to_metric_families(meters.page().decode())
        for sample in family.samples
        if sample.name == "interlock_shadow_violations_total"
    }
    assert counts == {("night", "placeOrder", "request"): 4.0, ("night", "placeOrder", "response"): 4.0}


async def test_what_a_shadowed_request_breaks_is_on_record_though_no_answer_came(make_house, kit) -> None:
    house = make_house()
    await house.publish(policy=RoutePolicy(shadow=Shadow(answers=False)))
    house.provider.answer = lambda _: kit.answer(500)
    assert (await house.ask("POST", "/orders/v1/orders", BROKEN)).status == 502
    assert house.journal.records[-1]["let_through"] == {"request": 2, "response": 0}


def test_a_shadow_reads_as_it_was_written() -> None:
    given = ConsumerPolicy(shadow=Shadow(answers=False))
    assert msgspec.convert(msgspec.to_builtins(given), ConsumerPolicy) == given
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"shadow": {"answer": True}}, ConsumerPolicy)


@pytest.mark.parametrize(
    ("shadow", "sent", "answered", "status"),
    [
        (Shadow(answers=False), BROKEN, {"id": "1"}, 201),
        (Shadow(answers=False), ORDER, {"state": "lost"}, 502),
        (Shadow(requests=False), BROKEN, {"id": "1"}, 422),
        (Shadow(requests=False), ORDER, {"state": "lost"}, 201),
    ],
)
async def test_each_side_of_a_consumer_by_itself(make_house, kit, shadow, sent, answered, status) -> None:
    house = make_house()
    await house.publish(consumers=(night_ward(ConsumerPolicy(shadow=shadow)),))
    house.provider.answer = lambda _: kit.answer(201, answered)
    assert (await house.ask("POST", "/orders/v1/orders", sent, key=OTHER)).status == status
