"""Authorisation: grant, audience, pin, scopes, in this order, and closed without them."""

from dataclasses import replace
from typing import Any

import pytest

from runtime_proxy.authenticate import NOBODY, Identity
from runtime_proxy.authorize import authorize
from runtime_proxy.match import PathTrie
from runtime_proxy.plan import Access, KeyRow, LimitSet, ServedConsumer, ServedVersion

NONE = LimitSet((), (b"ratelimit-policy", b""))
VERSION = ServedVersion("lab", "1.0.0", "", "internal", PathTrie(()), {}, (), (), ())
ACCESS = Access(VERSION, "1.0.0", frozenset({"orders.read"}), NONE)


def caller(audience: Any = "internal", *scopes: str) -> Identity:
    return Identity(KeyRow("k1", b"", ServedConsumer("ward", audience, NONE), None), frozenset(scopes))


def test_a_granted_call_passes() -> None:
    assert authorize(caller(), ACCESS, "internal") is None


def test_nobody_in_particular_needs_no_grant() -> None:
    assert authorize(NOBODY, None, "internal") is None


def test_without_grant_nothing_is_allowed() -> None:
    refusal = authorize(caller(), None, "public")
    assert refusal is not None
    assert (refusal.slug, refusal.status) == ("not-granted", 403)


@pytest.mark.parametrize(
    ("consumer", "contract", "allowed"),
    [
        ("internal", "internal", True),
        ("internal", "partner", True),
        ("internal", "public", True),
        ("partner", "internal", False),
        ("partner", "partner", True),
        ("partner", "public", True),
        ("public", "internal", False),
        ("public", "partner", False),
        ("public", "public", True),
    ],
)
def test_a_contract_is_seen_by_its_audience_and_closer_ones(consumer, contract, allowed) -> None:
    refusal = authorize(caller(consumer), ACCESS, contract)
    assert (refusal is None) is allowed
    if refusal is not None:
        assert refusal.slug == "audience-refused"


def test_a_pin_that_is_not_served_is_gone() -> None:
    refusal = authorize(caller(), replace(ACCESS, version=None, pin="1.0.0"), "internal")
    assert refusal is not None
    assert (refusal.status, refusal.detail) == (
        410,
        "The consumer is pinned to 1.0.0, which is not served any more.",
    )


def test_every_scope_that_the_operation_asks_for_must_be_granted() -> None:
    assert authorize(caller("internal", "orders.read"), ACCESS, "internal") is None
    refusal = authorize(caller("internal", "orders.read", "orders.write"), ACCESS, "internal")
    assert refusal is not None
    assert refusal.slug == "scope-missing"
