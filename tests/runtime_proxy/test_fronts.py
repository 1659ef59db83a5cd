"""Addresses by audience: a contract for one is neither reachable nor named on another's."""

import json
from typing import get_args

import msgspec
import pytest

from kernel.bundle.model import Audience, Route
from kernel.bundle.policy import Address, RoutePolicy
from kernel.contract.digest import canonical_bytes, digest
from kernel.errors import SettingsError
from kernel.settings import load
from runtime_proxy.fronts import ALL, fronts_of

ORDER = {"code": "2823-3", "priority": "urgent"}
ADDRESSES = {f"proxy_listen_{one}": f"127.0.0.1:{8800 + n}" for n, one in enumerate(get_args(Audience))}


def fronts(**settings):
    return {front.name: front for front in fronts_of(load({"data": "unused", **settings}, environ={}))}


def test_without_addresses_of_their_own_one_serves_all() -> None:
    (only,) = fronts().values()
    assert (only.name, only.port, only.audiences, only.tells) == ("proxy", 8701, ALL, True)


def test_who_has_an_address_is_served_there_alone() -> None:
    found = fronts(proxy_listen_public="0.0.0.0:80", proxy_listen_partner="[::1]:8443")
    assert {name: (one.host, one.port, set(one.audiences), one.tells) for name, one in found.items()} == {
        "proxy": ("127.0.0.1", 8701, {"internal"}, True),
        "partner": ("::1", 8443, {"partner"}, False),
        "public": ("0.0.0.0", 80, {"public"}, False),
    }


def test_two_audiences_may_share_an_address() -> None:
    found = fronts(proxy_listen_partner="127.0.0.1:9", proxy_listen_public="127.0.0.1:9")
    assert found["partner-public"].audiences == {"partner", "public"}


@pytest.mark.parametrize(
    "settings",
    [
        {"proxy_listen_public": "8702"},
        {"proxy_listen_public": "host:port"},
        {"proxy_listen_public": ":8702"},
        {"proxy_listen_public": "127.0.0.1:70000"},
        {"proxy_listen_public": "127.0.0.1:8701"},
    ],
)
def test_an_address_without_meaning_is_refused(settings) -> None:
    with pytest.raises(SettingsError):
        fronts(**settings)


def three(house, kit, **states):
    """Give a bundle with one contract for each audience, each with a host and a header of its own."""
    base = house.bundle_of()
    entries, routes, blobs = [], [], {}
    for name in get_args(Audience):
        document = kit.orders_document()
        document["info"]["title"] = name
        blobs[digest(document)] = canonical_bytes(document)
        state = states.get(name, "frozen")
        entries.append(
            msgspec.structs.replace(
                base.contracts.contracts[0], name=f"{name}-orders", audience=name, state=state, digest=digest(document)
            )
        )  # fmt: skip
        policy = RoutePolicy(address=Address((f"{name}.example",), "Api-Version"))
        if state != "retired":
            routes.append(Route(f"{name}-orders", 1, "1.0.0", ("1.0.0",), "laboratory", policy=policy))
    return msgspec.structs.replace(
        base,
        contracts=msgspec.structs.replace(base.contracts, contracts=tuple(entries)),
        routes=msgspec.structs.replace(base.routes, routes=tuple(routes)),
        blobs=blobs,
    )


async def ask(house, front, method, target, *headers):
    exchange = house.exchange(method, target, ORDER if method == "POST" else b"", key=None)
    exchange.headers[:] = [line for line in exchange.headers if line[0] not in {name for name, _ in headers}]
    exchange.headers.extend(headers)
    pipeline = next(one for known, one in house.plane.handlers.items() if known.name == front)
    if not pipeline.admit(exchange):
        exchange.body = b""
    reply = await pipeline.serve(exchange)
    body = reply.body.replace(exchange.request_id.encode(), b"ID")
    return reply.status, sorted(line for line in reply.headers if line[0] != b"x-request-id"), body


WAYS = [
    ("GET", "/{}-orders/v1/status", ()),
    ("POST", "/{}-orders/v1/orders", ()),
    ("OPTIONS", "/{}-orders/v1/orders", ()),
    ("DELETE", "/{}-orders/v1/orders", ()),
    ("GET", "/{}-orders/v1", ()),
    ("GET", "/{}-orders/status", ((b"api-version", b"1"),)),
    ("GET", "/status", ((b"host", b"{}.example"),)),
]


@pytest.mark.parametrize("states", [{}, dict.fromkeys(get_args(Audience), "retired")])
async def test_what_is_for_another_audience_looks_as_if_it_did_not_exist(make_house, kit, states) -> None:
    house = make_house(proxy_guard_requests=10_000_000, **ADDRESSES)
    house.provider.answer = lambda _: kit.answer(204)
    await house.plane.activation.take_up(three(house, kit, **states))
    for front in ("proxy", *get_args(Audience)):
        for audience in get_args(Audience):
            for method, target, headers in WAYS:
                made = [(name, value.replace(b"{}", audience.encode())) for name, value in headers]
                unknown = [(name, value.replace(b"{}", b"unknown")) for name, value in headers]
                got = await ask(house, front, method, target.replace("{}", audience), *made)
                none = await ask(house, front, method, target.replace("{}", "unknown"), *unknown)
                assert none[0] == 404
                if front != audience:
                    assert got == none
                elif not states:
                    assert got[0] != 404 or target.endswith("/v1"), (front, method, target)
    assert not states or {call.operation_id for call in house.provider.calls} == set()


async def test_an_outward_address_tells_nothing_of_bundles(make_house, kit) -> None:
    house = make_house(**ADDRESSES)
    assert (await ask(house, "public", "GET", "/-/readyz"))[::2] == (503, b'{"status":"not ready"}')
    await house.plane.activation.take_up(three(house, kit))
    house.plane.health.trouble = "internal-orders 1.1.0 cannot be served"
    for front in ("partner", "public"):
        assert (await ask(house, front, "GET", "/-/healthz"))[::2] == (200, b'{"status":"alive"}')
        assert (await ask(house, front, "GET", "/-/readyz"))[::2] == (200, b'{"status":"ready"}')
        assert (await ask(house, front, "HEAD", "/-/readyz"))[::2] == (200, b"")
        assert await ask(house, front, "GET", "/-/metrics") == await ask(house, front, "GET", "/-/nothing")
    for front in ("proxy", "internal"):
        assert (await ask(house, front, "GET", "/-/metrics"))[0] == 200
        told = json.loads((await ask(house, front, "GET", "/-/readyz"))[2])
        assert told["trouble"] == house.plane.health.trouble


async def test_one_internal_version_makes_the_whole_route_internal(make_house, kit) -> None:
    house = make_house(proxy_listen_public="127.0.0.1:8802")
    house.provider.answer = lambda _: kit.answer(204)
    bundle = house.bundle_of(
        kit.orders_document(), kit.orders_document("1.1.0"), current="1.1.0", audience="public"
    )
    await house.plane.activation.take_up(bundle)
    assert (await ask(house, "public", "GET", "/orders/v1/status"))[0] == 204
    first, second = bundle.contracts.contracts
    entries = (msgspec.structs.replace(first, audience="internal"), second)
    mixed = msgspec.structs.replace(
        bundle, contracts=msgspec.structs.replace(bundle.contracts, contracts=entries)
    )
    await house.plane.activation.take_up(mixed)
    assert (await ask(house, "public", "GET", "/orders/v1/status"))[0] == 404
    assert (await ask(house, "proxy", "GET", "/orders/v1/status"))[0] == 204
