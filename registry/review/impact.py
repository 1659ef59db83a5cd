"""Whom a change concerns: consumers that are granted a contract's major, and what they are pinned to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.review.model import Hit

if TYPE_CHECKING:
    from registry.review.services import Services


def who_is_hit(services: Services, contract: str, major: int) -> tuple[Hit, ...]:
    """List the consumers with a grant for this major, by id (all of them: traffic is not asked yet)."""
    with services.store.reading() as ledger:
        return tuple(
            Hit(consumer.id, consumer.name, contract, major, grant.pin)
            for consumer in ledger.consumers.all()
            for grant in consumer.grants
            if grant.contract == contract and grant.major == major
        )
