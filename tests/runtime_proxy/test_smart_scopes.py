"""SMART scopes: v1 and v2 mean the same bits, wildcards widen, a query narrows, contexts stay apart."""

import itertools

import pytest

from runtime_proxy.smart_scopes import covers, read_scope


def held(scopes: str, needed: str) -> bool:
    return covers(frozenset(scopes.split()), frozenset(needed.split()))


@pytest.mark.parametrize(
    ("text", "bits"),
    [
        ("patient/Observation.rs", 2 | 16),
        ("patient/Observation.read", 2 | 16),
        ("user/Observation.write", 1 | 4 | 8),
        ("user/Observation.cud", 1 | 4 | 8),
        ("system/*.*", 31),
        ("system/*.cruds", 31),
        ("system/Patient.c", 1),
    ],
)
def test_a_scope_is_a_set_of_bits(text, bits) -> None:
    scope = read_scope(text)
    assert scope is not None
    assert scope.bits == bits


def test_every_subset_of_cruds_in_order_is_a_scope_and_nothing_else() -> None:
    for length in range(1, 4):
        for letters in itertools.product("cruds", repeat=length):
            actions = "".join(letters)
            in_order = len(set(actions)) == length and list(actions) == sorted(actions, key="cruds".index)
            assert (read_scope(f"user/Patient.{actions}") is not None) is in_order, actions


@pytest.mark.parametrize("text", ["patient/Observation.", "patient/observation.r", "launch/patient", "openid", "patient/Observation.rs?", "patient/Obs*.r", "practitioner/Patient.r", "patient/Observation.readwrite", " patient/Observation.r", "patient/Observation.r\n"])  # fmt: skip
def test_what_is_no_smart_scope_is_none(text) -> None:
    assert read_scope(text) is None


@pytest.mark.parametrize(
    ("have", "needed", "enough"),
    [
        ("patient/Observation.rs", "patient/Observation.rs", True),
        ("patient/Observation.rs", "patient/Observation.r", True),
        ("patient/Observation.r", "patient/Observation.rs", False),
        ("patient/Observation.r patient/Observation.s", "patient/Observation.rs", True),
        ("patient/Observation.read", "patient/Observation.rs", True),
        ("patient/Observation.rs", "patient/Observation.read", True),
        ("patient/Observation.write", "patient/Observation.u", True),
        ("patient/Observation.write", "patient/Observation.r", False),
        ("patient/*.rs", "patient/Observation.rs", True),
        ("patient/Observation.cruds", "patient/*.r", False),
        ("user/*.cruds", "patient/Observation.r", False),
        ("patient/*.cruds", "user/Observation.r", False),
        ("system/*.*", "system/Patient.d", True),
        ("patient/Patient.cruds", "patient/Observation.r", False),
        ("patient/Observation.rs?category=laboratory", "patient/Observation.rs", False),
        ("patient/Observation.rs", "patient/Observation.rs?category=laboratory", True),
        ("patient/Observation.rs?category=laboratory", "patient/Observation.rs?category=laboratory", True),
        ("patient/Observation.rs?category=vital-signs", "patient/Observation.rs?category=laboratory", False),
        ("patient/Observation.rs?a=1&b=2", "patient/Observation.r?b=2&a=1", True),
        ("patient/Observation.rs?a=1&b=2", "patient/Observation.r?a=1", False),
        ("patient/*.rs?category=laboratory", "patient/Observation.r?category=laboratory", True),
        ("orders.read", "orders.read", True),
        ("orders.*", "orders.read", False),
        ("patient/Observation.rs", "orders.read", False),
        ("patient/Observation.rs orders.read", "orders.read patient/Observation.r", True),
        ("", "patient/Observation.r", False),
        ("", "", True),
    ],
)
def test_what_is_held_covers_what_is_needed_or_not(have, needed, enough) -> None:
    assert held(have, needed) is enough
