"""Versions of the format, names and directions: what is the same interface is compatible, both ways."""

import copy
import itertools
import random

import pytest

from kernel.contract.finding import Severity
from kernel.schema.dialects import Dialect
from kernel.schema.validator import compile_schema
from registry.compat.policy import compare
from tests.registry.compat.events import WRITERS, Said, write_2, write_3

ADMIT = Said("Admit", {"type": "object", "required": ["bed"], "properties": {"bed": {"type": "string", "maxLength": 8}, "urgent": {"type": "boolean"}}},
             {"type": "object", "required": ["trace"], "properties": {"trace": {"type": "string"}}})  # fmt: skip
MOVE = Said("Move", {"type": "object", "required": ["from", "to"], "properties": {"from": {"type": "string"}, "to": {"type": "string"}}},
            None, "application/json", {"correlationId": {"location": "$message.header#/trace"}})  # fmt: skip
FREED = Said("Freed", {"type": "object", "required": ["at"], "properties": {"at": {"type": "string", "format": "date-time"}}},
             None, None, {"bindings": {"kafka": {"key": {"type": "string"}}}})  # fmt: skip
WARD = {
    "wards/{ward}/beds": {"parameters": {"ward": ["icu", "er"]}, "receive": [ADMIT, MOVE], "send": [FREED]},
    "wards/{ward}/{bed}": {
        "parameters": {"ward": None, "bed": None},
        "send": [Said("Cleaned", {"type": "null"})],
    },
    "alarms": {"receive": [Said("Alarm", {"type": "string", "enum": ["fire", "code"]})]},
}


def blocks(old, new):
    found = compare(old, new, "asyncapi").findings
    return sorted({one.rule for one in found if one.severity is not Severity.SAFE})


@pytest.mark.parametrize(("old", "new"), [*itertools.permutations(WRITERS, 2)])
def test_one_interface_written_in_two_versions_is_the_same(old, new):
    assert blocks(WRITERS[old](WARD), WRITERS[new](WARD)) == []


@pytest.mark.parametrize(("old", "new"), [*itertools.product(WRITERS, WRITERS)])
def test_new_names_for_everything_break_nobody(old, new):
    assert blocks(WRITERS[old](WARD), WRITERS[new](WARD, prefix="new")) == []


def changed(address, action, index, **fields):
    made = copy.deepcopy(WARD)
    said = made[address][action][index]
    made[address][action][index] = Said(**{**said.__dict__, **fields})
    return made


NARROWER = {"type": "object", "required": ["bed"], "properties": {"bed": {"type": "string", "maxLength": 4}, "urgent": {"type": "boolean"}}}  # fmt: skip
DATED = {"type": "object", "properties": {"at": {"type": "string"}}}
CHANGES = {
    "received payload narrower": (changed("wards/{ward}/beds", "receive", 0, payload=NARROWER), ["value-no-longer-accepted"], []),
    "sent payload wider": (changed("wards/{ward}/beds", "send", 0, payload=DATED), ["value-newly-emitted"], []),
    "parameter value gone": ({**WARD, "wards/{ward}/beds": {**WARD["wards/{ward}/beds"], "parameters": {"ward": ["icu"]}}},
                             ["value-no-longer-accepted"], ["address-newly-used"]),
    "address gone": ({key: one for key, one in WARD.items() if key != "alarms"}, ["channel-removed"], []),
    "content type": (changed("wards/{ward}/beds", "receive", 1, content_type="text/plain"), *[["message-content-type-changed"]] * 2),
    "key of the message": (changed("wards/{ward}/beds", "send", 0, more={"bindings": {"kafka": {"key": {"type": "string", "maxLength": 3}}}}),
                           [], ["value-newly-emitted"]),
    "correlation": (changed("wards/{ward}/beds", "receive", 1, more={}), ["correlation-changed"], []),
    "nothing received any more": ({**WARD, "wards/{ward}/beds": {"parameters": {"ward": ["icu", "er"]}, "send": [FREED]}},
                                  ["channel-operation-removed"], []),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize(
    ("old", "new"), [("2.6", "2.6"), ("2.6", "3.0"), ("3.0", "2.6"), ("3.0", "3.1"), ("3.0", "3.0")]
)
def test_a_change_is_the_same_change_in_every_version(old, new, name):
    after, forward, back = CHANGES[name]
    assert blocks(WRITERS[old](WARD), WRITERS[new](after)) == forward
    assert blocks(WRITERS[new](after), WRITERS[old](WARD)) == back


def test_publish_is_what_the_application_receives():
    """A wrong perspective of 2.x would turn every verdict around."""
    wider = changed("alarms", "receive", 0, payload={"type": "string", "enum": ["fire", "code", "water"]})
    assert blocks(write_2(WARD), write_3(wider)) == []
    assert blocks(write_3(wider), write_2(WARD)) == ["value-no-longer-accepted"]
    sends = {"alarms": {"send": WARD["alarms"]["receive"]}}
    more = {"alarms": {"send": wider["alarms"]["receive"]}}
    assert blocks(write_2(sends), write_3(more)) == ["value-newly-emitted"]
    assert blocks(write_3(more), write_2(sends)) == []


# Generated pairs of messages: what breaks where it is received breaks the other way round where it is sent.


def schema(choose, depth=2):
    kind = choose.choice(
        ["string", "integer", "object", "array", "enum"] if depth else ["string", "integer", "enum"]
    )
    if kind == "string":
        return {"type": "string"} | ({"maxLength": choose.randint(1, 4)} if choose.random() < 0.5 else {})
    if kind == "integer":
        return {"type": "integer"} | ({"minimum": choose.randint(0, 3)} if choose.random() < 0.5 else {})
    if kind == "enum":
        return {"enum": sorted(choose.sample(["a", "b", "c"], choose.randint(1, 3)))}
    if kind == "array":
        return {"type": "array", "items": schema(choose, depth - 1)}
    names = choose.sample(["x", "y", "z"], choose.randint(1, 3))
    made = {"type": "object", "properties": {name: schema(choose, depth - 1) for name in sorted(names)}}
    if choose.random() < 0.6:
        made["required"] = sorted(choose.sample(names, choose.randint(1, len(names))))
    if choose.random() < 0.3:
        made["additionalProperties"] = False
    return made


def mutated(choose, one):
    """Change one thing, as people do: a bound, a word of an enum, what is required, a property, a type."""
    made = copy.deepcopy(one)
    if made.get("type") == "object" and choose.random() < 0.7:
        name = choose.choice(sorted(made["properties"]))
        step = choose.randrange(4)
        if step == 0:
            made["properties"][name] = mutated(choose, made["properties"][name])
        elif step == 1:
            made["required"] = sorted(
                {*made.get("required", []), name} ^ ({name} if name in made.get("required", []) else set())
            )
        elif step == 2:
            made["properties"]["w"] = schema(choose, 0)
        else:
            made["additionalProperties"] = not made.get("additionalProperties", True)
        return made
    return schema(choose, 1)


def said(payload, headers):
    return {"m": {"address": Said("Note", payload, headers)}}


@pytest.mark.parametrize("seed", range(120))
def test_receiving_and_sending_are_mirror_images(seed):
    choose = random.Random(seed)
    first = schema(choose)
    second = mutated(choose, first)
    inside = choose.random() < 0.3
    whole = {"type": "object", "properties": {"h": {"type": "string"}}}

    def root(action, one):
        headers = {"type": "object", "properties": {"h": one}} if inside else whole
        note = Said("Note", {"type": "string"} if inside else one, headers)
        return choose_writer({"notes": {action: [note]}})

    choose_writer = choose.choice([write_2, write_3])
    received = compare(root("receive", first), root("receive", second), "asyncapi")
    sent = compare(root("send", second), root("send", first), "asyncapi")
    kinds = [
        sorted(
            {
                str(one.severity)
                for one in found.findings
                if one.rule not in {"property-ignored", "notes-changed"}
            }
            - {"safe"}
        )
        for found in (received, sent)
    ]
    assert kinds[0] == kinds[1]
    for found, action, ends in ((received, "receive", (first, second)), (sent, "send", (first, second))):
        for one in found.findings:
            if one.has_witness and one.exchange is not None:
                value = one.exchange["headers"]["h"] if inside else one.exchange["payload"]
                takes = [
                    compile_schema(end, root=end, dialect=Dialect.DRAFT_07).accepts(value) for end in ends
                ]
                assert takes == [True, False], (action, value)
                assert one.exchange["action"] == action
