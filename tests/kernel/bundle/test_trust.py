"""Trust that would be weaker than it looks is no bundle."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from kernel.bundle.bindings import check_bindings
from kernel.bundle.model import AccessPart, Consumer
from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from kernel.bundle.trust import (
    CertificateBinding,
    Introspection,
    Issuer,
    PurposeOfUse,
    TokenBinding,
    TokenTrust,
)
from kernel.errors import BundleError

GOOD = Issuer("https://login.example", ("orders",), jwks_uri="https://login.example/jwks")
ASKED = Introspection("https://login.example/introspect", "proxy", "/run/secret", ("orders",))


def test_what_is_sound_is_taken_and_survives_its_own_json() -> None:
    trust = TokenTrust((GOOD,), ASKED, "https://api.example/orders")
    local = msgspec.structs.replace(GOOD, jwks_uri="http://127.0.0.1:9/jwks")
    assert local.jwks_uri == "http://127.0.0.1:9/jwks"
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
    with pytest.raises(ValueError, match=says):
        msgspec.structs.replace(GOOD, **change)
    written = {**msgspec.to_builtins(GOOD), **change}
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(written, Issuer, strict=False)


@pytest.mark.parametrize(
    "make",
    [
        TokenTrust,
        lambda: TokenTrust((GOOD, GOOD)),
        lambda: msgspec.structs.replace(ASKED, endpoint="http://login.example"),
        lambda: msgspec.structs.replace(ASKED, audiences=()),
        lambda: msgspec.structs.replace(ASKED, secret_file=""),
        lambda: msgspec.structs.replace(ASKED, cache_seconds=0),
        lambda: msgspec.structs.replace(ASKED, cache_seconds=86_400),
        lambda: msgspec.structs.replace(ASKED, timeout_seconds=60.0),
        lambda: TokenTrust((GOOD,), resource="http://api.example"),
        lambda: TokenTrust((GOOD,), resource='https://api.example/"x'),
        lambda: TokenTrust((GOOD,), resource="https://api.example?x"),
        lambda: PurposeOfUse(()),
        lambda: PurposeOfUse(("a b",)),
        lambda: PurposeOfUse(("",)),
        lambda: PurposeOfUse(("A",), header="a:b"),
        lambda: TokenBinding("i", ""),
        CertificateBinding,
        lambda: CertificateBinding(sha256="AB" * 32),
        lambda: CertificateBinding(sha256="ab" * 31),
        lambda: CertificateBinding(dns="a.example", uri="urn:a"),
    ],
)
def test_trust_in_nobody_twice_or_in_the_open_is_refused(make: Any) -> None:
    with pytest.raises(ValueError, match=r"[a-z]"):
        make()


def test_one_binding_is_one_consumers() -> None:
    for policy in (
        ConsumerPolicy(tokens=(TokenBinding("i", "v"),)),
        ConsumerPolicy(certificates=(CertificateBinding(dns="a.example"),)),
    ):
        consumers = tuple(Consumer(name, name, "internal", policy=policy) for name in ("a", "b"))
        check_bindings(AccessPart(1, consumers[:1]))
        with pytest.raises(BundleError, match="twice"):
            check_bindings(AccessPart(1, consumers))
