"""Find out which consumer calls: by a key that Interlock issued, a token, or a certificate, where declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime_proxy.credentials import QueryReader, challenge_of, reader_of
from runtime_proxy.deferred import Deferred
from runtime_proxy.keys import key_id_of, verify_key
from runtime_proxy.plan import NOBODY, Alternative, Identity, KeyRow, Security
from runtime_proxy.refusals_head import (
    CredentialsExpired,
    CredentialsMissing,
    CredentialsRefused,
    SecurityUnverifiable,
)
from runtime_proxy.refusals_trust import ConsumerUnknown, VerificationUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.port import Headers
    from adapters.wire.known_fields import KnownFields
    from kernel.operation.operation import SecurityAlternatives
    from kernel.operation.security_schemes import SecurityScheme
    from runtime_proxy.client_certificates import ClientCertificate
    from runtime_proxy.refusal import Refusal
    from runtime_proxy.trusted import Trusted

_GRAVITY: Final[tuple[type[Refusal], ...]] = (
    CredentialsMissing,
    CredentialsRefused,
    CredentialsExpired,
    ConsumerUnknown,
    VerificationUnavailable,
)
_UNAUTHORIZED: Final = 401


class Proven:
    """That a key was compared with what the bundle knows of it, and was the one of `row`."""

    __slots__ = ("identity", "key_id", "row")

    def __init__(self, key_id: bytes, row: KeyRow, identity: Identity) -> None:
        self.key_id = key_id
        self.row = row
        self.identity = identity


def compile_security(
    alternatives: SecurityAlternatives,
    schemes: Mapping[str, SecurityScheme],
    realm: str,
    trusted: Trusted | None = None,
    *,
    certificates: bool = False,
    metadata: str = "",
) -> Security:
    """Turn a contract's security requirements into readers and challenges.

    An alternative with a scheme that has no reader can never be met: it is left out, and where nothing
    is left the operation denies everybody. `certificates` says that the listener asks for them; `metadata`
    is the URL of the resource's metadata (RFC 9728 section 5.1).
    """
    compiled: list[Alternative] = []
    challenges: dict[bytes, None] = {}
    for alternative in alternatives:
        if not alternative:
            continue
        declared = [schemes[name] for name in alternative if name in schemes]
        for scheme in declared:
            if scheme.type != "mutualTLS":
                challenges[challenge_of(scheme, realm, metadata)] = None
        made = _alternative(alternative, declared, trusted, certificates=certificates)
        if made is not None:
            compiled.append(made)
    open_to_all = not alternatives or any(not alternative for alternative in alternatives)
    if not challenges:
        challenges[b'Bearer realm="%b"' % realm.encode("ascii", "ignore")] = None
    lines = tuple((b"www-authenticate", line) for line in challenges)
    rejections = tuple(
        (name, line + b', error="invalid_token"' if line.startswith(b"Bearer ") else line)
        for name, line in lines
    )
    unverifiable = not compiled and not open_to_all
    return Security(tuple(compiled), open_to_all, lines, rejections, unverifiable)


def _alternative(
    needed: Mapping[str, tuple[str, ...]],
    declared: list[SecurityScheme],
    trusted: Trusted | None,
    *,
    certificates: bool,
) -> Alternative | None:
    """Compile one alternative; None: nothing here could verify it."""
    mutual = any(scheme.type == "mutualTLS" for scheme in declared)
    readers = [reader_of(scheme) for scheme in declared if scheme.type != "mutualTLS"]
    verifiable = tuple(reader for reader in readers if reader is not None)
    if len(verifiable) != len(readers) or len(declared) != len(needed):
        return None
    if mutual and not (certificates and trusted is not None):
        return None
    scopes = frozenset(scope for listed in needed.values() for scope in listed)
    signed = trusted is not None and trusted.verifier is not None
    if mutual or (signed and any(reader.tokens for reader in verifiable)):
        return Alternative(verifiable, scopes, trusted, mutual)
    in_headers = len(verifiable) == 1 and not isinstance(verifiable[0], QueryReader)
    noted = {"auth": "+".join(one.how for one in verifiable)}
    return Alternative(verifiable, scopes, noted=noted, in_headers=in_headers)


def authenticate(  # noqa: PLR0917 - hot
    security: Security,
    headers: Headers,
    query: bytes,
    keys: dict[bytes, KeyRow],
    now: float,
    certificate: ClientCertificate | None = None,
    known: KnownFields | None = None,
) -> Identity | Refusal:
    """Give the identity behind a request, or the refusal; `now` in seconds since the epoch.

    The alternatives are tried in their order, and the first that is met wins. Where the contract admits
    anybody, bad credentials are as good as none, as OpenAPI says of an optional requirement. A `Deferred`
    says that the question must be asked once more, when what it waits for is there.
    """
    worst: Refusal | None = None
    for alternative in security.alternatives:
        trusted = alternative.trusted
        if trusted is None:
            proven = _proven(alternative, known, keys, now)
            if proven is not None:
                return proven
            outcome = _meet(alternative, headers, query, keys, now, known)
        else:
            outcome = trusted.meet(alternative, headers, query, keys, now, certificate)
        if isinstance(outcome, Identity):
            return outcome
        if isinstance(outcome, Deferred):
            return outcome
        worst = _graver(worst, outcome)
    if security.open_to_all:
        return NOBODY
    if security.unverifiable or worst is None:
        worst = SecurityUnverifiable()
    if worst.status == _UNAUTHORIZED:
        missing = isinstance(worst, CredentialsMissing)
        # RFC 6750 section 3.1: no error code for a request that showed nothing.
        worst.headers.extend(security.challenges if missing else security.rejections)
    return worst


def _proven(
    alternative: Alternative, known: KnownFields | None, keys: dict[bytes, KeyRow], now: float
) -> Identity | None:
    """Take what the same headers have proven before, if the key is still there, the same, and has not ended."""
    proven: Proven | None = None if known is None else known.made.get(alternative)
    if proven is None or keys.get(proven.key_id) is not proven.row:
        return None
    ends = proven.row.expires_at
    return proven.identity if ends is None or ends > now else None


def _meet(  # noqa: PLR0917 - hot
    alternative: Alternative,
    headers: Headers,
    query: bytes,
    keys: dict[bytes, KeyRow],
    now: float,
    known: KnownFields | None,
) -> Identity | Refusal:
    row: KeyRow | None = None
    presented: bytes | None = None
    for reader in alternative.readers:
        presented = reader.read(headers, query)
        if presented is None:
            return CredentialsMissing()
        found = verify_key(presented, keys)
        if found is None or (row is not None and row.consumer is not found.consumer):
            return CredentialsRefused()
        if found.expires_at is not None and found.expires_at <= now:
            return CredentialsExpired()
        row = found
    identity = Identity(row, alternative.scopes, None, alternative.noted)
    if known is not None and alternative.in_headers and row is not None and presented is not None:
        known.keep(alternative, Proven(key_id_of(presented), row, identity))
    return identity


def _graver(one: Refusal | None, other: Refusal) -> Refusal:
    """Keep what tells the caller most: expired over refused over missing, and what we cannot say over all."""
    return other if one is None or _GRAVITY.index(type(other)) > _GRAVITY.index(type(one)) else one
