"""The cache of answers (RFC 9111): only where the contract says so, for one consumer and version, never health data."""

import copy
import hashlib
import json
from email.utils import formatdate

import msgspec
import pytest

from adapters.errors import UpstreamTimeout
from adapters.port import Answer
from kernel.bundle.model import Consumer, ContractEntry, Grant, Key
from kernel.contract.digest import canonical_bytes, digest
from kernel.contract.urn import Urn
from kernel.contract.version import Version
from kernel.errors import ContractInvalid
from kernel.operation.compile import compile_contract
from runtime_proxy.cache import normal_target
from runtime_proxy.cache_rules import age_of, directives_of, fresh_seconds, is_met, may_keep
from runtime_proxy.cache_store import CacheStore, Kept

OTHER = "ilk_w2_fedcba9876543210"
ONE = "/orders/v1/orders/7"
FRESH = (b"cache-control", b"max-age=60")


class Kitchen:
    """A house whose provider numbers its answers, and whose clock the test moves."""

    def __init__(self, house, kit):
        self.house = house
        self.kit = kit
        self.now = 1000.0
        self.lines = [FRESH]
        self.status = 200
        house.provider.answer = self.answer

    def answer(self, call) -> Answer:
        if call.method not in {b"GET", b"HEAD"}:
            return self.kit.answer(204)
        held = dict(self.lines).get(b"etag")
        if held is not None and dict(call.headers).get(b"if-none-match") == held:
            return Answer(304, [*self.lines], b"")
        body = {"id": str(len(self.house.provider.calls))}
        made = self.kit.answer(self.status, body if self.status == 200 else None, *self.lines)
        return made if call.method == b"GET" else Answer(made.status, made.headers, b"")

    @property
    def store(self) -> CacheStore:
        [version] = self.house.pipeline.plan.routes[0].versions.values()
        return next(one.instead._store for one in version.operations.values() if one.instead is not None)

    async def publish(self, document, **more) -> None:
        await self.house.publish(document, **more)
        self.store.clock = lambda: self.now

    async def ask(self, target=ONE, *headers, method="GET", **more):
        reply = await self.house.ask(method, target, b"", *headers, **more)
        number = json.loads(reply.body)["id"] if reply.body and reply.status == 200 else None
        return reply.status, number, self.kit.header(reply, "age")

    @property
    def calls(self) -> int:
        return len(self.house.provider.calls)


def cached_document(kit, declared=True, **more):
    document = copy.deepcopy(kit.orders_document(**more))
    document["paths"]["/orders/{id}"]["get"]["x-interlock-cache"] = declared
    return document


@pytest.fixture
async def kitchen(make_house, kit):
    made = Kitchen(make_house(), kit)
    await made.publish(cached_document(kit))
    return made


async def test_a_fresh_answer_is_given_again_with_its_age_and_on_record(kitchen) -> None:
    assert await kitchen.ask() == (200, "1", None)
    kitchen.now += 30
    assert await kitchen.ask() == (200, "1", "30")
    assert kitchen.calls == 1
    miss, hit = kitchen.house.journal.records[-2:]
    assert (miss["cache"], miss["upstream_status"], hit["cache"]) == ("miss", 200, "hit")
    assert "upstream_status" not in hit
    assert hit["response_sha256"] == miss["response_sha256"]
    kitchen.now += 30
    assert await kitchen.ask() == (200, "2", None)


async def test_nothing_is_kept_where_the_contract_does_not_say_so(kitchen) -> None:
    for number in ("1", "2"):
        assert await kitchen.ask("/orders/v1/orders") == (200, number, None)
    assert "cache" not in kitchen.house.journal.records[-1]


async def test_a_kept_answer_is_authenticated_limited_and_authorized_for(make_house, kit) -> None:
    from kernel.bundle.model import Limit

    kitchen = Kitchen(make_house(), kit)
    await kitchen.publish(cached_document(kit), limits=(Limit("calls", 2, 60, 2),))
    assert [(await kitchen.ask())[0] for _ in range(3)] == [200, 200, 429]
    assert (await kitchen.ask(key=None))[0] == 401
    assert kitchen.calls == 1


async def test_what_one_consumer_was_told_no_other_is(make_house, kit) -> None:
    kitchen = Kitchen(make_house(), kit)
    key = Key("w2", hashlib.sha256(OTHER.encode()).hexdigest())
    night = Consumer("night", "night ward", "internal", (key,), (Grant("orders", 1),))
    await kitchen.publish(cached_document(kit), consumers=(night,))
    assert [(await kitchen.ask(key=one))[1] for one in (kit.KEY, OTHER, kit.KEY, OTHER)] == [
        "1",
        "2",
        "1",
        "2",
    ]


async def test_a_pinned_version_has_answers_of_its_own(make_house, kit) -> None:
    kitchen = Kitchen(make_house(), kit)
    key = Key("w2", hashlib.sha256(OTHER.encode()).hexdigest())
    night = Consumer("night", "night ward", "internal", (key,), (Grant("orders", 1, pin="1.1.0"),))
    documents = (cached_document(kit), cached_document(kit, version="1.1.0"))
    await kitchen.house.publish(*documents, consumers=(night,))
    assert [(await kitchen.ask(key=one))[1] for one in (kit.KEY, OTHER, kit.KEY, OTHER)] == [
        "1",
        "2",
        "1",
        "2",
    ]


async def test_a_stale_answer_is_asked_for_by_its_etag(kitchen) -> None:
    kitchen.lines = [FRESH, (b"etag", b'"a"')]
    assert (await kitchen.ask())[1] == "1"
    kitchen.now += 60
    assert await kitchen.ask() == (200, "1", "0")
    assert kitchen.calls == 2
    assert dict(kitchen.house.provider.calls[-1].headers)[b"if-none-match"] == b'"a"'
    assert kitchen.house.journal.records[-1]["cache"] == "revalidated"
    kitchen.now += 59
    assert await kitchen.ask() == (200, "1", "59")
    kitchen.now += 1
    kitchen.lines = [FRESH, (b"etag", b'"b"')]
    assert (await kitchen.ask())[1] == "3"
    assert kitchen.calls == 3


async def test_who_has_the_answer_gets_304(kitchen) -> None:
    kitchen.lines = [FRESH, (b"etag", b'"a"')]
    await kitchen.ask()
    assert await kitchen.ask(ONE, ("if-none-match", 'W/"a", "z"')) == (304, None, "0")
    assert (await kitchen.ask(ONE, ("if-none-match", '"z"')))[:2] == (200, "1")
    assert kitchen.calls == 1
    kitchen.now += 60
    assert await kitchen.ask(ONE, ("if-none-match", '"a"')) == (304, None, "0")
    assert kitchen.calls == 2


async def test_what_belongs_to_the_providers_connection_is_not_told_by_the_kept_one_either(kitchen) -> None:
    kitchen.lines = [FRESH, (b"connection", b"x-hop"), (b"x-hop", b"1"), (b"x-end", b"2")]
    for _ in range(2):
        reply = await kitchen.house.ask("GET", ONE)
        assert (kitchen.kit.header(reply, "x-hop"), kitchen.kit.header(reply, "x-end")) == (None, "2")
    assert kitchen.calls == 1


async def test_head_is_answered_by_what_get_brought(kitchen) -> None:
    await kitchen.ask()
    reply = await kitchen.house.ask("HEAD", ONE)
    assert (reply.status, reply.body, kitchen.kit.header(reply, "content-length")) == (200, b"", "11")
    assert kitchen.calls == 1
    await kitchen.house.ask("HEAD", "/orders/v1/orders/8")
    assert await kitchen.ask("/orders/v1/orders/8") == (200, "3", None)


@pytest.mark.parametrize(
    "lines",
    [
        [],
        [(b"cache-control", b"no-store, max-age=60")],
        [(b"cache-control", b"private, max-age=60")],
        [(b"cache-control", b"max-age=60, max-age=90")],
        [(b"cache-control", b"max-age=sixty")],
        [(b"cache-control", b"max-age=0")],
        [(b"cache-control", b"no-cache, max-age=60")],
        [(b"cache-control", b"max-age=60;")],
        [FRESH, (b"set-cookie", b"a=b")],
        [FRESH, (b"vary", b"X-Ward, *")],
        [(b"expires", b"0")],
    ],
)
async def test_what_the_provider_does_not_let_be_kept_is_asked_for_again(kitchen, lines) -> None:
    kitchen.lines = lines
    assert [(await kitchen.ask())[1] for _ in range(2)] == ["1", "2"]


@pytest.mark.parametrize(
    ("headers", "again"),
    [
        ([("cache-control", "no-cache")], True),
        ([("pragma", "no-cache")], True),
        ([("cache-control", "max-age=5")], True),
        ([("cache-control", "max-age=20")], False),
        ([("cache-control", "min-fresh=55")], True),
        ([("cookie", "a=b")], True),
        ([("if-match", '"a"')], True),
        ([("range", "bytes=0-1")], True),
        ([("accept", "text/plain")], True),
        ([("x-provider-token", "a")], True),
        ([("user-agent", "another")], False),
    ],
)
async def test_the_caller_may_ask_for_a_newer_one(kitchen, headers, again) -> None:
    await kitchen.ask()
    kitchen.now += 10
    assert (await kitchen.ask(ONE, *headers))[1] == ("2" if again else "1")


async def test_an_answer_is_kept_for_the_headers_that_it_depends_on(kitchen) -> None:
    kitchen.lines = [FRESH, (b"vary", b"Accept-Language")]
    languages = ("de", "fr", "de", "fr")
    assert [(await kitchen.ask(ONE, ("accept-language", one)))[1] for one in languages] == [
        "1",
        "2",
        "1",
        "2",
    ]


async def test_spellings_of_one_request_are_one_and_queries_are_not(kitchen) -> None:
    targets = (
        ONE,
        "/orders/v1/orders/%37",
        f"{ONE}?",
        f"{ONE}?a=1",
        f"{ONE}?a=%31",
        f"{ONE}?a=2",
        "/orders/v1/orders/8",
    )
    assert [(await kitchen.ask(one))[1] for one in targets] == ["1", "1", "1", "2", "2", "3", "4"]
    assert normal_target(b"/a%2fb%7e?x=%c3") == b"/a%2Fb~?x=%C3"


async def test_a_change_forgets_what_it_may_have_changed(kitchen) -> None:
    body = {"code": "2823-3", "priority": "urgent"}
    await kitchen.ask()
    await kitchen.ask("/orders/v1/orders/8")
    grants = (Grant("orders", 1, scopes=("orders.write",)),)
    await kitchen.publish(cached_document(kitchen.kit), grants=grants)
    await kitchen.ask()
    await kitchen.ask("/orders/v1/orders/8")
    assert kitchen.calls == 4
    assert (await kitchen.house.ask("PUT", ONE, body)).status == 204
    assert [(await kitchen.ask())[1], (await kitchen.ask("/orders/v1/orders/8"))[1]] == ["6", "4"]
    kitchen.house.provider.answer = lambda _: kitchen.kit.answer(500)
    assert (await kitchen.house.ask("PUT", ONE, body)).status == 502
    assert (await kitchen.ask())[1] == "6"

    def late(_):
        raise UpstreamTimeout("no answer", sent=True)

    kitchen.house.provider.answer = late
    assert (await kitchen.house.ask("PUT", ONE, body)).status == 504
    kitchen.house.provider.answer = kitchen.answer
    assert (await kitchen.ask())[1] == "9"


async def test_what_was_asked_before_a_change_is_not_kept_after_it(kitchen) -> None:
    def overtaken(call):
        kitchen.store.forget(kitchen.house.pipeline.plan.routes[0], b"/orders/7")
        return kitchen.answer(call)

    kitchen.house.provider.answer = overtaken
    await kitchen.ask()
    kitchen.house.provider.answer = kitchen.answer
    assert (await kitchen.ask())[1] == "2"


async def test_an_answer_outside_the_contract_is_not_kept(kitchen, kit) -> None:
    kitchen.house.provider.answer = lambda _: kit.answer(200, {"state": "lost"}, FRESH)
    assert [(await kitchen.ask())[0] for _ in range(2)] == [502, 502]
    assert kitchen.calls == 2


async def test_a_new_bundle_begins_with_nothing(kitchen, kit) -> None:
    await kitchen.ask()
    before = kitchen.store
    assert before.entries == 1
    await kitchen.publish(cached_document(kit))
    assert (before.entries, before.size) == (0, 0)
    assert (await kitchen.ask())[1] == "2"
    before.keep("late", ("r", b"p"), (), [], kept())
    assert before.entries == 0


@pytest.mark.parametrize(
    ("declared", "told", "kept"),
    [
        (True, b"max-age=60, public", False),
        ({"authorization": True}, b"max-age=60", False),
        ({"authorization": True}, b"max-age=60, public", True),
        ({"authorization": True}, b"s-maxage=60", True),
        ({"authorization": True}, b"max-age=60, must-revalidate", True),
    ],
)
async def test_answers_to_authorization_only_where_both_sides_say_so(
    make_house, kit, declared, told, kept
) -> None:
    kitchen = Kitchen(make_house(), kit)
    await kitchen.publish(cached_document(kit, declared))
    kitchen.lines = [(b"cache-control", told)]
    shown = [(await kitchen.ask(ONE, ("authorization", one)))[1] for one in ("Basic a", "Basic b", "Basic a")]
    assert shown == ["1", "2", "1" if kept else "3"]


async def test_the_contract_bounds_freshness(make_house, kit) -> None:
    kitchen = Kitchen(make_house(), kit)
    await kitchen.publish(cached_document(kit, {"max-age": 10}))
    await kitchen.ask()
    kitchen.now += 9
    assert (await kitchen.ask())[1] == "1"
    kitchen.now += 1
    assert (await kitchen.ask())[1] == "2"


async def test_health_data_are_never_kept(make_house, kit) -> None:
    kitchen = Kitchen(make_house(), kit)
    await kitchen.house.publish(cached_document(kit), entry={"metadata": {"sensitivity": "health"}})
    assert [(await kitchen.ask())[1] for _ in range(2)] == ["1", "2"]
    await kitchen.publish(cached_document(kit), entry={"metadata": {"sensitivity": "none"}})
    assert [(await kitchen.ask())[1] for _ in range(2)] == ["3", "3"]


def naming(name: str, root: dict) -> str:
    return str(Urn(name, Version.parse("1.0.0"), digest(root)))


@pytest.mark.parametrize("marked", ["health", "none"])
async def test_a_schema_of_health_data_marks_what_uses_it(make_house, kit, marked) -> None:
    """Also by way of another schema."""
    patient = {"type": "string"}
    visit = {"properties": {"patient": {"$ref": naming("patient", patient)}}}
    document = cached_document(kit)
    document["components"]["schemas"]["Receipt"]["properties"]["visit"] = {"$ref": naming("visit", visit)}
    kitchen = Kitchen(make_house(), kit)
    bundle = kitchen.house.bundle_of(document)
    schemas = tuple(
        ContractEntry(
            name, "1.0.0", "schema", "frozen", "internal", digest(root), metadata={"sensitivity": sensitivity}
        )
        for name, root, sensitivity in (("patient", patient, marked), ("visit", visit, "none"))
    )
    contracts = msgspec.structs.replace(bundle.contracts, contracts=(*bundle.contracts.contracts, *schemas))
    blobs = {**bundle.blobs, digest(patient): canonical_bytes(patient), digest(visit): canonical_bytes(visit)}
    await kitchen.house.plane.activation.take_up(
        msgspec.structs.replace(bundle, contracts=contracts, blobs=blobs)
    )
    asked = [(await kitchen.ask())[1] for _ in range(2)]
    assert asked == (["1", "2"] if marked == "health" else ["1", "1"])


@pytest.mark.parametrize(
    ("where", "value", "pointer"),
    [
        ("get", {"max-age": 0}, "/paths/~1orders~1{id}/get/x-interlock-cache/max-age"),
        ("get", {"max_age": 5}, "/paths/~1orders~1{id}/get/x-interlock-cache/max_age"),
        ("get", {"authorization": "yes"}, "/paths/~1orders~1{id}/get/x-interlock-cache/authorization"),
        ("get", "yes", "/paths/~1orders~1{id}/get/x-interlock-cache"),
        ("put", True, "/paths/~1orders~1{id}/put/x-interlock-cache"),
    ],
)
def test_what_is_not_understood_is_refused_at_its_place(kit, where, value, pointer) -> None:
    document = kit.orders_document()
    document["paths"]["/orders/{id}"][where]["x-interlock-cache"] = value
    with pytest.raises(ContractInvalid) as caught:
        compile_contract(document)
    assert caught.value.place.pointer == pointer


def test_a_contract_that_marks_health_data_keeps_nothing(kit) -> None:
    for marked in ({"x-interlock-sensitivity": "health"}, {"x-interlock-sensitivity": "helth"}):
        with pytest.raises(ContractInvalid):
            compile_contract(cached_document(kit) | marked)
    document = cached_document(kit) | {"x-interlock-sensitivity": "health"}
    document["paths"]["/orders/{id}"]["get"]["x-interlock-sensitivity"] = "none"
    assert any(one.caching is not None for one in compile_contract(document).operations)


def kept(size: int = 0) -> Kept:
    return Kept(200, (), b"x" * size, 0.0, 60.0)


def test_the_store_is_bounded_by_entries_and_bytes() -> None:
    store = CacheStore(3, 100_000)
    for name in "abcd":
        store.keep(name, ("r", name.encode()), (), [], kept())
        assert store.find("a", []) is not None  # asked for last, so it stays
    assert [store.find(name, []) is not None for name in "abcd"] == [True, False, True, True]
    store.keep("large", ("r", b"large"), (), [], kept(50_000))
    assert store.find("large", []) is None
    for number in range(30):
        store.keep(number, ("r", b"n"), (), [], kept(10_000))
        assert store.size <= 100_000
        assert store.entries <= 3
    store.forget("r", b"n")
    assert (store.entries, store.size) == (0, 0)


def test_variants_of_one_question_are_bounded() -> None:
    store = CacheStore(100, 10**6)
    for number in range(20):
        store.keep("q", ("r", b"p"), (b"x",), [(b"x", b"%d" % number)], kept())
    assert store.entries == 8
    assert store.find("q", [(b"x", b"19")]) is not None
    assert store.find("q", [(b"x", b"0")]) is None
    store.keep("q", ("r", b"p"), (b"y",), [], kept())
    assert store.entries == 1


def test_freshness_and_age_are_read_as_rfc_9111_has_them() -> None:
    wall = 1_700_000_000.0
    date, later = (formatdate(wall + more, usegmt=True).encode() for more in (0, 90))
    assert fresh_seconds([(b"expires", later), (b"date", date)], {}, wall) == 90
    assert fresh_seconds([(b"expires", later)], {b"max-age": b"5", b"s-maxage": b"7"}, wall) == 7
    assert fresh_seconds([(b"expires", later), (b"expires", later)], {}, wall) == 0
    assert fresh_seconds([(b"expires", b"tomorrow")], {}, wall) == 0
    assert age_of(Answer(200, [(b"age", b"30"), (b"date", date)], b"", 2.0), wall + 10) == 32.0
    assert age_of(Answer(200, [(b"date", date)], b""), wall + 10) == 10.0
    assert directives_of([(b"cache-control", b'Max-Age="60", no-cache="a, b"')]) == {
        b"max-age": b"60",
        b"no-cache": b"a, b",
    }
    assert not may_keep(Answer(206, [], b""), {}, {b"max-age": b"60"}, authorized=False)
    since = [(b"if-modified-since", later)]
    assert is_met(since, {b"last-modified": date})
    assert not is_met([(b"if-modified-since", date)], {b"last-modified": later})
    assert is_met([(b"if-none-match", b"*")], {})
