"""A call with a token, from the head to the audit record: who it is, what it may, and what waits for what."""

import asyncio
import base64
import hashlib
import json
from typing import Any

import pytest

from kernel.bundle.model import Grant, Limit
from kernel.bundle.policy import RoutePolicy
from kernel.bundle.trust import Introspection, TokenTrust
from runtime_proxy.client_certificates import ClientCertificate
from runtime_proxy.deferred import Deferred
from runtime_proxy.errors import ActivationFailed
from tests.doubles.edge import Client, edge_of, until
from tests.doubles.issuer import (
    AUDIENCE,
    OTHER_KEY,
    AuthorizationServer,
    bearer,
    bound,
    unsigned,
    with_login,
)

ORDER = {"code": "2823-3", "priority": "routine"}
RESOURCE = "https://api.hospital.example/orders/v1"


@pytest.fixture
def server():
    made = AuthorizationServer()
    yield made
    made.close()


def document(kit, **more: Any) -> dict[str, Any]:
    return with_login(kit.orders_document(**more))


@pytest.fixture
async def trusting(make_house, kit, server):
    """A house whose route trusts the server, and whose consumer `clinic` is bound to `clinic-app`."""
    house = make_house()
    trust = TokenTrust((server.issuer(),), resource=RESOURCE)
    await house.publish(document(kit), consumers=(bound(),), policy=RoutePolicy(tokens=trust))
    yield house
    await house.plane.stop()


async def test_a_token_makes_the_call_its_consumers(trusting, kit, server) -> None:
    reply = await trusting.ask("POST", "/orders/v1/orders", ORDER, bearer(server.token()), key=None)
    assert reply.status == 201
    received, completed = [one for one in trusting.journal.records if one["stage"] != "act"]
    for record in (received, completed):
        assert record["consumer"] == "clinic"
        assert record["auth"] == "jwt"
        assert record["token_id"] == "urn:ietf:params:oauth:jti:t-1"
    assert all(name != b"authorization" for name, _ in trusting.provider.calls[0].headers)
    assert server.token() not in str(trusting.journal.records)


async def test_keys_of_ours_go_on_beside_tokens_and_wait_for_nothing(trusting, kit, server) -> None:
    for lines, how in (((), "api-key"), ((bearer(kit.KEY),), "bearer-key")):
        exchange = trusting.exchange("GET", "/orders/v1/orders", b"", *lines, key=None if lines else kit.KEY)
        assert trusting.pipeline.admit(exchange)
        assert exchange.refusal is None
        trusting.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
        assert (await trusting.pipeline.serve(exchange)).status == 200
        assert trusting.journal.records[-1]["auth"] == how
        assert trusting.journal.records[-1]["consumer"] == "ward"


async def test_the_body_is_read_while_keys_are_fetched_and_once_only(make_house, kit, server) -> None:
    house = make_house()
    await house.publish(
        document(kit), consumers=(bound(),), policy=RoutePolicy(tokens=TokenTrust((server.issuer(),)))
    )
    exchanges = [
        house.exchange("POST", "/orders/v1/orders", ORDER, bearer(server.token()), key=None)
        for _ in range(20)
    ]
    for exchange in exchanges:
        assert house.pipeline.admit(exchange), "its body is to be read"
        assert isinstance(exchange.refusal, Deferred)
    replies = await asyncio.gather(*(house.pipeline.serve(exchange) for exchange in exchanges))
    assert {reply.status for reply in replies} == {201}
    assert server.fetches == 1
    again = house.exchange("POST", "/orders/v1/orders", ORDER, bearer(server.token()), key=None)
    assert house.pipeline.admit(again)
    assert again.refusal is None, "a known token is judged at once"
    await house.pipeline.serve(again)
    await house.plane.stop()


async def test_on_the_wire_bodies_come_while_keys_are_fetched_and_answers_keep_their_order(
    make_house, kit, server
) -> None:
    """A body in two pieces, then a call with a key behind it: both wait for the issuer, in order."""
    house = make_house(proxy_drain_timeout=0)
    await house.publish(
        document(kit), consumers=(bound(),), policy=RoutePolicy(tokens=TokenTrust((server.issuer(),)))
    )
    (cache,) = house.plane._trust._caches.values()
    await asyncio.wait((cache._fetching,))
    cache._keys, gate = None, asyncio.Event()

    async def fetch(get: Any = cache._fetch) -> Any:
        await gate.wait()
        return await get()

    cache._fetch, cache._not_before = fetch, 0.0
    house.provider.answer = lambda call: kit.answer(201 if call.method == b"POST" else 200, {"id": "o-1"})
    body = json.dumps(ORDER).encode()
    head = (
        b"POST /orders/v1/orders HTTP/1.1\r\nHost: p.example\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n" % (server.token().encode(), len(body))
    )
    behind = b"GET /orders/v1/orders HTTP/1.1\r\nHost: p.example\r\nX-API-Key: %b\r\n\r\n" % kit.KEY.encode()
    async with edge_of(house.pipeline) as edge:
        client = await Client.to(edge)
        await client.send(head + body[:5], body[5:] + behind)
        await until(lambda: cache._fetching)
        assert house.provider.calls == []
        gate.set()
        assert [(await client.answer())[0] for _ in range(2)] == [201, 200]
        await client.close()
    assert house.provider.calls[0].body == body
    await house.plane.stop()


async def test_what_was_not_decided_is_refused_where_nobody_waits(trusting) -> None:
    future = asyncio.get_running_loop().create_future()
    assert (Deferred(future).status, Deferred(future).slug) == (503, "verification-unavailable")


async def test_without_keys_a_token_is_refused_with_503_and_nothing_is_forwarded(
    make_house, kit, server
) -> None:
    server.publish(b"", status=500)
    house = make_house()
    await house.publish(
        document(kit), consumers=(bound(),), policy=RoutePolicy(tokens=TokenTrust((server.issuer(),)))
    )
    reply = await house.ask("POST", "/orders/v1/orders", ORDER, bearer(server.token()), key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (503, "verification-unavailable")
    assert kit.header(reply, "retry-after") == "5"
    assert house.provider.calls == []
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 201, "keys need no issuer"
    await house.plane.stop()


async def test_a_rotated_key_works_and_the_withdrawn_one_ends_with_its_tokens(
    make_house, kit, server
) -> None:
    """Tokens that were verified before are asked for anew when their key is withdrawn."""
    clock = [1000.0]
    house = make_house()
    house.plane._trust._clock = lambda: clock[0]
    await house.publish(
        document(kit), consumers=(bound(),), policy=RoutePolicy(tokens=TokenTrust((server.issuer(),)))
    )
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    old = server.token()
    assert (await house.ask("GET", "/orders/v1/orders", b"", bearer(old), key=None)).status == 200
    server.keys = {"b": type(server.keys["a"]).generate_key(2048)}
    server.publish()
    clock[0] += 31
    new = server.token(key="b", jti="t-2")
    assert (await house.ask("GET", "/orders/v1/orders", b"", bearer(new), key=None)).status == 200
    reply = await house.ask("GET", "/orders/v1/orders", b"", bearer(old), key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (401, "credentials-refused")
    assert server.fetches == 2
    await house.plane.stop()


async def test_a_flood_of_strange_key_ids_fetches_once(trusting, kit, server) -> None:
    for number in range(60):
        header = {"alg": "RS256", "kid": f"k{number}", "typ": "at+jwt"}
        token = unsigned(header, server.claims(), b"x" * 256)
        reply = await trusting.ask("GET", "/orders/v1/orders", b"", bearer(token), key=None)
        assert reply.status == 401
    assert server.fetches == 1


@pytest.mark.parametrize(
    ("claims", "status", "slug", "code"),
    [
        ({"aud": "other"}, 401, "credentials-refused", b'error="invalid_token"'),
        ({"exp": 1000, "iat": 900}, 401, "credentials-expired", b'error="invalid_token"'),
        ({"iss": "https://evil.example"}, 401, "credentials-refused", b'error="invalid_token"'),
        ({"client_id": "stranger"}, 403, "consumer-unknown", None),
    ],
)
async def test_what_is_wrong_with_a_token_is_told(trusting, kit, server, claims, status, slug, code) -> None:
    reply = await trusting.ask("GET", "/orders/v1/orders", b"", bearer(server.token(**claims)), key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (status, slug)
    lines = [line for name, line in reply.headers if name == b"www-authenticate"]
    assert [line for line in lines if code and code in line] == [line for line in lines if b"Bearer" in line]
    assert trusting.provider.calls == []


async def test_nothing_shown_has_no_error_code_and_names_the_metadata(trusting, kit) -> None:
    reply = await trusting.ask("GET", "/orders/v1/orders", key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (401, "credentials-missing")
    lines = [line for name, line in reply.headers if name == b"www-authenticate"]
    where = b"https://api.hospital.example/.well-known/oauth-protected-resource/orders/v1"
    assert lines[0] == b'Bearer realm="orders", resource_metadata="%b"' % where


async def test_the_metadata_is_served_where_the_challenge_says(trusting, kit, server) -> None:
    target = "/.well-known/oauth-protected-resource/orders/v1"
    reply = await trusting.ask("GET", target, key=None)
    assert reply.status == 200
    assert kit.header(reply, "content-type") == "application/json"
    assert json.loads(reply.body) == {
        "resource": RESOURCE,
        "authorization_servers": [server.name],
        "scopes_supported": ["orders.write"],
        "bearer_methods_supported": ["header"],
        "resource_name": "orders",
    }
    assert (await trusting.ask("HEAD", target, key=None)).body == b""
    assert (await trusting.ask("POST", target, {}, key=None)).status == 405
    assert (await trusting.ask("GET", target + "/x", key=None)).status == 404


async def test_a_scope_must_stand_in_the_token_and_in_the_grant(make_house, kit, server) -> None:
    house = make_house()
    house.provider.answer = lambda _: kit.answer(204)
    policy = RoutePolicy(tokens=TokenTrust((server.issuer(),)))
    for granted, held, status in (
        (("orders.write",), "orders.write", 204),
        (("orders.write",), "orders.read", 403),
        ((), "orders.write", 403),
    ):
        consumer = bound(grants=(Grant("orders", 1, scopes=granted),))
        await house.publish(document(kit), consumers=(consumer,), policy=policy)
        token = server.token(scope=held, jti=f"{held}-{granted}")
        reply = await house.ask("PUT", "/orders/v1/orders/1", ORDER, bearer(token), key=None)
        assert reply.status == status
        if status == 403:
            assert kit.problem(reply)["slug"] == "scope-missing"
            said = kit.header(reply, "www-authenticate")
            by_token = 'Bearer error="insufficient_scope", scope="orders.write"'
            assert said == (by_token if granted else None)
    await house.plane.stop()


async def test_limits_grants_and_audience_apply_to_a_tokens_consumer(make_house, kit, server) -> None:
    house = make_house()
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    policy = RoutePolicy(tokens=TokenTrust((server.issuer(),)))
    one = bearer(server.token())
    limited = bound(limits=(Limit("calls", 1, 60, 1),))
    await house.publish(document(kit), consumers=(limited,), policy=policy)
    assert (await house.ask("GET", "/orders/v1/orders", b"", one, key=None)).status == 200
    reply = await house.ask("GET", "/orders/v1/orders", b"", one, key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (429, "over-limit")
    house.now += 61_000_000_000
    await house.publish(document(kit), consumers=(bound(grants=()),), policy=policy)
    reply = await house.ask("GET", "/orders/v1/orders", b"", one, key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (403, "not-granted")
    await house.publish(document(kit), consumers=(bound("someone-else"),), policy=policy)
    reply = await house.ask("GET", "/orders/v1/orders", b"", one, key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (403, "consumer-unknown")
    await house.plane.stop()


async def test_a_scheme_for_keys_takes_no_tokens(trusting, kit, server) -> None:
    reply = await trusting.ask("GET", "/orders/v1/orders", b"", key=server.token())
    assert (reply.status, kit.problem(reply)["slug"]) == (401, "credentials-refused")


async def test_key_and_token_of_one_alternative_must_be_one_consumers(make_house, kit, server) -> None:
    house = make_house()
    made = document(kit)
    made["security"] = [{"login": [], "apiKey": []}]
    policy = RoutePolicy(tokens=TokenTrust((server.issuer(),)))
    await house.publish(made, consumers=(bound(),), policy=policy)
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    line = bearer(server.token())
    assert (await house.ask("GET", "/orders/v1/orders", b"", line, key=OTHER_KEY)).status == 200
    assert house.journal.records[-1]["auth"] == "api-key+jwt"
    assert (await house.ask("GET", "/orders/v1/orders", b"", line)).status == 401
    assert (await house.ask("GET", "/orders/v1/orders", b"", line, key=None)).status == 401
    await house.plane.stop()


async def test_a_bound_token_needs_its_certificate(trusting, kit, server) -> None:
    trusting.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    mine = ClientCertificate(hashlib.sha256(b"mine").digest(), ())
    text = base64.urlsafe_b64encode(mine.thumbprint).rstrip(b"=").decode()
    line = bearer(server.token(cnf={"x5t#S256": text}))
    for shown, status in ((mine, 200), (None, 401), (ClientCertificate(b"x" * 32, ()), 401)):
        exchange = trusting.exchange("GET", "/orders/v1/orders", b"", line, key=None)
        exchange.certificate = shown
        trusting.pipeline.admit(exchange)
        assert (await trusting.pipeline.serve(exchange)).status == status


# -- introspection ----------------------------------------------------------------------------------


@pytest.fixture
async def asking(make_house, kit, server, tmp_path):
    """A house that asks the server about tokens."""
    secret = tmp_path / "secret"
    secret.write_text("s:cret\n")
    asked = Introspection(
        f"{server.upstream.url}/introspect", "proxy", str(secret), (AUDIENCE,), issuer=server.name
    )
    house = make_house()
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    policy = RoutePolicy(tokens=TokenTrust((), asked))
    await house.publish(document(kit), consumers=(bound(),), policy=policy)
    yield house
    await house.plane.stop()


def asked_for(server) -> list[Any]:
    return [seen for seen in server.upstream.seen if seen.target == "/introspect"]


async def test_an_opaque_token_is_asked_about_once(asking, kit, server) -> None:
    server.says({"active": True, **server.claims(jti=None)})
    token = "opaque-token-of-some-length-0123456789"
    for _ in range(5):
        reply = await asking.ask("GET", "/orders/v1/orders", b"", bearer(token), key=None)
        assert reply.status == 200
    (seen,) = asked_for(server)
    assert seen.body == b"token=opaque-token-of-some-length-0123456789&token_type_hint=access_token"
    assert seen.header("authorization") == ["Basic cHJveHk6cyUzQWNyZXQ="]
    record = asking.journal.records[-1]
    assert (record["auth"], record["consumer"]) == ("introspection", "clinic")
    assert token not in str(asking.journal.records)


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ({"active": False}, 401),
        ({"active": False, "aud": AUDIENCE, "client_id": "clinic-app"}, 401),
        ({"active": True}, 401),
        ({"active": True, "aud": "other", "client_id": "clinic-app"}, 401),
        ({"active": True, "aud": AUDIENCE, "client_id": "clinic-app", "exp": 1000}, 401),
        ({"active": True, "aud": AUDIENCE, "client_id": "clinic-app", "iss": "https://evil.example"}, 401),
        ({"active": True, "aud": AUDIENCE, "client_id": "stranger"}, 403),
        ({"active": True, "aud": AUDIENCE, "client_id": "clinic-app"}, 200),
        ({"active": "true", "aud": AUDIENCE, "client_id": "clinic-app"}, 503),
        ({}, 503),
        ([], 503),
    ],
)
async def test_only_a_plain_yes_for_us_lets_a_token_pass(asking, server, answer, status) -> None:
    server.says(answer)
    reply = await asking.ask("GET", "/orders/v1/orders", b"", bearer("opaque"), key=None)
    assert reply.status == status
    again = await asking.ask("GET", "/orders/v1/orders", b"", bearer("opaque"), key=None)
    assert again.status == status
    assert len(asked_for(server)) == 1, "yes and no are both remembered for a while"


async def test_when_nobody_answers_nobody_passes(asking, kit, server) -> None:
    server.says({"active": True}, status=500)
    reply = await asking.ask("GET", "/orders/v1/orders", b"", bearer("opaque"), key=None)
    assert (reply.status, kit.problem(reply)["slug"]) == (503, "verification-unavailable")


async def test_many_calls_with_one_token_are_one_question(asking, server) -> None:
    server.says({"active": True, **server.claims()})
    line = bearer("opaque")
    replies = await asyncio.gather(
        *(asking.ask("GET", "/orders/v1/orders", b"", line, key=None) for _ in range(20))
    )
    assert {reply.status for reply in replies} == {200}
    assert len(asked_for(server)) == 1


async def test_a_secret_that_cannot_be_read_keeps_the_old_bundle(make_house, kit, server, tmp_path) -> None:
    house = make_house()
    asked = Introspection(f"{server.upstream.url}/i", "proxy", str(tmp_path / "none"), (AUDIENCE,))
    with pytest.raises(ActivationFailed, match="secret"):
        await house.publish(document(kit), policy=RoutePolicy(tokens=TokenTrust((), asked)))
