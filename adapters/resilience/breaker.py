"""A circuit breaker: a provider that fails too often is left alone, then tried with a few calls."""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from adapters.errors import CircuitOpen

if TYPE_CHECKING:
    from collections.abc import Callable

log = logging.getLogger("interlock.adapters")
State = Literal["closed", "open", "half-open"]
_SLICES: Final = 10  # of the window
_LONGEST: Final = 8  # times `open_seconds`, however often it opens again


@dataclass(frozen=True, slots=True)
class BreakerTerms:
    """When a circuit opens, and how it closes.

    It opens when at least `least_calls` ended within `window_seconds` and `failure_ratio` of them failed. After
    `open_seconds` (doubled each time that the tries fail) at most `probes` calls at once are let through; when as
    many have succeeded it closes, and one failure opens it again.
    """

    window_seconds: float = 10.0
    least_calls: int = 20
    failure_ratio: float = 0.5
    open_seconds: float = 5.0
    probes: int = 3


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave for one call; what it brings counts only while the circuit is in the `era` in which it was given."""

    era: int


class Breaker:
    """The circuit of one adapter; `clock` in seconds, never going back. Not shared between threads."""

    def __init__(self, name: str, terms: BreakerTerms, clock: Callable[[], float]) -> None:
        self.name = name
        self.terms = terms
        self.opened = 0  # how often, so far
        self._clock = clock
        self._era = 0
        self._half = False
        self._open_until = -math.inf
        self._again = 0  # tries that failed in a row
        self._probing = 0
        self._probed = 0
        self._slices: list[list[int]] = [[-1, 0, 0] for _ in range(_SLICES)]  # number, ended, failed

    @property
    def state(self) -> State:
        """Say how it stands now."""
        if self._clock() < self._open_until:
            return "open"
        return "half-open" if self._half else "closed"

    def admit(self) -> Pass:
        """Let a call through; raises `CircuitOpen` saying when to come back."""
        if self._half:
            left = self._open_until - self._clock()
            if left > 0 or self._probing >= self.terms.probes:
                raise CircuitOpen(
                    f"{self.name} failed too often and is left alone", retry_after=max(1, math.ceil(left))
                )
            self._probing += 1
        return Pass(self._era)

    def check(self) -> None:
        """Raise `CircuitOpen` where `admit` is bound to, before a call waits for anything else."""
        if self._half and self._clock() < self._open_until:
            self.admit()

    def ended(self, given: Pass, *, failed: bool | None) -> None:
        """Count how a call ended; None: it says nothing of the provider."""
        if given.era != self._era:
            return  # from before the circuit changed: too old to tell
        if self._half:
            self._probing -= 1
            if failed:
                self._again += 1
                self._open()
            elif failed is not None:
                self._probed += 1
                if self._probed >= self.terms.probes:
                    self._close()
        elif failed is not None:
            self._count(failed)

    def _count(self, failed: bool) -> None:  # noqa: FBT001 - what it is about
        number = int(self._clock() / self.terms.window_seconds * _SLICES)
        now = self._slices[number % _SLICES]
        if now[0] != number:
            now[:] = [number, 0, 0]
        now[1] += 1
        now[2] += failed
        if failed:
            recent = [one for one in self._slices if one[0] > number - _SLICES]
            ended, failures = sum(one[1] for one in recent), sum(one[2] for one in recent)
            if ended >= self.terms.least_calls and failures >= self.terms.failure_ratio * ended:
                self._open()

    def _open(self) -> None:
        self.opened += 1
        self._change(half=True)
        seconds = self.terms.open_seconds * min(2**self._again, _LONGEST)
        self._open_until = self._clock() + seconds
        log.warning("%s: the circuit is open for %g seconds", self.name, seconds)

    def _close(self) -> None:
        self._again = 0
        log.warning("%s: the circuit is closed again", self.name)
        self._change(half=False)

    def _change(self, *, half: bool) -> None:
        self._era += 1
        self._half = half
        self._probing = self._probed = 0
        for one in self._slices:
            one[:] = [-1, 0, 0]
