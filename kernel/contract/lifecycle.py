"""The life of a contract version: one table of legal transitions."""

from __future__ import annotations

from enum import StrEnum

from kernel.errors import LifecycleError


class State(StrEnum):
    """Where a version stands. Only frozen and deprecated versions are served."""

    DRAFT = "draft"
    IN_REVIEW = "in-review"
    FROZEN = "frozen"
    DEPRECATED = "deprecated"
    RETIRED = "retired"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


# (from, act, to). Nothing leads out of retired, withdrawn or rejected, and nothing back from frozen.
TRANSITIONS: tuple[tuple[State, str, State], ...] = (
    (State.DRAFT, "propose", State.IN_REVIEW),
    (State.DRAFT, "withdraw", State.WITHDRAWN),
    (State.IN_REVIEW, "resubmit", State.DRAFT),
    (State.IN_REVIEW, "freeze", State.FROZEN),
    (State.IN_REVIEW, "reject", State.REJECTED),
    (State.IN_REVIEW, "withdraw", State.WITHDRAWN),
    (State.FROZEN, "deprecate", State.DEPRECATED),
    (State.DEPRECATED, "retire", State.RETIRED),
)

SERVED: frozenset[State] = frozenset({State.FROZEN, State.DEPRECATED})
FROZEN_FOR_EVER: frozenset[State] = frozenset({State.FROZEN, State.DEPRECATED, State.RETIRED})


def advance(state: State, act: str) -> State:
    """Return the state after `act`; raises `LifecycleError` listing what may be done instead."""
    for source, name, target in TRANSITIONS:
        if source is state and name == act:
            return target
    allowed = [name for source, name, _ in TRANSITIONS if source is state]
    raise LifecycleError(
        f"a version that is {state} cannot be changed by {act!r}",
        hint=f"from {state} you can: {', '.join(allowed)}"
        if allowed
        else f"{state} is final; submit a new version",
    )
