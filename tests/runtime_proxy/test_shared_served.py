"""Limits in Redis through the whole pipeline: what callers see, and what becomes of them when Redis is lost."""

from __future__ import annotations

import asyncio
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from kernel.bundle.limits import Concurrency, Limits, Quota, RateLimit
from kernel.bundle.model import Consumer, Grant, Key, Limit
from kernel.bundle.policy import ConsumerPolicy
from runtime_proxy.edge import serve_edge
from tests.doubles.redis_server import RedisServer, redis_cluster, redis_server

pytestmark = pytest.mark.redis
ORDER = {"code": "2823-3", "priority": "urgent"}
SECOND = 1_000_000_000
KEY = "ilk_k1_secret"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with redis_server() as running:
        yield running


@pytest.fixture
async def houses(make_house: Any, server: Any) -> Any:
    made = []

    async def make(**more: Any) -> Any:
        house = make_house(redis_url=server.url, **more)
        house.plane._limiter._store._link.patience = 10  # a busy machine is no loss here
        await house.plane._limiter.start()
        made.append(house)
        return house

    yield make
    for house in made:
        await house.plane._limiter.stop()


def clinic(**limits: Any) -> tuple[Consumer, ...]:
    import hashlib

    key = Key("k1", hashlib.sha256(KEY.encode()).hexdigest())
    policy = ConsumerPolicy(Limits(**limits))
    return (Consumer("clinic", "Clinic", "internal", (key,), (Grant("orders", 1),), (), policy),)


async def order(house: Any, key: str | None = None) -> Any:
    more = {"key": key} if key else {}
    return await house.ask("POST", "/orders/v1/orders", ORDER, **more)


async def test_two_proxies_hold_one_limit_and_announce_it(houses, kit) -> None:
    first, second = await houses(), await houses()
    for house in (first, second):
        await house.publish(limits=(Limit("calls", 1, 60, 10),))
    replies = [await order(house) for house in (first, second) * 8]
    assert [reply.status for reply in replies].count(201) == 10
    assert kit.header(replies[0], "ratelimit-policy") == '"calls";q=1;w=60'
    assert kit.header(replies[0], "ratelimit") == '"calls";r=9;t=1'
    last = replies[-1]
    assert (last.status, kit.problem(last)["slug"]) == (429, "over-limit")
    assert int(kit.header(last, "retry-after")) in (60, 61)
    assert kit.header(last, "ratelimit").startswith('"calls";r=0;t=6')


async def test_what_the_route_refuses_costs_the_consumer_nothing(houses, kit) -> None:
    house = await houses()
    await house.publish(limits=(Limit("own", 1, 60, 5),), routed=(Limit("route", 1, 60, 2),))
    statuses = [(await order(house)).status for _ in range(6)]
    assert statuses == [201, 201, 429, 429, 429, 429]
    refused = await order(house)
    assert kit.problem(refused)["detail"].startswith('The limit "route" is used up')
    assert kit.header(refused, "ratelimit").startswith('"own";r=3;')


async def test_quotas_and_calls_under_way_are_shared(houses, kit) -> None:
    first, second = await houses(), await houses()
    limits = {
        "quotas": (Quota("day", 3, "day", "Europe/Berlin"),),
        "concurrency": (Concurrency("parallel", 1),),
    }
    for house in (first, second):
        await house.publish(consumers=clinic(**limits))
    gate = asyncio.Event()
    answered = first.provider.call

    async def slow(call: Any) -> Any:
        await gate.wait()
        return await answered(call)

    first.provider.call = slow
    running = asyncio.create_task(order(first, KEY))
    while not first.plane._limiter._accounts["interlock:dev:{consumer clinic}:slots"].in_use:
        await asyncio.sleep(0.001)
    reply = await order(second, KEY)
    assert (reply.status, kit.problem(reply)["slug"]) == (429, "too-many-in-flight")
    gate.set()
    reply = await running
    assert reply.status == 201
    await asyncio.sleep(0.1)  # what the second was granted of the quota goes back
    assert '"day";r=' in kit.header(reply, "ratelimit")
    assert [(await order(first, KEY)).status for _ in range(3)] == [201, 201, 429]


async def test_a_shadow_is_counted_and_refuses_nobody(houses) -> None:
    house = await houses()
    await house.publish(consumers=clinic(rates=(RateLimit("trial", 1, 60, 2, shadow=True),)))
    for _ in range(5):
        assert (await order(house, KEY)).status == 201
        await asyncio.sleep(0.02)
    counters = house.plane._limiter.counters
    assert (counters.shadow, counters.store_up) == ({("consumer clinic", "trial"): 3}, True)


async def test_without_redis_a_share_is_admitted_or_nothing_and_the_log_says_so(houses, server, kit) -> None:
    house = await houses(limit_shares=2)
    await house.publish(
        limits=(Limit("calls", 4, 1, 8),),
        consumers=clinic(rates=(RateLimit("calls", 4, 1, 8),), when_store_lost="closed"),
    )
    assert [(await order(house)).status, (await order(house, KEY)).status] == [201, 201]
    server.kill()
    house.now += 60 * SECOND  # whatever was held has ended
    assert (await order(house)).status == 429, "its share begins with nothing"
    closed = await order(house, KEY)
    assert (closed.status, kit.problem(closed)["slug"]) == (503, "limits-unavailable")
    assert kit.header(closed, "retry-after") == "1"
    house.now += 10 * SECOND
    assert [(await order(house)).status for _ in range(4)] == [201, 201, 429, 429], "half of its part at once"
    house.now += SECOND // 2
    assert (await order(house)).status == 201
    acts = [record["act"] for record in house.journal.records if record["stage"] == "act"]
    assert acts == ["limits-store-lost"]
    server.start()
    for _ in range(400):
        if house.plane._limiter._store.up:
            break
        await asyncio.sleep(0.01)
    acts = [record["act"] for record in house.journal.records if record["stage"] == "act"]
    assert acts == ["limits-store-lost", "limits-store-back"]
    assert (await order(house)).status == 429, "another Redis process: everything counts as used"
    counters = house.plane._limiter.counters
    assert (counters.store_losses, counters.unavailable, counters.alone) == (1, 1, 3)


async def test_a_proxy_starts_without_its_redis(make_house, kit) -> None:
    house = make_house(redis_url="redis://127.0.0.1:1/0")
    await house.plane._limiter.start()
    await house.publish(limits=(Limit("calls", 1, 1, 8),))
    house.now += 10 * SECOND
    assert (await order(house)).status == 201
    await house.plane._limiter.stop()


async def test_an_address_that_is_none_is_a_setting_error(make_house) -> None:
    from kernel.errors import SettingsError

    with pytest.raises(SettingsError, match="redis_url"):
        make_house(redis_url="nonsense")


async def test_in_a_cluster_each_owner_is_on_one_node_and_limits_of_two_nodes_hold_together(
    make_house,
) -> None:
    with redis_cluster() as nodes:
        house = make_house(redis_url=f"redis+cluster://127.0.0.1:{nodes[0].port}")
        house.plane._limiter._store._link.patience = 10
        await house.plane._limiter.start()
        store = house.plane._limiter._store
        assert store.up
        others = tuple(clinic(rates=(RateLimit("own", 1, 60, 3),)))
        await house.publish(
            limits=(Limit("own", 1, 60, 3),), routed=(Limit("route", 1, 60, 5),), consumers=others
        )
        keys = (None, KEY)
        statuses = [(await order(house, keys[number % 2])).status for number in range(12)]
        assert statuses.count(201) == 5
        assert store.counters.store_losses == 0
        await house.plane._limiter.stop()


async def test_a_process_that_took_the_place_of_another_between_two_calls_is_noticed(houses, server) -> None:
    house = await houses()
    await house.publish(
        limits=(Limit("calls", 1, 60, 3),), consumers=clinic(rates=(RateLimit("own", 1, 60, 3),))
    )
    assert [(await order(house)).status for _ in range(4)] == [201, 201, 201, 429]
    server.kill()
    server.start()
    house.now += 2 * SECOND  # the refusal is asked anew
    assert (await order(house)).status == 429
    assert house.plane._limiter.counters.store_losses == 1
    for _ in range(400):
        if house.plane._limiter._store.up:
            break
        await asyncio.sleep(0.01)
    assert (await order(house)).status == 429
    assert (await order(house, KEY)).status == 429, "nobody knows what others had spent of it"


def post(port: int, key: str) -> tuple[int, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        lines = {"X-API-Key": key, "Content-Type": "application/json"}
        connection.request("POST", "/orders/v1/orders", json.dumps(ORDER), lines)
        got = connection.getresponse()
        got.read()
        return got.status, got.getheader("ratelimit")
    finally:
        connection.close()


async def test_calls_from_sockets_wait_for_redis_and_go_on(houses, kit) -> None:
    house = await houses()
    await house.publish(
        limits=(Limit("calls", 1, 60, 4),), consumers=clinic(concurrency=(Concurrency("parallel", 2),))
    )
    edge = await serve_edge(house.plane.handler, "127.0.0.1", 0, house.settings)
    port = edge.address[1]
    told = await asyncio.gather(*(asyncio.to_thread(post, port, kit.KEY) for _ in range(7)))
    assert sorted(status for status, _ in told) == [201] * 4 + [429] * 3
    assert all(rest is not None and rest.startswith('"calls";r=') for _, rest in told)
    for _ in range(4):  # each gives its place back
        assert await asyncio.to_thread(post, port, KEY) == (201, '"parallel";r=1')
    await edge.drain()
