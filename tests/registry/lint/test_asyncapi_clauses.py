"""Every demand of the specification has its judge: a rule that exists, or a reason; structure is proven place by place."""

from typing import Any

import pytest

from registry.lint.asyncapi_bindings import PROTOCOLS, shape, versions
from registry.lint.asyncapi_clauses import CLAUSES, NEW, OLD, READER, STRUCTURE, Clause
from registry.lint.document import lint
from registry.lint.rule import ERROR
from registry.lint.rules import BY_ID, RULES
from tests.registry.lint.asyncapi_samples import NEW as MODERN
from tests.registry.lint.asyncapi_samples import OLD as OLDER
from tests.registry.lint.asyncapi_samples import changed

SCHEMES = "/components/securitySchemes"
FLOWS = f"{SCHEMES}/token/flows"
ASK = "/operations/ask"
PUBLISH = "/channels/lab~1{ward}~1results/publish"
# Heading and demand of each row that our JSON Schema judges → what breaks it: pointer and value (... takes away).
BROKEN: dict[tuple[str, str], list[tuple[dict[str, Any], str, Any]]] = {
    ("AsyncAPI Object", "`asyncapi` and `info`"): [(MODERN, "/info", ...), (OLDER, "/info", ...)],
    ("AsyncAPI Object", "`channels` is"): [(OLDER, "/channels", ...)],
    ("AsyncAPI Version String", "the version"): [(MODERN, "/asyncapi", "3.0"), (OLDER, "/asyncapi", "2.6.0_1")],
    ("Info Object", "`title`"): [(MODERN, "/info/title", ...), (OLDER, "/info/version", ...)],
    ("License Object", "`name`"): [(MODERN, "/info/license/name", ...), (OLDER, "/info/license/name", ...)],
    ("Servers Object", "names"): [(MODERN, "/servers/north pole", MODERN["servers"]["broker"]), (OLDER, "/servers/a b", OLDER["servers"]["broker"])],
    ("Server Object", "`url`"): [(OLDER, "/servers/broker/url", ...), (OLDER, "/servers/broker/protocol", ...)],
    ("Server Object", "`host` and"): [(MODERN, "/servers/broker/host", ...), (MODERN, "/servers/broker/protocol", ...)],
    ("Channel Object", "`servers` are"): [(MODERN, "/channels/results/servers/0", MODERN["servers"]["broker"])],
    ("Operation Object", "`action`"): [(MODERN, f"{ASK}/action", ...), (MODERN, f"{ASK}/action", "publish"), (MODERN, f"{ASK}/channel", ...)],
    ("Operation Object", "`channel` is a reference"): [(MODERN, f"{ASK}/channel", MODERN["channels"]["answers"])],
    ("Operation Object", "`messages` are references"): [(MODERN, f"{ASK}/messages/0", {"payload": {"type": "string"}})],
    ("Operation Trait Object", "it has no"): [
        (MODERN, "/components/operationTraits/slow/action", "send"), (OLDER, "/components/operationTraits/slow/message", {}),
    ],
    ("Operation Reply Object", "`channel` is a reference"): [(MODERN, f"{ASK}/reply/channel", {"address": None})],
    ("Operation Reply Object", "`messages` are references"): [(MODERN, f"{ASK}/reply/messages/0", {"payload": {}})],
    ("Operation Reply Address Object", "`location`"): [(MODERN, f"{ASK}/reply/address/location", ...)],
    ("Parameters Object", "names"): [
        (MODERN, "/channels/results/parameters/a b", {}), (OLDER, "/channels/lab~1{ward}~1results/parameters/a b", {}),
    ],
    ("Message Trait Object", "it has neither"): [
        (MODERN, "/components/messageTraits/traced/payload", {}), (OLDER, "/components/messageTraits/traced/traits", []),
    ],
    ("Message Example Object", "it has"): [
        (root, "/components/messages/Final/examples/0", {"name": "empty"}) for root in (MODERN, OLDER)
    ],
    ("Tag Object", "`name`"): [(MODERN, f"{ASK}/tags/0/name", ...), (OLDER, "/tags/0/name", ...)],
    ("External Documentation Object", "`url` is required"): [
        (MODERN, "/info/externalDocs/url", ...), (OLDER, "/externalDocs/url", ...),
    ],
    ("Components Object", "names"): [
        (root, f"/components/{section}/a b", {}) for root in (MODERN, OLDER) for section in root["components"]
    ],
    ("Multi Format Schema Object", "`schemaFormat` and"): [
        (MODERN, "/components/schemas/Wrapped/schema", ...), (MODERN, "/components/schemas/Wrapped/schemaFormat", ...),
        (MODERN, "/components/messages/Avro/payload/schemaFormat", ...),
    ],
    ("Security Scheme Object", "`type`"): [(root, f"{SCHEMES}/cert/type", ...) for root in (MODERN, OLDER)],
    ("Security Scheme Object", "what the type"): [
        (MODERN, f"{SCHEMES}/key/in", ...), (MODERN, f"{SCHEMES}/query/name", ...), (MODERN, f"{SCHEMES}/query/in", "body"),
        (MODERN, f"{SCHEMES}/bearer/scheme", ...), (MODERN, f"{SCHEMES}/open/openIdConnectUrl", ...),
        (MODERN, f"{SCHEMES}/token/flows", ...), (OLDER, f"{SCHEMES}/token/flows", ...),
    ],
    ("OAuth Flow Object", "`authorizationUrl`, `tokenUrl` and the"): [
        (MODERN, f"{FLOWS}/implicit/authorizationUrl", ...), (MODERN, f"{FLOWS}/password/tokenUrl", ...),
        (MODERN, f"{FLOWS}/authorizationCode/availableScopes", ...), (OLDER, f"{FLOWS}/clientCredentials/scopes", ...),
    ],
    ("Correlation ID Object", "`location`"): [
        (root, "/components/correlationIds/call/location", ...) for root in (MODERN, OLDER)
    ],
    ("Specification Extensions", "names"): [
        (MODERN, "/info/internal", 1), (OLDER, f"{PUBLISH}/y-internal", 1), (MODERN, "/info/x-a b", 1),
    ],
}  # fmt: skip


def told(root: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in lint(root, "asyncapi"):
        if one.severity is ERROR:
            found.setdefault(one.rule, []).append(one.what)
    return found


@pytest.mark.parametrize("root", [MODERN, OLDER, MODERN | {"asyncapi": "3.1.0"}], ids=["3.0", "2.6", "3.1"])
def test_the_whole_documents_are_valid(root: dict[str, Any]) -> None:
    assert told(root) == {}


@pytest.mark.parametrize("clause", CLAUSES, ids=[f"{one.heading}: {one.demand}" for one in CLAUSES])
def test_a_demand_is_judged_by_rules_that_exist_or_has_a_reason(clause: Clause) -> None:
    assert bool(clause.rules) != bool(clause.reason)
    assert set(clause.rules) - {READER} <= BY_ID.keys()
    assert clause.versions in (OLD, NEW, f"{OLD}, {NEW}")
    if STRUCTURE in clause.rules:
        assert [key for key in BROKEN if key[0] == clause.heading and clause.demand.startswith(key[1])]


@pytest.mark.parametrize("key", BROKEN, ids=[": ".join(key) for key in BROKEN])
def test_what_the_schema_of_the_specification_demands_is_refused(key: tuple[str, str]) -> None:
    rows = [one for one in CLAUSES if one.heading == key[0] and one.demand.startswith(key[1])]
    assert len(rows) == 1
    for root, pointer, value in BROKEN[key]:
        assert told(changed(root, pointer, value)).keys() & set(rows[0].rules), (pointer, value)


def test_every_rule_of_asyncapi_that_is_an_error_stands_behind_a_demand() -> None:
    named = {rule for clause in CLAUSES for rule in clause.rules}
    own = {rule.id for rule in RULES if rule.kinds == ("asyncapi",) and rule.severity is ERROR}
    assert own - named == {"payload-uncompilable"}  # valid, and cannot be judged here


def test_a_finding_names_the_section_of_its_version() -> None:
    lost = told(changed(MODERN, "/channels/results/parameters", {}))["channel-parameter-undeclared"]
    assert lost == [
        "nothing describes the parameter `ward` of lab.{ward}.results [AsyncAPI 3.0 §Parameters Object]"
    ]
    odd = told(changed(OLDER, "/channels/lab~1{ward}~1results/servers", ["none"]))["channel-server-unknown"]
    assert odd == ["no server is called `none` [AsyncAPI 2.6 §Channel Item Object]"]
    wrong = told(changed(MODERN, "/components/securitySchemes/cert/type", "x509"))["asyncapi-invalid"]
    assert wrong[0].endswith("[AsyncAPI 3.0 §Security Scheme Object]")


def test_every_binding_takes_its_own_versions_and_a_reserved_place_takes_nothing() -> None:
    for protocol in PROTOCOLS:
        for place in ("server", "channel", "operation", "message"):
            for version in versions(protocol, place):
                assert shape(protocol, place, version) is not None
            found = shape(protocol, place, None)
            assert found is not None
            assert found.document.is_valid({"bindingVersion": 1}) is False
            if not versions(protocol, place):
                assert found.document.is_valid({"x-ours": 1})
                assert not found.document.is_valid({"anything": 1})
    assert shape("kafka", "channel", "9.9.9") is None


BINDINGS = [
    ("amqp", "channel", {"is": "queue", "queue": {"name": "q"}}, {"is": "queue", "exchange": {}}),
    ("amqp", "channel", {"is": "routingKey", "exchange": {"type": "topic"}}, {"is": "routingKey", "exchange": {"type": "x"}}),
    ("amqp", "operation", {"deliveryMode": 2, "expiration": 0}, {"expiration": -1}),
    ("http", "operation", {"method": "GET", "query": {"type": "object", "properties": {}}}, {"method": "get"}),
    ("http", "operation", {"type": "request", "method": "GET", "bindingVersion": "0.1.0"}, {"type": "request", "bindingVersion": "0.1.0"}),
    ("http", "message", {"statusCode": 200}, {"statusCode": 200, "bindingVersion": "0.2.0"}),
    ("ws", "channel", {"method": "GET", "headers": {"type": "object", "properties": {}}}, {"query": {"type": "string"}}),
    ("kafka", "channel", {"topic": "t", "partitions": 3}, {"partitions": 0}),
    ("kafka", "message", {"key": {"type": "string"}, "schemaIdLocation": "header"}, {"schemaIdLocation": "body"}),
    ("mqtt", "operation", {"qos": 2, "retain": True}, {"qos": 3}),
    ("mqtt", "server", {"lastWill": {"qos": 1}}, {"lastWill": {"qos": "1"}}),
    ("nats", "operation", {"queue": "q" * 255}, {"queue": "q" * 256}),
    ("jms", "server", {"jmsConnectionFactory": "org.example.F"}, {}),
    ("ibmmq", "channel", {"destinationType": "queue", "queue": {"objectName": "Q"}}, {"destinationType": "queue"}),
    ("ibmmq", "message", {"type": "binary", "headers": "MQRFH2"}, {"type": "jms", "headers": "MQRFH2"}),
    ("googlepubsub", "channel", {"schemaSettings": {"encoding": "json", "name": "s"}}, {"schemaSettings": {"name": "s"}}),
    ("pulsar", "channel", {"namespace": "n", "persistence": "persistent"}, {"namespace": "n"}),
    ("solace", "operation", {"destinations": [{"destinationType": "queue"}]}, {"destinations": [{"destinationType": "x"}]}),
    ("sqs", "channel", {"queue": {"name": "q", "fifoQueue": False}}, {"queue": {"name": "q"}}),
    ("sns", "channel", {"name": "t", "ordering": {"type": "FIFO"}}, {"ordering": {"type": "FIFO"}}),
    ("ros2", "operation", {"role": "publisher", "node": "n"}, {"role": "publisher"}),
    ("anypointmq", "channel", {"destinationType": "queue"}, {"destinationType": "topic"}),
]  # fmt: skip


@pytest.mark.parametrize(("protocol", "place", "good", "bad"), BINDINGS)
def test_a_binding_is_held_to_the_page_of_its_protocol(
    protocol: str, place: Any, good: Any, bad: Any
) -> None:
    for value, expected in ((good, True), (bad, False)):
        found = shape(protocol, place, value.get("bindingVersion"))
        assert found is not None
        assert found.document.is_valid(value) is expected, value


def test_schemas_inside_bindings_are_judged_as_schemas_and_other_values_are_none() -> None:
    at = "/operations/ask/bindings/kafka/groupId"
    assert told(changed(MODERN, at, {"type": "strin"})).keys() == {"schema-invalid"}
    assert told(changed(MODERN, "/servers/broker/bindings/mqtt/clientId", "ward")) == {}
    keyed = "/components/messageBindings/keyed/kafka/key"
    assert told(changed(MODERN, keyed, {"type": "record", "name": "Key", "fields": []})) == {}
    assert told(changed(MODERN, keyed, {"type": "strin"})).keys() == {"schema-invalid"}


WRAPPED = "/components/schemas/Wrapped"


@pytest.mark.parametrize(
    ("form", "schema", "rules"),
    [
        ("application/schema+json;version=draft-07", {"type": "strin"}, {"schema-invalid"}),
        ("application/schema+yaml;version=draft-07", {"enum": "a"}, {"schema-invalid"}),
        ("application/vnd.aai.asyncapi;version=3.0.0", {"minLength": "1"}, {"schema-invalid"}),
        (
            "application/vnd.aai.asyncapi;version=3.0.0",
            {"type": "string", "default": 1},
            {"default-mistyped"},
        ),
        (
            "application/vnd.oai.openapi;version=3.0.0",
            {"type": "string", "nullable": "yes"},
            {"schema-invalid"},
        ),
        ("application/vnd.oai.openapi;version=3.0.0", {"type": "string", "nullable": True}, set()),
        ("application/schema+json;version=draft-07", 7, {"schema-invalid"}),
        ("application/vnd.apache.avro;version=1.9.0", 7, {"schema-encoding-invalid"}),
        ("application/vnd.apache.avro;version=1.9.0", "{type: record}", {"schema-encoding-invalid"}),
        ("application/vnd.apache.avro;version=1.9.0", "org.lab.Result", set()),
        ("application/vnd.apache.avro;version=1.9.0", ["null", "string"], set()),
        ("application/raml+yaml;version=1.0", "type: string", {"schema-encoding-invalid"}),
        ("application/vnd.google.protobuf;version=3", {}, {"schema-encoding-invalid"}),
        ("application/vnd.ours;version=1", "anything", set()),
    ],
)
def test_a_schema_in_a_wrapper_is_held_to_its_format(form: str, schema: Any, rules: set[str]) -> None:
    root = changed(MODERN, WRAPPED, {"schemaFormat": form, "schema": schema})
    assert told(root).keys() == rules
    unread = [one.pointer for one in lint(root, "asyncapi") if one.rule == "payload-unchecked"]
    known = form.startswith(("application/schema", "application/vnd.aai", "application/vnd.oai"))
    assert (f"{WRAPPED}/schemaFormat" in unread) is not known or bool(rules)


def test_a_channel_of_2_6_that_is_referred_to_is_held_to_its_address_and_servers() -> None:
    kept = {"parameters": {"bed": {"schema": {"type": "string"}}}, "servers": ["none"]}
    root = changed(
        changed(OLDER, "/components/channels/kept", kept),
        "/channels/beds~1{ward}",
        {"$ref": "#/components/channels/kept"},
    )
    assert told(root) == {
        "channel-parameter-undeclared": [
            "nothing describes the parameter `ward` of beds/{ward} [AsyncAPI 2.6 §Parameters Object]"
        ],
        "channel-parameter-unused": ["the address has no {bed} [AsyncAPI 2.6 §Parameters Object]"],
        "channel-server-unknown": ["no server is called `none` [AsyncAPI 2.6 §Channel Item Object]"],
    }
