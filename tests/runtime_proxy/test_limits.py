"""Limits through the whole pipeline, against a bound that the test computes by itself from the arrivals."""

import hashlib
import random

from kernel.bundle.model import Consumer, Grant, Key, Limit

SECOND = 1_000_000_000
ORDER = {"code": "2823-3", "priority": "urgent"}
CONSUMERS = 10
OWN = Limit("own", 30, 60, 4)
ROUTE = Limit("route", 120, 60, 12)


def consumers() -> tuple[Consumer, ...]:
    return tuple(
        Consumer(
            f"ward-{n}",
            f"Ward {n}",
            "internal",
            (Key(f"k{n}", hashlib.sha256(f"ilk_k{n}_secret".encode()).hexdigest()),),
            (Grant("orders", 1),),
            (OWN,),
        )
        for n in range(CONSUMERS)
    )


def most(times: list[int], requests: int, seconds: int, burst: int) -> bool:
    """Every interval between two admissions holds at most burst + rate * length of them, exactly."""
    return all(
        (last - first + 1 - burst) * seconds * SECOND <= requests * (times[last] - times[first])
        for first in range(len(times))
        for last in range(first, len(times))
    )


async def test_ten_consumers_stay_within_their_own_limit_and_the_routes(make_house, kit) -> None:
    house = make_house()
    await house.publish(consumers=consumers())
    chance = random.Random(7)
    admitted: dict[int, list[int]] = {n: [] for n in range(CONSUMERS)}
    together: list[int] = []
    refused = 0
    for _ in range(3000):
        house.now += chance.choice((0, 0, SECOND // 100, SECOND // 20, SECOND))
        who = chance.randrange(CONSUMERS)
        reply = await house.ask("POST", "/orders/v1/orders", ORDER, key=f"ilk_k{who}_secret")
        if reply.status == 201:
            admitted[who].append(house.now)
            together.append(house.now)
        else:
            assert reply.status == 429
            refused += 1
    assert refused > 100
    assert len(house.provider.calls) == len(together)
    for times in admitted.values():
        assert len(times) > 20
        assert most(times, OWN.requests, OWN.seconds, OWN.burst)


async def test_the_limit_of_a_route_holds_over_all_consumers(make_house) -> None:
    house = make_house()
    await house.publish(consumers=consumers(), routed=(ROUTE,))
    chance = random.Random(11)
    together: list[int] = []
    for _ in range(1500):
        house.now += chance.choice((0, SECOND // 50, SECOND // 5))
        who = chance.randrange(CONSUMERS)
        if (await house.ask("POST", "/orders/v1/orders", ORDER, key=f"ilk_k{who}_secret")).status == 201:
            together.append(house.now)
    assert len(together) > 100
    assert most(together, ROUTE.requests, ROUTE.seconds, ROUTE.burst)


async def test_a_refusal_says_when_to_come_back_and_that_is_true(make_house, kit) -> None:
    house = make_house()
    await house.publish(limits=(OWN,))
    for _ in range(OWN.burst):
        reply = await house.ask("POST", "/orders/v1/orders", ORDER)
        assert reply.status == 201
    assert kit.header(reply, "ratelimit-policy") == '"own";q=30;w=60'
    assert kit.header(reply, "ratelimit") == '"own";r=0;t=2'
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.problem(reply)["slug"]) == (429, "over-limit")
    assert kit.header(reply, "retry-after") == "2"
    assert kit.header(reply, "ratelimit") == '"own";r=0;t=2'
    house.now += 2 * SECOND
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 201


async def test_a_call_without_grant_does_not_use_up_the_route(make_house, kit) -> None:
    house = make_house()
    await house.publish(grants=(), routed=(Limit("route", 1, 60, 1),), consumers=consumers()[:1])
    for _ in range(3):
        assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 403
    assert (await house.ask("POST", "/orders/v1/orders", ORDER, key="ilk_k0_secret")).status == 201


async def test_a_new_bundle_gives_nobody_a_fresh_burst(make_house) -> None:
    house = make_house()
    await house.publish(limits=(OWN,))
    for _ in range(OWN.burst):
        await house.ask("POST", "/orders/v1/orders", ORDER)
    await house.publish(limits=(OWN,))
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 429


async def test_a_storm_of_refusals_is_a_handful_of_records(make_house, kit) -> None:
    house = make_house()
    await house.publish(limits=(OWN,))
    for _ in range(500):
        await house.ask("POST", "/orders/v1/orders", ORDER)
    stages = house.journal.stages()
    assert stages.count("received") == stages.count("completed") == OWN.burst
    assert stages.count("refused") == 20
    assert stages.count("series-opened") == 1
    await house.plane.stop()
    closed = house.journal.records[-1]
    assert closed["stage"] == "series-closed"
    assert closed["count"] == 500 - OWN.burst - 20
    assert closed["detail"] == {"over-limit": closed["count"]}
    opened = next(record for record in house.journal.records if record["stage"] == "series-opened")
    assert closed["closes"] == opened["id"]


async def test_the_guard_comes_before_everything(make_house, kit) -> None:
    house = make_house(proxy_guard_requests=5)
    await house.publish()
    statuses = [(await house.ask("GET", "/nowhere", key=None)).status for _ in range(7)]
    assert statuses == [404] * 5 + [429] * 2
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.problem(reply)["slug"]) == (429, "source-over-limit")
    assert kit.header(reply, "retry-after") == "1"


async def test_a_call_that_is_judged_again_is_counted_once(make_house, kit) -> None:
    house = make_house()
    await house.publish(limits=(OWN,))
    exchange = house.exchange("POST", "/orders/v1/orders", ORDER)
    assert house.pipeline.admit(exchange)
    assert house.pipeline._judge_again(exchange) is None  # as after an issuer was asked for its keys
    reply = await house.pipeline.serve(exchange)
    assert kit.header(reply, "ratelimit") == '"own";r=3;t=2'
