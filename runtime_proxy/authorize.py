"""Decide whether the consumer may make this call: grant, audience, pinned version, scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime_proxy.refusals_head import AudienceRefused, Denied, NotGranted, Retired, ScopeMissing

if TYPE_CHECKING:
    from kernel.bundle.model import Audience
    from runtime_proxy.authenticate import Identity
    from runtime_proxy.plan import Access
    from runtime_proxy.refusal import Refusal

# A consumer sees contracts of its own reach and of any wider one.
_REACH: Final[dict[Audience, int]] = {"public": 0, "partner": 1, "internal": 2}


def authorize(  # noqa: PLR0911 - each step may be the last
    identity: Identity, access: Access | None, audience: Audience
) -> Refusal | None:
    """Refuse what was not granted; an operation that asks for no credentials needs no grant.

    `audience` is that of the contract version.
    """
    if identity.key is None:
        return None
    if identity.key.consumer.denied:
        return Denied()
    if access is None:
        return NotGranted()
    if _REACH[identity.key.consumer.audience] < _REACH[audience]:
        return AudienceRefused()
    if access.version is None:
        return Retired(f"The consumer is pinned to {access.pin}, which is not served any more.")
    if not identity.scopes <= access.scopes:
        return ScopeMissing()
    return None
