"""Bytes, quotas, calls under way, weights and shadows through the whole pipeline of one worker."""

import asyncio
import hashlib
import json

import pytest

from kernel.bundle.limits import ByteLimit, Concurrency, Limits, Quota, RateLimit
from kernel.bundle.model import Consumer, Grant, Key, Limit
from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from kernel.errors import InterlockError

SECOND = 1_000_000_000
ORDER = {"code": "2823-3", "priority": "urgent"}
KEY = "ilk_k1_secret"


def clinic(**limits):
    policy = ConsumerPolicy(Limits(**limits))
    key = Key("k1", hashlib.sha256(KEY.encode()).hexdigest())
    return (Consumer("clinic", "Clinic", "internal", (key,), (Grant("orders", 1),), (), policy),)


async def order(house, *headers):
    length = ("content-length", str(len(json.dumps(ORDER))))
    return await house.ask("POST", "/orders/v1/orders", ORDER, *(headers or (length,)), key=KEY)


async def test_bytes_of_bodies_are_counted(make_house, kit) -> None:
    house = make_house()
    size = len(json.dumps(ORDER))
    await house.publish(consumers=clinic(bytes=(ByteLimit("volume", size, 1, 2 * size),)))
    replies = [await order(house) for _ in range(3)]
    assert [reply.status for reply in replies] == [201, 201, 429]
    assert kit.header(replies[0], "ratelimit-policy") == f'"volume";q={size};w=1;qu="content-bytes"'
    assert kit.header(replies[0], "ratelimit") == f'"volume";r={size};t=1'
    assert (kit.problem(replies[2])["slug"], kit.header(replies[2], "retry-after")) == ("over-limit", "1")
    assert (await house.ask("GET", "/orders/v1/orders", key=KEY)).status != 429, "it has no body"
    house.now += SECOND
    assert (await order(house)).status == 201


async def test_a_body_of_unknown_length_is_counted_when_it_is_whole(make_house) -> None:
    house = make_house()
    size = len(json.dumps(ORDER))
    await house.publish(consumers=clinic(bytes=(ByteLimit("volume", size, 1, size),)))
    chunked = ("transfer-encoding", "chunked")
    assert [(await order(house, chunked)).status for _ in range(2)] == [201, 429]


async def test_a_body_whose_bytes_are_limited_is_not_carried_as_it_comes(make_house) -> None:
    house = make_house()
    chunked = ("transfer-encoding", "chunked")
    for limits, whole in (({"bytes": (ByteLimit("volume", 9, 1, 9),)}, True), ({}, False)):
        await house.publish(consumers=clinic(**limits))
        exchange = house.exchange("POST", "/orders/v1/orders", ORDER, chunked, key=KEY)
        assert house.pipeline.admit(exchange)
        assert exchange.read_whole is whole


async def test_calls_under_way_are_limited_and_given_back_however_they_end(make_house, kit) -> None:
    house = make_house()
    await house.publish(consumers=clinic(concurrency=(Concurrency("parallel", 2),)))
    gate = asyncio.Event()
    answered = house.provider.call

    async def slow(call):
        await gate.wait()
        return await answered(call)

    house.provider.call = slow
    running = [asyncio.create_task(order(house)) for _ in range(2)]
    await asyncio.sleep(0)
    reply = await order(house)
    assert (reply.status, kit.problem(reply)["slug"]) == (429, "too-many-in-flight")
    assert kit.header(reply, "ratelimit-policy") == '"parallel";q=2;qu="concurrent-requests"'
    assert (kit.header(reply, "ratelimit"), kit.header(reply, "retry-after")) == ('"parallel";r=0', "1")
    gate.set()
    assert [one.status for one in await asyncio.gather(*running)] == [201, 201]
    gate.clear()
    for _ in range(2):
        given_up = asyncio.create_task(order(house))
        await asyncio.sleep(0)
        given_up.cancel()
        await asyncio.gather(given_up, return_exceptions=True)
    gate.set()
    bad = await house.ask("POST", "/orders/v1/orders", {"code": "x"}, key=KEY)
    assert bad.status == 422
    assert kit.header(await order(house), "ratelimit") == '"parallel";r=1'


async def test_a_changed_bundle_keeps_count_of_calls_under_way(make_house) -> None:
    house = make_house()
    await house.publish(consumers=clinic(concurrency=(Concurrency("parallel", 1),)))
    gate = asyncio.Event()
    answered = house.provider.call

    async def slow(call):
        await gate.wait()
        return await answered(call)

    house.provider.call = slow
    running = asyncio.create_task(order(house))
    await asyncio.sleep(0)
    await house.publish(consumers=clinic(concurrency=(Concurrency("parallel", 1), Concurrency("other", 9))))
    assert (await order(house)).status == 429
    gate.set()
    assert (await running).status == 201
    assert (await order(house)).status == 201


async def test_all_limits_are_checked_before_any_is_counted(make_house, kit) -> None:
    house = make_house()
    quota, rate = Quota("day", 100, "day", "Europe/Berlin"), RateLimit("burst", 1, 60, 1)
    await house.publish(consumers=clinic(quotas=(quota,), rates=(rate,)))
    replies = [await order(house) for _ in range(3)]
    assert [reply.status for reply in replies] == [201, 429, 429]
    left = [kit.header(reply, "ratelimit").split(", ")[1].split(";t=")[0] for reply in replies]
    assert left == ['"day";r=99'] * 3
    assert kit.header(replies[0], "ratelimit-policy") == '"burst";q=1;w=60, "day";q=100;w=86400'


async def test_a_shadow_limit_is_counted_and_never_refuses(make_house, kit) -> None:
    house = make_house()
    shadows = {
        "rates": (RateLimit("burst", 1, 60, 1, shadow=True),),
        "concurrency": (Concurrency("parallel", 1, shadow=True),),
    }
    await house.publish(consumers=clinic(**shadows))
    replies = [await order(house) for _ in range(4)]
    assert [reply.status for reply in replies] == [201] * 4
    assert kit.header(replies[0], "ratelimit") is None
    metrics = (await house.ask("GET", "/-/metrics", key=None)).body.decode()
    told = 'interlock_limit_shadow_refusals_total{owner="consumer clinic",limit="burst"} 3'
    assert told in metrics
    assert 'limit="parallel"' not in metrics, "the calls came one after the other"


async def test_operations_weigh_what_the_contract_says_and_the_route_overrules(make_house, kit) -> None:
    house = make_house()
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["x-interlock-weight"] = 3
    await house.publish(document, limits=(Limit("calls", 60, 60, 10),))
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert kit.header(reply, "ratelimit") == '"calls";r=7;t=3'
    reply = await house.ask("GET", "/orders/v1/orders/1")
    assert kit.header(reply, "ratelimit") == '"calls";r=6;t=4'
    policy = RoutePolicy(weights={"placeOrder": 5})
    await house.publish(document, limits=(Limit("calls", 60, 60, 10),), policy=policy)
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert kit.header(reply, "ratelimit") == '"calls";r=1;t=9'
    with pytest.raises(InterlockError, match="placOrder"):
        await house.publish(document, policy=RoutePolicy(weights={"placOrder": 5}))


async def test_a_weight_that_is_none_is_no_contract(make_house, kit) -> None:
    house = make_house()
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["x-interlock-weight"] = 0
    with pytest.raises(InterlockError, match="x-interlock-weight"):
        await house.publish(document)
