"""Canonical schemas: known, pinned, not retired; a new version is judged by its mode and through who uses it."""

import re
import shutil
from datetime import date

import pytest

from ci.commit_base import commit
from ci.gate import Question, run_gate
from kernel.contract.digest import digest
from kernel.contract.document import parse
from kernel.errors import InterlockError
from kernel.settings import load
from registry.compat.policy_judge import Policy
from tests.ci.scratch_repository import Scratch

SETTINGS = load(environ={})
SCHEMA = "contracts/patient-ref/1.0.0/schema.json"
STRICTER = ('"required": ["mrn"]', '"required": ["mrn", "ward"]')
WIDER = ('"maxLength": 20', '"maxLength": 30')


class Answer(InterlockError):
    """What the registry answers where it does not give what was asked."""

    def __init__(self, status):
        super().__init__(f"answered {status}")
        self.status = status


@pytest.fixture
def repo(tmp_path):
    return Scratch(tmp_path)


def judged(repo, *paths, get=None):
    given = tuple(repo.home / path for path in paths) or (repo.home / "contracts",)
    with commit("main", repo.home) as base:
        report = run_gate(Question(repo.home, given, SETTINGS, Policy(date(2026, 11, 26)), get=get), base)
    return report, {one.label: one for one in report.contracts}


def rules(findings):
    return [finding.rule for finding in findings]


def test_an_edited_schema_takes_the_contracts_that_pin_it_along(repo):
    repo.edit(SCHEMA, WIDER)
    _, found = judged(repo)
    assert rules(found["patient-ref 1.0.0"].frozen) == ["version-edited"]
    assert rules(found["meal-orders 1.0.0"].references) == ["canonical-digest-differs"]
    assert "edited here" in found["meal-orders 1.0.0"].references[0].what
    assert found["meal-orders 1.0.0"].frozen == ()
    assert {label: str(one.status) for label, one in found.items()} == {
        "bed-events 1.0.0": "unchanged", "meal-orders 1.0.0": "failed", "patient-ref 1.0.0": "failed",
    }  # fmt: skip


def test_a_wrong_pin_is_told_with_the_urn_to_write(repo):
    told = repo.home / "contracts/meal-orders/1.0.0/openapi.yaml"
    right = re.search(r"urn:interlock:schema:patient-ref:1\.0\.0:sha256-[0-9a-f]{64}", told.read_text())[0]
    wrong = right[:-9] + "0" * 9
    told.write_text(told.read_text().replace(right, wrong))
    _, found = judged(repo)
    (finding,) = found["meal-orders 1.0.0"].references
    assert finding.rule == "canonical-digest-differs"
    assert right in finding.remedy


def test_a_removed_schema_does_so_too(repo):
    shutil.rmtree(repo.home / "contracts/patient-ref")
    _, found = judged(repo)
    assert rules(found["patient-ref 1.0.0"].frozen) == ["version-removed"]
    assert rules(found["meal-orders 1.0.0"].references) == ["canonical-unresolved"]
    assert "removed here" in found["meal-orders 1.0.0"].references[0].what


def test_a_new_version_is_judged_by_what_users_would_see_of_it(repo):
    repo.next("patient-ref", "1.1.0", STRICTER)
    _, found = judged(repo)
    one = found["patient-ref 1.1.0"]
    assert [(each.label, str(each.verdict.outcome)) for each in one.comparisons] == [
        ("1.0.0", "breaking"), ("1.0.0 (as meal-orders 1.0.0 uses it)", "breaking"),
    ]  # fmt: skip
    through = one.comparisons[1].verdict.findings
    own = next(finding for finding in through if finding.rule == "value-no-longer-accepted")
    assert own.what.startswith("In meal-orders 1.0.0, with patient-ref 1.1.0: POST /orders")
    assert (own.source, own.line) == ("contracts/patient-ref/1.1.0/schema.json", 7)
    assert (one.bump.source, one.bump.line) == ("contracts/patient-ref/1.1.0/meta.yaml", 2)


@pytest.mark.parametrize(("mode", "edit", "outcome"), [
    ("BACKWARD", WIDER, "compatible"),
    ("FULL_TRANSITIVE", WIDER, "breaking"),
    ("CONTRACT", WIDER, "compatible"),  # the one contract that uses it only reads it
    ("CONTRACT", STRICTER, "breaking"),
])  # fmt: skip
def test_the_mode_says_which_direction_counts(repo, mode, edit, outcome):
    meta = "contracts/patient-ref/1.0.0/meta.yaml"
    repo.edit(meta, ("kind: schema\n", f"kind: schema\ncompatibility: {mode}\n"))
    repo.commit("A mode")
    repo.next("patient-ref", "1.1.0", edit)
    _, found = judged(repo)
    assert str(found["patient-ref 1.1.0"].comparisons[0].verdict.outcome) == outcome


def test_a_mode_that_promises_less_is_told(repo):
    repo.next("patient-ref", "1.1.0", WIDER)
    repo.edit(
        "contracts/patient-ref/1.1.0/meta.yaml", ("kind: schema\n", "kind: schema\ncompatibility: BACKWARD\n")
    )
    _, found = judged(repo)
    one = found["patient-ref 1.1.0"]
    assert "compatibility-weakened" in rules(one.findings())
    assert str(one.status) == "failed"


def test_without_a_transitive_mode_only_the_version_before_counts(repo):
    for version in ("1.1.0", "1.2.0"):
        repo.next("patient-ref", version, WIDER)
        repo.edit(
            f"contracts/patient-ref/{version}/meta.yaml",
            ("kind: schema\n", "kind: schema\ncompatibility: BACKWARD\n"),
        )
    repo.commit("Two versions")
    repo.next("patient-ref", "1.3.0", ('"maxLength": 20', '"maxLength": 40'))
    repo.edit(
        "contracts/patient-ref/1.3.0/meta.yaml", ("kind: schema\n", "kind: schema\ncompatibility: BACKWARD\n")
    )
    _, found = judged(repo, "contracts/patient-ref/1.3.0")
    assert [each.label for each in found["patient-ref 1.3.0"].comparisons if not each.through] == ["1.2.0"]


def test_a_pin_that_nobody_knows_is_undecided_alone_and_an_error_beside_a_registry(repo):
    repo.next("meal-orders", "1.0.1", ("patient-ref:1.0.0:sha256-", "patient-ref:1.0.7:sha256-"))
    _, found = judged(repo)
    assert rules(found["meal-orders 1.0.1"].references) == ["canonical-unresolved"]
    assert str(found["meal-orders 1.0.1"].status) == "undecided"

    def get(*path, **query):
        raise Answer(404)

    _, found = judged(repo, get=get)
    assert rules(found["meal-orders 1.0.1"].references) == ["canonical-unknown"]
    assert str(found["meal-orders 1.0.1"].status) == "failed"


@pytest.mark.parametrize(("state", "expected", "status"), [
    ("retired", ["canonical-retired"], "failed"),
    ("deprecated", ["canonical-deprecated"], "passed"),
    ("frozen", [], "passed"),
    ("in-review", [], "passed"),
])  # fmt: skip
def test_the_registry_says_what_became_of_a_schema(repo, state, expected, status):
    repo.next("meal-orders", "1.0.1", ("For the kitchen.", "For the cook."))
    asked = []

    def get(*path, **query):
        asked.append(path)
        if path[-1] == "consumers":
            return {"consumers": []}
        return {"state": state, "digest": "sha256:" + "0" * 64 if state == "in-review" else _digest(repo)}

    _, found = judged(repo, get=get)
    assert rules(found["meal-orders 1.0.1"].references) == expected
    assert str(found["meal-orders 1.0.1"].status) == status
    assert asked.count(("contracts", "patient-ref", "versions", "1.0.0")) == 1


def _digest(repo):
    return digest(parse((repo.home / SCHEMA).read_bytes(), name="schema.json").root)


def test_a_registry_that_does_not_answer_is_noted_and_asked_once(repo):
    repo.next("meal-orders", "1.0.1", ("For the kitchen.", "For the cook."))
    asked = []

    def get(*path, **query):
        asked.append(path)
        raise Answer(503)

    report, found = judged(repo, get=get)
    assert str(found["meal-orders 1.0.1"].status) == "passed"
    assert report.notes == ("canonical schemas were not looked up: answered 503",)
    assert len(asked) == 1


def test_who_is_hit_is_asked_for_what_did_not_pass(repo):
    repo.next("meal-orders", "1.1.0", ("maximum: 4", "maximum: 2"))
    repo.next("bed-events", "1.0.1", ("Its number.", "The number."))

    def get(*path, **query):
        if path == ("contracts", "meal-orders", "majors", 1, "consumers"):
            return {"consumers": [{"consumer_id": "ehr", "consumer": "EHR", "pin": "1.0.0"}]}
        if path[:2] == ("contracts", "patient-ref"):
            return {"state": "frozen", "digest": _digest(repo)}
        raise Answer(404)

    _, found = judged(repo, get=get)
    assert [(hit.id, hit.name, hit.pin) for hit in found["meal-orders 1.1.0"].hit] == [
        ("ehr", "EHR", "1.0.0")
    ]
    assert found["bed-events 1.0.1"].hit is None
