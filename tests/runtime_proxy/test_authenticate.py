"""Authentication: keys only where the contract declares them, constant-time, nothing undeclared opens a door."""

import base64
import hashlib

import pytest

from adapters.wire.known_fields import KnownFields
from kernel.operation.security_schemes import SecurityScheme
from runtime_proxy.authenticate import Identity, authenticate, compile_security
from runtime_proxy.credentials import MANY, CookieReader, QueryReader
from runtime_proxy.plan import KeyRow, LimitSet, ServedConsumer
from runtime_proxy.refusal import Refusal

WARD, CLINIC = (
    ServedConsumer(name, "internal", LimitSet((), (b"ratelimit-policy", b""))) for name in ("ward", "clinic")
)
KEY, OTHER, OLD = b"ilk_k1_wardsecret", b"ilk_k2_clinic_secret", b"ilk_k3_old"
NOW = 1_000.0
KEYS = {
    b"k1": KeyRow("k1", hashlib.sha256(KEY).digest(), WARD, None),
    b"k2": KeyRow("k2", hashlib.sha256(OTHER).digest(), CLINIC, NOW + 1),
    b"k3": KeyRow("k3", hashlib.sha256(OLD).digest(), WARD, NOW),
}
SCHEMES = {
    "header": SecurityScheme("header", "apiKey", "header", "X-API-Key"),
    "query": SecurityScheme("query", "apiKey", "query", "api key"),
    "cookie": SecurityScheme("cookie", "apiKey", "cookie", "session"),
    "bearer": SecurityScheme("bearer", "http", scheme="bearer"),
    "basic": SecurityScheme("basic", "http", scheme="basic"),
    "oauth": SecurityScheme("oauth", "oauth2"),
    "oidc": SecurityScheme("oidc", "openIdConnect"),
    "digest": SecurityScheme("digest", "http", scheme="digest"),
    "mtls": SecurityScheme("mtls", "mutualTLS"),
}


def ask(alternatives, headers=(), query=b""):
    security = compile_security(alternatives, SCHEMES, "lab-orders")
    return authenticate(security, list(headers), query, KEYS, NOW)


def test_the_same_headers_prove_the_same_until_the_key_is_another_or_ends() -> None:
    security = compile_security(({"header": ()},), SCHEMES, "lab-orders")
    headers = [(b"x-api-key", OTHER)]
    known = KnownFields(headers, -1)
    keys = dict(KEYS)
    first = authenticate(security, headers, b"", keys, NOW, None, known)
    assert who(first) == "clinic"
    # Not even looked at: what the headers have proven is remembered with them.
    assert authenticate(security, [], b"", keys, NOW, None, known) is first
    assert slug(authenticate(security, headers, b"", keys, NOW + 1, None, known)) == "credentials-expired"
    renewed = KeyRow("k2", hashlib.sha256(b"another secret").digest(), CLINIC, None)
    assert (
        slug(authenticate(security, headers, b"", {b"k2": renewed}, NOW, None, known))
        == "credentials-refused"
    )
    keys.clear()  # as a deny list does
    assert slug(authenticate(security, headers, b"", keys, NOW, None, known)) == "credentials-refused"


def test_what_does_not_stand_in_headers_alone_is_proven_each_time() -> None:
    known = KnownFields([(b"x-api-key", KEY)], -1)
    for alternative in ({"query": ()}, {"header": (), "query": ()}):
        security = compile_security((alternative,), SCHEMES, "lab-orders")
        right = authenticate(security, known.fields, b"api+key=" + KEY, KEYS, NOW, None, known)
        assert who(right) == "ward"
        wrong = authenticate(security, known.fields, b"api+key=x", KEYS, NOW, None, known)
        assert slug(wrong) == "credentials-refused"
    assert known.made == {}


def test_a_wrong_key_is_not_remembered() -> None:
    security = compile_security(({"header": ()},), SCHEMES, "lab-orders")
    known = KnownFields([(b"x-api-key", KEY[:-1])], -1)
    for _ in range(2):
        assert (
            slug(authenticate(security, known.fields, b"", KEYS, NOW, None, known)) == "credentials-refused"
        )
    assert known.made == {}


def who(outcome) -> str | None:
    assert isinstance(outcome, Identity), outcome
    return outcome.key.consumer.id if outcome.key else None


def slug(outcome) -> str:
    assert isinstance(outcome, Refusal), outcome
    assert outcome.status == 401
    assert any(name == b"www-authenticate" for name, _ in outcome.headers)
    return outcome.slug


def basic(user: bytes, password: bytes) -> bytes:
    return b"Basic " + base64.b64encode(user + b":" + password)


@pytest.mark.parametrize(
    ("scheme", "headers", "query"),
    [
        ("header", [(b"x-api-key", KEY)], b""),
        ("query", [], b"a=1&api+key=" + KEY),
        ("query", [], b"api%20key=ilk%5Fk1_wardsecret&b"),
        ("cookie", [(b"cookie", b"a=b; session=" + KEY)], b""),
        ("cookie", [(b"cookie", b"a=b"), (b"cookie", b'session="' + KEY + b'"')], b""),
        ("bearer", [(b"authorization", b"Bearer " + KEY)], b""),
        ("bearer", [(b"authorization", b"bEARER  " + KEY)], b""),
        ("oauth", [(b"authorization", b"Bearer " + KEY)], b""),
        ("oidc", [(b"authorization", b"Bearer " + KEY)], b""),
        ("basic", [(b"authorization", basic(b"analyzer-7", KEY))], b""),
    ],
)
def test_a_good_key_is_known_where_the_scheme_declares_it(scheme, headers, query) -> None:
    assert who(ask(({scheme: ()},), headers, query)) == "ward"


@pytest.mark.parametrize(
    ("scheme", "headers", "query"),
    [
        ("header", [(b"x-api-key", KEY[:-1])], b""),
        ("header", [(b"x-api-key", KEY + b"x")], b""),
        ("header", [(b"x-api-key", b"")], b""),
        ("header", [(b"x-api-key", b"k1")], b""),
        ("header", [(b"x-api-key", b"ilk_k9_wardsecret")], b""),
        ("header", [(b"x-api-key", b"ilk_k1_" + b"x" * 600)], b""),
        ("header", [(b"x-api-key", KEY), (b"x-api-key", KEY)], b""),
        ("query", [], b"api+key=" + KEY + b"&api%20key=" + KEY),
        ("bearer", [(b"authorization", b"Bearer nonsense")], b""),
        ("bearer", [(b"authorization", b"Bearer " + KEY), (b"authorization", b"Bearer " + KEY)], b""),
        ("basic", [(b"authorization", b"Basic ***")], b""),
        ("basic", [(b"authorization", b"Basic " + base64.b64encode(KEY))], b""),
        ("cookie", [(b"cookie", b"session=a; session=" + KEY)], b""),
    ],
)
def test_what_is_presented_and_not_good_is_refused(scheme, headers, query) -> None:
    assert slug(ask(({scheme: ()},), headers, query)) == "credentials-refused"


@pytest.mark.parametrize(
    ("scheme", "headers", "query"),
    [
        ("header", [], b"X-API-Key=" + KEY),
        ("header", [(b"x_api_key", KEY)], b""),
        ("header", [(b"authorization", b"Bearer " + KEY)], b""),
        ("query", [(b"api key", KEY)], b""),
        ("bearer", [(b"authorization", basic(b"", KEY))], b""),
        ("basic", [(b"authorization", b"Bearer " + KEY)], b""),
        ("cookie", [(b"cookie", b"sessions=" + KEY)], b""),
    ],
)
def test_a_key_at_an_undeclared_place_is_none(scheme, headers, query) -> None:
    assert slug(ask(({scheme: ()},), headers, query)) == "credentials-missing"


def test_an_expired_key_is_told_so_only_to_whoever_holds_it() -> None:
    assert slug(ask(({"header": ()},), [(b"x-api-key", OLD)])) == "credentials-expired"
    assert slug(ask(({"header": ()},), [(b"x-api-key", OLD + b"x")])) == "credentials-refused"


def test_without_security_nobody_needs_a_key() -> None:
    assert who(ask(())) is None
    assert who(ask((), [(b"x-api-key", b"nonsense")])) is None


def test_optional_security_knows_who_shows_a_key_and_lets_others_in() -> None:
    optional = ({"header": ()}, {})
    assert who(ask(optional, [(b"x-api-key", KEY)])) == "ward"
    assert who(ask(({}, {"header": ()}), [(b"x-api-key", KEY)])) == "ward"
    assert who(ask(optional)) is None
    assert who(ask(optional, [(b"x-api-key", b"bad")])) is None


def test_all_schemes_of_one_alternative_must_be_met_by_one_consumer() -> None:
    both = ({"header": ("a",), "bearer": ("b",)},)
    mine = [(b"x-api-key", KEY), (b"authorization", b"Bearer " + KEY)]
    mixed = [(b"x-api-key", KEY), (b"authorization", b"Bearer " + OTHER)]
    outcome = ask(both, mine)
    assert who(outcome) == "ward"
    assert outcome.scopes == {"a", "b"}
    assert slug(ask(both, mixed)) == "credentials-refused"
    assert slug(ask(both, mine[:1])) == "credentials-missing"


def test_one_of_several_alternatives_is_enough() -> None:
    either = ({"header": ("read",)}, {"bearer": ("write",)})
    outcome = ask(either, [(b"authorization", b"Bearer " + OTHER)])
    assert (who(outcome), outcome.scopes) == ("clinic", {"write"})
    assert slug(ask(either, [(b"authorization", b"Bearer bad")])) == "credentials-refused"


@pytest.mark.parametrize("scheme", ["digest", "mtls", "undeclared"])
def test_what_cannot_be_verified_is_denied(scheme) -> None:
    headers = [(b"x-api-key", KEY), (b"authorization", b"Digest " + KEY)]
    assert slug(ask(({scheme: ()},), headers)) == "security-unverifiable"
    assert slug(ask(({scheme: (), "header": ()},), headers)) == "security-unverifiable"
    assert who(ask(({scheme: ()}, {"header": ()}), headers)) == "ward"


def test_challenges_name_every_way_in() -> None:
    refusal = ask(({"header": ()}, {"basic": ()}, {"oauth": ()}))
    assert [line for _, line in refusal.headers] == [
        b'ApiKey realm="lab-orders", in="header", name="X-API-Key"',
        b'Basic realm="lab-orders", charset="UTF-8"',
        b'Bearer realm="lab-orders"',
    ]


def test_credentials_are_taken_out_and_the_rest_stays_as_it_came() -> None:
    query = QueryReader(b"api key")
    assert query.without(b"b=%zz&api+key=1&&c=%2F") == b"b=%zz&&c=%2F"
    assert query.without(b"b=%zz&&c") == b"b=%zz&&c"
    cookie = CookieReader(b"session")
    assert cookie.without(b"a=1; session=x;b=2") == b"a=1; b=2"
    assert cookie.without(b"session=x") == b""
    assert cookie.without(b"a=1; session =x; \xa0session=y; sessions=z") == b"a=1; sessions=z"


def test_a_key_in_a_cookie_with_blanks_around_its_name_is_one_of_two() -> None:
    cookie = CookieReader(b"session")
    assert cookie.read([(b"cookie", b"session=x; session =y")], b"") is MANY
    assert cookie.read([(b"cookie", b"sessions=x")], b"") is None
