"""A judgement that must wait for somebody else: an issuer's keys, or what introspection says.

`Pipeline.admit` is synchronous, so that nothing waits on the plain path. Where a verification must wait it
gives a `Deferred`; the body is read meanwhile, and `serve` judges the head once more when `ready` is done.
Whoever does not know of it refuses with 503: what is not decided passes nowhere.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from runtime_proxy.refusals_edge import BodyTooLarge
from runtime_proxy.refusals_trust import VerificationUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_proxy.exchange import Exchange
    from runtime_proxy.refusal import Refusal

_ROUNDS: Final = 3  # keys, then introspection, then a pinned version with other issuers
_LONGEST: Final = 15.0  # seconds; what is waited for has a shorter limit of its own


class Deferred(VerificationUnavailable):
    """Not decided yet; when `ready` is done, the same question has an answer."""

    __slots__ = ("ready",)

    def __init__(self, ready: asyncio.Future[None]) -> None:
        super().__init__()
        self.ready = ready


async def decide(
    exchange: Exchange, deferred: Deferred, judge: Callable[[Exchange], Refusal | None]
) -> Refusal | None:
    """Wait, and judge again; gives the refusal, or None when the call may go on."""
    refusal: Refusal | None = deferred
    for _ in range(_ROUNDS):
        if not isinstance(refusal, Deferred):
            break
        # `wait` leaves what it waits for alone when this caller goes away: others wait for it too.
        await asyncio.wait((refusal.ready,), timeout=_LONGEST)
        refusal = judge(exchange)
    if isinstance(refusal, Deferred):
        return VerificationUnavailable()
    if refusal is None and 0 < exchange.body_limit < len(exchange.body):
        return BodyTooLarge()  # a bundle was swapped meanwhile, and allows less
    return refusal
