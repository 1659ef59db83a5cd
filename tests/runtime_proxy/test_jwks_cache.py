"""An issuer's keys: fetched once for many, seldom for strange ids, ahead of their end, and kept through its outage."""

import asyncio
import json
from typing import Any

import pytest

from runtime_proxy.fetching import Fetched, FetchFailed, Source
from runtime_proxy.jwks_cache import COOL_DOWN, JwksCache
from runtime_proxy.jwt import TokenUndecided
from tests.doubles.issuer import AuthorizationServer


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Issuer:
    """Answers fetches when the test lets it; `keys` is what it shows."""

    def __init__(self, keys: Any) -> None:
        self.keys = keys
        self.down = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.headers: list[tuple[bytes, bytes]] = []
        self.fetches = 0

    async def fetch(self) -> Fetched:
        self.fetches += 1
        await self.gate.wait()
        if self.down:
            raise FetchFailed("down")
        return Fetched(json.dumps(self.keys).encode(), self.headers)


@pytest.fixture(scope="module")
def server():
    made = AuthorizationServer()
    made.keys["b"] = type(made.keys["a"]).generate_key(2048)
    made.publish()
    yield made
    made.close()


def only(server, *names: str) -> dict[str, Any]:
    return {"keys": [key for key in server.jwks()["keys"] if key["kid"] in names]}


@pytest.fixture
async def kept(server):
    """A cache that has fetched key `a` once, with its clock and its issuer."""
    clock, issuer = Clock(), Issuer(only(server, "a"))
    cache = JwksCache("issuer", issuer.fetch, ("RS256",), stale_seconds=3600, clock=clock)
    await ask(cache, "a")
    return cache, clock, issuer


async def ask(cache: JwksCache, key_id: str) -> tuple[Any, ...]:
    """Find as the verifier does: wait where it must be waited, and ask again."""
    found = cache.find(key_id, "RS256")
    if not isinstance(found, tuple):
        await asyncio.wait((found,))
        found = cache.find(key_id, "RS256")
    assert isinstance(found, tuple)
    return found


async def settle() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_many_wait_for_one_fetch(server) -> None:
    issuer = Issuer(only(server, "a"))
    issuer.gate.clear()
    cache = JwksCache("issuer", issuer.fetch, ("RS256",), stale_seconds=0, clock=Clock())
    waiting = [asyncio.create_task(ask(cache, "a")) for _ in range(50)]
    await settle()
    issuer.gate.set()
    assert all(len(found) == 1 for found in await asyncio.gather(*waiting))
    assert issuer.fetches == cache.fetches == 1


async def test_a_flood_of_strange_ids_is_one_fetch_for_each_cool_down(kept) -> None:
    cache, clock, issuer = kept
    clock.now += COOL_DOWN
    for number in range(500):
        assert await ask(cache, f"strange-{number}") == ()
    assert issuer.fetches == 2
    clock.now += COOL_DOWN - 1
    assert await ask(cache, "strange") == ()
    assert issuer.fetches == 2
    clock.now += 1
    assert await ask(cache, "strange") == ()
    assert issuer.fetches == 3
    assert await ask(cache, "a")


async def test_a_new_key_is_found_when_it_is_first_named(kept, server) -> None:
    cache, clock, issuer = kept
    issuer.keys = only(server, "a", "b")
    clock.now += COOL_DOWN
    assert [key.id for key in await ask(cache, "b")] == ["b"]
    assert cache.generation == 0  # nothing was withdrawn


async def test_a_key_that_is_withdrawn_counts_as_another_generation(kept, server) -> None:
    cache, clock, issuer = kept
    issuer.keys = only(server, "b")
    clock.now += COOL_DOWN
    assert await ask(cache, "b")
    assert await ask(cache, "a") == ()
    assert cache.generation == 1


async def test_keys_are_fetched_ahead_of_their_end_and_nobody_waits(kept) -> None:
    cache, clock, issuer = kept
    issuer.gate.clear()
    clock.now += 239
    assert cache.find("a", "RS256")
    assert issuer.fetches == 1
    clock.now += 1  # 80 % of 300 s
    for _ in range(10):
        assert isinstance(cache.find("a", "RS256"), tuple)
    await settle()
    assert issuer.fetches == 2
    issuer.gate.set()
    await settle()
    assert isinstance(cache.find("a", "RS256"), tuple)
    assert issuer.fetches == 2


async def test_the_issuers_max_age_counts_within_bounds(server) -> None:
    for said, fresh in ((b"public, max-age=1000", 800), (b"max-age=5", 48), (b"no-store", 240)):
        clock, issuer = Clock(), Issuer(only(server, "a"))
        issuer.headers = [(b"cache-control", said)]
        cache = JwksCache("issuer", issuer.fetch, ("RS256",), stale_seconds=0, clock=clock)
        await ask(cache, "a")
        clock.now += fresh - 1
        cache.tend()
        await settle()
        assert issuer.fetches == 1
        clock.now += 1
        cache.tend()
        await settle()
        assert issuer.fetches == 2


async def test_keys_serve_through_an_outage_until_they_are_too_old(kept) -> None:
    cache, clock, issuer = kept
    issuer.down = True
    for _ in range(60):  # an hour
        clock.now += 60
        assert await ask(cache, "a")
        await settle()
    assert issuer.fetches <= 1 + 3600 / COOL_DOWN
    clock.now += 400  # life and stale time together are over
    with pytest.raises(TokenUndecided):
        await ask(cache, "a")
    assert cache.generation == 1  # what was verified before is not good any more
    issuer.down = False
    clock.now += COOL_DOWN
    assert await ask(cache, "a")


async def test_without_keys_it_is_asked_again_soon_but_not_at_once(server) -> None:
    clock, issuer = Clock(), Issuer(only(server, "a"))
    issuer.down = True
    cache = JwksCache("issuer", issuer.fetch, ("RS256",), stale_seconds=0, clock=clock)
    for fetches, pause in ((1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 30), (7, 30)):
        for _ in range(20):
            with pytest.raises(TokenUndecided):
                await ask(cache, "a")
        assert issuer.fetches == fetches
        clock.now += pause
    issuer.down = False
    assert await ask(cache, "a")


async def test_a_caller_that_goes_away_does_not_take_the_fetch_with_it(server) -> None:
    issuer = Issuer(only(server, "a"))
    issuer.gate.clear()
    cache = JwksCache("issuer", issuer.fetch, ("RS256",), stale_seconds=0, clock=Clock())
    gone, stays = (asyncio.create_task(ask(cache, "a")) for _ in range(2))
    await settle()
    gone.cancel()
    issuer.gate.set()
    assert await stays
    assert issuer.fetches == 1


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"keys":[]}', b'{"keys":{}}', b'{"keys":[],"keys":[]}', b"<html>", b'{"keys":[' + b"{}," * 200 + b"{}]}"])  # fmt: skip
async def test_what_is_no_key_set_leaves_the_old_one_in_force(kept, body) -> None:
    cache, clock, _ = kept

    async def nonsense() -> Fetched:
        return Fetched(body, [])

    cache._fetch = nonsense
    clock.now += 250
    assert cache.find("a", "RS256")
    await settle()
    assert cache.fetches == 2
    assert await ask(cache, "a")


async def test_keys_come_over_a_real_connection(server) -> None:
    source = Source(server.jwks_uri, timeout_seconds=5)
    cache = JwksCache(server.jwks_uri, source.get, ("RS256",), stale_seconds=0)
    assert [key.id for key in await ask(cache, "b")] == ["b"]
    await cache.close()
    await source.close()


@pytest.mark.parametrize(
    ("status", "size", "headers"),
    [(500, 10, ()), (404, 10, ()), (302, 0, ("Location: http://127.0.0.1/jwks",)), (200, 600_000, ())],
)
async def test_an_answer_that_is_no_plain_200_of_bearable_size_is_a_failure(
    server, status, size, headers
) -> None:
    server.publish(b"x" * size, *headers, status=status)
    source = Source(server.jwks_uri, timeout_seconds=5)
    with pytest.raises(FetchFailed):
        await source.get()
    await source.close()
    server.publish()


async def test_nobody_there_is_a_failure() -> None:
    other = AuthorizationServer()
    other.close()
    source = Source(other.jwks_uri, timeout_seconds=1)
    with pytest.raises(FetchFailed):
        await source.get()
    await source.close()
