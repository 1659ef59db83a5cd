"""Find the consumer behind a token or a client certificate, beside the keys that Interlock issues itself."""

from __future__ import annotations

import asyncio
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from runtime_proxy.credentials import MANY
from runtime_proxy.deferred import Deferred
from runtime_proxy.jwt import TokenExpired, TokenRefused, TokenUndecided
from runtime_proxy.keys import verify_key
from runtime_proxy.plan import Identity, KeyRow
from runtime_proxy.refusals_head import CredentialsExpired, CredentialsMissing, CredentialsRefused
from runtime_proxy.refusals_trust import ConsumerUnknown, VerificationUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from adapters.port import Headers
    from kernel.bundle.model import Consumer
    from runtime_proxy.client_certificates import ClientCertificate
    from runtime_proxy.plan import Alternative, ServedConsumer
    from runtime_proxy.refusal import Refusal
    from runtime_proxy.token_trust import TokenVerifier, Verified

_BOUND: Final = "The token is bound to a client certificate that this connection has not shown."


@dataclass(eq=False)
class Callers:
    """Whose tokens and certificates are whose, in one plan."""

    tokens: dict[tuple[str, str, str], ServedConsumer] = field(default_factory=dict)
    certificates: dict[tuple[str, str], ServedConsumer] = field(default_factory=dict)

    def bind(self, given: Iterable[Consumer], consumers: Mapping[str, ServedConsumer]) -> None:
        """Enter the bindings of all consumers."""
        for consumer in given:
            served, policy = consumers[consumer.id], consumer.policy
            for token in policy.tokens or ():
                self.tokens[token.issuer, token.claim, token.value] = served
            for one in policy.certificates or ():
                for kind in ("sha256", "subject", "dns", "uri"):
                    value = getattr(one, kind)
                    if value:
                        self.certificates[kind, value] = served

    def of_token(self, found: Verified) -> KeyRow | None:
        """Give the row of a token's consumer; looked up once for each token and plan."""
        if found.callers is not self:
            claims = found.claims
            consumer = next((self.tokens[one] for one in claims.subjects if one in self.tokens), None)
            found.callers = self
            found.row = (
                KeyRow(claims.reference, b"", consumer, claims.expires_at) if consumer is not None else None
            )
        return found.row

    def of_certificate(self, certificate: ClientCertificate) -> KeyRow | None:
        """Give the row of a certificate's consumer, by the most exact mark that is bound."""
        for mark in certificate.marks:
            consumer = self.certificates.get(mark)
            if consumer is not None:
                return KeyRow(f"x5t#{certificate.thumbprint.hex()[:16]}", b"", consumer, None)
        return None


class _Met:
    """What has been met of an alternative so far; a plain class, since every call with a token makes one."""

    __slots__ = ("claims", "held", "noted", "row")

    def __init__(self) -> None:
        self.row: KeyRow | None = None
        self.held: frozenset[str] | None = None
        self.noted: dict[str, Any] = {}
        self.claims: Mapping[str, str] | None = None

    def takes(self, row: KeyRow, how: str) -> bool:
        """Add one credential; False: it is another consumer's."""
        if self.row is not None and self.row.consumer is not row.consumer:
            return False
        self.row = row
        self.noted["auth"] = f"{self.noted['auth']}+{how}" if self.noted else how
        return True


@dataclass(frozen=True, eq=False)
class Trusted:
    """What the operations of one route may be met by, besides keys."""

    callers: Callers
    verifier: TokenVerifier | None

    def meet(  # noqa: PLR0917 - hot
        self,
        alternative: Alternative,
        headers: Headers,
        query: bytes,
        keys: dict[bytes, KeyRow],
        now: float,
        certificate: ClientCertificate | None,
    ) -> Identity | Refusal:
        """Meet one alternative of which a token or a certificate may be part; all parts are one consumer's."""
        met = _Met()
        refusal = self._meet_certificate(met, certificate) if alternative.certificate else None
        for reader in alternative.readers:
            if refusal is not None:
                break
            presented = reader.read(headers, query)
            if presented is None:
                refusal = CredentialsMissing()
                continue
            row = verify_key(presented, keys)
            if row is not None:
                refusal = _meet_key(met, row, reader.how, now)
            elif reader.tokens and self.verifier is not None and presented is not MANY:
                refusal = self._meet_token(met, self.verifier, presented, now, certificate)
            else:
                refusal = CredentialsRefused()
        return refusal or Identity(met.row, alternative.scopes, met.held, met.noted, met.claims)

    def _meet_token(
        self,
        met: _Met,
        verifier: TokenVerifier,
        token: bytes,
        now: float,
        certificate: ClientCertificate | None,
    ) -> Refusal | None:
        try:
            found = verifier.find(token, now)
        except TokenRefused as error:
            kind = CredentialsExpired if isinstance(error, TokenExpired) else CredentialsRefused
            return kind(str(error))
        except TokenUndecided:
            return VerificationUnavailable()
        if isinstance(found, asyncio.Future):
            return Deferred(found)
        claims = found.claims
        shown = certificate.thumbprint if certificate is not None else b""
        if claims.thumbprint is not None and not hmac.compare_digest(claims.thumbprint, shown):
            return CredentialsRefused(_BOUND)  # RFC 8705 section 3
        row = self.callers.of_token(found)
        if row is None:
            return ConsumerUnknown()
        met.held = claims.scopes if met.held is None else met.held & claims.scopes
        met.claims = claims.texts
        taken = met.takes(row, found.how)
        met.noted["token_id"] = claims.reference
        return None if taken else CredentialsRefused()

    def _meet_certificate(self, met: _Met, certificate: ClientCertificate | None) -> Refusal | None:
        if certificate is None:
            return CredentialsMissing("The operation asks for a client certificate (mutual TLS).")
        row = self.callers.of_certificate(certificate)
        if row is None:
            return ConsumerUnknown()
        met.takes(row, "certificate")
        return None


def _meet_key(met: _Met, row: KeyRow, how: str, now: float) -> Refusal | None:
    if row.expires_at is not None and row.expires_at <= now:
        return CredentialsExpired()
    return None if met.takes(row, how) else CredentialsRefused()
