"""Several upstreams that do the same: each call goes to the less busy of two, and failing ones are left out."""

from __future__ import annotations

import asyncio
import math
import random
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Protocol

from adapters.errors import UpstreamError
from adapters.resilience.verdict import speaks_against

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from adapters.port import Answer, Call

_LEAST_WEIGHT: Final = 0.1  # of an upstream that has just come back
_LONGEST: Final = 8  # times `eject_seconds`, however often an upstream is left out again


@dataclass(frozen=True, slots=True)
class BalanceTerms:
    """When an upstream is left out, and how it comes back.

    After `eject_after` failures in a row an upstream is left out for `eject_seconds`, doubled each time in a row;
    never more than `most_ejected` of all at once. One that comes back gets its whole share after
    `slow_start_seconds`.
    """

    slow_start_seconds: float = 10.0
    eject_after: int = 5
    eject_seconds: float = 10.0
    most_ejected: float = 0.5


class Client(Protocol):
    """What carries calls to one origin (adapters.wire.http.HttpClient)."""

    def send(self, call: Call) -> Awaitable[Answer]:
        """Carry one call out."""

    async def close(self) -> None:
        """End all connections."""


@dataclass(slots=True, eq=False)
class Upstream:
    """One of several, with what is known of it; times of the balancer's clock."""

    name: str
    client: Client
    in_flight: int = 0
    failures: int = 0  # in a row
    ejections: int = 0  # in a row
    ejected_until: float = -math.inf
    healthy: bool = True  # as the checks say, where there are any
    recovered_at: float = field(default=-math.inf)

    def weight(self, now: float, slow_start: float) -> float:
        """Give the share that it takes, from a tenth to 1, by how long it is back."""
        back = max(self.ejected_until, self.recovered_at)
        if slow_start <= 0 or back == -math.inf:
            return 1.0
        return min(max((now - back) / slow_start, _LEAST_WEIGHT), 1.0)


@dataclass(frozen=True, slots=True)
class Standing:
    """How one upstream stands now, for whoever looks after it."""

    name: str
    healthy: bool
    ejected: bool
    in_flight: int


class BalancedClient:
    """A client over several upstreams; `send` raises what the chosen one raises. Not shared between loops.

    Where none is usable all are tried: a check that is wrong must not end the service.
    """

    def __init__(
        self,
        upstreams: Sequence[Upstream],
        terms: BalanceTerms,
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: random.Random | None = None,
    ) -> None:
        self.upstreams = tuple(upstreams)
        self.terms = terms
        self.clock = clock
        self._chance = chance or random.Random()  # noqa: S311 - spreads load, guards nothing

    def send(self, call: Call) -> Awaitable[Answer]:
        """Carry one call out on the upstream chosen for it."""
        return asyncio.get_running_loop().create_task(self._send(call))

    async def close(self) -> None:
        """End all connections."""
        await asyncio.gather(*(one.client.close() for one in self.upstreams))

    def standing(self) -> list[Standing]:
        """Tell how each upstream stands."""
        now = self.clock()
        return [
            Standing(one.name, one.healthy, one.ejected_until > now, one.in_flight) for one in self.upstreams
        ]

    async def _send(self, call: Call) -> Answer:
        chosen = self.choose()
        chosen.in_flight += 1
        try:
            answer = await chosen.client.send(call)
            self._note(chosen, speaks_against(answer, call))
        except UpstreamError as error:
            self._note(chosen, speaks_against(error, call))
            raise
        finally:
            chosen.in_flight -= 1
        return answer

    def choose(self) -> Upstream:
        """Choose the less busy of two taken by chance."""
        now = self.clock()
        usable = [one for one in self.upstreams if one.healthy and one.ejected_until <= now]
        usable = usable or list(self.upstreams)
        if len(usable) == 1:
            return usable[0]
        first, second = self._chance.sample(usable, 2)
        return first if self._load(first, now) <= self._load(second, now) else second

    def _load(self, one: Upstream, now: float) -> float:
        return (one.in_flight + 1) / one.weight(now, self.terms.slow_start_seconds)

    def _note(self, one: Upstream, failed: bool | None) -> None:  # noqa: FBT001 - what it is about
        now, terms = self.clock(), self.terms
        if failed is None:
            return
        if not failed:
            one.failures = 0
            if one.weight(now, terms.slow_start_seconds) >= 1.0:
                one.ejections = 0
            return
        one.failures += 1
        if one.failures >= terms.eject_after and one.ejected_until <= now:
            ejected = sum(other.ejected_until > now for other in self.upstreams)
            if ejected + 1 <= terms.most_ejected * len(self.upstreams):
                one.ejected_until = now + terms.eject_seconds * min(2**one.ejections, _LONGEST)
                one.ejections += 1
                one.failures = 0
