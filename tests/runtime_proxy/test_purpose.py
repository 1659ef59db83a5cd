"""Purposes of use: asked for, held to the value set, signed ones preferred, and recorded."""

import json
from typing import Any

import pytest

from kernel.bundle.policy import RoutePolicy
from kernel.bundle.trust import PurposeOfUse, SmartConfiguration, TokenTrust
from tests.doubles.issuer import AuthorizationServer, bearer, bound, with_login

ASKED = PurposeOfUse(("TREAT", "ETREAT", "urn:oid:2.16.840.1.113883.5.8#HPAYMT"))
ORDER = {"code": "2823-3", "priority": "routine"}


@pytest.fixture
async def asking(make_house):
    house = make_house()
    await house.publish(policy=RoutePolicy(purpose=ASKED))
    return house


async def test_the_stated_purpose_stands_in_every_record(asking) -> None:
    line = ("x-purpose-of-use", "TREAT")
    assert (await asking.ask("POST", "/orders/v1/orders", ORDER, line)).status == 201
    records = [one for one in asking.journal.records if one["stage"] != "act"]
    assert [(one["stage"], one["purpose"]) for one in records] == [
        ("received", "TREAT"),
        ("completed", "TREAT"),
    ]
    assert records[0]["auth"] == "api-key"


@pytest.mark.parametrize(
    ("lines", "slug"),
    [
        ((), "purpose-missing"),
        ((("x-purpose-of-use", ""),), "purpose-refused"),
        ((("x-purpose-of-use", "HMARKT"),), "purpose-refused"),
        ((("x-purpose-of-use", "treat"),), "purpose-refused"),
        ((("x-purpose-of-use", "TREAT, ETREAT"),), "purpose-refused"),
        ((("x-purpose-of-use", "TREAT"), ("x-purpose-of-use", "ETREAT")), "purpose-refused"),
        ((("x_purpose_of_use", "TREAT"),), "purpose-missing"),
    ],
)
async def test_without_one_of_its_purposes_nothing_is_forwarded(asking, kit, lines, slug) -> None:
    reply = await asking.ask("POST", "/orders/v1/orders", ORDER, *lines)
    assert (reply.status, kit.problem(reply)["slug"]) == (403, slug)
    assert asking.provider.calls == []
    assert "HMARKT" not in reply.body.decode() + str(asking.journal.records)


async def test_an_operation_for_anybody_asks_too(asking, kit) -> None:
    asking.provider.answer = lambda _: kit.answer(204)
    assert (await asking.ask("GET", "/orders/v1/status", key=None)).status == 403
    line = ("x-purpose-of-use", "ETREAT")
    assert (await asking.ask("GET", "/orders/v1/status", b"", line, key=None)).status == 204
    assert asking.journal.records[-1]["purpose"] == "ETREAT"


async def test_a_route_that_asks_for_none_records_none(make_house) -> None:
    house = make_house()
    await house.publish()
    await house.ask("POST", "/orders/v1/orders", ORDER, ("x-purpose-of-use", "TREAT"))
    assert all("purpose" not in one for one in house.journal.records)


@pytest.mark.parametrize(
    ("claim", "lines", "status"),
    [
        ("TREAT", (), 201),
        ("TREAT", (("x-purpose-of-use", "TREAT"),), 201),
        ("TREAT", (("x-purpose-of-use", "ETREAT"),), 403),
        ("HMARKT", (("x-purpose-of-use", "TREAT"),), 403),
        (None, (("x-purpose-of-use", "TREAT"),), 201),
    ],
)
async def test_a_tokens_claim_counts_and_no_header_says_otherwise(
    make_house, kit, claim, lines, status
) -> None:
    server = AuthorizationServer()
    house = make_house()
    policy = RoutePolicy(tokens=TokenTrust((server.issuer(jwks_uri="", jwks=server.jwks()),)), purpose=ASKED)
    await house.publish(with_login(kit.orders_document()), consumers=(bound(),), policy=policy)
    token: dict[str, Any] = {"purpose_of_use": claim}
    reply = await house.ask(
        "POST", "/orders/v1/orders", ORDER, bearer(server.token(**token)), *lines, key=None
    )
    assert reply.status == status
    if status == 201:
        assert house.journal.records[-1]["purpose"] == "TREAT"
    await house.plane.stop()
    server.close()


async def test_smart_configuration_is_served_below_the_base(make_house, kit) -> None:
    made = with_login(kit.orders_document())
    made["paths"]["/orders"]["get"]["security"] = [{"login": ["patient/Observation.rs", "openid"]}]
    house = make_house()
    smart = SmartConfiguration("https://login.example/token", issuer="https://login.example")
    await house.publish(made, policy=RoutePolicy(smart=smart))
    reply = await house.ask("GET", "/orders/v1/.well-known/smart-configuration", key=None)
    assert (reply.status, kit.header(reply, "content-type")) == (200, "application/json")
    said = json.loads(reply.body)
    assert said["token_endpoint"] == "https://login.example/token"
    assert said["scopes_supported"] == ["patient/Observation.rs"]
    assert said["capabilities"] == ["permission-v1", "permission-v2"]
    assert said["code_challenge_methods_supported"] == ["S256"]
    assert "authorization_endpoint" not in said
    await house.publish(made)
    assert (await house.ask("GET", "/orders/v1/.well-known/smart-configuration", key=None)).status == 404
