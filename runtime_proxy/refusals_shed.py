"""Refusals that keep a busy or broken provider from being asked: guards of the adapter, and time that is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.errors import CircuitOpen as Open
from runtime_proxy.refusal import Refusal

if TYPE_CHECKING:
    from adapters.errors import CallShed


class CircuitOpen(Refusal):
    """The provider is left alone for a while."""

    slug = "circuit-open"
    status = 503
    title = "The provider is left alone for a while"
    explanation = (
        "The provider failed too many calls in a short time, so it is not asked until `Retry-After` has passed."
        " Nothing was sent to it."
    )
    remedy = "Repeat the call after `Retry-After`; the operator sees in the proxy's log what failed."
    says_when = True


class ProviderBusy(Refusal):
    """Too many calls are on the provider already."""

    slug = "provider-busy"
    status = 503
    title = "Too many calls are on the provider already"
    explanation = (
        "As many calls as this provider may have at once are under way, and the queue before it is full or does"
        " not move. Nothing was sent to it."
    )
    remedy = "Repeat the call after `Retry-After`, and fewer at once."
    says_when = True


class TimeBudgetInvalid(Refusal):
    """Request-Timeout cannot be read."""

    slug = "time-budget-invalid"
    status = 400
    title = "Request-Timeout cannot be read"
    explanation = "Request-Timeout says in seconds how long the caller waits: digits, and a fraction after a point, once."
    remedy = "Send it like `Request-Timeout: 2.5`, or leave it out."


class TimeBudgetSpent(Refusal):
    """The caller's time was over before the call went out."""

    slug = "time-budget-spent"
    status = 504
    title = "The caller's time was over before the call went out"
    explanation = (
        "The time that Request-Timeout gives was over before the call was forwarded. Nothing was sent."
    )
    remedy = "Give the call more time, or send its body faster."


ROWS: Final[tuple[type[Refusal], ...]] = (TimeBudgetInvalid, TimeBudgetSpent, CircuitOpen, ProviderBusy)


def shed(error: CallShed) -> Refusal:
    """Give the refusal for a call that a guard kept back."""
    kind = CircuitOpen if isinstance(error, Open) else ProviderBusy
    return kind(headers=[(b"retry-after", b"%d" % error.retry_after)])
