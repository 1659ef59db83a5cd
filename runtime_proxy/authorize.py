"""Decide whether the consumer may make this call: grant, audience, pinned version, scopes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime_proxy.refusals_head import AudienceRefused, Denied, NotGranted, Retired, ScopeMissing
from runtime_proxy.smart_scopes import covers

if TYPE_CHECKING:
    from kernel.bundle.model import Audience
    from runtime_proxy.plan import Access, Identity
    from runtime_proxy.refusal import Refusal

# A consumer sees contracts of its own reach and of any wider one.
_REACH: Final[dict[Audience, int]] = {"public": 0, "partner": 1, "internal": 2}


def authorize(  # noqa: PLR0911 - each step may be the last
    identity: Identity, access: Access | None, audience: Audience
) -> Refusal | None:
    """Refuse what was not granted; an operation that asks for no credentials needs no grant.

    `audience` is that of the contract version. Scopes must stand in the grant, and in the token where one
    was shown: the grant is what the board allows, the token what the issuer has delegated.
    """
    if identity.key is None:
        return None
    consumer = identity.key.consumer
    if consumer.denied:
        return Denied()
    if access is None:
        return NotGranted()
    if consumer.audience != audience and _REACH[consumer.audience] < _REACH[audience]:
        return AudienceRefused()
    if access.version is None:
        return Retired(f"The consumer is pinned to {access.pin}, which is not served any more.")
    needed = identity.scopes
    if identity.held is None and (not needed or needed <= access.scopes):
        return None
    return _scope_missing(identity, access)


def _scope_missing(identity: Identity, access: Access) -> Refusal | None:
    needed, held = identity.scopes, identity.held
    if not covers(access.scopes, needed):
        return ScopeMissing("The consumer's grant lacks a scope.")
    if held is not None and not covers(held, needed):
        return ScopeMissing("The token lacks a scope.", headers=[_challenge(needed)])
    return None


def _challenge(needed: frozenset[str]) -> tuple[bytes, bytes]:
    """Say which scopes a token needs (RFC 6750 section 3.1)."""
    scopes = " ".join(sorted(needed)).encode("ascii", "ignore").replace(b'"', b"").replace(b"\\", b"")
    return b"www-authenticate", b'Bearer error="insufficient_scope", scope="%b"' % scopes
