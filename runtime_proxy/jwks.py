"""The public keys of an issuer (RFC 7517): read strictly, each fit for pinned algorithms only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey, import_key
from joserfc.jws import JWSRegistry

from kernel.operation.strict_json import read_json
from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_KEYS: Final = 100
_SAME_ID: Final = 4  # keys of one id that are tried; more would let a token cost what its sender likes
_LONGEST_ID: Final = 256
_LEAST_RSA_BITS: Final = 2048  # RFC 7518 section 3.3
_PUBLIC: Final = {
    "RSA": ("kty", "n", "e"),
    "EC": ("kty", "crv", "x", "y"),
    "OKP": ("kty", "crv", "x"),
}


class JwksRefused(Exception):
    """The document is no key set that can be used; the text says why."""


@dataclass(frozen=True, slots=True, eq=False)
class PublicKey:
    """One public key; `algorithms` are those that it may verify, and no other."""

    id: str | None
    thumbprint: str  # RFC 7638
    algorithms: frozenset[str]
    _key: RSAKey | ECKey | OKPKey

    def verifies(self, algorithm: str, signed: bytes, signature: bytes) -> bool:
        """Say whether the signature is this key's; an algorithm that the key is not for never is."""
        if algorithm not in self.algorithms:
            return False
        try:
            return bool(JWSRegistry.algorithms[algorithm].verify(signed, signature, self._key))
        except (JoseError, ValueError):
            return False


class KeySet:
    """The usable keys of an issuer, found by `kid` and algorithm."""

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        self.keys = tuple(keys)
        self.thumbprints = frozenset(key.thumbprint for key in self.keys)
        self._by_id: dict[str, list[PublicKey]] = {}
        for key in self.keys:
            if key.id is not None:
                self._by_id.setdefault(key.id, []).append(key)

    def candidates(self, key_id: str | None, algorithm: str) -> tuple[PublicKey, ...]:
        """Give the keys that may have signed; without `kid` that is the only one of the algorithm."""
        if key_id is not None:
            fit = [key for key in self._by_id.get(key_id, ()) if algorithm in key.algorithms]
            return tuple(fit[:_SAME_ID])
        fit = [key for key in self.keys if algorithm in key.algorithms]
        return (fit[0],) if len(fit) == 1 else ()


def read_key_set(data: bytes, algorithms: tuple[str, ...]) -> KeySet:
    """Read a JWK Set; raises `JwksRefused` for one that is ambiguous or holds nothing to verify with.

    A key that is not for signatures, symmetric, too short or of an unknown kind is left out, as RFC 7517
    section 5 asks for; so is the second copy of a key.
    """
    try:
        document = read_json(data)
    except Undecodable:
        raise JwksRefused("it is no JSON, or says a member twice") from None
    return key_set_of(document, algorithms)


def key_set_of(document: Any, algorithms: tuple[str, ...]) -> KeySet:
    """Take over a JWK Set that is decoded already; raises `JwksRefused`."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > _MOST_KEYS:
        raise JwksRefused(f"it has no list `keys` of at most {_MOST_KEYS}")
    found: dict[tuple[str | None, str], PublicKey] = {}
    for entry in listed:
        key = _public_key(entry, algorithms)
        if key is not None:
            found.setdefault((key.id, key.thumbprint), key)
    if not found:
        raise JwksRefused(f"it holds no key for {', '.join(algorithms)}")
    return KeySet(found.values())


def _public_key(entry: Any, algorithms: tuple[str, ...]) -> PublicKey | None:
    if not isinstance(entry, dict) or not _for_signatures(entry):
        return None
    pinned = entry.get("alg")
    try:
        # Only what is public is taken over: an issuer that publishes its private key is not helped further.
        key = import_key({name: entry[name] for name in _PUBLIC[entry["kty"]]})
        fit = frozenset(name for name in algorithms if pinned in (None, name) and _fits(key, name))
        if not fit or not isinstance(key, (RSAKey, ECKey, OKPKey)):
            return None
        return PublicKey(entry.get("kid"), key.thumbprint(), fit, key)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _for_signatures(entry: dict[str, Any]) -> bool:
    """Say whether an entry says of itself that it is a public key of ours to verify with."""
    kind, key_id, use, operations = (entry.get(name) for name in ("kty", "kid", "use", "key_ops"))
    if not isinstance(kind, str) or kind not in _PUBLIC:
        return False
    named = key_id is None or (isinstance(key_id, str) and len(key_id) <= _LONGEST_ID)
    meant = use in (None, "sig") and (
        operations is None or (isinstance(operations, list) and "verify" in operations)
    )
    return named and meant and not (kind == "RSA" and _too_short(entry.get("n")))


def _fits(key: Any, algorithm: str) -> bool:
    """Say whether kind and curve of the key are those of the algorithm (RFC 7518 section 3.1)."""
    try:
        JWSRegistry.algorithms[algorithm].check_key(key)
    except JoseError:
        return False
    if algorithm in {"EdDSA", "Ed25519"}:
        return getattr(key, "curve_name", "") == "Ed25519"
    return True


def _too_short(modulus: Any) -> bool:
    """Say whether an RSA modulus, in base64url, has too few bits."""
    return not isinstance(modulus, str) or len(modulus.rstrip("=")) * 6 < _LEAST_RSA_BITS
