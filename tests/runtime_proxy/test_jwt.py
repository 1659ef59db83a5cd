"""Signed tokens: what is pinned holds, and no token chooses its own key, algorithm or rules."""

import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from joserfc.jwk import ECKey, OctKey, RSAKey

from kernel.bundle.trust import TokenTrust
from runtime_proxy.jwt import TokenExpired, TokenRefused
from runtime_proxy.token_trust import MOST_TOKENS, TrustStore, Verified
from tests.doubles.issuer import AUDIENCE, AuthorizationServer, encoded, unsigned


@pytest.fixture(scope="module")
def server():
    made = AuthorizationServer()
    made.keys["e"] = ECKey.generate_key("P-256")
    yield made
    made.close()


@pytest.fixture
def verifier(server):
    return TrustStore().verifier(TokenTrust((server.issuer(jwks_uri="", jwks=server.jwks()),)))


def refused(verifier: Any, token: str, now: float | None = None) -> str:
    with pytest.raises(TokenRefused) as caught:
        verifier.find(token.encode(), time.time() if now is None else now)
    return str(caught.value)


@pytest.mark.parametrize(("key", "algorithm"), [("a", "RS256"), ("a", "PS256"), ("e", "ES256")])
def test_a_token_of_the_issuer_is_read(server, verifier, key, algorithm) -> None:
    token = server.token(key=key, algorithm=algorithm, aud=["other", AUDIENCE])
    found = verifier.find(token.encode(), time.time())
    assert isinstance(found, Verified)
    assert found.claims.scopes == {"orders.read", "orders.write"}
    assert found.claims.subjects == (
        (server.name, "client_id", "clinic-app"),
        (server.name, "sub", "system-7"),
    )
    assert found.claims.reference == "urn:ietf:params:oauth:jti:t-1"
    assert found.how == "jwt"


def test_a_token_without_key_id_is_read_where_one_key_alone_fits(server, verifier) -> None:
    assert verifier.find(server.token(header={"kid": None}).encode(), time.time())
    token = server.token(key="e", algorithm="ES256", header={"kid": None})
    assert verifier.find(token.encode(), time.time())


def public_pem(server) -> bytes:
    return server.keys["a"].as_pem(private=False)


def test_no_algorithm_is_no_signature(server, verifier) -> None:
    for name in ("none", "None", "NONE", "nOnE", ""):
        for signature in (b"", b"xx"):
            token = unsigned({"alg": name, "kid": "a", "typ": "at+jwt"}, server.claims(), signature)
            assert refused(verifier, token)


def test_a_public_key_is_never_a_shared_secret(server, verifier) -> None:
    """The confusion of RFC 8725 section 2.1: HMAC over the public key, in every form it may be had in."""
    header = {"alg": "HS256", "kid": "a", "typ": "at+jwt"}
    signed = f"{encoded(header)}.{encoded(server.claims())}"
    jwk = server.jwks()["keys"][0]
    for secret in (
        public_pem(server),
        public_pem(server).strip(),
        json.dumps(jwk).encode(),
        jwk["n"].encode(),
    ):
        mac = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
        assert "algorithm" in refused(verifier, f"{signed}.{encoded(mac)}")


def test_an_algorithm_that_is_not_pinned_is_refused_though_the_key_could(server, verifier) -> None:
    assert "algorithm" in refused(verifier, server.token(algorithm="RS512"))


def test_the_algorithm_must_be_the_keys(server, verifier) -> None:
    """An ES256 header that names the RSA key, and the other way round."""
    for key, algorithm in (("a", "ES256"), ("e", "RS256")):
        token = unsigned({"alg": algorithm, "kid": key, "typ": "at+jwt"}, server.claims(), b"x" * 64)
        assert "signature" in refused(verifier, token)


@pytest.mark.parametrize(
    "extra",
    [
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/chain"},
        {"crit": ["exp"]},
        {"crit": []},
        {"b64": False, "crit": ["b64"]},
        {"zip": "DEF"},
    ],
)
def test_a_header_that_brings_rules_of_its_own_is_refused(server, verifier, extra) -> None:
    assert "of its own" in refused(verifier, server.token(header=extra))


def test_a_key_in_the_header_is_not_believed(server, verifier) -> None:
    other = AuthorizationServer()
    try:
        jwk = other.jwks()["keys"][0]
        assert "of its own" in refused(verifier, other.token(header={"jwk": jwk}))
        assert "signature" in refused(verifier, other.token())
    finally:
        other.close()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"aud": "https://other.example"}, "audience"),
        ({"aud": None}, "audience"),
        ({"aud": []}, "audience"),
        ({"aud": [AUDIENCE + "/"]}, "audience"),
        ({"aud": {"x": AUDIENCE}}, "audience"),
        ({"iss": "https://login.hospital.example/"}, "no issuer"),
        ({"iss": "https://login.hospital"}, "no issuer"),
        ({"iss": ["https://login.hospital.example"]}, "by whom"),
        ({"exp": None}, "no end"),
        ({"exp": "9999999999"}, "no time"),
        ({"exp": True}, "no time"),
        ({"exp": -1}, "no time"),
        ({"exp": 10**300}, "no time"),
        ({"nbf": int(time.time()) + 900}, "not valid yet"),
        ({"iat": int(time.time()) + 900}, "not valid yet"),
        ({"exp": int(time.time()) + 90_000}, "longer"),
        ({"iat": None, "exp": int(time.time()) + 90_000}, "longer"),
        ({"scope": {"orders.read": True}}, "scopes"),
        ({"scope": " ".join(map(str, range(600)))}, "scopes"),
        ({"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}, "bound"),
        ({"cnf": {"x5t#S256": "short"}}, "certificate"),
        ({"cnf": "x"}, "bound"),
    ],
)
def test_a_claim_that_is_not_right_is_told(server, verifier, change, says) -> None:
    assert says in refused(verifier, server.token(**change))


@pytest.mark.parametrize("kind", ["JWT", "id_token+jwt", None, "at", "application/jwt"])
def test_another_type_of_token_is_no_access_token(server, verifier, kind) -> None:
    assert "type" in refused(verifier, server.token(header={"typ": kind}))


def test_the_type_may_be_written_in_full(server, verifier) -> None:
    assert verifier.find(server.token(header={"typ": "Application/AT+JWT"}).encode(), time.time())


def test_the_end_of_a_token_has_its_leeway_and_no_more(server, verifier) -> None:
    now = time.time()
    token = server.token(iat=int(now) - 600, exp=int(now) - 20)
    assert isinstance(verifier.find(token.encode(), now), Verified)
    with pytest.raises(TokenExpired):
        verifier.find(token.encode(), now + 15)


def test_what_could_be_read_in_two_ways_is_refused(server, verifier) -> None:
    signed = server.token().split(".")
    double = encoded(b'{"alg":"RS256","alg":"none","kid":"a","typ":"at+jwt"}')
    assert "malformed" in refused(verifier, f"{double}.{signed[1]}.{signed[2]}")
    claims = encoded(json.dumps(server.claims()).encode()[:-1] + b',"aud":"x"}')
    assert "malformed" in refused(verifier, f"{signed[0]}.{claims}.{signed[2]}")


@pytest.mark.parametrize("spoil", [lambda t: t + "=", lambda t: t + "\n", lambda t: t[:-2], lambda t: " " + t, lambda t: t.replace(".", "..", 1), lambda t: t + ".x", lambda t: t.rpartition(".")[0] + ".", lambda t: "é" + t])  # fmt: skip
def test_a_token_that_was_touched_is_refused(server, verifier, spoil) -> None:
    with pytest.raises(TokenRefused):
        verifier.find(spoil(server.token()).encode(), time.time())


def test_a_signature_of_other_claims_is_refused(server, verifier) -> None:
    mine, other = server.token().split("."), server.token(client_id="root").split(".")
    assert "signature" in refused(verifier, f"{mine[0]}.{other[1]}.{mine[2]}")


def test_a_huge_token_costs_nothing(server, verifier) -> None:
    assert "long" in refused(verifier, server.token(padding="x" * 20_000))
    assert "long" in refused(verifier, server.token(header={"padding": "x" * 4000}))


def test_a_verified_token_is_not_verified_again_and_the_memory_is_bounded(server, verifier) -> None:
    token, now = server.token().encode(), time.time()
    first = verifier.find(token, now)
    assert verifier.find(token, now + 1) is first
    known = verifier._known
    for number in range(MOST_TOKENS):
        known[b"%d" % number] = first
    verifier.find(server.token(jti="new").encode(), now)
    assert len(known) == MOST_TOKENS
    assert hashlib.sha256(token).digest() not in known


def test_keys_that_are_not_for_signatures_never_verify(server) -> None:
    """Symmetric, for encryption, too short, of the wrong curve: each is left out of the set."""
    from runtime_proxy.jwks import JwksRefused, key_set_of

    rsa = server.jwks()["keys"][0]
    weak = [
        OctKey.generate_key(256).as_dict(private=True),
        {**rsa, "use": "enc"},
        {**rsa, "key_ops": ["encrypt"]},
        {**rsa, "alg": "RSA-OAEP"},
        {**rsa, "kid": 7},
        {**rsa, "n": rsa["n"][:170]},
        ECKey.generate_key("P-384").as_dict(private=False),
        {"kty": "RSA", "n": "AQAB"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"},
        {"kty": "weird"},
        "text",
    ]
    with pytest.raises(JwksRefused):
        key_set_of({"keys": weak}, ("RS256", "ES256"))
    assert [key.id for key in key_set_of({"keys": [*weak, rsa]}, ("RS256", "ES256")).keys] == ["a"]


def test_two_keys_of_one_id_are_both_tried_and_a_copy_is_one(server) -> None:
    from runtime_proxy.jwks import key_set_of

    other = RSAKey.generate_key(2048)
    mine = server.jwks()["keys"][0]
    twin = {**other.as_dict(private=False), "kid": "a"}
    keys = key_set_of({"keys": [twin, mine, mine]}, ("RS256",))
    assert len(keys.candidates("a", "RS256")) == 2
    assert keys.candidates(None, "RS256") == ()
    trust = TokenTrust((server.issuer(jwks_uri="", jwks={"keys": [twin, mine]}),))
    assert TrustStore().verifier(trust).find(server.token().encode(), time.time())
