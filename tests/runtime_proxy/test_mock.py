"""Mock mode: requests are judged as ever, answers come out of the contract and keep it, the provider is never asked."""

import json
from pathlib import Path

import pytest

from kernel.bundle.introducing import Mock
from kernel.bundle.policy import RoutePolicy
from kernel.contract.document import parse
from kernel.contract.references import embed_urns
from kernel.operation.compile import compile_contract
from runtime_proxy.declared import texts_of
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.mock_answers import Recipe, Unmade
from runtime_proxy.preferences import Preferences, PreferenceUnreadable, preferences_of

ORDER = {"code": "2823-3", "priority": "urgent"}
CONTRACTS = Path(__file__).parents[2] / "contracts"


def described(kit, **answers):
    """The orders contract, with answers of `placeOrder` as given."""
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["responses"] |= answers
    return document


def content(**media):
    return {"description": "an answer", "content": {"application/json": media}}


@pytest.fixture
def mocked(make_house):
    async def make(document=None, seed=0, **more):
        house = make_house()
        documents = (document,) if document is not None else ()
        await house.publish(*documents, policy=RoutePolicy(mock=Mock(seed)), **more)
        return house

    return make


async def test_a_call_is_judged_and_answered_without_its_provider(mocked, kit) -> None:
    house = await mocked()
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.header(reply, "content-type")) == (201, "application/json")
    assert kit.header(reply, "x-interlock-mock") == "seed=0"
    body = json.loads(reply.body)
    assert isinstance(body["id"], str)
    assert body["state"] in {"placed", "done"}
    assert house.journal.stages() == ["received", "completed"]
    assert {record["adapter"] for record in house.journal.records if "adapter" in record} == {"mock"}
    refused = await house.ask("POST", "/orders/v1/orders", {"code": 7})
    assert (refused.status, kit.header(refused, "x-interlock-mock")) == (422, "seed=0")
    assert (await house.ask("POST", "/orders/v1/orders", ORDER, key=None)).status == 401
    assert house.provider.calls == []


async def test_a_seed_says_what_comes_out(mocked, kit) -> None:
    receipt = {
        "type": "object",
        "required": ["id"],
        "properties": {"id": {"type": "string", "format": "uuid"}},
    }
    document = described(kit, **{"201": content(schema=receipt)})
    bodies = []
    for seed in (0, 0, 1):
        house = await mocked(document, seed)
        once = (await house.ask("POST", "/orders/v1/orders", ORDER)).body
        assert (await house.ask("POST", "/orders/v1/orders", ORDER)).body == once
        bodies.append(once)
    assert bodies[0] == bodies[1] != bodies[2]


async def test_examples_come_before_made_values_and_by_name(mocked, kit) -> None:
    media = {
        "schema": {"$ref": "#/components/schemas/Receipt"},
        "examples": {"a": {"value": {"id": "first"}}, "b": {"value": {"id": "second", "state": "done"}}},
    }
    house = await mocked(described(kit, **{"201": content(**media)}))
    assert json.loads((await house.ask("POST", "/orders/v1/orders", ORDER)).body) == {"id": "first"}
    reply = await house.ask("POST", "/orders/v1/orders", ORDER, ("prefer", "example=b"))
    assert json.loads(reply.body) == {"id": "second", "state": "done"}
    assert kit.header(reply, "preference-applied") == 'example="b"'
    made = await house.ask("POST", "/orders/v1/orders", ORDER, ("prefer", "dynamic=true"))
    assert json.loads(made.body)["id"] not in {"first", "second"}


async def test_an_example_outside_its_contract_is_never_given(mocked, kit) -> None:
    media = {"schema": {"$ref": "#/components/schemas/Receipt"}, "examples": {"bad": {"value": {"id": 7}}}}
    house = await mocked(described(kit, **{"201": content(**media)}))
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert isinstance(json.loads(reply.body)["id"], str)
    asked = await house.ask("POST", "/orders/v1/orders", ORDER, ("prefer", "example=bad"))
    assert (asked.status, kit.problem(asked)["slug"]) == (501, "mock-impossible")
    assert house.journal.stages()[-2:] == ["received", "completed"]
    assert house.journal.records[-1]["outcome"] == "failed"


@pytest.mark.parametrize(
    ("prefer", "status", "slug"),
    [
        ("code=404", 404, None),
        ("respond-async, code=404", 404, None),
        ('code="404"', 404, None),
        ("code=404; example=x", 400, "preference-unknown"),
        ("code=418", 400, "preference-unknown"),
        ("code=abc", 400, "preference-unknown"),
        ("example=nowhere", 400, "preference-unknown"),
        ("respond-async", 201, None),
    ],
)
async def test_a_status_is_chosen_by_prefer(mocked, kit, prefer, status, slug) -> None:
    house = await mocked()
    reply = await house.ask("POST", "/orders/v1/orders", ORDER, ("prefer", prefer))
    assert reply.status == status
    if slug is not None:
        assert kit.problem(reply)["slug"] == slug


async def test_declared_headers_are_there(mocked, kit) -> None:
    answer = content(schema={"$ref": "#/components/schemas/Receipt"}) | {
        "headers": {
            "X-Count": {"required": True, "schema": {"type": "integer", "minimum": 3, "maximum": 3}},
            "X-Names": {"schema": {"type": "array", "items": {"enum": ["a"]}, "minItems": 2, "maxItems": 2}},
            "X-Wrong": {"example": "seven", "schema": {"type": "integer", "maximum": 1, "minimum": 1}},
        }
    }
    house = await mocked(described(kit, **{"201": answer}))
    reply = await house.ask("POST", "/orders/v1/orders", ORDER)
    assert (reply.status, kit.header(reply, "x-count")) == (201, "3")


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        (("4XX",), 400),
        (("5XX", "3XX"), 300),
        (("404", "4XX"), 404),
        (("4XX", "default"), 200),
        (("503", "2XX"), 200),
    ],
)
async def test_a_range_alone_answers_with_its_first_status(mocked, kit, declared, status) -> None:
    document = described(kit)
    answer = content(schema={"$ref": "#/components/schemas/Receipt"})
    document["paths"]["/orders"]["post"]["responses"] = dict.fromkeys(declared, answer)
    house = await mocked(document)
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == status


async def test_accept_chooses_among_what_is_declared(mocked, kit) -> None:
    answer = {
        "description": "either",
        "content": {
            "text/plain": {"schema": {"type": "string", "enum": ["placed"]}},
            "application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}},
        },
    }
    house = await mocked(described(kit, **{"201": answer}))
    for accept, media in (
        ("*/*", "application/json"),
        ("text/plain, application/json;q=0.5", "text/plain"),
        ("image/png", "application/json"),
        ("*/*, application/json;q=0", "text/plain"),
        ("application/*;q=0.1, */*;q=0.2", "text/plain"),
        ("text/plain;q=0.1, */*;q=0.2, application/json;q=0.3", "application/json"),
    ):
        reply = await house.ask("POST", "/orders/v1/orders", ORDER, ("accept", accept))
        assert (reply.status, kit.header(reply, "content-type")) == (201, media)
    assert (await house.ask("POST", "/orders/v1/orders", ORDER, ("accept", "text/plain"))).body == b"placed"


async def test_head_tells_of_the_body_and_does_not_send_it(mocked, kit) -> None:
    house = await mocked()
    body = (await house.ask("GET", "/orders/v1/orders")).body
    reply = await house.ask("HEAD", "/orders/v1/orders")
    assert (reply.status, reply.body, kit.header(reply, "content-length")) == (200, b"", str(len(body)))


async def test_channels_are_not_mocked(mocked) -> None:
    ward = {
        "asyncapi": "3.0.0",
        "info": {"title": "Ward", "version": "1.0.0"},
        "servers": {"here": {"host": "ward.example", "protocol": "ws"}},
        "channels": {"calls": {"address": "/calls", "messages": {"call": {"payload": {"type": "object"}}}}},
        "operations": {"listen": {"action": "send", "channel": {"$ref": "#/channels/calls"}}},
    }
    with pytest.raises(ActivationFailed, match="cannot be answered out of a contract"):
        await mocked(ward, kind="asyncapi")


def test_prefer_is_read_as_rfc_7240_has_it() -> None:
    def read(*lines: bytes) -> Preferences:
        return preferences_of([(b"prefer", line) for line in lines])

    assert read(b'code=200; example="a, b"', b"code=404") == Preferences(200, "a, b")
    assert read(b"Dynamic=true") == Preferences(dynamic=True)
    assert read(b"wait=10") == Preferences()
    for line in (b"code=99", b"example=", b"code=200 300", b"=", b"a" * 600):
        with pytest.raises(PreferenceUnreadable):
            read(line)


@pytest.mark.parametrize(
    "file", sorted(CONTRACTS.glob("*/*/openapi.yaml")), ids=lambda path: "/".join(path.parts[-3:-1])
)
def test_every_answer_of_our_own_contracts_can_be_made(file) -> None:
    def lookup(urn):
        return parse(
            (CONTRACTS / urn.name / str(urn.version) / "schema.json").read_bytes(), name=urn.name
        ).root

    root = embed_urns(parse(file.read_bytes(), name=file.name).root, lookup)
    impossible, made = [], 0
    for operation in compile_contract(root).operations:
        responses = texts_of(root, operation)[1]["responses"]
        recipe = Recipe(root, responses, f"0:{operation.id}", operation.check_response)
        for code in responses:
            wanted = Preferences(int(code) if code.isdecimal() else 500 if code == "default" else 200)
            try:
                found = recipe.make(wanted, ())
            except Unmade:
                impossible.append((operation.id, code))
            else:
                made += 1
                assert operation.check_response(found.status, list(found.headers), found.body) == ()
    assert impossible == []
    assert made


async def test_what_callers_send_does_not_make_it_remember_more(mocked, kit) -> None:
    house = await mocked(described(kit, default=content(schema={"type": "object"})))
    for number in range(200):
        prefer = f"code={400 + number}" if number != 4 else "code=500"
        reply = await house.ask(
            "POST", "/orders/v1/orders", ORDER, ("prefer", prefer), ("accept", f"x/{number}")
        )
        assert reply.status == int(prefer[5:])
    [operation] = [
        one
        for one in house.pipeline.plan.routes[0].current.operations.values()
        if one.operation.id == "placeOrder"
    ]
    assert len(operation.instead._recipe.memory) == 1
