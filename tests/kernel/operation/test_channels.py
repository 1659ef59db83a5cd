"""What an AsyncAPI document offers over HTTP, and which messages pass in which direction."""

from __future__ import annotations

from typing import Any

import pytest

from kernel.errors import ContractInvalid, SchemaRefused
from kernel.operation.channel_contract import CompiledChannels, compile_channels


def compiled(channels: dict[str, Any], version: str = "3.0.0", **more: Any) -> CompiledChannels:
    root: dict[str, Any] = {
        "asyncapi": version,
        "info": {"title": "T", "version": "1.0.0"},
        "servers": {"s": {"host": "a", "url": "a", "protocol": "ws"}},
        "channels": channels,
        **more,
    }
    return compile_channels(root, name="t")


def message(schema: Any, **more: Any) -> dict[str, Any]:
    return {"payload": schema, **more}


INTEGER = {"type": "integer"}
STRING = {"type": "string"}


def test_who_sends_what_is_said_by_operations_and_replies() -> None:
    def refer(*names: str) -> list[dict[str, str]]:
        return [{"$ref": f"#/channels/c/messages/{name}"} for name in names]

    messages = {"ask": message(INTEGER), "answer": message(STRING), "alarm": message({"const": "alarm"})}
    operations = {
        "asked": {
            "action": "receive",
            "channel": {"$ref": "#/channels/c"},
            "messages": refer("ask"),
            "reply": {"messages": refer("answer")},
        },
        "alarms": {"action": "send", "channel": {"$ref": "#/channels/c"}, "messages": refer("alarm")},
    }
    made = compiled({"c": {"address": "c", "messages": messages}}, operations=operations)
    channel = made.channels["c"]
    assert channel.check("inbound", b"1", text=True) == ()
    assert channel.check("inbound", b'"x"', text=True) != ()
    assert channel.check("outbound", b'"x"', text=True) == ()
    assert channel.check("outbound", b"1", text=True)[0].keyword == "message"
    (operation,) = made.contract.operations
    assert (operation.method, operation.template, operation.id) == (b"GET", "/c", "c")


def test_without_operations_messages_pass_both_ways() -> None:
    channel = compiled({"c": {"address": "/c", "messages": {"m": message(INTEGER)}}}).channels["c"]
    assert channel.check("inbound", b"1", text=True) == channel.check("outbound", b"1", text=True) == ()
    assert [one.keyword for one in channel.check("inbound", b"1.5", text=True)] == ["type"]


def test_a_way_without_messages_takes_none() -> None:
    channel = compiled({"/c": {"subscribe": {"message": message(INTEGER)}}}, "2.6.0").channels["/c"]
    assert channel.check("outbound", b"1", text=False) == ()
    assert channel.check("inbound", b"1", text=True)[0].keyword == "undeclared"


@pytest.mark.parametrize(
    ("content_type", "good", "bad"),
    [
        ("application/json", [(b"1", True), (b"1", False)], [(b'"1"', True), (b"\xff", False)]),
        ("text/plain", [(b"ab", True)], [(b"ab", False), (b"abc", True)]),
        ("application/octet-stream", [(b"\xff", False)], [(b"a", True)]),
    ],
)
def test_messages_are_read_by_their_content_type(
    content_type: str, good: list[tuple[bytes, bool]], bad: list[tuple[bytes, bool]]
) -> None:
    schema = {"application/json": INTEGER, "text/plain": {"type": "string", "maxLength": 2}}.get(
        content_type, {}
    )
    given = message(schema, contentType=content_type)
    channel = compiled({"c": {"address": "c", "messages": {"m": given}}}).channels["c"]
    channel.prepare()
    assert [channel.check("inbound", data, text=text) for data, text in good] == [()] * len(good)
    assert all(channel.check("inbound", data, text=text) for data, text in bad)


def test_schemas_are_read_in_the_format_that_the_message_names() -> None:
    schema = {"prefixItems": [INTEGER], "items": False}
    given = message({"schemaFormat": "application/schema+json;version=2020-12", "schema": schema})
    channel = compiled({"c": {"address": "c", "messages": {"m": given}}}).channels["c"]
    assert channel.check("inbound", b"[1]", text=True) == ()
    assert channel.check("inbound", b"[1, 2]", text=True) != ()
    avro = message({"schemaFormat": "application/vnd.apache.avro;version=1.9.0", "schema": "int"})
    with pytest.raises(SchemaRefused):
        compiled({"c": {"address": "c", "messages": {"m": avro}}})


@pytest.mark.parametrize(
    ("protocol", "sockets", "events"),
    [("ws", True, False), ("wss", True, False), ("https", False, True), ("kafka", None, None)],
)
def test_the_protocols_of_servers_decide_what_is_served(
    protocol: str, sockets: bool | None, events: bool | None
) -> None:
    made = compiled(
        {"c": {"address": "c", "messages": {"m": message(INTEGER)}}},
        servers={"s": {"host": "a", "protocol": protocol}},
    )
    if sockets is None:
        assert made.channels == {}
        assert made.contract.operations == ()
    else:
        assert (made.channels["c"].sockets, made.channels["c"].events) == (sockets, events)


def test_a_channel_may_name_its_servers() -> None:
    servers = {"a": {"host": "a", "protocol": "amqp"}, "b": {"host": "b", "protocol": "ws"}}
    channels = {
        name: {"address": name, "servers": [{"$ref": f"#/servers/{name}"}], "messages": {}}
        for name in servers
    }
    assert list(compiled(channels, servers=servers).channels) == ["b"]


def _asking(operations: dict[str, list[str]], server: list[str]) -> Any:
    """A channel whose server and operations ask for the schemes of these names."""
    schemes = {
        name: {"type": "httpApiKey", "in": "header", "name": f"X-{name}"}
        for name in ("house", "ward", "night")
    }

    def asked(names: list[str]) -> list[dict[str, str]]:
        return [{"$ref": f"#/components/securitySchemes/{name}"} for name in names]

    made = compiled(
        {"c": {"address": "c", "messages": {"m": {"payload": {"type": "string"}}}}},
        components={"securitySchemes": schemes},
        servers={"s": {"host": "ward.example", "protocol": "wss", "security": asked(server)}},
        operations={
            key: {"action": "send", "channel": {"$ref": "#/channels/c"}, "security": asked(names)}
            for key, names in operations.items()
        },
    )
    return made.contract.operations[0].security


def test_operations_ask_for_more_than_their_server() -> None:
    assert _asking({"a": ["ward"]}, []) == ({"ward": ()},)
    assert _asking({"a": ["ward", "night"]}, ["house"]) == (
        {"house": (), "ward": ()},
        {"house": (), "night": ()},
    )
    assert _asking({"a": ["ward"], "b": ["night"]}, ["house"]) == ({"house": (), "ward": (), "night": ()},)
    assert _asking({"a": []}, ["house"]) == ({"house": ()},)


def test_security_is_that_of_the_servers() -> None:
    schemes = {
        "key": {"type": "httpApiKey", "in": "query", "name": "k"},
        "user": {"type": "userPassword"},
        "bearer": {"type": "oauth2", "flows": {}, "scopes": ["read"]},
    }
    servers = {
        "s": {
            "host": "a",
            "protocol": "ws",
            "security": [{"$ref": f"#/components/securitySchemes/{name}"} for name in schemes],
        }
    }
    made = compiled(
        {"c": {"address": "c", "messages": {}}}, servers=servers, components={"securitySchemes": schemes}
    )
    (operation,) = made.contract.operations
    assert operation.security == ({"key": ()}, {"user": ()}, {"bearer": ("read",)})
    assert made.contract.security_schemes["key"].place == "query"
    assert made.contract.security_schemes["user"].type == "userPassword"


def test_parameters_and_bindings_are_those_of_the_head() -> None:
    channel = {
        "address": "/w/{ward}",
        "parameters": {"ward": {"enum": ["a", "b"]}},
        "messages": {},
        "bindings": {
            "ws": {"query": {"type": "object", "required": ["since"], "properties": {"since": INTEGER}}}
        },
    }
    (operation,) = compiled({"c": channel}).contract.operations
    assert operation.check_request((b"a",), b"since=1", [], b"") is None
    for values, query in (((b"c",), b"since=1"), ((b"a",), b""), ((b"a",), b"since=x")):
        problem = operation.check_request(values, query, [], b"")
        assert problem is not None
        assert problem.slug == "parameter-invalid"


def test_what_no_router_could_serve_is_refused() -> None:
    with pytest.raises(ContractInvalid):
        compiled({"a": {"address": "c", "messages": {}}, "b": {"address": "/c", "messages": {}}})
    with pytest.raises(ContractInvalid):
        compile_channels({"openapi": "3.1.0"})
    with pytest.raises(ContractInvalid):  # events carry no octets
        compiled(
            {"c": {"address": "c", "messages": {"m": message({}, contentType="application/octet-stream")}}},
            servers={"s": {"host": "a", "protocol": "http"}},
        )


@pytest.mark.parametrize(
    "payload",
    [
        {"items": [INTEGER], "additionalItems": False},
        {"$ref": "#/components/schemas/Pair"},
        {
            "schemaFormat": "application/schema+json;version=2020-12",
            "schema": {"prefixItems": [INTEGER], "items": False},
        },
    ],
    ids=["draft-07", "by reference", "2020-12"],
)
def test_events_are_judged_in_the_dialect_of_their_messages(payload: dict[str, Any]) -> None:
    made = compiled(
        {"c": {"address": "c", "messages": {"m": message(payload)}}},
        servers={"s": {"host": "a", "protocol": "http"}},
        components={"schemas": {"Pair": {"items": [INTEGER], "additionalItems": False}}},
    )
    (operation,) = made.contract.operations
    headers = [(b"content-type", b"text/event-stream")]
    assert operation.check_response(200, headers, b"data: [1]\n\n") == ()
    assert operation.check_response(200, headers, b"data: [1, 2]\n\n") != ()
    assert operation.check_response(200, headers, b'data: ["a"]\n\n') != ()


def test_traits_say_how_a_message_is_written_and_wrappers_behind_references_in_which_dialect() -> None:
    plain = {"contentType": "text/plain"}
    channel = compiled(
        {
            "c": {
                "address": "c",
                "messages": {"m": message(STRING, traits=[{"$ref": "#/components/messageTraits/plain"}])},
            }
        },
        components={"messageTraits": {"plain": plain}},
    ).channels["c"]
    assert channel.inbound[0].content_type == "text/plain"
    assert channel.check("inbound", b"just text", text=True) == ()
    own = compiled(
        {
            "c": {
                "address": "c",
                "messages": {"m": message(STRING, contentType="application/json", traits=[plain])},
            }
        }
    )
    assert (
        own.channels["c"].inbound[0].content_type == "application/json"
    )  # 3.x: the message has the last word
    old = {"c": {"publish": {"message": message(STRING, contentType="application/json", traits=[plain])}}}
    assert compiled(old, "2.6.0").channels["c"].inbound[0].content_type == "text/plain"  # 2.6: the trait has
    wrapped = {
        "schemaFormat": "application/schema+json;version=draft-2020-12",
        "schema": {"prefixItems": [INTEGER]},
    }
    made = compiled(
        {"c": {"address": "c", "messages": {"m": message({"$ref": "#/components/schemas/w"})}}},
        components={"schemas": {"w": wrapped}},
    ).channels["c"]
    assert made.check("inbound", b"[1]", text=True) == ()
    assert made.check("inbound", b'["x"]', text=True) != ()
