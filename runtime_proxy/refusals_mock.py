"""Refusals of routes that answer out of their contract."""

from __future__ import annotations

from typing import Final

from runtime_proxy.refusal import Refusal


class PreferenceUnknown(Refusal):
    """Prefer asks for what the contract does not declare."""

    slug = "preference-unknown"
    status = 400
    title = "Prefer asks for what the contract does not declare"
    explanation = (
        "This route answers out of its contract. `Prefer` names a status, or an example, that the operation does"
        " not declare, or cannot be read."
    )
    remedy = "Ask for a declared one, like `Prefer: code=404` or `Prefer: example=empty`, or leave it out."


class MockImpossible(Refusal):
    """No answer could be made out of the contract."""

    slug = "mock-impossible"
    status = 501
    title = "No answer could be made out of the contract"
    explanation = (
        "This route answers out of its contract. No example that keeps the contract stands there for this answer,"
        " and none could be made from its schema."
    )
    remedy = "Write an example into the contract that its own schema accepts."


ROWS: Final[tuple[type[Refusal], ...]] = (PreferenceUnknown, MockImpossible)
