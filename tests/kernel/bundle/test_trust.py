"""Trust that would be weaker than it looks is no bundle."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kernel.bundle.model import AccessPart, Consumer, Route
from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from kernel.bundle.trust import (
    CertificateBinding,
    Introspection,
    Issuer,
    PurposeOfUse,
    TokenBinding,
    TokenTrust,
)
from kernel.bundle.trust_check import check_trust
from kernel.errors import BundleError

NOBODY = AccessPart(1, ())
GOOD = Issuer("https://login.example", ("orders",), jwks_uri="https://login.example/jwks")
ASKED = Introspection("https://login.example/introspect", "proxy", "/run/secret", ("orders",))


def check(tokens: TokenTrust | None = None, purpose: PurposeOfUse | None = None) -> None:
    policy = RoutePolicy(tokens=tokens, purpose=purpose)
    check_trust((Route("orders", 1, "1.0.0", ("1.0.0",), "a", policy=policy),), NOBODY)


def test_what_is_sound_is_taken_and_survives_its_own_json() -> None:
    trust = TokenTrust((GOOD,), ASKED, "https://api.example/orders")
    check(trust, PurposeOfUse(("TREAT",)))
    local = msgspec.structs.replace(GOOD, jwks_uri="http://127.0.0.1:9/jwks")
    check(TokenTrust((local,)))
    policy = RoutePolicy(tokens=trust, purpose=PurposeOfUse(("TREAT",)))
    assert msgspec.json.decode(msgspec.json.encode(policy), type=RoutePolicy) == policy


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"algorithms": ("HS256", "RS256")}, "HS256"),
        ({"algorithms": ("none",)}, "none"),
        ({"algorithms": ()}, "nothing"),
        ({"jwks_uri": "http://login.example/jwks"}, "https"),
        ({"jwks_uri": "http://127.0.0.1.evil.example/"}, "https"),
        ({"jwks_uri": "https://user:pw@login.example/jwks"}, "https"),
        ({"jwks_uri": "file:///etc/jwks"}, "https"),
        ({"jwks_uri": "https://login.example/jwks\r\nX: y"}, "https"),
        ({"jwks_uri": "https://[::"}, "https"),
        ({"jwks_uri": ""}, "either"),
        ({"jwks": {"keys": []}}, "either"),
        ({"audiences": ()}, "audience"),
        ({"audiences": ("",)}, "audience"),
        ({"issuer": ""}, "name"),
        ({"types": ()}, "type"),
        ({"consumer_claims": ()}, "claim"),
        ({"leeway_seconds": 301}, "leeway"),
        ({"leeway_seconds": -1}, "leeway"),
        ({"longest_seconds": 0}, "time"),
    ],
)
def test_an_issuer_that_is_not_pinned_is_refused(change: dict[str, Any], says: str) -> None:
    with pytest.raises(BundleError, match=says):
        check(TokenTrust((msgspec.structs.replace(GOOD, **change),)))


@pytest.mark.parametrize(
    "trust",
    [
        TokenTrust(),
        TokenTrust((GOOD, GOOD)),
        TokenTrust((), msgspec.structs.replace(ASKED, endpoint="http://login.example")),
        TokenTrust((), msgspec.structs.replace(ASKED, audiences=())),
        TokenTrust((), msgspec.structs.replace(ASKED, cache_seconds=0)),
        TokenTrust((), msgspec.structs.replace(ASKED, cache_seconds=86_400)),
        TokenTrust((GOOD,), resource="http://api.example"),
        TokenTrust((GOOD,), resource='https://api.example/"x'),
        TokenTrust((GOOD,), resource="https://api.example?x"),
    ],
)
def test_trust_in_nobody_twice_or_in_the_open_is_refused(trust: TokenTrust) -> None:
    with pytest.raises(BundleError):
        check(trust)


@pytest.mark.parametrize(
    "purpose",
    [PurposeOfUse(()), PurposeOfUse(("a b",)), PurposeOfUse(("",)), PurposeOfUse(("A",), header="a:b")],
)
def test_a_purpose_needs_a_value_set_and_a_header(purpose: PurposeOfUse) -> None:
    with pytest.raises(BundleError):
        check(None, purpose)


@pytest.mark.parametrize(
    "certificate",
    [
        CertificateBinding(),
        CertificateBinding(sha256="AB" * 32),
        CertificateBinding(sha256="ab" * 31),
        CertificateBinding(dns="a.example", uri="urn:a"),
    ],
)
def test_a_certificate_is_bound_by_one_mark(certificate: CertificateBinding) -> None:
    policy = ConsumerPolicy(certificates=(certificate,))
    with pytest.raises(BundleError, match="mark"):
        check_trust((), AccessPart(1, (Consumer("a", "A", "internal", policy=policy),)))


def test_one_binding_is_one_consumers() -> None:
    for policy in (
        ConsumerPolicy(tokens=(TokenBinding("i", "v"),)),
        ConsumerPolicy(certificates=(CertificateBinding(dns="a.example"),)),
    ):
        consumers = tuple(Consumer(name, name, "internal", policy=policy) for name in ("a", "b"))
        check_trust((), AccessPart(1, consumers[:1]))
        with pytest.raises(BundleError, match="twice"):
            check_trust((), AccessPart(1, consumers))
    empty = ConsumerPolicy(tokens=(TokenBinding("i", ""),))
    with pytest.raises(BundleError, match="empty"):
        check_trust((), AccessPart(1, (Consumer("a", "A", "internal", policy=empty),)))
