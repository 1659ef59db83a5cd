"""One reading of AsyncAPI: the same interface in 2.6 and in 3.0 is the same, traits merge as each version says."""

import copy
from typing import Any

import pytest

from kernel.contract.document import parse
from kernel.errors import ContractInvalid
from kernel.operation.asyncapi_model import AsyncApi
from kernel.operation.asyncapi_view import read_asyncapi
from kernel.schema.dialects import Dialect

NEW = """
asyncapi: 3.0.0
info: {title: Ward, version: 1.0.0}
defaultContentType: application/json
servers:
  broker:
    host: '{site}.example:5671'
    pathname: /ward
    protocol: amqps
    variables: {site: {default: north}}
    security: [{$ref: '#/components/securitySchemes/cert'}, {type: oauth2, flows: {}, scopes: [read]}]
  spare: {host: spare.example, protocol: amqps}
channels:
  results:
    address: lab/{ward}/results
    servers: [{$ref: '#/servers/broker'}]
    parameters: {ward: {enum: [W1, W2], location: $message.payload#/ward}}
    messages: {final: {$ref: '#/components/messages/Final'}, draft: {payload: {type: object}}}
  answers: {address: null, messages: {ok: {payload: {type: boolean}}, no: {payload: {type: string}}}}
  loose: {address: loose, messages: {any: {payload: true}}}
operations:
  takeResult:
    action: receive
    channel: {$ref: '#/channels/results'}
    messages: [{$ref: '#/channels/results/messages/final'}]
    reply:
      address: {location: $message.header#/replyTo}
      channel: {$ref: '#/channels/answers'}
      messages: [{$ref: '#/channels/answers/messages/ok'}]
  giveResult: {action: send, channel: {$ref: '#/channels/results'}}
components:
  securitySchemes: {cert: {type: X509}}
  messages:
    Final:
      name: Final
      payload: {$ref: '#/components/schemas/Final'}
      correlationId: {location: $message.header#/correlation}
  schemas:
    Final: {schemaFormat: application/schema+json;version=draft-2020-12, schema: {type: object}}
"""
OLD = """
asyncapi: 2.6.0
info: {title: Ward, version: 1.0.0}
defaultContentType: application/json
servers:
  broker:
    url: amqps://{site}.example:5671/ward
    protocol: amqps
    variables: {site: {default: north}}
    security: [{cert: []}, {token: [read]}]
  spare: {url: spare.example, protocol: amqps}
channels:
  lab/{ward}/results:
    servers: [broker]
    parameters: {ward: {schema: {type: string, enum: [W1, W2]}, location: $message.payload#/ward}}
    publish: {operationId: takeResult, message: {$ref: '#/components/messages/Final'}}
    subscribe:
      operationId: giveResult
      message: {oneOf: [{$ref: '#/components/messages/Final'}, {messageId: draft, payload: {type: object}}]}
components:
  securitySchemes: {cert: {type: X509}, token: {type: oauth2, flows: {}}}
  messages:
    Final:
      messageId: final
      name: Final
      schemaFormat: application/schema+json;version=draft-2020-12
      payload: {type: object}
      correlationId: {location: $message.header#/correlation}
"""


def read(text: str) -> AsyncApi:
    root = parse(text.encode(), name="asyncapi.yaml").root
    before = copy.deepcopy(root)
    made = read_asyncapi(root)
    assert root == before
    return made


def told(api: AsyncApi) -> list[tuple[Any, ...]]:
    return [
        (one.way, one.channel.address, one.message.key, one.operation and one.operation.key, one.is_reply)
        for one in api.flows
    ]


def test_publish_is_what_the_application_receives_and_subscribe_what_it_sends() -> None:
    assert told(read(OLD)) == [
        ("receive", "lab/{ward}/results", "final", "takeResult", False),
        ("send", "lab/{ward}/results", "final", "giveResult", False),
        ("send", "lab/{ward}/results", "draft", "giveResult", False),
    ]


def test_version_3_tells_the_same_flows_with_replies_the_opposite_way() -> None:
    assert told(read(NEW)) == [
        ("receive", "lab/{ward}/results", "final", "takeResult", False),
        ("send", None, "ok", "takeResult", True),
        ("send", "lab/{ward}/results", "final", "giveResult", False),
        ("send", "lab/{ward}/results", "draft", "giveResult", False),
        ("receive", "loose", "any", None, False),  # no operation says who: both ways
        ("send", "loose", "any", None, False),
    ]


@pytest.mark.parametrize("text", [NEW, OLD])
def test_servers_channels_and_messages_read_the_same_in_both_versions(text: str) -> None:
    api = read(text)
    broker = api.servers["broker"]
    assert (broker.host, broker.pathname, broker.protocol) == ("{site}.example:5671", "/ward", "amqps")
    assert [[(use.scheme["type"], use.scopes) for use in uses] for uses in broker.security] == [
        [("X509", ())], [("oauth2", ("read",))],
    ]  # fmt: skip
    channel = api.operations[0].channel
    assert (channel.servers, channel.everywhere) == (("broker",), False)
    ward = channel.parameters["ward"]
    assert (ward.schema, ward.location) == (
        {"type": "string", "enum": ["W1", "W2"]},
        "$message.payload#/ward",
    )
    final = api.operations[0].messages[0]
    assert final.payload is not None
    assert (final.payload.schema, final.payload.dialect) == ({"type": "object"}, Dialect.DRAFT_2020_12)
    assert (final.content_type, final.correlation_id) == ("application/json", "$message.header#/correlation")
    assert final.pointer == "/components/messages/Final"


def test_places_are_those_of_the_source() -> None:
    api = read(NEW)
    payload = api.operations[0].messages[0].payload
    assert payload is not None
    assert payload.pointer == "/components/schemas/Final/schema"
    assert api.operations[0].reply is not None
    assert api.operations[0].reply.pointer == "/operations/takeResult/reply"
    assert api.operations[0].reply.address == "$message.header#/replyTo"
    assert [one.pointer for one in read(OLD).operations[1].messages] == [
        "/components/messages/Final", "/channels/lab~1{ward}~1results/subscribe/message/oneOf/1",
    ]  # fmt: skip
    assert (api.channels["loose"].servers, api.channels["loose"].everywhere) == (("broker", "spare"), True)


TRAITS = """
      title: Own
      headers: {type: object, properties: {a: {type: string}}}
      traits:
        - {title: First, contentType: text/plain, headers: {properties: {a: {type: integer}, b: {type: string}}}}
        - {contentType: application/json, bindings: {amqp: {messageType: x}}}
"""


def test_traits_of_2_6_override_in_their_order() -> None:
    api = read(OLD.replace("messageId: final\n", "messageId: final" + TRAITS))
    final = api.operations[0].messages[0]
    assert (final.declared["title"], final.content_type) == ("First", "application/json")
    assert final.headers is not None
    assert final.headers.schema == {
        "type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
    }  # fmt: skip
    assert final.headers.merged
    assert final.bindings == {"amqp": {"messageType": "x"}}
    assert "traits" not in final.declared


def test_traits_of_3_override_nothing_of_the_message_itself() -> None:
    api = read(NEW.replace("      name: Final\n", "      name: Final" + TRAITS))
    final = api.operations[0].messages[0]
    assert (final.declared["title"], final.content_type) == ("Own", "application/json")
    assert final.headers is not None
    assert final.headers.schema == {
        "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
    }  # fmt: skip


def test_null_in_a_trait_takes_away_and_what_is_blended_stands_at_the_message() -> None:
    own = "messageId: final\n      title: Own\n      headers: {type: object, default: {}}\n"
    traits = "      traits: [{title: null, headers: {default: null, minProperties: 1}, bindings: {amqp: null, http: {}}}]\n"
    final = read(OLD.replace("messageId: final\n", own + traits)).operations[0].messages[0]
    assert "title" not in final.declared
    assert final.headers is not None
    assert (final.headers.schema, final.headers.pointer) == (
        {"type": "object", "minProperties": 1}, "/components/messages/Final/headers",
    )  # fmt: skip
    assert final.bindings == {"http": {}}
    newer = read(NEW.replace("      name: Final\n", "      name: Final" + TRAITS)).operations[0].messages[0]
    assert newer.headers is not None
    assert newer.headers.pointer == "/components/messages/Final/headers"


def test_traits_that_meet_in_references_are_merged_behind_them() -> None:
    text = NEW.replace(
        "      name: Final\n",
        "      headers: {$ref: '#/components/schemas/Own'}\n"
        "      traits: [{headers: {$ref: '#/components/schemas/More'}}]\n",
    )
    text += (
        "    Own: {type: object, properties: {a: {type: string}}}\n"
        "    More: {properties: {b: {type: string}}}\n"
    )
    headers = read(text).operations[0].messages[0].headers
    assert headers is not None
    assert headers.schema == {
        "type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
    }  # fmt: skip


@pytest.mark.parametrize("names", [("n",), ("l", "r")])
def test_traits_that_merge_for_ever_are_refused(names: tuple[str, ...]) -> None:
    text = NEW.replace(
        "      name: Final\n",
        "      headers: {$ref: '#/components/schemas/A'}\n"
        "      traits: [{headers: {$ref: '#/components/schemas/B'}}]\n",
    )
    for schema in "AB":
        members = ", ".join(f"{name}: {{$ref: '#/components/schemas/{schema}'}}" for name in names)
        text += f"    {schema}: {{properties: {{{members}}}}}\n"
    with pytest.raises(ContractInvalid, match="nest too deep"):
        read(text)


def test_a_payload_in_avro_has_no_dialect_and_keeps_its_format() -> None:
    text = NEW.replace(
        "application/schema+json;version=draft-2020-12", "application/vnd.apache.avro;version=1.9.0"
    )
    payload = read(text).operations[0].messages[0].payload
    assert payload is not None
    assert (payload.dialect, payload.format) == (None, "application/vnd.apache.avro;version=1.9.0")


REFUSED = [
    (NEW, "asyncapi: 3.0.0", "asyncapi: 1.0.0", "/asyncapi"),
    (NEW, "action: receive", "action: publish", "/operations/takeResult/action"),
    (NEW, "[{$ref: '#/servers/broker'}]", "[{$ref: '#/servers/none'}]", "/channels/results/servers/0"),
    (NEW, "results/messages/final'}]", "answers/messages/ok'}]", "/operations/takeResult/messages/0"),
    (NEW, "channel: {$ref: '#/channels/answers'}", "channel: {$ref: '#/x'}", "/operations/takeResult/reply/channel"),
    (OLD, "servers: [broker]", "servers: [none]", "/channels/lab~1{ward}~1results/servers/0"),
    (OLD, "servers: [broker]", "servers: [{}]", "/channels/lab~1{ward}~1results/servers/0"),
    (OLD, "[{cert: []}, ", "[{key: []}, ", "/servers/broker/security/0/key"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "old", "new", "pointer"), REFUSED)
def test_what_cannot_be_read_is_refused_at_its_place(text: str, old: str, new: str, pointer: str) -> None:
    assert old in text
    with pytest.raises(ContractInvalid) as caught:
        read(text.replace(old, new))
    assert caught.value.place is not None
    assert caught.value.place.pointer == pointer
