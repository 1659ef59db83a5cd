"""Hold calls to a stated purpose of use, where the route asks for one; it stands in the audit record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_proxy.plan import NOBODY, AskedPurpose
from runtime_proxy.refusals_trust import PurposeMissing, PurposeRefused

if TYPE_CHECKING:
    from kernel.bundle.trust import PurposeOfUse
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.refusal import Refusal


def asked_purpose(policy: PurposeOfUse | None) -> AskedPurpose | None:
    """Compile what the route's policy asks."""
    if policy is None:
        return None
    values = {value.encode(): value for value in policy.values}
    return AskedPurpose(policy.header.lower().encode(), policy.claim, values)


def require_purpose(asked: AskedPurpose, exchange: Exchange) -> Refusal | None:
    """Note the purpose for the audit record, or refuse; a token's claim and the header must not differ."""
    identity = exchange.identity or NOBODY
    stated = {value for name, value in exchange.headers if name == asked.header}
    claimed = (identity.claims or {}).get(asked.claim)
    if claimed is not None:
        stated.add(claimed.encode())
    if not stated:
        return PurposeMissing(f"State it in the header {asked.header.decode()}.")
    purpose = asked.values.get(stated.pop()) if len(stated) == 1 else None
    if purpose is None:
        return PurposeRefused()
    exchange.identity = identity.noting("purpose", purpose)
    return None
