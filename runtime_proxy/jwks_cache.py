"""Keeps an issuer's keys at hand: one fetch at a time, ahead of their end, rarely for strange ids, stale if need be."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from typing import TYPE_CHECKING, Final

from runtime_proxy.fetching import FetchFailed
from runtime_proxy.jwks import JwksRefused, KeySet, PublicKey, read_key_set
from runtime_proxy.jwt import TokenUndecided

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.port import Headers
    from runtime_proxy.fetching import Fetched

log = logging.getLogger("interlock.proxy")

COOL_DOWN: Final = 30.0  # seconds between fetches, whatever ids tokens name
_FIRST_RETRY: Final = 1.0  # seconds; doubled up to the cool-down while there are no keys at all
_LIFE, _SHORTEST, _LONGEST = 300.0, 60.0, 86_400.0  # seconds that fetched keys are fresh
_AHEAD: Final = 0.8  # of that life; from then on the next call has them fetched anew, and waits for nothing
_MAX_AGE: Final = re.compile(rb"(?:^|[,\s])max-age=([0-9]{1,9})", re.IGNORECASE)


class JwksCache:
    """The keys behind one URL; `fetch` gets them, `clock` counts seconds and never goes back.

    `generation` changes when a key is withdrawn: what was verified with it must be verified again.
    `fetches` counts how often was asked.
    """

    def __init__(
        self,
        name: str,
        fetch: Callable[[], Awaitable[Fetched]],
        algorithms: tuple[str, ...],
        *,
        stale_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.generation = 0
        self.fetches = 0
        self._fetch = fetch
        self._algorithms = algorithms
        self._stale_seconds = stale_seconds
        self._clock = clock
        self._keys: KeySet | None = None
        self._refresh_at = 0.0
        self._ends_at = 0.0  # fresh or stale, the keys serve until then
        self._not_before = 0.0  # of the next fetch
        self._failures = 0
        self._fetching: asyncio.Task[None] | None = None

    def find(self, key_id: str | None, algorithm: str) -> tuple[PublicKey, ...] | asyncio.Future[None]:
        """Give the keys that may have signed (none: the issuer has no such key), or what to wait for.

        Raises `TokenUndecided`. Call it inside the serving event loop.
        """
        now = self._clock()
        self.tend(now)
        keys = self._keys
        if keys is not None:
            found = keys.candidates(key_id, algorithm)
            if found:
                return found
        if self._fetching is not None:
            return self._fetching
        if now >= self._not_before:
            return self._begin(now)
        if keys is None:
            raise TokenUndecided
        return ()

    def warm(self) -> None:
        """Begin to fetch where there are no keys yet; call it inside the serving event loop."""
        now = self._clock()
        if self._keys is None and self._fetching is None and now >= self._not_before:
            self._begin(now)

    def tend(self, now: float | None = None) -> None:
        """Have keys fetched anew where they grow old, and forget them at their end."""
        if now is None:
            now = self._clock()
        if self._keys is None or now < self._refresh_at:
            return
        if now >= self._ends_at:
            log.error("the keys of %s are too old to be used any more", self.name)
            self._keys = None
            self.generation += 1
        if self._fetching is None and now >= self._not_before:
            self._begin(now)

    async def close(self) -> None:
        """Give up a fetch that is under way."""
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    def _begin(self, now: float) -> asyncio.Task[None]:
        self._not_before = now + COOL_DOWN
        self.fetches += 1
        self._fetching = asyncio.get_running_loop().create_task(self._renew())
        return self._fetching

    async def _renew(self) -> None:
        try:
            fetched = await self._fetch()
            keys = read_key_set(fetched.body, self._algorithms)
        except (FetchFailed, JwksRefused) as error:
            self._failed(str(error))
        except Exception as error:
            log.exception("a fault while the keys of %s were fetched", self.name)
            self._failed(type(error).__name__)
        else:
            self._take(keys, fetched.headers)
        finally:
            self._fetching = None

    def _take(self, keys: KeySet, headers: Headers) -> None:
        now = self._clock()
        if self._keys is not None and not self._keys.thumbprints <= keys.thumbprints:
            self.generation += 1
        self._keys = keys
        self._failures = 0
        life = _life(headers)
        self._refresh_at = now + life * _AHEAD
        self._ends_at = now + life + self._stale_seconds

    def _failed(self, why: str) -> None:
        log.warning("the keys of %s could not be fetched: %s", self.name, why)
        now = self._clock()
        self._refresh_at = now + COOL_DOWN
        if self._keys is None:
            self._not_before = now + min(COOL_DOWN, _FIRST_RETRY * 2**self._failures)
            self._failures = min(self._failures + 1, 10)


def _life(headers: Headers) -> float:
    """Read how long the issuer wants its keys kept (RFC 9111 section 5.2.2.1), within sensible bounds."""
    for name, value in headers:
        if name == b"cache-control":
            found = _MAX_AGE.search(value)
            if found:
                return min(max(float(found[1]), _SHORTEST), _LONGEST)
    return _LIFE
