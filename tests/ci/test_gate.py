"""The gate on small repositories: what passes, what fails, against a tree, a commit, a registry."""

import json
import subprocess
from datetime import date
from pathlib import Path

import pytest

from ci.bases import FolderBase, RegistryBase
from ci.commit_base import commit
from ci.contracts import discover, read
from ci.errors import BaseUnusable, NoContracts
from ci.gate import Question, run_gate
from kernel.contract.digest import canonical_bytes, digest
from kernel.errors import InterlockError
from kernel.settings import load
from registry.compat.policy_judge import Policy

SETTINGS = load(environ={})
POLICY = Policy(date(2026, 11, 26))
META = """\
name: {name}
version: {version}
kind: {kind}
title: Doses
owner: pharmacy
domain: pharmacy
audience: internal
systems: {{consumers: [ward], provider: pump-gateway, source_of_truth: pump-gateway}}
sensitivity: health
urgency: routine
retry: {{policy: none}}
objectives: {{latency_p99_ms: 300, availability: "99.9"}}
description: Doses that a pump has given.
"""


def api(version="1.0.0", **limits):
    dose = {
        "type": "object",
        "description": "A dose.",
        "required": ["ml"],
        "properties": {"ml": {"type": "number"}},
    }
    dose["properties"]["ml"] |= limits
    refused = {
        "description": "Refused",
        "content": {"application/problem+json": {"schema": {"type": "object"}}},
    }
    return {
        "openapi": "3.0.3",
        "info": {"title": "Doses", "version": version, "description": "Doses."},
        "paths": {
            "/doses": {
                "post": {
                    "operationId": "give",
                    "summary": "Report a dose",
                    "requestBody": {"required": True, "content": {"application/json": {"schema": dose}}},
                    "responses": {"204": {"description": "Kept"}, "400": refused, "500": refused},
                }
            }
        },
    }


@pytest.fixture
def tree(tmp_path):
    def add(version, root, name="doses", kind="openapi", home=tmp_path):
        folder = home / "contracts" / name / version
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "meta.yaml").write_text(META.format(name=name, version=version, kind=kind))
        file = {"openapi": "openapi.json", "schema": "schema.json", "asyncapi": "asyncapi.json"}[kind]
        (folder / file).write_text(json.dumps(root))
        return folder

    add.root = tmp_path
    return add


def gate(tree, base=None, **more):
    policy = more.pop("policy", POLICY)
    report = run_gate(Question(tree.root, (tree.root / "contracts",), SETTINGS, policy, **more), base)
    return {(one.name, one.version): one for one in report.contracts}, report


def test_contracts_are_found_below_a_folder_and_by_their_own_path(tree):
    one = tree("1.0.0", api())
    tree("1.1.0", api("1.1.0"))
    assert [folder.document.name for folder in discover([tree.root])] == ["openapi.json"] * 2
    assert [folder.metadata for folder in discover([one])] == [one / "meta.yaml"]
    assert read(discover([one])[0]).name == "doses"


def test_a_folder_without_contracts_is_told(tmp_path):
    with pytest.raises(NoContracts, match=r"meta\.yaml"):
        discover([tmp_path])
    with pytest.raises(NoContracts, match="does not exist"):
        discover([tmp_path / "nowhere"])


def test_a_first_version_passes_and_a_widening_needs_a_minor(tree):
    tree("1.0.0", api(maximum=10))
    tree("1.1.0", api("1.1.0", maximum=20))
    found, report = gate(tree)
    assert str(report.status) == "passed"
    newer = found["doses", "1.1.0"]
    assert [(str(one.base), str(one.verdict.outcome)) for one in newer.comparisons] == [
        ("1.0.0", "compatible")
    ]
    assert (str(newer.required_bump), newer.bump) == ("minor", None)


def test_a_patch_version_that_adds_something_is_too_low(tree):
    tree("1.0.0", api(maximum=10))
    tree("1.0.1", api("1.0.1", maximum=20))
    found, report = gate(tree)
    newer = found["doses", "1.0.1"]
    assert str(report.status) == "failed"
    assert (newer.bump.rule, newer.bump.remedy) == ("version-too-low", "Declare 1.1.0 or later.")


def test_a_break_within_a_major_fails_with_its_witness_and_place(tree):
    tree("1.0.0", api(maximum=20))
    folder = tree("1.1.0", api("1.1.0", maximum=10))
    found, report = gate(tree)
    newer = found["doses", "1.1.0"]
    assert (str(report.status), str(newer.status)) == ("failed", "failed")
    broken = [finding for finding in newer.findings() if finding.rule == "value-no-longer-accepted"]
    file = str(folder.relative_to(tree.root) / "openapi.json")
    assert [(f.source, f.line) for f in broken] == [(file, 1)]
    assert 10 < broken[0].witness["ml"] <= 20


def test_a_new_major_may_break_and_a_new_minor_of_major_0_too(tree):
    tree("1.0.0", api(maximum=20))
    tree("2.0.0", api("2.0.0", maximum=10))
    tree("0.1.0", api("0.1.0", maximum=20), name="drafts")
    tree("0.2.0", api("0.2.0", maximum=10), name="drafts")
    tree("0.2.1", api("0.2.1", maximum=5), name="drafts")
    found, _ = gate(tree)
    assert str(found["doses", "2.0.0"].status) == "passed"
    assert str(found["drafts", "0.2.0"].status) == "passed"
    assert [str(one.base) for one in found["drafts", "0.2.1"].comparisons] == ["0.2.0"]
    assert str(found["drafts", "0.2.1"].status) == "failed"


def test_every_earlier_version_of_the_major_counts_and_prereleases_do_not(tree):
    tree("1.0.0", api(maximum=20))
    tree("1.1.0", api("1.1.0", maximum=30))
    tree("1.2.0-rc.1", api("1.2.0-rc.1", maximum=99))
    tree("1.2.0", api("1.2.0", maximum=25))
    found, _ = gate(tree)
    newest = found["doses", "1.2.0"]
    assert [(str(one.base), str(one.verdict.outcome)) for one in newest.comparisons] == [
        ("1.0.0", "compatible"),
        ("1.1.0", "breaking"),
    ]


def test_an_undecided_change_is_undecided_and_never_passed(tree):
    old, new = api(), api("1.1.0")
    new["servers"] = [{"url": "https://elsewhere.example"}]
    tree("1.0.0", old)
    tree("1.1.0", new)
    found, report = gate(tree)
    assert (str(found["doses", "1.1.0"].status), str(report.status)) == ("undecided", "undecided")


def test_an_invalid_document_fails_and_says_where(tree):
    root = api()
    del root["paths"]["/doses"]["post"]["responses"]
    tree("1.0.0", root)
    found, report = gate(tree)
    errors = [finding for finding in found["doses", "1.0.0"].lint if finding.severity == "error"]
    assert str(report.status) == "failed"
    assert errors
    assert errors[0].pointer.startswith("/paths/~1doses/post")


def test_a_missing_entry_of_meta_yaml_is_an_error_of_the_contract(tree):
    folder = tree("1.0.0", api())
    text = (folder / "meta.yaml").read_text().replace("owner: pharmacy\n", "")
    (folder / "meta.yaml").write_text(text)
    found, _ = gate(tree)
    one = found["doses", "1.0.0"]
    assert "meta-owner-missing" in {finding.rule for finding in one.lint}


def test_one_unreadable_contract_fails_and_the_others_are_judged(tree):
    tree("1.0.0", api())
    folder = tree("1.0.0", api(), name="broken")
    (folder / "openapi.json").write_text('{"openapi": "3.0.3", "openapi": "3.0.3"}')
    found, report = gate(tree)
    assert str(report.status) == "failed"
    assert str(found["doses", "1.0.0"].status) == "passed"
    assert [one.name for one in report.contracts if one.error] == ["broken"]


def test_against_another_folder_unchanged_versions_are_left_alone(tree, tmp_path):
    other = tmp_path / "released"
    tree("1.0.0", api(maximum=20), home=other)
    tree("1.0.0", api(maximum=20))
    tree("1.1.0", api("1.1.0", maximum=10))
    base = FolderBase(other, "released")
    found, report = gate(tree, base)
    assert {str(one.status) for one in found.values()} == {"unchanged", "failed"}
    assert report.against == "released"


def test_content_that_changes_under_the_same_number_fails(tree, tmp_path):
    other = tmp_path / "released"
    tree("1.0.0", api(maximum=20), home=other)
    tree("1.0.0", api(maximum=30))
    found, _ = gate(tree, FolderBase(other, "released"))
    one = found["doses", "1.0.0"]
    assert (str(one.status), [f.rule for f in one.frozen], one.bump) == ("failed", ["version-edited"], None)


def git(folder, *arguments):
    identity = ["-c", "user.name=A", "-c", "user.email=a@ward.example", "-c", "commit.gpgsign=false"]
    subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, timeout=30
    )


def test_against_a_commit_the_tree_of_that_commit_counts(tree):
    git(tree.root, "init", "-q")
    tree("1.0.0", api(maximum=20))
    git(tree.root, "add", ".")
    git(tree.root, "commit", "-qm", "first")
    tree("1.1.0", api("1.1.0", maximum=10))
    with commit("HEAD", tree.root) as base:
        found, report = gate(tree, base)
    assert report.against == "git:HEAD"
    assert {key: str(one.status) for key, one in found.items()} == {
        ("doses", "1.0.0"): "unchanged",
        ("doses", "1.1.0"): "failed",
    }


def test_an_unknown_commit_is_told_and_no_option_of_git(tree):
    git(tree.root, "init", "-q")
    tree("1.0.0", api())
    for reference in ("nowhere", "--output=x"):
        with pytest.raises(BaseUnusable), commit(reference, tree.root):
            pass
    assert not Path("x").exists()


class Unknown(InterlockError):
    """The registry knows nothing of that name."""

    status = 404


class Refused(InterlockError):
    """The registry refuses the question."""

    status = 400


def test_against_a_registry_served_versions_count(tree):
    versions = {"1.0.0": ("frozen", api(maximum=20)), "1.1.0": ("retired", api(maximum=99))}
    asked = []

    def get(*path, **query):
        asked.append((path, query))
        if path[1] != "doses":
            raise Unknown("no such contract")
        if len(path) == 3:
            return {
                "versions": [
                    {"version": v, "state": state, "digest": digest(root)}
                    for v, (state, root) in versions.items()
                ]
            }
        root = versions[path[3]][1]
        return {"media": "json", "digest": digest(root), "document": canonical_bytes(root).decode()}

    tree("1.2.0", api("1.2.0", maximum=10))
    tree("1.0.0", api(), name="fresh")
    found, report = gate(tree, RegistryBase(get))
    assert [str(one.base) for one in found["doses", "1.2.0"].comparisons] == ["1.0.0"]
    assert str(found["doses", "1.2.0"].status) == "failed"
    assert str(found["fresh", "1.0.0"].status) == "passed"
    assert (("contracts", "doses", "versions", "1.0.0", "document"), {"form": "embedded"}) in asked
    assert report.against == "registry"


def test_a_registry_that_refuses_the_question_leaves_it_undecided(tree):
    def get(*path, **query):
        raise Refused("no such question")

    tree("1.0.0", api())
    found, report = gate(tree, RegistryBase(get))
    assert str(report.status) == "undecided"
    assert "no such question" in found["doses", "1.0.0"].error.what


def test_schemas_and_events_go_through_the_gate_too(tree):
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Dose", "description": "A dose.",
              "type": "object", "additionalProperties": False, "properties": {"ml": {"type": "number"}}}  # fmt: skip
    narrowed = json.loads(json.dumps(schema))
    narrowed["properties"]["ml"]["type"] = "integer"
    tree("1.0.0", schema, name="dose", kind="schema")
    tree("1.1.0", narrowed, name="dose", kind="schema")
    found, _ = gate(tree)
    assert str(found["dose", "1.1.0"].status) == "failed"
    assert found["dose", "1.1.0"].comparisons[0].verdict.findings[0].witness == {"ml": 0.5}
