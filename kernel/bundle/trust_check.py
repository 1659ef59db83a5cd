"""Refuses trust that would be weaker than it looks: unpinned algorithms, plain http, bindings that two share."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import msgspec

from kernel.bundle.trust import ALGORITHMS
from kernel.errors import BundleError

if TYPE_CHECKING:
    from kernel.bundle.model import AccessPart, Consumer, Route
    from kernel.bundle.trust import Issuer, PurposeOfUse, TokenTrust

_LOOPBACK: Final = frozenset(("localhost", "127.0.0.1", "::1"))
_MOST_ISSUERS: Final = 16
_MOST_LEEWAY: Final = 300  # seconds
_MOST_CACHED: Final = 3600  # seconds that a revoked token may go on
_MOST_WAITED: Final = 10  # seconds
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_PURPOSE: Final = re.compile(r"[\x21-\x7e]{1,256}")
_SHA256: Final = re.compile(r"[0-9a-f]{64}")


def check_trust(routes: tuple[Route, ...], access: AccessPart) -> None:
    """Raise `BundleError` for trust that would be weaker than it looks, and for bindings that two share."""
    for route in routes:
        where = f"the route of {route.contract} v{route.major}"
        tokens, purpose = route.policy.tokens, route.policy.purpose
        if tokens is not None:
            check_tokens(tokens, where)
        if purpose is not None:
            _check_purpose(purpose, where)
    _check_bindings(access)


def check_tokens(tokens: TokenTrust, where: str) -> None:
    """Raise `BundleError` for issuers that cannot be trusted as written; `where` begins the message."""
    names = [one.issuer for one in tokens.issuers]
    if len(names) != len(set(names)) or len(names) > _MOST_ISSUERS:
        raise BundleError(f"{where} names an issuer twice, or more than {_MOST_ISSUERS} of them")
    if not names and tokens.introspection is None:
        raise BundleError(f"{where} trusts tokens of nobody", hint="name an issuer, or an introspection")
    for one in tokens.issuers:
        _check_issuer(one, f"{where}, issuer {one.issuer!r},")
    asked = tokens.introspection
    if asked is not None:
        _check_url(asked.endpoint, f"{where}: the introspection endpoint")
        if not asked.audiences or not asked.client_id or not asked.secret_file:
            raise BundleError(f"{where}: introspection needs audiences, client_id and secret_file")
        if not 1 <= asked.cache_seconds <= _MOST_CACHED or not 0 < asked.timeout_seconds <= _MOST_WAITED:
            raise BundleError(
                f"{where}: introspection is cached for 1 to {_MOST_CACHED} s, and waits {_MOST_WAITED} s at most"
            )
    if tokens.resource and (not tokens.resource.startswith("https://") or _odd(tokens.resource)):
        raise BundleError(f"{where}: `resource` is an https URL without query and fragment (RFC 9728)")


def _check_issuer(one: Issuer, where: str) -> None:
    if not one.issuer or not one.audiences or not all(one.audiences):
        raise BundleError(f"{where} needs its own name and at least one audience")
    weak = sorted(set(one.algorithms) - ALGORITHMS)
    if weak or not one.algorithms:
        raise BundleError(
            f"{where} may sign with {', '.join(weak) or 'nothing'}",
            hint=f"only signatures with a private key are taken: {', '.join(sorted(ALGORITHMS))}",
        )
    if bool(one.jwks_uri) == (one.jwks is not None):
        raise BundleError(f"{where} needs either jwks_uri or jwks")
    if one.jwks_uri:
        _check_url(one.jwks_uri, f"{where} jwks_uri")
    if not one.types or not one.consumer_claims:
        raise BundleError(f"{where} admits no type of token, or no claim that names a consumer")
    sound = 0 <= one.leeway_seconds <= _MOST_LEEWAY and one.longest_seconds > 0 and one.stale_seconds >= 0
    if not sound:
        raise BundleError(f"{where} has a leeway above {_MOST_LEEWAY} s, or a negative time")


def _check_url(url: str, what: str) -> None:
    """Keys and answers decide who gets in, so that they come over TLS, or never leave this host."""
    try:
        parts = urlsplit(url)
        sound = bool(parts.hostname) and not parts.fragment and (parts.port is None or parts.port > 0)
    except ValueError:
        sound, parts = False, urlsplit("")
    sound = sound and "@" not in parts.netloc and url.isascii() and url.isprintable() and " " not in url
    if not sound or not (parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)):
        raise BundleError(f"{what} is no https URL", hint="http is taken for this host alone (127.0.0.1)")


def _check_purpose(purpose: PurposeOfUse, where: str) -> None:
    if not purpose.values or not all(_PURPOSE.fullmatch(value) for value in purpose.values):
        raise BundleError(f"{where} asks for a purpose of use and has no value set of printable codes")
    if not _HEADER.fullmatch(purpose.header):
        raise BundleError(f"{where} asks for a purpose of use in a header that is no header name")


def _check_bindings(access: AccessPart) -> None:
    """Refuse a binding that two consumers hold: nobody could say who calls."""
    seen: set[tuple[str, ...]] = set()
    for consumer in access.consumers:
        for mark in _marks(consumer):
            if mark in seen or not all(mark):
                raise BundleError(f"a {mark[0]} binding of consumer {consumer.id} stands twice, or is empty")
            seen.add(mark)


def _marks(consumer: Consumer) -> list[tuple[str, ...]]:
    marks: list[tuple[str, ...]] = [
        ("token", one.issuer, one.claim, one.value) for one in consumer.policy.tokens or ()
    ]
    for one in consumer.policy.certificates or ():
        given = [(name, value) for name, value in msgspec.structs.asdict(one).items() if value]
        if len(given) != 1 or (one.sha256 and not _SHA256.fullmatch(one.sha256)):
            raise BundleError(
                f"a certificate of consumer {consumer.id} needs exactly one mark",
                hint="sha256 (64 hex digits, lower case), subject, dns or uri",
            )
        marks.append(("certificate", *given[0]))
    return marks


def _odd(url: str) -> bool:
    return "?" in url or "#" in url or not url.isascii() or not url.isprintable() or '"' in url
