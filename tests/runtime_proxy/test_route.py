"""Forwarding: the body byte for byte, path and query as they came, headers of one connection only."""

import re

import pytest

from adapters.wire.http_fields import OURS, encode
from adapters.wire.known_fields import KnownFields
from kernel.bundle.policy import Paths, RoutePolicy

ORDER = b'{"code":"2823-3","priority":"urgent"}'
BODIES = [
    ORDER,
    b' \t\n{ "priority" :"urgent",\r\n"code"  : "2823-3" } \n',
    b'{"code":"2823-3","priority":"urgent","copies":1.0}',
    b'{"code":"2823-3","priority":"urgent","copies":10e-1}',
    '{"code":"2823-3","priority":"urgent","note":"Größe µ"}'.encode(),
    b'{"code":"2823-3","priority":"urgent","note":"\\u00e4\\/\\u0041"}',
]


@pytest.mark.parametrize("body", BODIES)
async def test_the_bytes_that_were_validated_are_the_bytes_forwarded(house, body) -> None:
    reply = await house.ask("POST", "/orders/v1/orders", body)
    assert reply.status == 201
    assert house.provider.calls[0].body == body


async def test_numbers_beyond_a_double_go_on_as_they_were_written(make_house, kit) -> None:
    document = kit.orders_document()
    document["components"]["schemas"]["Order"] = {"type": "object"}
    house = make_house()
    await house.publish(document)
    body = b'{"a":123456789012345678901234567890,"b":1.00000000000000000000000001,"c":-0.0}'
    assert (await house.ask("POST", "/orders/v1/orders", body)).status == 201
    assert house.provider.calls[0].body == body


@pytest.mark.parametrize(
    ("target", "forwarded"),
    [
        ("/orders/v1/orders/a%2Fb", b"/orders/a%2Fb"),
        ("/orders/v1/orders/%C3%A4;x=1", b"/orders/%C3%A4;x=1"),
        ("/orders/v1/orders/a?x=%2f&y=a+b&&z", b"/orders/a?x=%2f&y=a+b&&z"),
        ("/orders/v1/orders/a?", b"/orders/a"),
    ],
)
async def test_path_and_query_go_on_as_they_came(house, kit, target, forwarded) -> None:
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    assert (await house.ask("GET", target)).status == 200
    assert house.provider.calls[0].target == forwarded


async def test_a_route_may_put_a_prefix_before_the_path(make_house) -> None:
    house = make_house()
    await house.publish(upstream_prefix="/lims/api/", base_path="/lab")
    assert (await house.ask("POST", "/lab/orders", ORDER)).status == 201
    assert house.provider.calls[0].target == b"/lims/api/orders"
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 404


async def sent(house, *headers) -> dict[str, list[str]]:
    await house.ask("POST", "/orders/v1/orders", ORDER, *headers)
    lines: dict[str, list[str]] = {}
    for name, value in house.provider.calls[-1].headers:
        lines.setdefault(name.decode(), []).append(value.decode())
    return lines


async def test_headers_of_the_connection_end_here(house) -> None:
    lines = await sent(
        house,
        ("connection", "keep-alive, X-Hop , close"),
        ("x-hop", "1"),
        ("keep-alive", "timeout=5"),
        ("te", "trailers"),
        ("trailer", "x-sum"),
        ("transfer-encoding", "chunked"),
        ("upgrade", "h2c"),
        ("proxy-authorization", "Basic x"),
        ("expect", "100-continue"),
        ("content-length", "37"),
        ("x-ward", "7B"),
        ("accept", "application/json"),
    )
    assert sorted(lines) == [
        "accept",
        "accept-encoding",
        "content-type",
        "forwarded",
        "traceparent",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-request-id",
        "x-ward",
    ]


async def test_credentials_end_here_in_every_spelling(house, kit) -> None:
    lines = await sent(house, ("x_api_key", kit.KEY), ("x-api_key", kit.KEY))
    assert kit.KEY not in str(lines)
    assert not [name for name in lines if "api" in name]


@pytest.mark.parametrize(
    "name",
    ["X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Prefix", "X-Host", "Client-IP", "True-Client-IP", "Proxy", "X-Middleware-Subrequest", "X_Original_URL", "x_http-method_override"],
)  # fmt: skip
async def test_what_would_take_over_the_call_goes_on_only_where_it_is_declared(make_house, kit, name) -> None:
    house = make_house()
    await house.publish()
    assert name.lower() not in await sent(house, (name.lower(), "/admin"))
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["parameters"] = [
        {"name": name, "in": "header", "schema": {"const": "/a"}}
    ]
    await house.publish(document)
    assert (await sent(house, (name.lower(), "/a")))[name.lower()] == ["/a"]
    assert (await house.ask("POST", "/orders/v1/orders", ORDER, (name.lower(), "/b"))).status == 400


async def test_the_twin_of_a_declared_or_common_header_ends_here(make_house, kit) -> None:
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["parameters"] = [
        {"name": "X-Ward", "in": "header", "schema": {"const": "7B"}},
        {"name": "bed_no", "in": "header", "schema": {"const": "2"}},
    ]
    house = make_house()
    await house.publish(document)
    lines = await sent(
        house, ("x-ward", "7B"), ("x_ward", "9A"), ("bed_no", "2"), ("bed-no", "3"), ("content_type", "a/b"), ("my_own", "1")
    )  # fmt: skip
    assert (lines["x-ward"], lines["bed_no"], lines["my_own"]) == (["7B"], ["2"], ["1"])
    assert {"x_ward", "bed-no", "content_type"}.isdisjoint(lines)


async def test_connection_cannot_take_away_what_was_validated(make_house, kit) -> None:
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["parameters"] = [
        {"name": "X-Ward", "in": "header", "required": True, "schema": {"const": "7B"}}
    ]
    house = make_house()
    await house.publish(document)
    reply = await house.ask(
        "POST", "/orders/v1/orders", ORDER, ("x-ward", "7B"), ("connection", "close, X-WARD")
    )
    assert kit.problem(reply)["slug"] == "connection-option-refused"
    assert house.provider.calls == []


async def test_a_provider_cannot_take_away_what_belongs_to_the_whole_way(house, kit) -> None:
    house.provider.answer = lambda _: kit.answer(
        201, {"id": "o-1"}, (b"connection", b"content-type, x-hop"), (b"x-hop", b"1")
    )
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert kit.header(reply, "content-type") == "application/json"
    assert kit.header(reply, "x-hop") is None


@pytest.mark.parametrize(("policy", "status"), [(None, 200), ("data", 200), ("refuse", 400)])
@pytest.mark.parametrize("target", ["/orders/v1/orders/a%2Fb", "/orders/v1/orders/a%2fb"])
async def test_a_route_may_refuse_encoded_slashes(make_house, kit, policy, status, target) -> None:
    house = make_house()
    await house.publish(policy=RoutePolicy(paths=Paths(policy) if policy else None))
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    assert (await house.ask("GET", target)).status == status
    assert len(house.provider.calls) == (status == 200)
    assert (await house.ask("GET", "/orders/v1/orders/a%20b")).status == 200


async def test_headers_that_we_set_are_not_taken_from_outside(house) -> None:
    lines = await sent(
        house,
        ("x-forwarded-for", "10.0.0.1"),
        ("x_forwarded_for", "10.0.0.2"),
        ("forwarded", "for=10.0.0.3"),
        ("x-forwarded-host", "evil.example"),
        ("x-forwarded-proto", "https"),
        ("x-real-ip", "10.0.0.4"),
        ("x-request-id", "mine"),
        ("x-interlock-contract", "other@9.9.9"),
    )
    assert lines["x-forwarded-for"] == ["192.0.2.7"]
    assert lines["x-forwarded-host"] == ["proxy.example:8701"]
    assert lines["x-forwarded-proto"] == ["http"]
    assert lines["forwarded"] == ['for=192.0.2.7;proto=http;host="proxy.example:8701"']
    assert lines["x-request-id"] == [house.last.request_id]
    assert "10.0.0" not in str(lines)
    assert "x-interlock-contract" not in lines


async def test_an_ipv6_source_is_written_as_rfc_7239_wants(house) -> None:
    exchange = house.exchange("POST", "/orders/v1/orders", ORDER)
    exchange.peer = "2001:db8::7"
    exchange.secure = True
    house.pipeline.admit(exchange)
    await house.pipeline.serve(exchange)
    lines = dict(house.provider.calls[-1].headers)
    assert lines[b"forwarded"] == b'for="[2001:db8::7]";proto=https;host="proxy.example:8701"'
    assert lines[b"x-forwarded-proto"] == b"https"


async def test_a_trace_goes_on_and_is_recorded(house) -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    lines = await sent(
        house, ("traceparent", f"00-{trace}-b7ad6b7169203331-01"), ("tracestate", "a=1"), ("tracestate", "b=2")
    )  # fmt: skip
    assert re.fullmatch(rf"00-{trace}-[0-9a-f]{{16}}-01", lines["traceparent"][0])
    assert "b7ad6b7169203331" not in lines["traceparent"][0]
    assert lines["tracestate"] == ["a=1,b=2"]
    assert house.journal.records[-1]["trace_id"] == trace


async def test_two_traceparents_are_none(house) -> None:
    line = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
    lines = await sent(house, line, line, ("tracestate", "a=1"))
    assert len(lines["traceparent"]) == 1
    assert "0af7651916cd43dd8448eb211c80319c" not in lines["traceparent"][0]
    assert "tracestate" not in lines


async def test_a_declared_request_id_is_the_callers(make_house, kit) -> None:
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["parameters"] = [
        {
            "name": "X-Request-ID",
            "in": "header",
            "required": True,
            "schema": {"type": "string", "maxLength": 8},
        }
    ]
    house = make_house()
    await house.publish(document)
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 400
    lines = await sent(house, ("x-request-id", "mine-1"))
    assert lines["x-request-id"] == ["mine-1"]


async def test_range_and_validators_go_on_only_where_their_status_is_declared(house, kit) -> None:
    house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
    conditions = [("if-none-match", '"a"'), ("range", "bytes=0-1"), ("if-match", '"b"')]
    await house.ask("GET", "/orders/v1/orders", b"", *conditions)
    assert [name for name, _ in house.provider.calls[-1].headers if name[:3] in {b"if-", b"ran"}] == [
        b"if-match"
    ]
    await house.ask("GET", "/orders/v1/orders/o-1", b"", *conditions)
    names = [name for name, _ in house.provider.calls[-1].headers if name[:3] in {b"if-", b"ran"}]
    assert names == [b"if-none-match", b"if-match"]


async def test_the_answer_loses_what_belongs_to_its_connection(house, kit) -> None:
    house.provider.answer = lambda _: kit.answer(
        201,
        {"id": "o-1"},
        (b"connection", b"x-hop"),
        (b"x-hop", b"1"),
        (b"transfer-encoding", b"chunked"),
        (b"server", b"LIMS/3.1"),
        (b"x-powered-by", b"PHP"),
        (b"x-request-id", b"theirs"),
        (b"x-interlock-contract", b"other@9"),
        (b"date", b"Sat, 21 Nov 2026 00:00:00 GMT"),
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
        (b"x-lab", b"7"),
    )
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert [line for line in reply.headers if line[0] == b"set-cookie"] == [
        (b"set-cookie", b"a=1"),
        (b"set-cookie", b"b=2"),
    ]
    assert sorted({name.decode() for name, _ in reply.headers}) == [
        "content-type",
        "set-cookie",
        "x-interlock-contract",
        "x-lab",
        "x-request-id",
    ]
    assert kit.header(reply, "x-request-id") == house.last.request_id


async def test_what_ends_here_is_no_part_of_what_was_promised(make_house, kit) -> None:
    document = kit.orders_document()
    created = document["paths"]["/orders"]["post"]["responses"]["201"]
    created["headers"] = {"X-Total": {"required": True, "schema": {"type": "integer"}}}
    house = make_house()
    await house.publish(document)
    for lines, status in (
        ([(b"x-total", b"7")], 201),
        ([(b"x-total", b"7"), (b"connection", b"keep-alive")], 201),
        ([(b"x-total", b"7"), (b"connection", b"Keep-Alive, X-Total")], 502),
    ):
        house.provider.answer = lambda _, lines=lines: kit.answer(201, {"id": "o-1"}, *lines)
        assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == status


async def test_keys_in_query_and_cookie_are_taken_out(make_house, kit) -> None:
    document = kit.orders_document()
    document["components"]["securitySchemes"] = {
        "q": {"type": "apiKey", "in": "query", "name": "key"},
        "c": {"type": "apiKey", "in": "cookie", "name": "sid"},
    }
    document["security"] = [{"q": []}, {"c": []}]
    document["paths"]["/orders/{id}"]["put"]["security"] = [{"q": []}]
    house = make_house()
    await house.publish(document)
    reply = await house.ask("POST", f"/orders/v1/orders?a=%20&key={kit.KEY}&b", ORDER, key=None)
    assert reply.status == 201
    assert house.provider.calls[-1].target == b"/orders?a=%20&b"
    cookie = ("cookie", f"a=1; sid={kit.KEY}; b=2")
    assert (await house.ask("POST", "/orders/v1/orders", ORDER, cookie, key=None)).status == 201
    assert dict(house.provider.calls[-1].headers)[b"cookie"] == b"a=1; b=2"
    await house.ask("POST", "/orders/v1/orders", ORDER, ("cookie", f"sid={kit.KEY}"), key=None)
    assert b"cookie" not in dict(house.provider.calls[-1].headers)


async def test_a_call_with_known_fields_is_the_same_but_for_its_ids(house) -> None:
    known: KnownFields | None = None
    sent = []
    for peer in ("192.0.2.1", "192.0.2.1", "192.0.2.2"):
        exchange = house.exchange("POST", "/orders/v1/orders", ORDER, ("x-extra", "1"))
        exchange.peer = peer
        known = exchange.known = known or KnownFields(exchange.headers, -1)
        assert house.pipeline.admit(exchange)
        assert (await house.pipeline.serve(exchange)).status == 201
        call = house.provider.calls[-1]
        own = {b"traceparent", b"x-request-id"}
        ids = dict(line for line in call.headers if line[0] in own)
        assert ids[b"x-request-id"] == exchange.request_id.encode()
        assert exchange.trace_id.encode() in ids[b"traceparent"]
        assert call.lines == encode(call.headers, OURS)
        sent.append(sorted(line for line in call.headers if line[0] not in own))
    assert sent[0] == sent[1]
    assert (b"x-forwarded-for", b"192.0.2.2") in sent[2]


async def test_a_trace_that_goes_on_is_never_taken_from_a_call_before(house) -> None:
    known: KnownFields | None = None
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for _ in range(3):
        exchange = house.exchange(
            "POST", "/orders/v1/orders", ORDER, ("traceparent", traceparent), ("tracestate", "a=1")
        )
        known = exchange.known = known or KnownFields(exchange.headers, -1)
        assert house.pipeline.admit(exchange)
        await house.pipeline.serve(exchange)
        assert exchange.trace_id == traceparent[3:35]
        assert (b"tracestate", b"a=1") in house.provider.calls[-1].headers
