"""What the workers tell each other, and the console, of how they stand."""

from __future__ import annotations

import msgspec

from runtime_proxy.console.rates import Window
from runtime_proxy.console.seen import Seen


class UpstreamNow(msgspec.Struct, frozen=True):
    """One of several upstreams of an adapter."""

    name: str
    healthy: bool
    ejected: bool
    in_flight: int


class RouteNow(msgspec.Struct, frozen=True):
    """One route, as one worker has it."""

    name: str
    base: str
    audience: str
    current: str
    versions: tuple[str, ...]
    partner: str
    kind: str
    circuit: str  # closed, half-open, open; none where there is no breaker
    in_flight: int
    waiting: int
    shed: int
    denied: bool
    report_only: bool
    upstreams: tuple[UpstreamNow, ...]
    window: Window
    refused: dict[str, int]  # since the start, by slug


class LimitNow(msgspec.Struct, frozen=True):
    """One limit: `left` calls, bytes or places now, `seconds` until there is more."""

    owner: str  # consumer/ID or route/NAME
    name: str
    words: str
    left: int
    seconds: int | None


class DenialNow(msgspec.Struct, frozen=True):
    """What is denied, since when, by whom and why."""

    what: str
    origin: str
    at: str
    by: str
    reason: str


class WorkerNow(msgspec.Struct, frozen=True):
    """All of one worker; `at` in seconds since the epoch."""

    worker: str
    pid: int
    at: float
    started: float
    serials: dict[str, int]
    lag_seconds: float
    trouble: str
    troubles: dict[str, str]
    activations: int
    refused_bundles: int
    draining: bool
    shared_limits: bool | None  # whether the shared store answers; None: each worker keeps its part
    listeners: dict[str, tuple[str, int]]
    routes: tuple[RouteNow, ...]
    unmatched: dict[str, int]  # refusals of calls that matched no route
    limits: tuple[LimitNow, ...]
    more_limits: int
    denials: tuple[DenialNow, ...]
    kept: tuple[Seen, ...]
    failed: tuple[Seen, ...]
    letters: int | None = None  # open dead letters; None: not known here
