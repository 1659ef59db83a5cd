"""Whom a route trusts besides the keys of its own consumers: issuers of tokens, introspection, purposes, SMART.

All of this is this environment's, so it stands in the policy of a route, never in a contract: the contract
says that a token is needed, the route says whose (docs/adr/0014-trust-stands-in-the-route.md). Trust that would be
weaker than it looks is refused where it is written: unpinned algorithms, plain http, no audience.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import urlsplit

import msgspec

# Signatures with a private key that only the issuer holds. `none` and the HMAC family are not among them:
# a public key can then never be taken for a shared secret (RFC 8725 section 2.1).
ALGORITHMS: Final = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
)


_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_MOST_ISSUERS: Final = 16
_MOST_LEEWAY: Final = 300  # seconds
_MOST_CACHED: Final = 3600  # seconds that a revoked token may go on
_MOST_WAITED: Final = 10  # seconds
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_PURPOSE: Final = re.compile(r"[\x21-\x7e]{1,256}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")
_RESOURCE: Final = re.compile(r"https://[!$-;=@-\[\]_a-z~]+")  # no query, fragment, quote or space (RFC 9728)


class Issuer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One authorization server whose signed access tokens are taken (RFC 9068).

    `jwks_uri` is where its keys are fetched from; `jwks` holds them instead, where nothing is to be
    fetched. `types` are the values of `typ` that pass, "" standing for none; ID tokens and the like have
    others, so that the list is short on purpose. The first of `consumer_claims` that some consumer is bound
    to says who calls. Times are in seconds.
    """

    issuer: str  # compared with `iss` byte for byte
    audiences: tuple[str, ...]  # one of them must be in `aud`
    jwks_uri: str = ""
    jwks: dict[str, Any] | None = None
    algorithms: tuple[str, ...] = ("RS256", "PS256", "ES256", "Ed25519")
    types: tuple[str, ...] = ("at+jwt",)
    leeway_seconds: int = 30
    longest_seconds: int = 86_400  # the longest life that a token may claim, from `iat` to `exp`
    consumer_claims: tuple[str, ...] = ("client_id", "azp", "sub")
    stale_seconds: int = 86_400  # how long fetched keys serve while the issuer does not answer
    tls_ca_file: str = ""  # PEM file on the proxy's host; empty: the system's authorities

    def __post_init__(self) -> None:
        """Refuse what is not pinned."""
        if not self.issuer or not self.audiences or not all(self.audiences):
            raise ValueError("an issuer needs its own name and at least one audience")
        weak = sorted(set(self.algorithms) - ALGORITHMS)
        if weak or not self.algorithms:
            raise ValueError(
                f"{', '.join(weak)[:64] or 'nothing'} is no signature with a private key: "
                f"{', '.join(sorted(ALGORITHMS))}"
            )
        if bool(self.jwks_uri) == (self.jwks is not None):
            raise ValueError("an issuer has either jwks_uri or jwks")
        if self.jwks_uri:
            _check_url(self.jwks_uri, "jwks_uri")
        if not self.types or not self.consumer_claims:
            raise ValueError("types and consumer_claims need a value each")
        if not 0 <= self.leeway_seconds <= _MOST_LEEWAY:
            raise ValueError(f"leeway_seconds is at most {_MOST_LEEWAY}")
        if self.longest_seconds < 1 or self.stale_seconds < 0:
            raise ValueError("a time is negative")


class Introspection(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where tokens that no issuer above has signed are asked about (RFC 7662).

    `secret_file` lies on the proxy's host and holds the password of `client_id`. An answer serves for
    `cache_seconds`, and never beyond its `exp`: that long a revoked token may go on.
    """

    endpoint: str
    client_id: str
    secret_file: str
    audiences: tuple[str, ...]
    issuer: str = ""  # for bindings; compared with `iss` where the answer has one
    consumer_claims: tuple[str, ...] = ("client_id", "azp", "sub")
    cache_seconds: int = 30
    timeout_seconds: float = 3.0
    tls_ca_file: str = ""

    def __post_init__(self) -> None:
        """Refuse what would ask in the open, or remember for too long."""
        _check_url(self.endpoint, "endpoint")
        if not self.audiences or not all(self.audiences) or not self.client_id or not self.secret_file:
            raise ValueError("introspection needs audiences, client_id and secret_file")
        if not 1 <= self.cache_seconds <= _MOST_CACHED:
            raise ValueError(f"cache_seconds is 1 to {_MOST_CACHED}")
        if not 0 < self.timeout_seconds <= _MOST_WAITED:
            raise ValueError(f"timeout_seconds is at most {_MOST_WAITED}")


class TokenTrust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose tokens a route takes where its contract declares bearer, oauth2 or openIdConnect.

    `resource` is this API's own identifier, an absolute https URL; where it is given, challenges name its
    metadata, which the proxy serves (RFC 9728).
    """

    issuers: tuple[Issuer, ...] = ()
    introspection: Introspection | None = None
    resource: str = ""

    def __post_init__(self) -> None:
        """Refuse trust in nobody, and an issuer that stands twice."""
        names = {one.issuer for one in self.issuers}
        if len(names) != len(self.issuers) or len(names) > _MOST_ISSUERS:
            raise ValueError(f"issuers are at most {_MOST_ISSUERS}, each once")
        if not names and self.introspection is None:
            raise ValueError("tokens of nobody are trusted: name an issuer, or an introspection")
        if self.resource and _RESOURCE.fullmatch(self.resource) is None:
            raise ValueError("resource is an https URL without query and fragment (RFC 9728)")


class PurposeOfUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A route that says what for: `values` are all purposes that it takes (HL7 PurposeOfUse codes, or own).

    A token's `claim` is preferred, since it is signed; where there is none, the header `header` says it.
    """

    values: tuple[str, ...]
    header: str = "X-Purpose-Of-Use"
    claim: str = "purpose_of_use"

    def __post_init__(self) -> None:
        """Refuse a purpose without a value set."""
        if not self.values or not all(_PURPOSE.fullmatch(value) for value in self.values):
            raise ValueError("values are printable codes without spaces, at least one")
        if _HEADER.fullmatch(self.header) is None:
            raise ValueError("header is no plain field name")


class SmartConfiguration(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What `/.well-known/smart-configuration` says below the base of a route (SMART App Launch 2.2).

    Scopes are added from the contract.
    """

    token_endpoint: str
    authorization_endpoint: str = ""
    issuer: str = ""
    jwks_uri: str = ""
    introspection_endpoint: str = ""
    revocation_endpoint: str = ""
    management_endpoint: str = ""
    registration_endpoint: str = ""
    capabilities: tuple[str, ...] = ("permission-v1", "permission-v2")
    grant_types_supported: tuple[str, ...] = ("client_credentials",)
    response_types_supported: tuple[str, ...] = ("code",)
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("private_key_jwt",)
    token_endpoint_auth_signing_alg_values_supported: tuple[str, ...] = ("RS384", "ES384")
    code_challenge_methods_supported: tuple[str, ...] = ("S256",)  # `plain` must not be listed


class TokenBinding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tokens of `issuer` whose `claim` has this `value` are this consumer's."""

    issuer: str
    value: str
    claim: str = "client_id"

    def __post_init__(self) -> None:
        """Refuse a binding that says nothing."""
        if not self.issuer or not self.value or not self.claim:
            raise ValueError("a token is bound by issuer, claim and value")


class CertificateBinding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A client certificate that is this consumer's, by exactly one of its marks (RFC 8705 section 2).

    `sha256` pins one certificate: hex digest of its DER form. The others name whoever holds a certificate of
    an authority that the listener trusts: `subject` as RFC 4514 writes it, `dns` or `uri` as in its
    subjectAltName.
    """

    sha256: str = ""
    subject: str = ""
    dns: str = ""
    uri: str = ""

    def __post_init__(self) -> None:
        """Refuse none and several marks."""
        if sum(map(bool, (self.sha256, self.subject, self.dns, self.uri))) != 1:
            raise ValueError("a certificate is bound by exactly one of sha256, subject, dns, uri")
        if self.sha256 and _SHA256.fullmatch(self.sha256) is None:
            raise ValueError("sha256 is 64 hex digits in lower case")


def _check_url(url: str, what: str) -> None:
    """Keys and answers decide who gets in, so that they come over TLS, or never leave this host."""
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and not parts.fragment and (parts.port is None or parts.port > 0)
    except ValueError:
        sound, parts = False, urlsplit("")
    sound = sound and "@" not in parts.netloc and url.isascii() and url.isprintable() and " " not in url
    if not sound or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise ValueError(f"{what} is no https URL (http is taken for this host alone, 127.0.0.1)")
