"""Find out which consumer calls: by the key that Interlock issued, sent where the contract declares it."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

import msgspec

from runtime_proxy.credentials import LONGEST, MANY, challenge_of, reader_of
from runtime_proxy.plan import Alternative, KeyRow, Security
from runtime_proxy.refusals_head import (
    CredentialsExpired,
    CredentialsMissing,
    CredentialsRefused,
    SecurityUnverifiable,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.port import Headers
    from kernel.operation.compile import SecurityScheme
    from kernel.operation.operation import SecurityAlternatives
    from runtime_proxy.refusal import Refusal

_PARTS: Final = 3  # <prefix>_<id>_<secret>
_GRAVITY: Final[tuple[type[Refusal], ...]] = (CredentialsMissing, CredentialsRefused, CredentialsExpired)
_NOBODY: Final = hashlib.sha256(b"").digest()


class Identity(msgspec.Struct, frozen=True):
    """Who calls: the key's row (None: nobody in particular) and the scopes that the call asks for."""

    key: KeyRow | None
    scopes: frozenset[str]


NOBODY: Final = Identity(None, frozenset())


def compile_security(
    alternatives: SecurityAlternatives, schemes: Mapping[str, SecurityScheme], realm: str
) -> Security:
    """Turn a contract's security requirements into readers and challenges.

    An alternative with a scheme that has no reader can never be met: it is left out, and where nothing
    is left the operation denies everybody.
    """
    compiled: list[Alternative] = []
    challenges: dict[bytes, None] = {}
    for alternative in alternatives:
        readers = [reader_of(schemes[name]) if name in schemes else None for name in alternative]
        for name in alternative:
            if name in schemes and schemes[name].type != "mutualTLS":
                challenges[challenge_of(schemes[name], realm)] = None
        verifiable = tuple(reader for reader in readers if reader is not None)
        if alternative and len(verifiable) == len(readers):
            scopes = frozenset(scope for needed in alternative.values() for scope in needed)
            compiled.append(Alternative(verifiable, scopes))
    open_to_all = not alternatives or any(not alternative for alternative in alternatives)
    lines = tuple((b"www-authenticate", line) for line in challenges)
    if not lines:
        lines = ((b"www-authenticate", b'Bearer realm="%b"' % realm.encode("ascii", "ignore")),)
    return Security(tuple(compiled), open_to_all, lines, not compiled and not open_to_all)


def authenticate(
    security: Security, headers: Headers, query: bytes, keys: Mapping[bytes, KeyRow], now: float
) -> Identity | Refusal:
    """Give the identity behind a request, or the 401; `now` in seconds since the epoch.

    The alternatives are tried in their order, and the first that is met wins. Where the contract admits
    anybody, bad credentials are as good as none, as OpenAPI says of an optional requirement.
    """
    worst: Refusal | None = None
    for alternative in security.alternatives:
        outcome = _meet(alternative, headers, query, keys, now)
        if isinstance(outcome, Identity):
            return outcome
        worst = _graver(worst, outcome)
    if security.open_to_all:
        return NOBODY
    if security.unverifiable or worst is None:
        worst = SecurityUnverifiable()
    worst.headers.extend(security.challenges)
    return worst


def _meet(
    alternative: Alternative, headers: Headers, query: bytes, keys: Mapping[bytes, KeyRow], now: float
) -> Identity | Refusal:
    row: KeyRow | None = None
    for reader in alternative.readers:
        presented = reader.read(headers, query)
        if presented is None:
            return CredentialsMissing()
        found = _verify(presented, keys)
        if found is None or (row is not None and row.consumer is not found.consumer):
            return CredentialsRefused()
        if found.expires_at is not None and found.expires_at <= now:
            return CredentialsExpired()
        row = found
    return Identity(row, alternative.scopes)


def _verify(presented: bytes, keys: Mapping[bytes, KeyRow]) -> KeyRow | None:
    """Compare in constant time by the id inside the key; an unknown id costs the same as a wrong secret."""
    if presented is MANY or len(presented) > LONGEST:
        return None
    parts = presented.split(b"_", _PARTS - 1)
    row = keys.get(parts[1]) if len(parts) == _PARTS else None
    same = hmac.compare_digest(hashlib.sha256(presented).digest(), row.digest if row else _NOBODY)
    return row if same and row is not None else None


def _graver(one: Refusal | None, other: Refusal) -> Refusal:
    """Keep what tells the caller most: expired over refused over missing."""
    return other if one is None or _GRAVITY.index(type(other)) > _GRAVITY.index(type(one)) else one
