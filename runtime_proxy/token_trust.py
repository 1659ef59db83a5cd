"""Verify bearer tokens for a route: by an issuer's keys or by introspection, each token once until it ends."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import msgspec

from kernel.bundle.trust import Issuer
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.fetching import Source
from runtime_proxy.introspection import Introspector, read_secret
from runtime_proxy.jwks import JwksRefused, KeySet, key_set_of
from runtime_proxy.jwks_cache import JwksCache
from runtime_proxy.jwt import (
    LONGEST_TOKEN,
    Claims,
    Compact,
    TokenRefused,
    check_claims,
    check_signer,
    looks_signed,
    take_apart,
)

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Iterable

    from kernel.bundle.trust import Introspection, TokenTrust
    from runtime_proxy.plan import KeyRow

MOST_TOKENS: Final = 20_000  # verified tokens that one verifier remembers, some 1 KiB each
_KEYS_TIMEOUT: Final = 5.0  # seconds


@dataclass(eq=False)
class Verified:
    """A token that is good until `claims.expires_at`, and while its issuer's keys are those of `generation`."""

    claims: Claims
    how: str  # for the audit record: jwt or introspection
    generation: int = 0
    row: KeyRow | None = None  # whose it is, in the plan whose callers are `callers`
    callers: Any = None


@dataclass(eq=False)
class Signer:
    """One issuer: what is pinned for it, and its keys."""

    issuer: Issuer
    fixed: KeySet | None = None
    cache: JwksCache | None = None


@dataclass(eq=False)
class TokenVerifier:
    """Answers for the tokens of one `TokenTrust`; shared by all routes that trust alike, over bundles."""

    signers: dict[str, Signer]
    introspector: Introspector | None
    _known: dict[bytes, Verified] = field(default_factory=dict)

    def find(self, token: bytes, now: float) -> Verified | asyncio.Future[None]:
        """Give what a token is good for, or what must be waited for; `now` in seconds since the epoch.

        Raises `TokenRefused`, `TokenExpired` or `TokenUndecided`.
        """
        if len(token) > LONGEST_TOKEN:
            raise TokenRefused("The token is too long.")
        digest = hashlib.sha256(token).digest()
        known = self._known.get(digest)
        if known is not None and self._still_good(known, now):
            return known
        signed = take_apart(token) if looks_signed(token) else None
        signer = self.signers.get(signed.issuer) if signed is not None else None
        if signed is not None and signer is not None:
            found = self._verify(signed, signer, token, now)
        elif self.introspector is not None:
            found = self._ask(self.introspector, token, digest, now)
        else:
            raise TokenRefused("The token is of no issuer that is trusted here.")
        if isinstance(found, Verified):
            self._remember(digest, found, now)
        return found

    def warm(self) -> None:
        """Have keys fetched before the first token comes, where there are none yet."""
        for signer in self.signers.values():
            if signer.cache is not None:
                signer.cache.warm()

    def _verify(
        self, signed: Compact, signer: Signer, token: bytes, now: float
    ) -> Verified | asyncio.Future[None]:
        check_signer(signed, signer.issuer)
        generation = 0
        if signer.cache is not None:
            keys = signer.cache.find(signed.key_id, signed.algorithm)
            generation = signer.cache.generation
        else:
            assert signer.fixed is not None  # an issuer has one of the two
            keys = signer.fixed.candidates(signed.key_id, signed.algorithm)
        if not isinstance(keys, tuple):
            return keys
        if not any(key.verifies(signed.algorithm, signed.signed, signed.signature) for key in keys):
            raise TokenRefused("The token's signature is by no key of its issuer.")
        return Verified(check_claims(signed, signer.issuer, now, token), "jwt", generation)

    def _ask(
        self, introspector: Introspector, token: bytes, digest: bytes, now: float
    ) -> Verified | asyncio.Future[None]:
        found = introspector.find(token, digest, now)
        return Verified(found, "introspection") if isinstance(found, Claims) else found

    def _still_good(self, known: Verified, now: float) -> bool:
        claims = known.claims
        if claims.expires_at <= now:
            return False
        if known.how != "jwt":
            return True
        cache = self.signers[claims.issuer].cache
        if cache is None:
            return True
        cache.tend()
        return cache.generation == known.generation

    def _remember(self, digest: bytes, found: Verified, now: float) -> None:
        known = self._known
        if len(known) >= MOST_TOKENS:
            for old in [key for key, one in known.items() if one.claims.expires_at <= now]:
                del known[old]
            while len(known) >= MOST_TOKENS:
                del known[next(iter(known))]  # the one that was verified first
        known[digest] = found


class TrustStore:
    """The verifiers of a process, by what they trust: keys and verified tokens outlive a change of bundles."""

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        source: Callable[..., Source] = Source,
    ) -> None:
        self._clock = clock
        self._source = source
        self._verifiers: dict[bytes, TokenVerifier] = {}
        self._caches: dict[tuple[object, ...], JwksCache] = {}
        self._sources: list[Source] = []
        self._introspectors: list[Introspector] = []

    def verifier(self, trust: TokenTrust) -> TokenVerifier:
        """Give the verifier of this trust; raises `ActivationFailed` where it cannot be set up."""
        name = msgspec.json.encode(trust)
        made = self._verifiers.get(name)
        if made is None:
            signers = {one.issuer: self._signer(one) for one in trust.issuers}
            asked = trust.introspection
            made = TokenVerifier(signers, None if asked is None else self._introspector(asked))
            self._verifiers[name] = made
        return made

    def retain(self, used: Iterable[TokenTrust | None]) -> None:
        """Forget verifiers, with the tokens that they remember, which no route uses any more.

        Their connections end with the process: an issuer that comes back keeps its cool-down.
        """
        names = {msgspec.json.encode(trust) for trust in used if trust is not None}
        self._verifiers = {name: one for name, one in self._verifiers.items() if name in names}
        for one in self._verifiers.values():
            one.warm()

    async def close(self) -> None:
        """Give up what is under way, and end all connections."""
        for cache in self._caches.values():
            await cache.close()
        for introspector in self._introspectors:
            await introspector.close()
        for source in self._sources:
            await source.close()

    def _signer(self, issuer: Issuer) -> Signer:
        if issuer.jwks is not None:
            try:
                return Signer(issuer, fixed=key_set_of(issuer.jwks, issuer.algorithms))
            except JwksRefused as error:
                raise ActivationFailed(f"the keys of issuer {issuer.issuer!r}: {error}") from None
        name = (issuer.jwks_uri, issuer.algorithms, issuer.stale_seconds, issuer.tls_ca_file)
        cache = self._caches.get(name)
        if cache is None:
            source = self._reach(issuer.jwks_uri, _KEYS_TIMEOUT, issuer.tls_ca_file)
            cache = self._caches[name] = JwksCache(
                issuer.jwks_uri,
                source.get,
                issuer.algorithms,
                stale_seconds=issuer.stale_seconds,
                clock=self._clock,
            )
        return Signer(issuer, cache=cache)

    def _introspector(self, asked: Introspection) -> Introspector:
        source = self._reach(asked.endpoint, asked.timeout_seconds, asked.tls_ca_file)
        made = Introspector(asked, source.post, read_secret(asked), clock=self._clock)
        self._introspectors.append(made)
        return made

    def _reach(self, url: str, seconds: float, ca_file: str) -> Source:
        source = self._source(url, timeout_seconds=seconds, tls_ca_file=ca_file)
        self._sources.append(source)
        return source
