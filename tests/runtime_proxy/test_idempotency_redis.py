"""Idempotency keys in a real Redis: shared by hosts, durable over its kill, and never in a server that forgets."""

import asyncio
import os

import pytest
from redis import Redis

from kernel.errors import SettingsError
from kernel.settings import load
from runtime_proxy.errors import KeysUnavailable
from runtime_proxy.idempotency_file import FileStore
from runtime_proxy.idempotency_ledger import open_redis_ledger
from runtime_proxy.idempotency_redis import ALIVE, ROW, RedisStore
from runtime_proxy.idempotency_store import Claim, Kept
from runtime_proxy.key_rooms import key_room, open_ledger
from tests.doubles.redis_server import DURABLE, redis_server

pytestmark = pytest.mark.redis


def a_claim(**more) -> Claim:
    given = {"row": os.urandom(32), "fingerprint": b"f" * 32, "request_id": "r-1", "contract": "orders v1",
             "operation": "placeOrder", "consumer": "ward"}  # fmt: skip
    return Claim(**{**given, **more})


@pytest.fixture(scope="module")
def server():
    with redis_server(*DURABLE) as one:
        yield one


@pytest.fixture
async def stores(server):
    made: list[RedisStore] = []

    def make() -> RedisStore:
        made.append(RedisStore(server.url))
        return made[-1]

    yield make
    for one in made:
        await one.close()


async def test_the_life_of_a_key_over_two_hosts(stores) -> None:
    one, two = stores(), stores()
    first, again = a_claim(), a_claim(request_id="r-2")
    again = a_claim(row=first.row, request_id="r-2")
    assert await one.claim(first) is None
    assert await two.claim(again) == Kept("running", first.fingerprint, "r-1", None)
    await one.keep(first, b"\0sealed", 60)
    assert await two.claim(again) == Kept("done", first.fingerprint, "r-1", b"\0sealed")
    await two.release(again)  # not its own
    assert (await one.claim(again)).state == "done"


async def test_what_was_released_is_free_and_what_is_unknown_stays(stores) -> None:
    store = stores()
    first = a_claim()
    again = a_claim(row=first.row, request_id="r-2")
    await store.claim(first)
    await store.release(first)
    assert await store.claim(again) is None
    await store.doubt(again)
    assert (await store.claim(first)).state == "unknown"
    honoured = a_claim(row=first.row, request_id="r-3", again=True)
    other = a_claim(row=first.row, fingerprint=b"g" * 32, again=True)
    assert (await store.claim(other)).state == "unknown"
    assert await store.claim(honoured) is None


async def test_an_answer_ends_and_an_unknown_outcome_does_not(stores, server) -> None:
    store = stores()
    done, open_one = a_claim(), a_claim()
    for one in (done, open_one):
        await store.claim(one)
    await store.keep(done, b"x", 60)
    await store.doubt(open_one)
    with Redis.from_url(server.url) as redis:
        assert 0 < redis.ttl(ROW + done.row.hex().encode()) <= 60
        assert redis.ttl(ROW + open_one.row.hex().encode()) == -1


@pytest.mark.parametrize("again", [False, True])
async def test_what_a_dead_host_left_running_is_unknown(stores, server, again) -> None:
    dead, alive = stores(), stores()
    first = a_claim()
    await dead.claim(first)
    with Redis.from_url(server.url) as redis:
        redis.delete(ALIVE + dead._me)  # it has given no sign of life for too long
    kept = await alive.claim(a_claim(row=first.row, request_id="r-2", again=again))
    assert kept is None if again else kept.state == "unknown"
    await dead.keep(first, b"late", 60)  # it was not dead after all, and knows best
    kept = await alive.claim(a_claim(row=first.row, request_id="r-3"))
    assert (kept.state, kept.request_id) == (("running", "r-2") if again else ("done", "r-1"))


async def test_a_hundred_at_once_and_one_claims(stores) -> None:
    one, two = stores(), stores()
    row = os.urandom(32)
    claims = [a_claim(row=row, request_id=f"r-{number}") for number in range(100)]
    found = await asyncio.gather(*((one, two)[n % 2].claim(claim) for n, claim in enumerate(claims)))
    assert found.count(None) == 1


async def test_a_claim_outlives_the_kill_of_the_server() -> None:
    with redis_server(*DURABLE) as server:
        store = RedisStore(server.url)
        first = a_claim()
        assert await store.claim(first) is None
        server.kill()
        with pytest.raises(KeysUnavailable):
            await store.claim(a_claim())
        server.start()
        assert (await store.claim(a_claim(row=first.row, request_id="r-2"))).state == "running"
        await store.close()


async def test_a_claim_that_may_have_been_entered_is_taken_back(monkeypatch) -> None:
    from runtime_proxy import idempotency_redis

    monkeypatch.setattr(idempotency_redis, "_PAUSES", (0.01, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5))
    with redis_server(*DURABLE) as server:
        store, first = RedisStore(server.url), a_claim()
        await store.claim(a_claim())
        with Redis.from_url(server.url) as redis:  # it is entered, and the answer is lost with the server
            redis.hset(ROW + first.row.hex().encode(), mapping={"state": "running", "fingerprint": first.fingerprint,
                       "request_id": first.request_id, "owner": store._me})  # fmt: skip
        server.kill()
        with pytest.raises(KeysUnavailable):
            await store.claim(first)
        server.start()
        await asyncio.gather(*store._forgetting)
        assert await store.claim(a_claim(row=first.row, request_id="r-2")) is None
        await store.close()


@pytest.mark.parametrize("options", [(), ("--appendonly", "yes"), ("--appendfsync", "always")])
async def test_a_server_that_could_forget_is_not_used(options) -> None:
    with redis_server(*options) as server:
        store = RedisStore(server.url)
        with pytest.raises(KeysUnavailable, match="may forget"):
            await store.claim(a_claim())
        await store.close()


async def test_people_see_and_settle_what_is_unknown(stores) -> None:
    with redis_server(*DURABLE) as server:
        store = RedisStore(server.url)
        lost, found, running = a_claim(), a_claim(request_id="r-2"), a_claim(request_id="r-3")
        for one in (lost, found, running):
            await store.claim(one)
        await store.doubt(lost)
        await store.doubt(found)
        settings = load({"data": "x", "idempotency_store": "redis", "redis_url": server.url}, environ={})
        with open_ledger(settings) as ledger:
            listed = ledger.unresolved()
            assert [(one.request_id, one.row) for one in listed] == [("r-1", lost.row), ("r-2", found.row)]
            assert (listed[0].contract, listed[0].operation, listed[0].consumer) == (
                "orders v1",
                "placeOrder",
                "ward",
            )
            assert ledger.resolve("r-1", done=True)
            assert ledger.resolve("r-2", done=False)
            assert not ledger.resolve("r-3", done=True)
        assert (await store.claim(lost)).state == "resolved"
        assert await store.claim(found) is None
        with open_redis_ledger(server.url) as ledger:
            assert ledger.unresolved() == []
        with Redis.from_url(server.url) as redis:
            redis.delete(ALIVE + store._me)
        with open_redis_ledger(server.url) as ledger:
            assert {one.request_id for one in ledger.unresolved()} == {"r-2", "r-3"}
        await store.close()


async def test_the_setting_chooses(tmp_path) -> None:
    room = key_room(tmp_path, load({"data": "x"}, environ={}))
    assert isinstance(room.store, FileStore)
    redis = {"data": "x", "idempotency_store": "redis"}
    room = key_room(tmp_path, load({**redis, "redis_url": "redis://127.0.0.1:1/0"}, environ={}))
    assert isinstance(room.store, RedisStore)
    with pytest.raises(KeysUnavailable):
        await room.store.claim(a_claim())
    await room.store.close()
    for wrong in (redis, {"data": "x", "idempotency_store": "memory"}):
        with pytest.raises(SettingsError):
            key_room(tmp_path, load(wrong, environ={}))


async def test_a_whole_call_with_its_key_in_redis(make_house, kit, tmp_path, server) -> None:
    settings = load({"data": "x", "idempotency_store": "redis", "redis_url": server.url}, environ={})
    house = make_house(keys=key_room(tmp_path, settings))
    document = kit.orders_document()
    document["paths"]["/orders"]["post"]["x-interlock-idempotency"] = "required"
    await house.publish(document)
    order = {"code": "2823-3", "priority": "urgent"}
    replies = [
        await house.ask("POST", "/orders/v1/orders", order, ("idempotency-key", "k-1")) for _ in range(2)
    ]
    assert [reply.status for reply in replies] == [201, 201]
    assert kit.header(replies[1], "idempotent-replayed") == "true"
    assert len(house.provider.calls) == 1
    await house.plane.stop()
