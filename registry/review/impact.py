"""Whom a change concerns: consumers that are granted a contract's major, and what they are pinned to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.review.model import Hit
    from registry.review.services import Services


def who_is_hit(services: Services, contract: str, major: int) -> tuple[Hit, ...]:
    """List the consumers with a grant for this major (all of them until traffic is known: issue 5)."""
    raise NotImplementedError
