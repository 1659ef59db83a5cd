"""Versions: the exact one inside a major is the consumer's pin, and versions never resolve into each other."""

import hashlib

import pytest

from kernel.bundle.model import Consumer, Grant, Key

NEW_KEY = "ilk_n1_feedfacefeedface"


def newer(kit, **more):
    """Write 1.1.0: it takes a further priority and has an operation more."""
    document = kit.orders_document("1.1.0", **more)
    properties = document["components"]["schemas"]["Order"]["properties"]
    document["components"]["schemas"]["Order"] = {
        **document["components"]["schemas"]["Order"],
        "properties": {**properties, "priority": {"enum": ["routine", "urgent", "stat"]}},
    }
    document["paths"]["/wards"] = {
        "get": {"operationId": "wards", "responses": {"204": {"description": "ok"}}}
    }
    return document


@pytest.fixture
async def two(make_house, kit):
    house = make_house()
    clinic = Consumer(
        "clinic",
        "Clinic",
        "internal",
        (Key("n1", hashlib.sha256(NEW_KEY.encode()).hexdigest()),),
        (Grant("orders", 1),),
    )
    await house.publish(
        kit.orders_document(), newer(kit), current="1.1.0", grants=(Grant("orders", 1, pin="1.0.0"),), consumers=(clinic,)
    )  # fmt: skip
    return house


STAT = {"code": "2823-3", "priority": "stat"}


async def test_a_pinned_consumer_stays_on_its_version(two, kit) -> None:
    pinned = await two.ask("POST", "/orders/v1/orders", STAT)
    assert (pinned.status, kit.header(pinned, "x-interlock-contract")) == (422, "orders@1.0.0")
    assert kit.problem(pinned)["version"] == "1.0.0"
    other = await two.ask("POST", "/orders/v1/orders", STAT, key=NEW_KEY)
    assert (other.status, kit.header(other, "x-interlock-contract")) == (201, "orders@1.1.0")
    assert two.journal.records[-1]["version"] == "1.1.0"


async def test_an_operation_that_the_pin_does_not_have_is_not_there(two, kit) -> None:
    two.provider.answer = lambda _: kit.answer(204)
    assert (await two.ask("GET", "/orders/v1/wards", key=NEW_KEY)).status == 204
    reply = await two.ask("GET", "/orders/v1/wards")
    assert (reply.status, kit.problem(reply)["slug"]) == (404, "not-found")


async def test_a_pin_to_a_newer_version_than_the_current_one_is_honoured(make_house, kit) -> None:
    house = make_house()
    house.provider.answer = lambda _: kit.answer(204)
    await house.publish(
        kit.orders_document(), newer(kit), current="1.0.0", grants=(Grant("orders", 1, pin="1.1.0"),)
    )
    reply = await house.ask("GET", "/orders/v1/wards")
    assert (reply.status, kit.header(reply, "x-interlock-contract")) == (204, "orders@1.1.0")
    reply = await house.ask("GET", "/orders/v1/wards", key=None)
    assert reply.status == 401


async def test_who_has_no_pin_is_served_by_the_current_version(make_house, kit) -> None:
    house = make_house()
    house.provider.answer = lambda _: kit.answer(204)
    await house.publish(kit.orders_document(), newer(kit), current="1.0.0")
    assert (await house.ask("GET", "/orders/v1/wards")).status == 404
    reply = await house.ask("GET", "/orders/v1/status", key=None)
    assert (reply.status, kit.header(reply, "x-interlock-contract")) == (204, "orders@1.0.0")


async def test_a_pin_that_is_not_served_any_more_is_gone(make_house, kit) -> None:
    house = make_house()
    await house.publish(newer(kit), current="1.1.0", grants=(Grant("orders", 1, pin="1.0.0"),))
    reply = await house.ask("GET", "/orders/v1/orders")
    assert (reply.status, kit.problem(reply)["slug"]) == (410, "retired")


async def test_a_retired_major_is_gone_for_everybody(make_house, kit) -> None:
    house = make_house()
    await house.publish(states={"1.0.0": "retired"})
    for target in ("/orders/v1/orders", "/orders/v1/nowhere", "/orders/v1"):
        reply = await house.ask("GET", target, key=None)
        assert (reply.status, kit.problem(reply)["slug"]) == (410, "retired")
    assert (await house.ask("GET", "/orders/v2/orders")).status == 404


async def test_a_deprecated_version_says_since_when_and_until(make_house, kit) -> None:
    house = make_house()
    times = {"deprecated_at": "2026-01-02T03:04:05Z", "sunset_at": "2027-01-02T03:04:05+00:00"}
    await house.publish(states={"1.0.0": "deprecated"}, entry=times)
    reply = await house.ask("POST", "/orders/v1/orders", {"code": "2823-3", "priority": "urgent"})
    assert reply.status == 201
    assert kit.header(reply, "deprecation") == "@1767323045"
    assert kit.header(reply, "sunset") == "Sat, 02 Jan 2027 03:04:05 GMT"


async def test_the_pinned_version_decides_about_credentials_too(make_house, kit) -> None:
    """In 1.1.0 the status needs a key; whoever shows one is held to its pin."""
    house = make_house()
    house.provider.answer = lambda _: kit.answer(204)
    strict = newer(kit)
    del strict["paths"]["/status"]["get"]["security"]
    await house.publish(kit.orders_document(), strict, current="1.0.0")
    assert (await house.ask("GET", "/orders/v1/status", key=None)).status == 204
    await house.publish(kit.orders_document(), strict, current="1.1.0")
    assert (await house.ask("GET", "/orders/v1/status", key=None)).status == 401
    assert (await house.ask("GET", "/orders/v1/status")).status == 204


async def test_two_versions_side_by_side_never_resolve_into_each_other(two, kit) -> None:
    for number in range(500):
        key = NEW_KEY if number % 3 else kit.KEY
        reply = await two.ask("POST", "/orders/v1/orders", STAT, key=key)
        assert reply.status == (201 if number % 3 else 422)
        assert kit.header(reply, "x-interlock-contract") == ("orders@1.1.0" if number % 3 else "orders@1.0.0")
