"""Waivers: fresh, expired, stale, for another finding; they hold by identity and not by words."""

from dataclasses import replace
from datetime import date

import pytest

from kernel.contract.finding import Finding, Severity
from kernel.errors import Place
from registry.compat.policy_judge import Policy, bump_under, judge, outcome_under, ruling
from registry.compat.policy_tables import Waiver
from registry.compat.policy_waivers import waiver_faults

DAY = date(2026, 11, 26)
FINDING = Finding(
    "operation-removed",
    Severity.BREAKING,
    "/paths/~1a/get",
    "GET /a was removed",
    base_pointer="/paths/~1a/get",
)


def waiver(finding=FINDING, expires=date(2026, 12, 31), contract=None):
    return Waiver(finding.fingerprint, "Ada Berg", "nobody calls it", expires, contract=contract)


def ruled(*waivers, finding=FINDING, contract="lab-orders", day=DAY):
    return ruling(finding, Policy(day, waivers=waivers), contract=contract)


def test_a_waived_finding_is_told_with_owner_and_reason_and_blocks_nothing():
    found = ruled(waiver())
    assert found.waived
    assert found.severity is Severity.BREAKING
    assert found.ruling == {
        "by": "waiver", "severity": "breaking", "reason": "nobody calls it", "owner": "Ada Berg",
        "expires": "2026-12-31", "waiver": FINDING.fingerprint,
    }  # fmt: skip
    assert found.as_json()["ruling"]["owner"] == "Ada Berg"
    assert Finding.from_stored(found.stored()) == found
    assert (outcome_under([found], "risky"), bump_under([found], "risky")) == ("compatible", "minor")
    assert (outcome_under([found, FINDING], "risky"), bump_under([found, FINDING], "risky")) == (
        "breaking",
        "major",
    )


def test_it_holds_to_the_end_of_its_last_day():
    assert ruled(waiver(expires=DAY)).waived
    assert not ruled(waiver(expires=DAY), day=date(2026, 11, 27)).waived


def test_it_holds_whatever_the_words_of_the_finding_are():
    reworded = replace(
        FINDING, what="Operation a is gone", why="because", remedy="none", engine="other 2", line=7
    )
    assert ruled(waiver(), finding=reworded).waived


@pytest.mark.parametrize(
    "other",
    [
        {"rule": "operation-added"},
        {"pointer": "/paths/~1b/get"},
        {"base_pointer": None},
        {"before": 1},
        {"after": 1},
        {"direction": "emits"},
    ],
)
def test_another_finding_is_not_waived(other):
    assert not ruled(waiver(), finding=replace(FINDING, **other)).waived


def test_a_waiver_of_one_contract_is_none_of_another():
    assert ruled(waiver(contract="lab-orders")).waived
    assert not ruled(waiver(contract="vitals")).waived


def test_what_is_undecided_can_be_waived_and_what_follows_from_others_cannot():
    undecided = replace(FINDING, severity=Severity.UNDECIDED, rule="inclusion-undecided")
    assert ruled(waiver(undecided), finding=undecided).waived
    low = replace(FINDING, rule="version-too-low")
    assert not ruled(waiver(low), finding=low).waived


def faults(*waivers, judged=None, day=DAY):
    found = waiver_faults(waivers, {"lab-orders": [FINDING]} if judged is None else judged, day)
    return [(one.rule, one.severity) for one in found]


def test_a_waiver_that_is_needed_is_no_fault():
    assert faults(waiver(), waiver(contract="lab-orders")) == []


def test_an_expired_waiver_fails_whether_it_matches_or_not():
    late = date(2026, 11, 25)
    assert faults(waiver(expires=late)) == [("waiver-expired", "error")]
    assert faults(waiver(expires=late), judged={"lab-orders": []}) == [("waiver-expired", "error")]


def test_a_waiver_that_nothing_needs_is_stale():
    assert faults(waiver(), judged={"lab-orders": [], "vitals": []}) == [("waiver-stale", "error")]
    assert faults(waiver(contract="vitals"), judged={"lab-orders": [FINDING], "vitals": []}) == [
        ("waiver-stale", "error")
    ]
    safe = replace(FINDING, severity=Severity.SAFE)
    assert faults(waiver(), judged={"lab-orders": [safe]}) == [("waiver-stale", "error")]


def test_a_waiver_of_what_cannot_be_waived_says_so():
    low, safe = replace(FINDING, rule="version-too-low"), replace(FINDING, severity=Severity.SAFE)
    for finding, said in (
        (low, "but one of version-too-low, which cannot be waived"),
        (safe, "which needs no waiver"),
    ):
        (found,) = waiver_faults([waiver(finding)], {"lab-orders": [finding]}, DAY)
        assert said in found.what


def test_a_waiver_of_a_contract_that_was_not_looked_at_is_left_alone():
    assert faults(waiver(contract="vitals")) == []


def test_a_fault_stands_where_the_waiver_stands():
    places = [Place("interlock.toml", 23)]
    (found,) = waiver_faults([waiver()], {"lab-orders": []}, DAY, places)
    assert (found.source, found.line) == ("interlock.toml", 23)
    assert "Ada Berg" in found.what
    assert FINDING.fingerprint in found.what
    assert not ruling(found, Policy(DAY, waivers=(waiver(found),))).waived


def test_a_verdict_with_every_break_waived_is_compatible_and_says_so():
    old, new = {"type": "integer", "maximum": 9}, {"type": "integer", "maximum": 5}
    bare = judge(old, new, "schema", Policy(DAY))
    assert bare.outcome == "breaking"
    waivers = tuple(waiver(one) for one in bare.findings if one.severity is Severity.BREAKING)
    verdict = judge(old, new, "schema", Policy(DAY, waivers=waivers))
    assert (verdict.outcome, verdict.required_bump) == ("compatible", "minor")
    assert [one.fingerprint for one in verdict.findings] == [one.fingerprint for one in bare.findings]
