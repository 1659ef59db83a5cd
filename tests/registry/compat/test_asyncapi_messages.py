"""Which message became which: by name, else by what it says; and whole messages that show what breaks."""

import copy

import pytest

from kernel.contract.finding import Severity
from kernel.schema.dialects import Dialect
from kernel.schema.validator import compile_schema
from registry.compat.policy import compare
from tests.registry.compat.events import Said, write_2, write_3


def obj(*required, **properties):
    return {"type": "object", "required": list(required), "properties": properties}


S, INT = {"type": "string"}, {"type": "integer"}
PLACED = Said("Placed", obj("code", "kind", code=S, kind={"const": "placed"}))
CANCELLED = Said("Cancelled", obj("code", "kind", code=S, kind={"const": "cancelled"}))
BOTH = Said("Order", {"oneOf": [PLACED.payload, CANCELLED.payload]})
OPEN = Said("Placed", obj(code=S))
OTHER = Said("Cancelled", obj(reason=S))
ANYTHING = Said("Anything", True)


def judged(action, old, new, write=write_3):
    ends = [write({"orders/{id}": {"parameters": {"id": None}, action: list(side)}}) for side in (old, new)]
    return compare(*ends, "asyncapi").findings


def blocks(*given, **kept):
    return sorted({one.rule for one in judged(*given, **kept) if one.severity is not Severity.SAFE})


def again(said, name):
    return Said(name, copy.deepcopy(said.payload), said.headers, said.content_type)


@pytest.mark.parametrize("write", [write_2, write_3])
@pytest.mark.parametrize(("old", "new", "received", "sent"), [
    # One message split into two, two joined into one, both renamed: the same messages travel.
    ([BOTH], [PLACED, CANCELLED], [], []),
    ([PLACED, CANCELLED], [BOTH], [], []),
    ([PLACED, CANCELLED], [again(PLACED, "A"), again(CANCELLED, "B")], [], []),
    ([PLACED, CANCELLED], [again(CANCELLED, "A"), again(PLACED, "B")], [], []),
    ([Said("Order", {"oneOf": [obj("code", "kind", code=S, note=S, kind={"const": "placed"}), CANCELLED.payload]})],
     [PLACED, CANCELLED], ["property-ignored"], []),  # what is sent as `note` is lost
    # Two that changed their names with each other: what is called Placed is refused as Placed.
    ([PLACED, CANCELLED], [again(CANCELLED, "Placed"), again(PLACED, "Cancelled")],
     ["message-taken-for-another"], ["message-taken-for-another"]),
    # One comes, one goes.
    ([PLACED], [PLACED, CANCELLED], [], ["message-newly-sent"]),
    ([PLACED, CANCELLED], [PLACED], ["message-removed"], ["message-removed"]),
    ([PLACED], [CANCELLED], ["value-no-longer-accepted"], ["value-newly-emitted"]),
    # What forbids nothing takes anything, and is not the same for all that.
    ([OPEN], [OPEN, OTHER], [], ["message-taken-for-another"]),
    ([OPEN], [OTHER], ["message-taken-for-another"], ["message-taken-for-another"]),
    ([OPEN, OTHER], [OPEN], ["message-taken-for-another"], ["message-taken-for-another"]),
    ([PLACED, CANCELLED], [ANYTHING], ["message-taken-for-another"], ["message-newly-sent", "message-taken-for-another"]),
    # Another message takes what this one refuses: nothing moved where that one did not change.
    ([OPEN, ANYTHING], [Said("Placed", obj("code", code=S)), ANYTHING], ["value-no-longer-accepted"], []),
    # A renamed one that also changed.
    ([PLACED], [Said("New", obj("code", "kind", code={"type": "string", "maxLength": 3}, kind={"const": "placed"}))],
     ["value-no-longer-accepted"], []),
    ([PLACED], [Said("New", obj("code", "kind", code=S, kind={"const": "placed"}, note=S))], [], []),
    # The same under another content type is another message.
    ([PLACED], [PLACED, Said("PlacedXml", PLACED.payload, None, "application/xml")], [], ["message-newly-sent"]),
    ([Said("Placed", PLACED.payload, None, "application/json; charset=utf-8")], [PLACED], [], []),
])  # fmt: skip
def test_messages_are_known_again(old, new, received, sent, write):
    assert (blocks("receive", old, new, write=write), blocks("send", old, new, write=write)) == (
        received,
        sent,
    )


def test_a_message_without_a_name_is_the_one_that_is_there():
    def root(payload, more):
        return {"asyncapi": "2.6.0", "info": {"title": "T", "version": "1"}, "channels": {
            "orders": {"publish": {"message": {"payload": payload, **more}}}}}  # fmt: skip

    for more in ({}, {"name": "Placed"}, {"messageId": "placed"}):
        found = compare(root(obj(code=S), {}), root(obj(code=S, note=S, unit=S), more), "asyncapi")
        assert str(found.outcome) == "compatible", more
        found = compare(root(obj(code=S), {}), root(obj("code", code=S, note=S, unit=S), more), "asyncapi")
        assert [one.rule for one in found.findings if one.severity is not Severity.SAFE] == [
            "value-no-longer-accepted"
        ]


AVRO = {"type": "record", "name": "Placed", "doc": "An order", "fields": [{"name": "code", "type": "string"}]}
PROTO = 'syntax = "proto3"; // orders\nmessage Placed {\n  string code = 1;\n}\n'


@pytest.mark.parametrize(("form", "old", "new", "same"), [
    ("application/vnd.apache.avro;version=1.9.0", AVRO, {**AVRO, "doc": "Another word"}, True),
    ("application/vnd.apache.avro+json;version=1.9.0", AVRO, {**AVRO, "fields": []}, False),
    ("application/vnd.apache.avro;version=1.9.0", {**AVRO, "fields": [{"name": "m", "default": {"doc": "a"}}]},
     {**AVRO, "fields": [{"name": "m", "default": {"doc": "b"}}]}, False),
    ("application/vnd.google.protobuf;version=3", PROTO, 'syntax = "proto3";\nmessage Placed { string code = 1; }', True),
    ("application/vnd.google.protobuf;version=3", PROTO, PROTO.replace("= 1", "= 2"), False),
    ("application/vnd.google.protobuf;version=3", 'option a = "x  y";', 'option a = "x y";', False),
    ("application/raml+yaml;version=1.0", "doc: a", "doc: b", False),
])  # fmt: skip
def test_other_formats_are_the_same_when_their_text_is(form, old, new, same):
    def root(schema):
        made = write_3({"orders": {"receive": [PLACED]}})
        made["components"]["messages"]["Placed"]["payload"] = {"schemaFormat": form, "schema": schema}
        return made

    found = [
        one for one in compare(root(old), root(new), "asyncapi").findings if one.severity is not Severity.SAFE
    ]
    assert [one.rule for one in found] == ([] if same else ["payload-format-undecided"])


def test_json_written_as_yaml_is_the_same_format():
    ends = []
    for form in (
        "application/vnd.apache.avro+yaml;version=1.9.0",
        "application/vnd.apache.avro+json; version=1.9.0",
    ):
        root = write_2({"orders": {"receive": [PLACED]}})
        root["components"]["messages"]["Placed"] |= {"schemaFormat": form, "payload": AVRO}
        ends.append(root)
    assert str(compare(*ends, "asyncapi").outcome) == "compatible"
    ends[1]["components"]["messages"]["Placed"]["schemaFormat"] = "application/vnd.apache.avro;version=1.11.0"
    assert str(compare(*ends, "asyncapi").outcome) == "undecided"


def test_dialects_of_json_schema_are_compared_with_each_other():
    root = write_3({"orders": {"receive": [PLACED]}})
    later = copy.deepcopy(root)
    later["components"]["messages"]["Placed"]["payload"] = {
        "schemaFormat": "application/schema+json;version=draft-2020-12", "schema": PLACED.payload,
    }  # fmt: skip
    assert str(compare(root, later, "asyncapi").outcome) == "compatible"
    later["components"]["messages"]["Placed"]["payload"]["schema"] = {**PLACED.payload, "minProperties": 3}
    found = compare(root, later, "asyncapi").findings
    assert [(one.rule, one.pointer) for one in found] == [
        ("value-no-longer-accepted", "/components/messages/Placed/payload/schema/minProperties")
    ]


def test_traits_count_as_what_they_make_of_a_message():
    root = write_3({"orders": {"receive": [PLACED]}})
    trait = {"headers": obj("trace", trace=S), "contentType": "application/json"}
    root["components"]["messageTraits"] = {"traced": trait}
    root["components"]["messages"]["Placed"]["traits"] = [{"$ref": "#/components/messageTraits/traced"}]
    plain = copy.deepcopy(root)
    plain["components"]["messages"]["Placed"] |= trait
    del plain["components"]["messages"]["Placed"]["traits"]
    assert str(compare(root, plain, "asyncapi").outcome) == "compatible"
    assert str(compare(plain, root, "asyncapi").outcome) == "compatible"
    tight = copy.deepcopy(root)
    tight["components"]["messageTraits"]["traced"]["headers"]["properties"]["trace"]["maxLength"] = 4
    found = compare(root, tight, "asyncapi").findings
    place = "/components/messageTraits/traced/headers/properties/trace"
    assert [(one.rule, one.pointer) for one in found] == [("value-no-longer-accepted", f"{place}/maxLength")]
    own = copy.deepcopy(tight)  # the message's own word and the trait's are merged: no place holds both
    own["components"]["messages"]["Placed"]["headers"] = {"properties": {"ward": S}}
    found = compare(root, own, "asyncapi").findings
    assert [one.rule for one in found] == ["value-no-longer-accepted"]
    assert found[0].pointer in {
        "/components/messages/Placed/headers",
        "/components/messages/Placed/headers/properties",
    }
    assert found[0].exchange["headers"]["trace"]


def test_headers_are_objects_and_none_are_sent_that_were_not_declared():
    none = Said("Placed", PLACED.payload)
    may = Said("Placed", PLACED.payload, obj(trace=S))
    must = Said("Placed", PLACED.payload, {"required": ["trace"], "properties": {"trace": S}})
    assert blocks("receive", [none], [may]) == []
    assert blocks("receive", [none], [must]) == ["value-no-longer-accepted"]
    assert blocks("send", [none], [must]) == []
    assert blocks("send", [must], [none]) == ["value-newly-emitted"]
    assert blocks("receive", [Said("Placed", PLACED.payload, {})], [may]) == ["value-no-longer-accepted"]
    found = [one for one in judged("receive", [none], [must]) if one.has_witness]
    assert found[0].witness == {}
    assert found[0].pointer == "/components/messages/Placed/headers/required"


def taken(said, exchange):
    """Judge a whole message by hand: its headers and its payload, with the runtime's validators."""
    checks = [(said.payload, exchange["payload"]), (said.headers or True, exchange.get("headers", {}))]
    return all(
        compile_schema(one, root=one, dialect=Dialect.DRAFT_07).accepts(value) for one, value in checks
    )


@pytest.mark.parametrize(("action", "old", "new"), [
    ("receive", [PLACED, CANCELLED], [Said("Placed", obj("code", "kind", "by", code=S, by=S, kind={"const": "placed"})), CANCELLED]),
    ("receive", [PLACED], [Said("Placed", PLACED.payload, obj("trace", trace=S))]),
    ("receive", [PLACED, CANCELLED], [PLACED]),
    ("send", [PLACED], [PLACED, CANCELLED]),
    ("send", [PLACED], [Said("Placed", obj("code", "kind", code={"type": ["string", "null"]}, kind={"const": "placed"}))]),
    ("send", [PLACED, CANCELLED], [PLACED]),
])  # fmt: skip
def test_a_break_shows_a_whole_message_that_only_one_version_takes(action, old, new):
    found = [one for one in judged(action, old, new) if one.severity is not Severity.SAFE]
    assert len(found) == 1
    exchange = found[0].exchange
    assert (exchange["kind"], exchange["action"]) == ("message", action)
    assert exchange["address"].startswith("orders/")
    assert "{" not in exchange["address"]
    assert exchange["content_type"] == "application/json"
    takes = [any(taken(said, exchange) for said in side) for side in (old, new)]
    newly = found[0].rule in {"message-newly-sent", "value-newly-emitted"}
    assert takes == [not newly, newly]


def test_a_witness_is_shown_beside_the_nearest_message_that_both_take():
    tight = Said(
        "Placed", obj("code", "kind", code={"type": "string", "maxLength": 3}, kind={"const": "placed"})
    )
    found = next(one for one in judged("receive", [PLACED], [tight]) if one.has_witness)
    assert len(found.witness["code"]) > 3
    assert found.has_nearest
    assert taken(PLACED, {"payload": found.nearest})
    assert taken(tight, {"payload": found.nearest})
    assert [step["path"] for step in found.difference] == ["/code"]


def test_the_same_documents_give_the_same_bytes():
    ends = [
        write_3({"orders": {"receive": side}}) for side in ([PLACED, CANCELLED], [again(PLACED, "A"), BOTH])
    ]
    first, second = (compare(*copy.deepcopy(ends), "asyncapi").as_json() for _ in range(2))
    assert first == second
