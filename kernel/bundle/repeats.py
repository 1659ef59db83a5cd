"""How a route sends a call more than once: retries of what is safe to repeat, and hedging."""

from __future__ import annotations

from typing import Annotated

import msgspec

Tries = Annotated[int, msgspec.Meta(ge=2, le=10)]
Seconds = Annotated[float, msgspec.Meta(gt=0, le=3600)]
Share = Annotated[float, msgspec.Meta(gt=0, le=1)]
Tokens = Annotated[int, msgspec.Meta(ge=1, le=10_000)]
Status = Annotated[int, msgspec.Meta(ge=500, le=599)]


class Retries(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Failed calls are sent again, at most `tries` times in all and within the call's own time.

    A call of which nothing was sent may always be sent again; one that was sent only with an idempotent method,
    or under an Idempotency-Key that the provider honours: then also after an answer with one of `statuses`. Every
    call earns `budget` of a retry, at most `burst` retries are saved up, so that a provider which fails altogether
    gets few calls more. The pause before the n-th retry is random between 0 and `pause_seconds`·2^(n-1), at most
    `longest_pause_seconds`, or what the provider's Retry-After says if that is longer. `try_seconds` bounds each try.
    """

    tries: Tries = 3
    statuses: tuple[Status, ...] = (502, 503, 504)
    budget: Share = 0.1
    burst: Tokens = 10
    pause_seconds: Seconds = 0.05
    longest_pause_seconds: Seconds = 1.0
    try_seconds: Seconds | None = None


class Hedging(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A call with an idempotent method that has no answer `after_seconds` is sent a second time beside the first.

    The first answer counts, the other is dropped. Every call earns `budget` of a hedge, at most `burst` are saved up.
    """

    after_seconds: Seconds
    budget: Share = 0.05
    burst: Tokens = 5
