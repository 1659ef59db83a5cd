"""Refuses a token or certificate that two consumers hold: nobody could say who calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from kernel.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.bundle.model import AccessPart, Consumer


def check_bindings(access: AccessPart) -> None:
    """Raise `BundleError` naming the consumer whose binding stood before."""
    seen: set[tuple[str, ...]] = set()
    for consumer in access.consumers:
        for mark in _marks(consumer):
            if mark in seen:
                raise BundleError(f"a {mark[0]} binding of consumer {consumer.id} stands twice")
            seen.add(mark)


def _marks(consumer: Consumer) -> Iterator[tuple[str, ...]]:
    for one in consumer.policy.tokens or ():
        yield ("token", one.issuer, one.claim, one.value)
    for given in consumer.policy.certificates or ():
        yield ("certificate", *(f"{name}={value}" for name, value in msgspec.structs.asdict(given).items()))
