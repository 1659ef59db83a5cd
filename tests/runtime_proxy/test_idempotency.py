"""Idempotency-Key: carried out once, answered again, and never sent a second time when that is not known."""

import asyncio
import json
import sqlite3

import pytest

from adapters.errors import UpstreamBroken, UpstreamTimeout, UpstreamUnreachable
from kernel.bundle.model import Grant
from kernel.sealing.payload import Sealer
from runtime_proxy.idempotency import KeyRoom
from runtime_proxy.idempotency_file import FileStore

ORDER = {"code": "2823-3", "priority": "urgent"}
OTHER = {"code": "2823-3", "priority": "routine"}
KEY = ("idempotency-key", '"8e03978e-40d5-43dd-bc93-6894a57f9324"')


class Lab:
    """A house whose placeOrder takes keys by `terms`, with its store in `folder`."""

    def __init__(self, make_house, kit, folder, **settings) -> None:
        self.now = 1_700_000_000.0
        self.folder = folder
        self.kit = kit
        store = FileStore(folder / "idempotency", most_bytes=2**26, now=lambda: self.now)
        self.house = make_house(keys=KeyRoom(store, Sealer(folder / "keys")), **settings)

    async def publish(self, terms="required", **more) -> None:
        document = self.kit.orders_document()
        document["paths"]["/orders"]["post"]["x-interlock-idempotency"] = terms
        document["paths"]["/orders/{id}"]["put"]["x-interlock-idempotency"] = terms
        more.setdefault("grants", (Grant("orders", 1, scopes=("orders.write",)),))
        await self.house.publish(document, **more)

    async def place(self, *headers, body=ORDER, **more):
        return await self.house.ask("POST", "/orders/v1/orders", body, *headers, **more)

    def slug(self, reply) -> str:
        return self.kit.problem(reply)["slug"]

    @property
    def calls(self):
        return self.house.provider.calls


@pytest.fixture
async def make_lab(make_house, kit, tmp_path):
    made = []

    def make(**settings) -> Lab:
        made.append(Lab(make_house, kit, tmp_path, **settings))
        return made[-1]

    yield make
    for lab in made:
        await lab.house.plane.stop()


@pytest.fixture
async def lab(make_lab):
    made = make_lab()
    await made.publish()
    return made


async def test_a_repeat_gets_the_first_answer_and_nothing_is_forwarded(lab, kit) -> None:
    lab.house.provider.answer = lambda _: kit.answer(201, {"id": "o-1"}, (b"location", b"/orders/o-1"))
    first = await lab.place(KEY)
    asked_first = lab.house.last.request_id
    lab.house.provider.answer = lambda _: kit.answer(201, {"id": "o-2"})
    again = await lab.place(KEY)
    assert (first.status, again.status) == (201, 201)
    assert again.body == first.body == b'{"id": "o-1"}'
    assert kit.header(again, "location") == "/orders/o-1"
    assert (kit.header(first, "idempotent-replayed"), kit.header(again, "idempotent-replayed")) == (
        None,
        "true",
    )
    assert kit.header(again, "x-request-id") == lab.house.last.request_id != asked_first
    assert kit.header(again, "x-interlock-contract") == "orders@1.0.0"
    assert len(lab.calls) == 1
    assert lab.house.journal.stages() == ["received", "completed", "replayed"]
    record = lab.house.journal.records[-1]
    assert (record["replays"], record["status"], record["outcome"]) == (asked_first, 201, "success")
    assert record["consumer"] == "ward"


async def test_the_key_reaches_the_provider(lab) -> None:
    await lab.place(KEY)
    assert (b"idempotency-key", KEY[1].encode()) in lab.calls[0].headers


async def test_with_and_without_quotes_it_is_the_same_key(lab) -> None:
    await lab.place(KEY)
    await lab.place(("idempotency-key", KEY[1].strip('"')))
    assert len(lab.calls) == 1


@pytest.mark.parametrize("other", [OTHER, {**ORDER, "copies": 2}])
async def test_another_payload_under_the_same_key_is_refused(lab, other) -> None:
    await lab.place(KEY)
    reply = await lab.place(KEY, body=other)
    assert (reply.status, lab.slug(reply)) == (422, "idempotency-key-reused")
    assert len(lab.calls) == 1
    assert lab.house.journal.stages()[-1] == "refused"


async def test_another_path_under_the_same_key_is_refused(lab, kit) -> None:
    lab.house.provider.answer = lambda _: kit.answer(204)
    assert (await lab.house.ask("PUT", "/orders/v1/orders/o-1", ORDER, KEY)).status == 204
    reply = await lab.house.ask("PUT", "/orders/v1/orders/o-2", ORDER, KEY)
    assert (reply.status, lab.slug(reply)) == (422, "idempotency-key-reused")


async def test_a_key_belongs_to_one_operation_or_to_the_whole_contract(make_lab, kit) -> None:
    lab = make_lab()
    await lab.publish("required")
    await lab.place(KEY)
    lab.house.provider.answer = lambda _: kit.answer(204)
    assert (await lab.house.ask("PUT", "/orders/v1/orders/o-1", ORDER, KEY)).status == 204
    await lab.publish({"key": "required", "scope": "contract"})
    wide = ("idempotency-key", '"wide"')
    lab.house.provider.answer = lambda _: kit.answer(201, {"id": "o-1"})
    assert (await lab.place(wide)).status == 201
    reply = await lab.house.ask("PUT", "/orders/v1/orders/o-1", ORDER, wide)
    assert (reply.status, lab.slug(reply)) == (422, "idempotency-key-reused")


async def test_consumers_do_not_share_keys(lab) -> None:
    import hashlib

    from kernel.bundle.model import Consumer, Key

    other = "ilk_x1_0123456789abcdef"
    row = Key("x1", hashlib.sha256(other.encode()).hexdigest())
    await lab.publish(consumers=(Consumer("icu", "ICU", "internal", (row,), (Grant("orders", 1),)),))
    await lab.place(KEY)
    assert (await lab.place(KEY, key=other)).status == 201
    assert len(lab.calls) == 2


@pytest.mark.parametrize(
    ("headers", "slug"),
    [
        ((), "idempotency-key-missing"),
        ((("idempotency-key", ""),), "idempotency-key-invalid"),
        ((("idempotency-key", '""'),), "idempotency-key-invalid"),
        ((("idempotency-key", '"a'),), "idempotency-key-invalid"),
        ((("idempotency-key", '"a"b"'),), "idempotency-key-invalid"),
        ((("idempotency-key", '"a";p=1'),), "idempotency-key-invalid"),
        ((("idempotency-key", '"\u00e4"'),), "idempotency-key-invalid"),
        ((("idempotency-key", "a, b"),), "idempotency-key-invalid"),
        ((("idempotency-key", "a" * 256),), "idempotency-key-invalid"),
        ((KEY, KEY), "idempotency-key-invalid"),
    ],
)
async def test_a_key_that_is_missing_or_none_is_refused(lab, headers, slug) -> None:
    reply = await lab.place(*headers)
    assert (reply.status, lab.slug(reply)) == (400, slug)
    assert lab.calls == []


@pytest.mark.parametrize("value", ['"a b"', '"\\"\\\\"', "a" * 255, f'"{"a" * 255}"', "Zm9v+/=="])
async def test_what_is_a_key(lab, value) -> None:
    assert (await lab.place(("idempotency-key", value))).status == 201


async def test_an_optional_key_may_be_left_out(make_lab) -> None:
    lab = make_lab()
    await lab.publish("optional")
    assert [(await lab.place()).status for _ in range(2)] == [201, 201]
    assert [(await lab.place(KEY)).status for _ in range(2)] == [201, 201]
    assert len(lab.calls) == 3


async def test_an_invalid_request_uses_no_key_up(lab) -> None:
    assert (await lab.place(KEY, body={"code": "x"})).status == 422
    assert (await lab.place(KEY)).status == 201


async def test_a_repeat_while_the_first_runs_is_told_to_wait(lab, kit) -> None:
    entered, go = asyncio.Event(), asyncio.Event()

    async def slow(call):
        entered.set()
        await go.wait()
        return kit.answer(201, {"id": "o-1"})

    lab.house.provider.call = slow
    first = asyncio.create_task(lab.place(KEY))
    await entered.wait()
    reply = await lab.place(KEY)
    assert (reply.status, lab.slug(reply)) == (409, "idempotency-running")
    assert kit.header(reply, "retry-after") == "1"
    go.set()
    assert (await first).status == 201
    assert kit.header(await lab.place(KEY), "idempotent-replayed") == "true"


async def test_a_hundred_at_once_reach_the_provider_once(lab) -> None:
    replies = await asyncio.gather(*(lab.place(KEY) for _ in range(100)))
    assert len(lab.calls) == 1
    assert {reply.status for reply in replies} <= {201, 409}


@pytest.mark.parametrize("error", [UpstreamTimeout("late", sent=True), UpstreamBroken("cut", sent=True)])
async def test_after_an_unknown_outcome_the_key_is_closed(lab, error) -> None:
    def fail(_):
        raise error

    lab.house.provider.answer = fail
    assert (await lab.place(KEY)).status in (502, 504)
    for _ in range(2):
        reply = await lab.place(KEY)
        assert (reply.status, lab.slug(reply)) == (409, "idempotency-unresolved")
    lab.now += 10 * 365 * 86_400
    assert (await lab.place(KEY)).status == 409  # time does not tell what became of it
    assert len(lab.house.journal.stages()) == 2 + 3


async def test_when_nothing_was_sent_the_key_is_free_again(lab, kit) -> None:
    def fail(_):
        raise UpstreamUnreachable("nobody there", sent=False)

    lab.house.provider.answer = fail
    assert (await lab.place(KEY)).status == 502
    lab.house.provider.answer = lambda _: kit.answer(201, {"id": "o-1"})
    assert (await lab.place(KEY)).status == 201


async def test_when_received_cannot_be_recorded_the_key_is_free_again(lab) -> None:
    lab.house.journal.refuse_next()
    assert (await lab.place(KEY)).status == 503
    assert (await lab.place(KEY)).status == 201


async def test_when_completed_cannot_be_recorded_the_key_is_closed(lab) -> None:
    lab.house.journal.refuse_next(after=1)
    reply = await lab.place(KEY)
    assert (reply.status, lab.slug(reply)) == (500, "outcome-unknown")
    reply = await lab.place(KEY)
    assert (reply.status, lab.slug(reply)) == (409, "idempotency-unresolved")
    assert len(lab.calls) == 1


async def test_an_idempotent_method_may_be_sent_again_after_a_timeout(lab, kit) -> None:
    def fail(_):
        raise UpstreamTimeout("late", sent=True)

    lab.house.provider.answer = fail
    assert (await lab.house.ask("PUT", "/orders/v1/orders/o-1", ORDER, KEY)).status == 504
    lab.house.provider.answer = lambda _: kit.answer(204)
    assert (await lab.house.ask("PUT", "/orders/v1/orders/o-1", ORDER, KEY)).status == 204


async def test_where_the_provider_keeps_keys_too_a_repeat_finds_out(make_lab, kit) -> None:
    lab = make_lab()
    await lab.publish({"key": "required", "provider": "honours"})

    def fail(_):
        raise UpstreamBroken("cut", sent=True)

    lab.house.provider.answer = fail
    assert (await lab.place(KEY)).status == 502
    assert lab.calls[0].idempotent
    lab.house.journal.refuse_next(after=1)
    lab.house.provider.answer = lambda _: kit.answer(201, {"id": "o-1"})
    assert (await lab.place(KEY)).status == 500
    assert (await lab.place(KEY, body=OTHER)).status == 422
    assert (await lab.place(KEY)).status == 201
    assert kit.header(await lab.place(KEY), "idempotent-replayed") == "true"


@pytest.mark.parametrize(("status", "again"), [(404, 404), (429, 201)])
async def test_an_error_is_an_answer_unless_it_says_that_nothing_was_done(
    make_lab, kit, status, again
) -> None:
    lab = make_lab()
    document_answers = {"key": "required", "not-done": [429]}
    await lab.publish(document_answers, report_only=True)
    lab.house.provider.answer = lambda _: kit.answer(status)
    assert (await lab.place(KEY)).status == status
    lab.house.provider.answer = lambda _: kit.answer(201, {"id": "o-1"})
    assert (await lab.place(KEY)).status == again


async def test_an_answer_outside_the_contract_was_an_answer(make_lab, kit) -> None:
    lab = make_lab()
    await lab.publish({"key": "required", "not-done": [502]})
    lab.house.provider.answer = lambda _: kit.answer(418)
    first = await lab.place(KEY)
    again = await lab.place(KEY)
    assert (first.status, again.status) == (502, 502)
    assert json.loads(again.body)["type"].endswith("provider-broke-contract")
    assert len(lab.calls) == 1


async def test_a_key_ends_after_its_time(make_lab) -> None:
    lab = make_lab()
    await lab.publish({"key": "required", "ttl": 60})
    await lab.place(KEY)
    lab.now += 59
    await lab.place(KEY)
    assert len(lab.calls) == 1
    lab.now += 2
    assert (await lab.place(KEY, body=OTHER)).status == 201
    assert len(lab.calls) == 2


async def test_keys_outlive_the_process(make_lab) -> None:
    first = make_lab()
    await first.publish()
    await first.place(KEY)
    await first.house.plane.stop()
    second = make_lab()
    await second.publish()
    reply = await second.place(KEY)
    assert (reply.status, second.calls) == (201, [])


async def test_two_workers_share_their_keys(make_lab, kit) -> None:
    one, two = make_lab(), make_lab()
    await one.publish()
    await two.publish()
    entered, go = asyncio.Event(), asyncio.Event()

    async def slow(call):
        entered.set()
        await go.wait()
        return kit.answer(201, {"id": "o-1"})

    one.house.provider.call = slow
    first = asyncio.create_task(one.place(KEY))
    await entered.wait()
    reply = await two.place(KEY)
    assert (reply.status, two.slug(reply)) == (409, "idempotency-running")
    go.set()
    await first
    assert (await two.place(KEY)).body == b'{"id": "o-1"}'
    assert two.calls == []


async def test_what_a_dead_process_left_running_is_unknown(lab) -> None:
    """A process that dies holds no lock any more; here its entry is written by hand."""
    await lab.place(KEY)
    file = lab.folder / "idempotency" / "keys.sqlite"
    with sqlite3.connect(file) as rows:
        rows.execute(
            "UPDATE keyed SET state = 'running', owner = 'feedfacefeedface', answer = NULL, until = NULL"
        )
    rows.close()
    reply = await lab.place(KEY)
    assert (reply.status, lab.slug(reply)) == (409, "idempotency-unresolved")
    assert len(lab.calls) == 1


async def test_nothing_of_the_message_lies_open_on_the_disk(lab, kit) -> None:
    lab.house.provider.answer = lambda _: kit.answer(201, {"id": "o-1", "note": "Erika Mustermann"})
    await lab.place(("idempotency-key", '"patient-4711"'))
    await lab.house.plane.stop()
    folder = lab.folder / "idempotency"
    kept = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert b"placeOrder" in kept
    for secret in (b"Mustermann", b"4711", b"2823-3"):
        assert secret not in kept
    assert (folder / "keys.sqlite").stat().st_mode & 0o077 == 0


def test_every_commit_is_durable_and_the_file_has_a_bound(tmp_path) -> None:
    from runtime_proxy.idempotency_rows import open_rows

    rows = open_rows(tmp_path / "keys.sqlite", 2**20)
    assert rows.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert rows.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    (page,), (pages,) = (
        rows.execute(f"PRAGMA {name}").fetchone() for name in ("page_size", "max_page_count")
    )
    assert page * pages == 2**20
    rows.close()


async def test_a_store_that_fails_lets_nothing_pass(lab, kit) -> None:
    folder = lab.folder / "idempotency"
    folder.write_text("a file where the folder should be")
    reply = await lab.place(KEY)
    assert (reply.status, lab.slug(reply)) == (503, "idempotency-unavailable")
    assert kit.header(reply, "retry-after") == "5"
    assert lab.calls == []
    folder.unlink()
    assert (await lab.place(KEY)).status == 201


async def test_an_answer_that_cannot_be_kept_is_told_and_not_repeated(lab) -> None:
    await lab.place(("idempotency-key", '"first"'))
    file = lab.folder / "idempotency" / "keys.sqlite"
    rows = sqlite3.connect(file)
    rows.execute("CREATE TRIGGER full BEFORE UPDATE ON keyed BEGIN SELECT RAISE(FAIL, 'disk full'); END")
    rows.close()
    assert (await lab.place(KEY)).status == 201
    assert (await lab.place(KEY)).status == 409
    assert len(lab.calls) == 2


async def test_where_no_keys_are_kept_no_call_with_one_passes(make_house, kit) -> None:
    house = make_house()
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["x-interlock-idempotency"] = "optional"
    await house.publish(document)
    assert (await house.ask("POST", "/orders/v1/orders", ORDER)).status == 201
    reply = await house.ask("POST", "/orders/v1/orders", ORDER, KEY)
    assert (reply.status, kit.problem(reply)["slug"]) == (503, "idempotency-unavailable")
    assert len(house.provider.calls) == 1


async def test_report_only_lets_a_call_without_its_key_pass(make_lab, kit) -> None:
    lab = make_lab(open_reports=True)
    await lab.publish(report_requests=True, report_only=True)
    reply = await lab.place()
    assert (reply.status, kit.header(reply, "x-interlock-violations")) == (201, "1")
