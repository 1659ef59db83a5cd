"""CORS: preflights are answered from the contract, origins are listed and never reflected."""

import msgspec
import pytest

from kernel.bundle.policy import RoutePolicy
from kernel.errors import ContractInvalid
from kernel.operation.compile import compile_contract
from kernel.operation.cors import Cors

WARD = "https://ward.example"
ORDER = {"code": "2823-3", "priority": "urgent"}
OPEN = Cors(origins=(WARD, "http://localhost:5173"), max_age=300)


def asked(method: str, origin: str = WARD, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    return ("origin", origin), ("access-control-request-method", method), *more


def told(reply) -> dict[str, str]:
    """Every field that CORS is about."""
    return {
        name.decode(): value.decode()
        for name, value in reply.headers
        if name.startswith(b"access-control-") or name == b"vary"
    }


@pytest.fixture
def open_house(make_house):
    async def make(cors: Cors | None = OPEN, *documents, **more):
        house = make_house()
        await house.publish(*documents, policy=RoutePolicy(cors=cors), **more)
        return house

    return make


async def test_a_preflight_is_answered_from_the_contract_without_key_or_provider(open_house) -> None:
    house = await open_house()
    reply = await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("POST"), key=None)
    assert reply.status == 204
    assert told(reply) == {
        "access-control-allow-origin": WARD,
        "access-control-allow-methods": "GET, HEAD, OPTIONS, POST",
        "access-control-allow-headers": "content-type, x-api-key",
        "access-control-max-age": "300",
        "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers, "
        "Access-Control-Request-Private-Network",
    }
    listed = await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("GET"), key=None)
    assert told(listed)["access-control-allow-headers"] == "x-api-key, x-ward"
    read = await house.ask("OPTIONS", "/orders/v1/orders/7", b"", *asked("GET"), key=None)
    assert told(read)["access-control-allow-headers"] == "if-modified-since, if-none-match, x-api-key"
    assert house.provider.calls == []
    assert house.journal.records == []


async def test_what_the_contract_does_not_know_is_not_allowed_by_asking_for_it(open_house) -> None:
    house = await open_house()
    wanted = ("access-control-request-headers", "x-admin, authorization")
    reply = await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("DELETE", WARD, wanted), key=None)
    assert told(reply)["access-control-allow-methods"] == "GET, HEAD, OPTIONS, POST"
    assert "access-control-allow-headers" not in told(reply)
    assert (await house.ask("OPTIONS", "/orders/v1/nowhere", b"", *asked("GET"), key=None)).status == 404


@pytest.mark.parametrize(
    "origin", ["https://ward.example.evil", "https://WARD.example", "http://ward.example", "null", "*", ""]
)
async def test_an_origin_that_is_not_listed_is_told_nothing(open_house, origin) -> None:
    house = await open_house()
    preflight = await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("POST", origin), key=None)
    assert preflight.status == 204
    assert set(told(preflight)) == {"vary"}
    actual = await house.ask("POST", "/orders/v1/orders", ORDER, ("origin", origin))
    assert actual.status == 201
    assert told(actual) == {"vary": "Origin"}


async def test_two_origins_are_none(open_house) -> None:
    house = await open_house()
    reply = await house.ask("POST", "/orders/v1/orders", ORDER, ("origin", WARD), ("origin", WARD))
    assert told(reply) == {"vary": "Origin"}


async def test_answers_and_refusals_may_be_read_by_the_page(open_house, kit) -> None:
    house = await open_house()
    house.provider.answer = lambda _: kit.answer(
        201,
        {"id": "1"},
        (b"access-control-allow-origin", b"*"),
        (b"access-control-allow-credentials", b"true"),
    )
    for body, key, status in ((ORDER, kit.KEY, 201), ({}, kit.KEY, 422), (ORDER, None, 401)):
        reply = await house.ask("POST", "/orders/v1/orders", body, ("origin", WARD), key=key)
        assert reply.status == status
        found = told(reply)
        shown = found.pop("access-control-expose-headers").split(", ")
        assert {"x-request-id", "retry-after", "ratelimit", "x-interlock-contract"} <= set(shown)
        assert found == {"access-control-allow-origin": WARD, "vary": "Origin"}
    missing = await house.ask("DELETE", "/orders/v1/orders", b"", ("origin", WARD))
    assert (missing.status, told(missing)["access-control-allow-origin"]) == (405, WARD)
    assert told(await house.ask("GET", "/orders/v1/orders")) == {"vary": "Origin"}


async def test_declared_headers_are_exposed_and_credentials_are_said(open_house, kit) -> None:
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["responses"]["201"]["headers"] = {
        "X-Queue": {"schema": {"type": "integer"}}
    }
    cors = Cors(origins=(WARD,), credentials=True, expose=("X-Trace",), allow=("X-Trace",))
    house = await open_house(cors, document)
    house.provider.answer = lambda _: kit.answer(201, {"id": "1"}, (b"x-queue", b"4"))
    found = told(await house.ask("POST", "/orders/v1/orders", ORDER, ("origin", WARD)))
    assert {"x-queue", "x-trace"} <= set(found["access-control-expose-headers"].split(", "))
    assert found["access-control-allow-credentials"] == "true"
    preflight = told(await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("POST"), key=None))
    assert preflight["access-control-allow-credentials"] == "true"
    assert preflight["access-control-allow-headers"] == "content-type, x-api-key, x-trace"


async def test_any_origin_is_said_as_such_and_not_reflected(open_house) -> None:
    house = await open_house(Cors(origins=("*",)))
    found = told(await house.ask("GET", "/orders/v1/status", b"", ("origin", "https://any.example")))
    assert found.pop("access-control-expose-headers")
    assert found == {"access-control-allow-origin": "*"}


async def test_private_networks_are_let_in_where_it_is_said(open_house) -> None:
    wanted = ("access-control-request-private-network", "true")
    for private in (True, False):
        house = await open_house(Cors(origins=(WARD,), private_network=private))
        found = told(await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("POST", WARD, wanted)))
        assert found.get("access-control-allow-private-network") == ("true" if private else None)


async def test_the_contract_says_it_and_the_route_overrules(make_house, kit) -> None:
    document = kit.orders_document() | {"x-interlock-cors": {"origins": [WARD], "max-age": 60}}
    house = make_house()
    await house.publish(document)
    found = told(await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("GET"), key=None))
    assert (found["access-control-allow-origin"], found["access-control-max-age"]) == (WARD, "60")
    await house.publish(document, policy=RoutePolicy(cors=Cors()))
    assert set(told(await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("GET"), key=None))) == {
        "vary"
    }
    await house.publish()
    assert told(await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("GET"), key=None)) == {}


async def test_a_preflight_of_two_versions_names_what_either_takes(open_house, kit) -> None:
    newer = kit.orders_document("1.1.0")
    newer["paths"]["/orders"]["get"]["parameters"][1]["name"] = "X-Floor"
    newer["paths"]["/orders"]["delete"] = {
        "operationId": "dropOrders",
        "responses": {"204": {"description": "gone"}},
    }
    house = await open_house(OPEN, kit.orders_document(), newer)
    found = told(await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("GET"), key=None))
    assert found["access-control-allow-methods"] == "DELETE, GET, HEAD, OPTIONS, POST"
    assert found["access-control-allow-headers"] == "x-api-key, x-floor, x-ward"


async def test_preflights_are_limited_by_the_guard(make_house) -> None:
    house = make_house(proxy_guard_requests=2)
    await house.publish(policy=RoutePolicy(cors=OPEN))
    statuses = [
        (await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("GET"), key=None)).status
        for _ in range(3)
    ]
    assert statuses == [204, 204, 429]


async def test_options_that_the_contract_declares_is_no_preflight_without_its_fields(open_house, kit) -> None:
    document = kit.orders_document()
    document["paths"]["/orders"]["options"] = {
        "operationId": "ask",
        "responses": {"200": {"description": "told"}},
    }
    house = await open_house(OPEN, document)
    house.provider.answer = lambda _: kit.answer(200)
    assert (await house.ask("OPTIONS", "/orders/v1/orders", b"", ("origin", WARD))).status == 200
    assert len(house.provider.calls) == 1
    assert (await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("GET"), key=None)).status == 204
    assert len(house.provider.calls) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"origins": ["https://ward.example/"]},
        {"origins": ["https://WARD.example"]},
        {"origins": ["https://ward.example:443"]},
        {"origins": ["null"]},
        {"origins": ["https://*.ward.example"]},
        {"origins": ["*"], "credentials": True},
        {"origins": ["*"], "private-network": True},
        {"origins": ["https://ward.example"], "max-age": -1},
        {"origins": ["https://ward.example"], "expose": ["*"]},
        {"origins": ["https://ward.example"], "allow": ["a\r\nb"]},
        {"origin": ["https://ward.example"]},
        {"origins": "https://ward.example"},
        {"origins": ["https://ward.example"], "max_age": 60},
        ["https://ward.example"],
    ],
)
def test_what_opens_more_than_it_says_is_refused_with_its_place(kit, given) -> None:
    with pytest.raises(ContractInvalid) as caught:
        compile_contract(kit.orders_document() | {"x-interlock-cors": given})
    assert caught.value.place.pointer.startswith("/x-interlock-cors")


def test_a_policy_is_held_to_the_same() -> None:
    with pytest.raises(msgspec.ValidationError, match="any origin"):
        msgspec.convert({"cors": {"origins": ["*"], "credentials": True}}, RoutePolicy)


async def test_a_page_may_read_that_its_route_is_denied(open_house) -> None:
    house = await open_house()
    for route in house.pipeline.plan.routes:
        route.denied = True
    assert (await house.ask("OPTIONS", "/orders/v1/orders", b"", *asked("GET"), key=None)).status == 204
    reply = await house.ask("GET", "/orders/v1/orders", b"", ("origin", WARD))
    assert (reply.status, told(reply)["access-control-allow-origin"]) == (403, WARD)
