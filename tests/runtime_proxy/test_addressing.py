"""Two majors side by side: by path, by Host and by header, and they never resolve into each other."""

import hashlib
import random

import msgspec
import pytest

from kernel.bundle.check import check_policies
from kernel.bundle.model import AccessPart, Consumer, ContractEntry, Grant, Key, Route, RoutesPart
from kernel.bundle.policy import Address, Links, RoutePolicy
from kernel.contract.digest import canonical_bytes, digest
from kernel.errors import BundleError

ORDER = {"code": "2823-3", "priority": "urgent"}
KEYS = {"a": "ilk_a1_00000000000000aa", "b": "ilk_b1_00000000000000bb", "c": "ilk_c1_00000000000000cc"}


def both_majors(
    house, kit, *, first=None, second=None, states=None, entry=None, audiences=("internal", "internal")
):
    """Give a bundle with orders 1.0.0 and 1.1.0 as v1 (current 1.1.0) and 2.0.0 as v2, three consumers."""
    documents = {number: kit.orders_document(number) for number in ("1.0.0", "1.1.0", "2.0.0")}
    bundle = house.bundle_of(documents["1.0.0"], current="1.0.0")
    entries = tuple(
        ContractEntry(
            "orders", number, "openapi", (states or {}).get(number, "frozen"), audiences[number[0] == "2"],
            digest(document), **(entry or {}).get(number, {}),
        )
        for number, document in documents.items()
    )  # fmt: skip
    grants = {
        "a": (Grant("orders", 1), Grant("orders", 2)),
        "b": (Grant("orders", 1, pin="1.0.0"), Grant("orders", 2)),
        "c": (Grant("orders", 2),),
    }
    consumers = tuple(
        Consumer(name, name, "internal", (Key(key.split("_")[1], hashlib.sha256(key.encode()).hexdigest()),), grants[name])
        for name, key in KEYS.items()
    )  # fmt: skip
    routes = (
        Route("orders", 1, "1.1.0", ("1.0.0", "1.1.0"), "laboratory", policy=first or RoutePolicy()),
        Route("orders", 2, "2.0.0", ("2.0.0",), "laboratory", policy=second or RoutePolicy()),
    )
    served = tuple(route for route in routes if (states or {}).get(route.current) != "retired")
    return msgspec.structs.replace(
        bundle,
        contracts=msgspec.structs.replace(bundle.contracts, contracts=entries),
        access=AccessPart(bundle.access.serial, consumers),
        routes=RoutesPart(bundle.routes.serial, "test", bundle.routes.adapters, served),
        blobs={digest(document): canonical_bytes(document) for document in documents.values()},
    )


BY_HOST = Address(hosts=("one.example", "eins.example")), Address(hosts=("two.example",))
BY_HEADER = Address(header="Api-Version"), Address(header="Api-Version")


@pytest.fixture
async def two(make_house, kit):
    house = make_house(proxy_guard_requests=10_000_000)
    first, second = (RoutePolicy(address=Address(by_host.hosts, "Api-Version")) for by_host in BY_HOST)
    await house.plane.activation.take_up(both_majors(house, kit, first=first, second=second))
    return house


def serving(reply, kit):
    return reply.status, kit.header(reply, "x-interlock-contract")


@pytest.mark.parametrize(
    ("target", "headers", "version"),
    [
        ("/orders/v1/orders", (), "1.1.0"),
        ("/orders/v2/orders", (), "2.0.0"),
        ("/orders", (("host", "one.example"),), "1.1.0"),
        ("/orders", (("host", "EINS.example.:8701"),), "1.1.0"),
        ("/orders", (("host", "two.example:80"),), "2.0.0"),
        ("/orders/orders", (("api-version", "1"),), "1.1.0"),
        ("/orders/orders", (("api-version", " V2 "),), "2.0.0"),
        # a path that names its major means it, whatever the header says
        ("/orders/v1/orders", (("api-version", "2"),), "1.1.0"),
    ],
)
async def test_every_way_leads_to_its_version_alone(two, kit, target, headers, version) -> None:
    reply = await ask(two, target, headers)
    assert serving(reply, kit) == (201, f"orders@{version}")
    assert two.provider.calls[-1].target == b"/orders"


async def ask(house, target, headers=(), key="a", method="POST"):
    exchange = house.exchange(method, target, ORDER if method == "POST" else b"", key=KEYS[key])
    exchange.headers[:] = [
        line for line in exchange.headers if line[0] not in {name.encode() for name, _ in headers}
    ]
    exchange.headers.extend((name.encode(), value.encode()) for name, value in headers)
    if not house.pipeline.admit(exchange):
        exchange.body = b""
    return await house.pipeline.serve(exchange)


@pytest.mark.parametrize(
    ("target", "headers"),
    [
        ("/orders/orders", ()),
        ("/orders/orders", (("api-version", "3"),)),
        ("/orders/orders", (("api-version", "1.1.0"),)),
        ("/orders/orders", (("api-version", "1"), ("api-version", "2"))),
        ("/orders/v1/orders", (("host", "two.example"),)),  # under its Host, the paths are the operation's own
        ("/orders", (("host", "three.example"),)),
        ("/other/orders", (("api-version", "1"),)),
    ],
)  # fmt: skip
async def test_what_names_no_version_or_two_is_not_found(two, kit, target, headers) -> None:
    reply = await ask(two, target, headers)
    assert (reply.status, kit.problem(reply)["slug"]) == (404, "not-found")


async def test_an_ill_path_is_refused_under_a_host_too(two, kit) -> None:
    reply = await ask(two, "/orders/../orders", (("host", "one.example"),))
    assert (reply.status, kit.problem(reply)["slug"]) == (400, "target-invalid")


async def test_an_answer_that_a_header_chose_says_so_to_caches(two, kit) -> None:
    assert kit.header(await ask(two, "/orders/orders", (("api-version", "1"),)), "vary") == "api-version"
    assert kit.header(await ask(two, "/orders/v1/orders"), "vary") is None


async def test_other_methods_keep_to_the_addressed_version(two, kit) -> None:
    reply = await ask(two, "/status", (("host", "two.example"),), method="DELETE")
    assert (reply.status, kit.header(reply, "allow")) == (405, "GET, HEAD, OPTIONS")


async def test_ten_thousand_mixed_calls_never_resolve_into_each_other(two, kit) -> None:
    chance = random.Random(20261126)
    ways = {
        1: [("/orders/v1/orders", ()), ("/orders", (("host", "one.example"),)), ("/orders/orders", (("api-version", "1"),))],
        2: [("/orders/v2/orders", ()), ("/orders", (("host", "two.example"),)), ("/orders/orders", (("api-version", "v2"),))],
    }  # fmt: skip
    wanted = {
        ("a", 1): (201, "orders@1.1.0"),
        ("b", 1): (201, "orders@1.0.0"),
        ("c", 1): (403, "orders@1.1.0"),
        **{(key, 2): (201, "orders@2.0.0") for key in "abc"},
    }
    for _ in range(10_000):
        key, major = chance.choice("abc"), chance.choice((1, 2))
        target, headers = chance.choice(ways[major])
        reply = await ask(two, target, headers, key=key)
        assert serving(reply, kit) == wanted[key, major]
        if reply.status == 201:
            assert two.journal.records[-1]["version"] == wanted[key, major][1].partition("@")[2]
            two.journal.records.clear()
            two.provider.calls.clear()


DEPRECATED = {"deprecated_at": "2026-01-02T03:04:05Z", "sunset_at": "2027-01-02T03:04:05Z"}


def links(reply):
    return [value.decode() for name, value in reply.headers if name == b"link"]


async def test_a_deprecated_version_points_to_what_follows_it(make_house, kit) -> None:
    house = make_house()
    documents = Links(deprecation="https://docs.example/orders", sunset="/docs/end")
    await house.plane.activation.take_up(
        both_majors(
            house, kit, first=RoutePolicy(links=documents), states={"1.0.0": "deprecated", "1.1.0": "deprecated"},
            entry={"1.0.0": DEPRECATED, "1.1.0": DEPRECATED},
        )
    )  # fmt: skip
    reply = await ask(house, "/orders/v1/orders")
    assert links(reply) == [
        '</orders/v2>; rel="successor-version"',
        '<https://docs.example/orders>; rel="deprecation"',
        '</docs/end>; rel="sunset"',
    ]
    assert (kit.header(reply, "deprecation"), kit.header(reply, "sunset")) == (
        "@1767323045",
        "Sat, 02 Jan 2027 03:04:05 GMT",
    )
    assert links(await ask(house, "/orders/v2/orders")) == []


async def test_the_successor_is_a_newer_version_of_the_major_or_what_the_policy_says(make_house, kit) -> None:
    house = make_house()
    old = {"states": {"1.0.0": "deprecated"}, "entry": {"1.0.0": DEPRECATED}}
    await house.plane.activation.take_up(both_majors(house, kit, **old))
    assert links(await ask(house, "/orders/v1/orders", key="b")) == ['</orders/v1>; rel="successor-version"']
    assert links(await ask(house, "/orders/v1/orders", key="a")) == []
    named = RoutePolicy(links=Links(successor="https://new.example/orders"))
    await house.plane.activation.take_up(both_majors(house, kit, first=named, **old))
    assert links(await ask(house, "/orders/v1/orders", key="b")) == [
        '<https://new.example/orders>; rel="successor-version"'
    ]


async def test_a_successor_for_another_audience_is_not_named(make_house, kit) -> None:
    house = make_house()
    states = {"1.0.0": "deprecated", "1.1.0": "deprecated"}
    await house.plane.activation.take_up(
        both_majors(house, kit, states=states, entry={"1.1.0": DEPRECATED}, audiences=("public", "internal"))
    )
    reply = await ask(house, "/orders/v1/orders")
    assert (reply.status, links(reply)) == (201, [])


async def test_a_retired_major_is_gone_by_header_too(make_house, kit) -> None:
    house = make_house()
    second = RoutePolicy(address=Address(header="Api-Version"))
    retired = {"1.0.0": "retired", "1.1.0": "retired"}
    await house.plane.activation.take_up(both_majors(house, kit, second=second, states=retired))
    for target in ("/orders/v1/orders", "/orders/orders"):
        reply = await ask(house, target, (("api-version", "1"),))
        assert (reply.status, kit.problem(reply)["slug"]) == (410, "retired")
    assert (await ask(house, "/orders/orders", (("api-version", "2"),))).status == 201


def test_two_routes_cannot_share_a_host() -> None:
    with pytest.raises(BundleError, match=r"host one\.example stands twice"):
        check_policies([RoutePolicy(address=BY_HOST[0])] * 2)


@pytest.mark.parametrize(
    "target", ["//evil.example", "javascript:alert(1)", "/a b", "/a>", "https://", "/a\r\nb"]
)
def test_a_link_that_could_break_its_field_is_refused(target) -> None:
    with pytest.raises(ValueError, match="link"):
        Links(successor=target)
