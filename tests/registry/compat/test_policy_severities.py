"""Profiles and severities: tables of what each makes of a finding; undecided is never milder without a name."""

from datetime import date
from pathlib import Path

import pytest

from kernel.contract.finding import Finding, Severity
from registry.compat.policy_judge import Policy, bump_under, outcome_under, policy_of, ruling
from registry.compat.policy_profiles import LEVELS, PROFILE, PROFILES
from registry.compat.policy_severities import UNBENDING, fault_of
from registry.compat.policy_tables import CompatTable, Override
from registry.compat.rules import BY_ID

ROOT = Path(__file__).resolve().parents[3]
DAY = date(2026, 11, 26)
ANSWERED = Override("safe", "platform", "addresses come from the bundle")


def found(rule, severity=None):
    return Finding(rule, severity or BY_ID[rule].severity, "/x", "It changed", base_pointer="/x")


def judged(profile, *findings, fail_on=None):
    policy = Policy(DAY, PROFILE[profile], fail_on)
    ruled = [ruling(one, policy) for one in findings]
    return outcome_under(ruled, policy.fail_on), bump_under(ruled, policy.fail_on)


@pytest.mark.parametrize(
    ("rule", "strict", "standard", "lenient"),
    [
        ("operation-removed", ("breaking", "major"), ("breaking", "major"), ("breaking", "major")),
        ("parameter-removed", ("breaking", "major"), ("breaking", "major"), ("compatible", "minor")),
        ("inclusion-undecided", ("undecided", "major"), ("undecided", "major"), ("undecided", "major")),
        ("operation-added", ("compatible", "minor"), ("compatible", "minor"), ("compatible", "minor")),
        ("notes-changed", ("compatible", "patch"), ("compatible", "patch"), ("compatible", "patch")),
        ("sunset-missing", ("breaking", "major"), ("compatible", "minor"), ("compatible", "minor")),
    ],
)
def test_what_each_profile_makes_of_a_finding(rule, strict, standard, lenient):
    assert judged("strict", found(rule)) == strict
    assert judged("standard", found(rule)) == standard
    assert judged("lenient", found(rule)) == lenient


def test_fail_on_wins_over_the_profile():
    risky = found("parameter-removed")
    assert judged("standard", risky, fail_on="breaking") == ("compatible", "minor")
    assert judged("lenient", risky, fail_on="risky") == ("breaking", "major")
    assert judged("lenient", found("inclusion-undecided"), fail_on="breaking") == ("undecided", "major")


def test_a_profile_only_speaks_of_rules_that_exist_and_never_of_undecided_ones():
    for profile in PROFILES:
        for rule in profile.severities:
            assert BY_ID[rule].severity is not Severity.UNDECIDED


@pytest.mark.parametrize(
    ("rule", "actual", "asked", "counts", "by"),
    [
        ("parameter-removed", None, "breaking", "breaking", "settings"),
        ("parameter-removed", None, "risky", "risky", None),
        ("operation-removed", None, "safe", "breaking", None),
        ("operation-removed", None, "risky", "breaking", None),
        ("operation-removed", None, ANSWERED, "safe", "settings"),
        ("parameter-removed", None, "safe", "safe", "settings"),
        ("oasdiff/request-property-removed", Severity.BREAKING, "safe", "breaking", None),
        ("server-changed", None, "breaking", "breaking", "settings"),
        ("server-changed", None, "safe", "undecided", None),
        ("server-changed", None, "risky", "undecided", None),
        ("server-changed", None, ANSWERED, "safe", "settings"),
        ("oasdiff/request-property-removed", Severity.UNDECIDED, "safe", "undecided", None),
        ("oasdiff/request-property-removed", Severity.RISKY, "safe", "safe", "settings"),
        ("oasdiff/request-property-removed", Severity.UNDECIDED, ANSWERED, "safe", "settings"),
        ("engine-missing", None, ANSWERED, "undecided", None),
        ("inclusion-undecided", None, "safe", "undecided", None),
    ],
)
def test_a_severity_of_the_file(rule, actual, asked, counts, by):
    ruled = ruling(found(rule, actual), Policy(DAY, severities={rule: asked}))
    assert ruled.severity == counts
    assert (ruled.ruling or {}).get("by") == by
    if isinstance(asked, Override) and by:
        assert ruled.ruling["owner"] == "platform"
        assert ruled.ruling["reason"] == "addresses come from the bundle"
        assert ruled.ruling["severity"] in {"undecided", "breaking"}
        assert ruled.excused


def test_severities_go_only_to_rules_that_exist():
    assert "say who answers" in fault_of("operation-removed", "risky")
    assert fault_of("operation-removed", "breaking") is None
    assert "say who answers" in fault_of("oasdiff/api-path-removed-without-deprecation", "safe")
    assert fault_of("oasdiff/request-property-removed", "risky") is None
    assert "no such rule" in fault_of("operation-gone", "risky")
    assert "no such rule" in fault_of("oasdiff/gone", "risky")
    assert "say who answers" in fault_of("server-changed", "safe")
    assert fault_of("server-changed", ANSWERED) is None
    for rule in UNBENDING:
        assert rule in BY_ID
        assert "fixed" in fault_of(rule, ANSWERED)


def test_what_is_given_beside_the_file_wins_over_it():
    table = CompatTable(profile="strict", fail_on="breaking", notice_days=10)
    made = policy_of(table, DAY)
    assert (made.profile.name, made.fail_on) == ("strict", "breaking")
    assert (made.profile.notice_days, made.profile.beta_notice_days) == (10, 10)
    made = policy_of(table, DAY, profile="lenient", fail_on="risky")
    assert (made.profile.name, made.fail_on, made.profile.notice_days) == ("lenient", "risky", 10)
    assert made.described() == {"profile": "lenient", "fail_on": "risky", "as_of": "2026-11-26"}


def test_the_guide_shows_the_table_of_profiles_as_it_is():
    rows = {
        cells[0].strip().strip("`"): [cell.strip() for cell in cells[1:]]
        for line in (ROOT / "docs/guide/policy.md").read_text().splitlines()
        if line.startswith("|") and len(cells := line.strip("|").split("|")) == 4
    }
    assert [profile.name for profile in PROFILES] == ["strict", "standard", "lenient"]
    days = rows["days from announcement to sunset, at least"]
    assert days == [f"{one.notice_days} (beta: {one.beta_notice_days})" for one in PROFILES]
    assert rows["levels that promise nothing"] == [
        ", ".join(f"`{level}`" for level in LEVELS if level in one.may_break) for one in PROFILES
    ]
    assert rows["canonical schemas may declare `NONE"] == [
        "yes" if one.takes_none else "no" for one in PROFILES
    ]
    for rule in {name for one in PROFILES for name in one.severities}:
        assert rows[rule] == [str(one.severities.get(rule, BY_ID[rule].severity)) for one in PROFILES]
    for rule in UNBENDING:
        assert f"`{rule}`" in (ROOT / "docs/guide/policy.md").read_text()


def test_what_follows_from_others_is_not_said_to_be_waived_alone():
    assert fault_of("version-too-low", "safe") == (
        "the severity of this rule is fixed: mend or waive what it follows from"
    )
    assert "waive single findings" in str(fault_of("engine-missing", "safe"))
