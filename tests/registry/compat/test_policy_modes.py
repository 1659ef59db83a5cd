"""Modes of canonical schemas, on chains of versions whose sets of values are known."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kernel.contract.metadata import COMPATIBILITIES
from registry.compat.policy_judge import Policy, judge
from registry.compat.policy_modes import DEFAULT_MODE, Mode, held_to, mode_named, role_of, weakened
from registry.compat.policy_profiles import PROFILE

POLICY = Policy(date(2026, 11, 26))
M = Mode
RANGE = st.tuples(st.integers(-3, 3), st.integers(0, 4)).map(lambda pair: (pair[0], pair[0] + pair[1]))


def between(bounds):
    low, high = bounds
    return {"type": "integer", "minimum": low, "maximum": high}


def widens(old, new):
    return new[0] <= old[0] and old[1] <= new[1]


def promised(mode, old, new):
    """What Confluent's words ask for, said of intervals."""
    return {
        "BACKWARD": widens(old, new),
        "FORWARD": widens(new, old),
        "FULL": old == new,
        "NONE": True,
    }[mode.removesuffix("_TRANSITIVE")]


def broken(mode, chain):
    """The versions before the last that the last breaks, as the policy has it."""
    *earlier, new = chain
    return [
        old
        for old in held_to(mode, earlier)
        if judge(between(old), between(new), "schema", POLICY, mode=mode).outcome != "compatible"
    ]


@settings(max_examples=60, deadline=None)
@given(
    chain=st.lists(RANGE, min_size=2, max_size=5),
    mode=st.sampled_from([m for m in Mode if m is not M.CONTRACT]),
)
def test_a_mode_breaks_exactly_whom_it_promised_something(chain, mode):
    *earlier, new = chain
    held = earlier if mode.endswith("_TRANSITIVE") else earlier[-1:]
    assert broken(mode, chain) == [old for old in held if not promised(mode, old, new)]


@settings(max_examples=40, deadline=None)
@given(chain=st.lists(RANGE, min_size=2, max_size=5), word=st.sampled_from(["BACKWARD", "FORWARD", "FULL"]))
def test_transitive_is_never_weaker_than_the_same_without(chain, word):
    assert set(broken(M(word), chain)) <= set(broken(M(f"{word}_TRANSITIVE"), chain))


@settings(max_examples=40, deadline=None)
@given(old=RANGE, new=RANGE)
def test_forward_is_backward_the_other_way_round(old, new):
    backward = judge(between(old), between(new), "schema", POLICY, mode=M.BACKWARD).outcome
    assert backward == judge(between(new), between(old), "schema", POLICY, mode=M.FORWARD).outcome


def test_only_transitive_modes_look_past_the_version_before():
    chain = [(0, 10), (0, 2), (0, 5)]  # wider, narrower, in between
    assert broken(M.BACKWARD, chain) == []
    assert broken(M.BACKWARD_TRANSITIVE, chain) == [(0, 10)]
    assert broken(M.FORWARD, chain[::-1]) == [(0, 2)]
    assert broken(M.FORWARD_TRANSITIVE, [(0, 2), (0, 10), (0, 5)]) == [(0, 2)]
    assert broken(M.FORWARD, [(0, 2), (0, 10), (0, 5)]) == []


@pytest.mark.parametrize(
    ("used", "widening", "narrowing"),
    [
        (frozenset({"accepts"}), "compatible", "breaking"),
        (frozenset({"emits"}), "breaking", "compatible"),
        (frozenset({"accepts", "emits"}), "breaking", "breaking"),
        (frozenset(), "breaking", "breaking"),
    ],
)
def test_the_contract_profile_protects_the_direction_in_which_contracts_use_the_schema(
    used, widening, narrowing
):
    small, large = between((0, 5)), between((0, 9))
    assert judge(small, large, "schema", POLICY, mode=M.CONTRACT, used=used).outcome == widening
    assert judge(large, small, "schema", POLICY, mode=M.CONTRACT, used=used).outcome == narrowing


def test_none_tells_everything_and_blocks_nothing_unless_the_profile_is_strict():
    verdict = judge(between((0, 9)), between((5, 12)), "schema", POLICY, mode=M.NONE)
    assert (verdict.outcome, verdict.required_bump) == ("compatible", "minor")
    told = {(one.rule, one.severity, one.ruling["by"], one.ruling["severity"]) for one in verdict.findings}
    assert told == {
        ("value-no-longer-accepted", "safe", "mode", "breaking"),
        ("value-newly-emitted", "safe", "mode", "breaking"),
    }
    strict = Policy(POLICY.as_of, PROFILE["strict"])
    assert judge(between((0, 9)), between((5, 12)), "schema", strict, mode=M.NONE).outcome == "breaking"
    assert judge({"$schema": "urn:x"}, between((0, 1)), "schema", POLICY, mode=M.NONE).outcome == "undecided"


def test_the_default_protects_both_directions_and_every_version():
    assert DEFAULT_MODE is M.FULL_TRANSITIVE
    assert judge(between((0, 5)), between((0, 6)), "schema", POLICY).outcome == "breaking"
    assert judge(between((0, 6)), between((0, 5)), "schema", POLICY).outcome == "breaking"
    assert judge(between((0, 6)), between((0, 5)), "schema", POLICY).policy["mode"] == "FULL_TRANSITIVE"


@pytest.mark.parametrize(
    ("old", "new", "weaker"),
    [
        (M.FULL_TRANSITIVE, M.FULL, True),
        (M.FULL_TRANSITIVE, M.BACKWARD_TRANSITIVE, True),
        (M.BACKWARD, M.BACKWARD_TRANSITIVE, False),
        (M.BACKWARD, M.FORWARD, True),
        (M.BACKWARD_TRANSITIVE, M.FULL, True),
        (M.BACKWARD, M.FULL, False),
        (M.NONE, M.FORWARD, False),
        (M.FORWARD, M.NONE, True),
        (M.NONE, M.CONTRACT, False),
        (M.CONTRACT, M.FULL, True),
        (M.FULL_TRANSITIVE, M.CONTRACT, True),
        (M.CONTRACT, M.FULL_TRANSITIVE, False),
        (M.FULL, M.FULL, False),
    ],
)
def test_a_mode_that_promises_less_is_known(old, new, weaker):
    assert weakened(old, new) is weaker


def test_roles_of_modes():
    assert [role_of(m) for m in (M.BACKWARD, M.FORWARD_TRANSITIVE, M.FULL, M.NONE)] == [
        "accepts", "emits", "both", "both",
    ]  # fmt: skip


def test_meta_yaml_takes_exactly_the_modes_there_are():
    assert set(COMPATIBILITIES) == set(Mode.__members__) == {str(mode) for mode in Mode}
    assert [mode_named(word) for word in (None, "BACKWARD", "SIDEWAYS")] == [
        DEFAULT_MODE,
        M.BACKWARD,
        DEFAULT_MODE,
    ]
