"""Read a signed access token (RFC 7519, RFC 9068) strictly, before and after its signature is believed.

Written after RFC 8725: the algorithm is the issuer's, never the token's; keys come from the issuer's set,
never from the token; what a reader could understand in two ways is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.audit.redaction import token_reference
from kernel.operation.strict_json import read_json
from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from kernel.bundle.trust import Introspection, Issuer

LONGEST_TOKEN: Final = 16 * 1024  # bytes
_LONGEST_HEADER: Final = 2 * 1024  # bytes, encoded
_COMPACT: Final = re.compile(rb"([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{2,})\.([A-Za-z0-9_-]{2,2048})")
# Members by which a token would choose its own key, or its own rules (RFC 8725 sections 3.5 and 3.10).
_FORBIDDEN: Final = frozenset(("jku", "jwk", "x5u", "crit", "b64", "enc", "zip"))
_LONGEST_ID: Final = 256
_MOST_SCOPES: Final = 512
_LONGEST_CLAIM: Final = 1024
_THUMBPRINT_BYTES: Final = 32


class TokenRefused(Exception):
    """The token is not good; the text is for its sender, and holds nothing of the token."""


class TokenUndecided(Exception):
    """Neither keys nor an answer are to be had, and it is too early to ask again."""


class TokenExpired(TokenRefused):
    """The token is genuine, and past its end."""


@dataclass(frozen=True, slots=True)
class Compact:
    """A token taken apart, nothing of it believed yet; `issuer` is what it says of itself."""

    algorithm: str
    key_id: str | None
    type: str  # lower case, without `application/`
    issuer: str
    claims: dict[str, Any]
    signed: bytes  # what the signature is over
    signature: bytes


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says, as far as the proxy acts on it; times in seconds since the epoch."""

    issuer: str
    subjects: tuple[tuple[str, str, str], ...]  # (issuer, claim, value), the most telling first
    scopes: frozenset[str]
    expires_at: float
    thumbprint: bytes | None  # SHA-256 of the certificate that the token is bound to (RFC 8705 section 3.1)
    texts: dict[str, str]  # claims that are short texts, for purposes of use
    reference: str  # names the token in the audit log


def looks_signed(token: bytes) -> bool:
    """Say whether these bytes have the form of a signed compact token."""
    return token.count(b".") == 2 and token.startswith(b"ey")  # noqa: PLR2004 - header.payload.signature


def take_apart(token: bytes) -> Compact:
    """Read header and claims; raises `TokenRefused` for what no issuer of ours could have meant."""
    found = _COMPACT.fullmatch(token) if len(token) <= LONGEST_TOKEN else None
    if found is None or len(found[1]) > _LONGEST_HEADER:
        raise TokenRefused("The token is too long, or no signed token.")
    try:
        header, claims = read_json(_decoded(found[1])), read_json(_decoded(found[2]))
        signature = _decoded(found[3])
    except (Undecodable, binascii.Error, ValueError):
        raise TokenRefused("The token is malformed.") from None
    if not isinstance(header, dict) or not isinstance(claims, dict):
        raise TokenRefused("The token is malformed.")
    if _FORBIDDEN & header.keys():
        raise TokenRefused(
            "The token brings keys or rules of its own (jku, jwk, x5u, crit), which are not taken."
        )
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "")
    issuer = claims.get("iss")
    if (
        not isinstance(algorithm, str)
        or not isinstance(kind, str)
        or not isinstance(issuer, str)
        or not (key_id is None or (isinstance(key_id, str) and len(key_id) <= _LONGEST_ID))
    ):
        raise TokenRefused("The token does not say by whom and how it is signed.")
    kind = kind.lower().removeprefix("application/")
    signed = token[: found.end(2)]
    return Compact(algorithm, key_id, kind, issuer, claims, signed, signature)


def check_signer(compact: Compact, issuer: Issuer) -> None:
    """Hold the header to what is pinned for its issuer, before any key is looked for."""
    if compact.algorithm not in issuer.algorithms:
        raise TokenRefused("The token is signed with an algorithm that is not its issuer's.")
    if compact.type not in {kind.lower() for kind in issuer.types}:
        raise TokenRefused("The token is of another type than an access token (`typ`).")


def check_claims(compact: Compact, issuer: Issuer, now: float, raw: bytes) -> Claims:
    """Judge the claims of a token whose signature holds; raises `TokenRefused` or `TokenExpired`."""
    claims = compact.claims
    _check_audience(claims.get("aud"), issuer.audiences)
    leeway = issuer.leeway_seconds
    expires, not_before, issued = (_time(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None:
        raise TokenRefused("The token has no end (`exp`).")
    if expires + leeway <= now:
        raise TokenExpired("The token has expired.")
    if (not_before is not None and not_before - leeway > now) or (
        issued is not None and issued - leeway > now
    ):
        raise TokenRefused("The token is not valid yet.")
    if expires - (issued if issued is not None else now) > issuer.longest_seconds:
        raise TokenRefused("The token lives longer than is taken here.")
    return _claims(claims, issuer, expires + leeway, raw)


def check_answer(answer: dict[str, Any], asked: Introspection, now: float, raw: bytes) -> Claims:
    """Judge what introspection says of an active token (RFC 7662 section 2.2)."""
    issuer = answer.get("iss")
    if issuer is not None and asked.issuer and issuer != asked.issuer:
        raise TokenRefused("The token is of another issuer.")
    _check_audience(answer.get("aud"), asked.audiences)
    expires, not_before = _time(answer, "exp"), _time(answer, "nbf")
    if expires is not None and expires <= now:
        raise TokenExpired("The token has expired.")
    if not_before is not None and not_before > now:
        raise TokenRefused("The token is not valid yet.")
    until = now + asked.cache_seconds
    return _claims(answer, asked, until if expires is None else min(until, expires), raw)


def _claims(claims: dict[str, Any], source: Issuer | Introspection, until: float, raw: bytes) -> Claims:
    texts = {
        name: value
        for name, value in claims.items()
        if isinstance(value, str) and 0 < len(value) <= _LONGEST_CLAIM
    }
    subjects = tuple((source.issuer, name, texts[name]) for name in source.consumer_claims if name in texts)
    return Claims(
        issuer=source.issuer,
        subjects=subjects,
        scopes=_scopes(claims),
        expires_at=until,
        thumbprint=_confirmation(claims.get("cnf")),
        texts=texts,
        reference=token_reference(raw.decode("latin-1"), texts.get("jti")),
    )


def _check_audience(given: Any, taken: tuple[str, ...]) -> None:
    given = [given] if isinstance(given, str) else given
    if not isinstance(given, list) or not any(one in taken for one in given if isinstance(one, str)):
        raise TokenRefused("The token is for another audience (`aud`).")


def _time(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < 2**53:
        raise TokenRefused(f"The token's `{name}` is no time.")
    return float(value)


def _scopes(claims: dict[str, Any]) -> frozenset[str]:
    """Read `scope` (RFC 9068 section 2.2.3) and `scp`, which some issuers write instead."""
    found: list[str] = []
    for name in ("scope", "scp"):
        value = claims.get(name, "")
        listed = value.split(" ") if isinstance(value, str) else value
        if not isinstance(listed, list) or not all(isinstance(one, str) for one in listed):
            raise TokenRefused("The token's scopes are neither a text nor a list.")
        found += listed
    if len(found) > _MOST_SCOPES:
        raise TokenRefused(f"The token has more than {_MOST_SCOPES} scopes.")
    return frozenset(found) - {""}


def _confirmation(given: Any) -> bytes | None:
    """Read what the token is bound to; a binding that cannot be checked is no reason to let it pass."""
    if given is None:
        return None
    text = given.get("x5t#S256") if isinstance(given, dict) and len(given) == 1 else None
    if not isinstance(text, str):
        raise TokenRefused("The token is bound to a key by a method that is not known here (`cnf`).")
    try:
        thumbprint = _decoded(text.encode())
    except (binascii.Error, ValueError):
        thumbprint = b""
    if len(thumbprint) != _THUMBPRINT_BYTES:
        raise TokenRefused("The token is bound to a certificate that it does not name (`cnf`).")
    return thumbprint


def _decoded(text: bytes) -> bytes:
    return base64.b64decode(text + b"=" * (-len(text) % 4), b"-_", validate=True)
