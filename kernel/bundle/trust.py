"""Whom a route trusts besides the keys of its own consumers: issuers of tokens, introspection, purposes, SMART.

All of this is this environment's, so it stands in the policy of a route, never in a contract: the contract
says that a token is needed, the route says whose (docs/adr/0014-trust-stands-in-the-route.md).
"""

from __future__ import annotations

from typing import Any, Final

import msgspec

# Signatures with a private key that only the issuer holds. `none` and the HMAC family are not among them:
# a public key can then never be taken for a shared secret (RFC 8725 section 2.1).
ALGORITHMS: Final = frozenset(
    ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
)


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


class TokenTrust(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Whose tokens a route takes where its contract declares bearer, oauth2 or openIdConnect.

    `resource` is this API's own identifier, an absolute https URL; where it is given, challenges name its
    metadata, which the proxy serves (RFC 9728).
    """

    issuers: tuple[Issuer, ...] = ()
    introspection: Introspection | None = None
    resource: str = ""


class PurposeOfUse(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A route that says what for: `values` are all purposes that it takes (HL7 PurposeOfUse codes, or own).

    A token's `claim` is preferred, since it is signed; where there is none, the header `header` says it.
    """

    values: tuple[str, ...]
    header: str = "X-Purpose-Of-Use"
    claim: str = "purpose_of_use"


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
