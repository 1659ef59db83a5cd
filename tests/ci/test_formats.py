"""Each report format: held to its schema, complete, the same each time, and with the right words."""

import json
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import jsonschema
import pytest
from lxml import etree

from ci.formats.places import site
from ci.report import GateReport, Status
from cli.ci_reports import FORMATS
from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from tests.ci.reports import findings, full, hostile, rendered

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SCHEMAS = {
    "sarif": HERE / "schemas/sarif-2.1.0.schema.json",
    "gitlab": HERE / "schemas/gitlab-code-quality.schema.json",
    "json": ROOT / "docs/reference/gate-report.schema.json",
}
REPORTS = {"full": full(), "hostile": hostile(), "empty": GateReport("registry", ())}


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_every_format_renders_every_report_the_same_each_time(kind, report):
    module = import_module(FORMATS[kind])
    text = module.render(report)
    assert module.render(report) == text
    assert text.endswith("\n")
    text.encode("utf-8")


@pytest.mark.parametrize("kind", SCHEMAS)
@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_json_reports_are_valid_by_their_schemas(kind, report):
    schema = json.loads(SCHEMAS[kind].read_text())
    checker = jsonschema.FormatChecker()
    validator = jsonschema.validators.validator_for(schema)(schema, format_checker=checker)
    assert [error.message for error in validator.iter_errors(json.loads(rendered(kind, report)))] == []


@pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)
def test_junit_is_valid_by_its_schema(report):
    schema = etree.XMLSchema(etree.parse(HERE / "schemas/junit.xsd"))
    schema.assertValid(etree.fromstring(rendered("junit", report).encode()))


def test_text_shows_verdict_place_change_example_reason_and_fix():
    text = rendered("text")
    assert text.startswith("FAILED: 2 of 3 contracts must not be merged like this (compared with git:main)\n")
    assert (
        "\n✗ doses 1.1.0  contracts/doses/1.1.0/openapi.yaml\n  failed: breaks whoever relies on 1.0.0; "
        "version 1.1.0 is too low for what changed\n"
        "  2 consumers granted this major: Ward 7 (ward-7, pinned to 1.0.0) and EHR (ehr)\n" in text
    )
    assert (
        """
      where:   contracts/doses/1.1.0/openapi.yaml:7:3 · POST /doses, request body, application/json
      before:  git:main:contracts/doses/1.0.0/openapi.yaml:6:3
      change:  20 → 10
      example: {"ml": 20, "exact": 1e+400}  (the earlier version takes this, the new one refuses it)
      sent:    POST /doses?dry=true
               accept: */*
               content-type: application/json
               {
                 "ml": 20
               }
      differs: ~ /ml 20  (from the nearest that both take)
      why:     A value that the old version accepts is refused by the new one.
      fix:     Keep the old form.
      rule:    value-no-longer-accepted  (fingerprint """
        in text
    )
    assert "\n  1 milder finding not shown; --report json=FILE holds every one\n" in text
    assert "\n· unchanged: ward 1.0.0\n" in text


@pytest.mark.parametrize(("kind", "shown"), [
    ("text", "      sent:    DELETE /doses/1\n               x-api-key: <key>\n      why:"),
    ("markdown", "\nExample:\n\n```http\nDELETE /doses/1\nx-api-key: <key>\n```\n"),
    ("sarif", "DELETE /doses/1\\nx-api-key: <key>"),
    ("html", "DELETE /doses/1"),
])  # fmt: skip
def test_a_break_that_is_none_of_a_schema_shows_its_exchange(kind, shown):
    sent = {"kind": "request", "operation": "DELETE /doses/{id}", "method": "DELETE", "path": "/doses/1",
            "headers": {"x-api-key": "<key>"}}  # fmt: skip
    gone = Finding("operation-removed", Severity.BREAKING, "/paths", "gone", why="404", exchange=sent)
    told = full()
    contract = told.contracts[1]
    one = replace(contract.comparisons[0], verdict=Verdict(Outcome.BREAKING, Bump.MAJOR, (gone,)))
    report = replace(told, contracts=(replace(contract, comparisons=(one,)),))
    assert shown in rendered(kind, report)


def test_text_sets_second_opinions_apart_only_where_ours_show_the_break():
    one = replace(full().contracts[1], bump=None, lint=())
    second = Finding(
        "oasdiff/request-property-max-decreased",
        Severity.BREAKING,
        "/x",
        "max was decreased",
        engine="oasdiff 1.33.0",
    )

    def text(*found):
        verdict = Verdict(Outcome.BREAKING, Bump.MAJOR, found)
        comparison = replace(one.comparisons[0], verdict=verdict)
        return rendered("text", GateReport("git:main", (replace(one, comparisons=(comparison,)),)))

    both, alone = text(findings()["breaking"], second), text(second)
    line = f"oasdiff/request-property-max-decreased: max was decreased  ({second.fingerprint})\n"
    assert f"\n  Second opinions say so too (each has a fingerprint of its own):\n      {line}" in both
    assert both.count("\n  [breaking] ") == 1
    assert "\n  [breaking] max was decreased\n" in alone
    assert "Second opinions" not in alone


@pytest.mark.parametrize(("pointer", "told"), [
    ("/paths/~1doses/post/requestBody/content/application~1json/schema/properties/ml", "POST /doses, request body, application/json, ml"),
    ("/paths/~1doses/get/parameters/0/schema/maximum", "GET /doses, parameter, maximum"),
    ("/paths/~1doses/get/responses/200/headers/ETag", "GET /doses, answer, 200, header, ETag"),
    ("/channels/beds/messages/freed", "channel beds, messages, freed"),
    ("/components/schemas/Dose/properties/ml", "schema Dose, ml"),
    ("/$defs/dose/maximum", "definition dose, maximum"),
    ("/items" * 50, "items, items, items, …, items, items, items"),
    ("", ""),
])  # fmt: skip
def test_places_are_told_in_words(pointer, told):
    assert site(Finding("x", Severity.SAFE, pointer, "x")) == told


def test_json_holds_everything_with_exact_numbers():
    text = rendered("json")
    assert '"exact": 1e+400' in text
    assert text.isascii()
    body = json.loads(text)
    assert (body["form"], body["status"], body["exit_code"], body["against"]) == (1, "failed", 1, "git:main")
    broken, doses, ward = body["contracts"]
    assert [row["rule"] for row in doses["comparisons"][0]["findings"]] == [
        "value-no-longer-accepted", "operation-added", "parameter-removed",
    ]  # fmt: skip
    assert (doses["comparisons"][0]["base"], doses["comparisons"][0]["through"]) == ("1.0.0", None)
    assert doses["version_finding"]["rule"] == "version-too-low"
    assert doses["consumers"][0] == {"id": "ward-7", "name": "Ward 7", "pin": "1.0.0"}
    assert (ward["status"], ward["consumers"], broken["error"]["what"]) == ("unchanged", None, "no YAML")


def test_sarif_has_rules_levels_both_places_and_help():
    run = json.loads(rendered("sarif"))["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted(rules)
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])
    levels = {result["ruleId"]: (result["level"], result["kind"]) for result in run["results"]}
    assert levels == {
        "value-no-longer-accepted": ("error", "fail"), "operation-added": ("none", "informational"),
        "parameter-removed": ("error", "fail"), "operation-description": ("warning", "fail"),
        "version-too-low": ("error", "fail"), "contract-unreadable": ("error", "fail"),
    }  # fmt: skip
    first = next(row for row in run["results"] if row["ruleId"] == "value-no-longer-accepted")
    physical = first["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"] == {
        "uri": "contracts/doses/1.1.0/openapi.yaml",
        "uriBaseId": "SRCROOT",
    }
    assert physical["region"] == {"startLine": 7, "startColumn": 3}
    assert first["relatedLocations"][0]["message"]["text"] == (
        "Before: git:main:contracts/doses/1.0.0/openapi.yaml:6:3"
    )
    assert first["partialFingerprints"] == {"interlock/v1": f"doses:{findings()['breaking'].fingerprint}"}
    assert "\nPOST /doses?dry=true\n" in first["message"]["text"]
    odd = next(row for row in run["results"] if row["ruleId"] == "parameter-removed")
    assert odd["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/%C3%BC%2Cc%3Ad.yaml"
    assert run["invocations"][0]["exitCode"] == 1
    helps = {rule["id"]: rule.get("helpUri") for rule in run["tool"]["driver"]["rules"]}
    assert helps["value-no-longer-accepted"] == (
        "https://docs.example/x/rules/compatibility.md#value-no-longer-accepted"
    )
    assert helps["contract-unreadable"] == "https://docs.example/x/rules/gate.md#contract-unreadable"
    silent = json.loads(rendered("sarif", replace(full(), docs_url="")))["runs"][0]
    assert not any("helpUri" in rule for rule in silent["tool"]["driver"]["rules"])


def test_junit_counts_right_and_names_cases_by_what_is_asked():
    root = etree.fromstring(rendered("junit").encode())
    assert dict(root.attrib) == {
        "name": "interlock gate", "tests": "7", "failures": "2", "errors": "1", "skipped": "1", "time": "0",
    }  # fmt: skip
    broken, doses, ward = root
    assert {case.get("name"): len(case) for case in doses} == {
        "frozen versions are untouched": 0, "valid, and in the order of the house": 0,
        "canonical schemas are known": 0, "compatible with 1.0.0": 1, "the version number is high enough": 1,
    }  # fmt: skip
    failure = doses.find("testcase/failure")
    assert failure.get("message").endswith("(and 1 more)")
    assert "  example (the earlier version takes this" in failure.text
    assert doses.findall("testcase/failure")[1].get("message") == "too low"
    assert ward.find("testcase/skipped").get("message") == "unchanged"
    assert broken.find("testcase/error").get("message") == "no YAML"


def test_github_annotations_stay_within_ten_of_a_kind_and_tell_the_rest():
    lines = rendered("github").splitlines()
    assert [line.split(" ")[0] for line in lines[:-1]] == ["::error"] * 4 + ["::warning"]
    assert any(
        "line=7,col=3,title=breaking%3A value-no-longer-accepted::doses 1.1.0: POST" in line for line in lines
    )
    assert any("file=a b/ü%2Cc%3Ad.yaml" in line for line in lines)
    one = full().contracts[1]
    many = tuple(replace(findings()["warning"], pointer=f"/{n}", what=f"no {n}") for n in range(13))
    lines = rendered(
        "github", GateReport("x", (replace(one, comparisons=(), bump=None, lint=many),))
    ).splitlines()
    warnings = [line for line in lines if line.startswith("::warning")]
    assert len(warnings) == 10
    assert warnings[-1].endswith("::4 more like these: GitHub shows 10 of a step, the log has all of them")
    start, *log, end, _ = lines[10:]
    assert start == f"::stop-commands::{end.strip(':')}"
    assert [line.rpartition(" ")[2] for line in log] == ["9", "10", "11", "12"]


def test_gitlab_issues_are_told_apart():
    issues = json.loads(rendered("gitlab"))
    assert {issue["severity"] for issue in issues} == {"blocker", "critical", "minor"}
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 5
    first = next(issue for issue in issues if issue["check_name"] == "value-no-longer-accepted")
    assert first["location"] == {"path": "contracts/doses/1.1.0/openapi.yaml", "lines": {"begin": 7}}
    assert first["description"].startswith("doses 1.1.0: POST /doses: the request body at 'ml'")


def test_markdown_has_a_marker_a_table_folded_findings_and_a_diff():
    text = rendered("markdown")
    assert text.startswith("<!-- interlock-gate -->\n## Contracts: ❌ **failed**\n")
    assert "| doses 1.1.0 | ❌ **failed** | breaks whoever relies on 1.0.0;" in text
    assert "\n1 contract unchanged.\n" in text
    assert text.count("<details>") + text.count("<details open>") == text.count("</details>") == 5
    assert '```diff\n  {\n-   "ml": 10,\n+   "ml": 20,\n    "exact": 1e+400\n  }\n```' in text
    assert (
        '```http\nPOST /doses?dry=true\naccept: */*\ncontent-type: application/json\n\n{\n  "ml": 20\n}\n```'
        in text
    )


def test_markdown_never_outgrows_a_comment_and_says_what_it_leaves_out():
    one = full().contracts[1]
    many = tuple(
        replace(findings()["breaking"], pointer=f"/{n}", what=f"no {n} " + "x" * 900) for n in range(200)
    )
    contracts = tuple(replace(one, name=f"c{n}", lint=many) for n in range(150))
    text = rendered("markdown", GateReport("git:main", contracts))
    assert len(text) <= 65_536
    assert len(text) > 40_000
    assert "more findings: this comment is full" in text
    assert text.count("<details") == text.count("</details>")


def test_a_table_of_many_contracts_is_bounded_with_the_worst_on_it():
    one = full().contracts[2]
    low = replace(findings()["low"], remedy="*" * 900)
    many = [replace(one, name="@#" * 30, status=Status.PASSED, bump=low) for _ in range(500)]
    worst = replace(one, name="the-worst", status=Status.FAILED, bump=low)
    text = rendered("markdown", GateReport("git:main", (*many, worst), notes=("&" * 3_000,) * 40))
    assert len(text) <= 65_536
    assert text.splitlines()[7].startswith("| the-worst 1.0.0 |")
    assert "more contracts." in text


def test_what_is_undecided_beside_the_comparisons_is_said():
    lost = Finding("canonical-unresolved", Severity.UNDECIDED, "", "x is built on y, which is not known here")
    one = replace(full().contracts[2], status=Status.UNDECIDED, references=(lost,))
    assert "undecided: x is built on y, which is not known here\n" in rendered(
        "text", GateReport("r", (one,))
    )


def test_risky_findings_are_warnings_where_only_breaks_fail():
    report = replace(full(), fail_on="breaking")
    risky = [
        row
        for row in json.loads(rendered("sarif", report))["runs"][0]["results"]
        if row["ruleId"] == "parameter-removed"
    ]
    assert [row["level"] for row in risky] == ["warning"]
    assert "::warning file=a b/ü" in rendered("github", report)
    assert "minor" in {
        row["severity"]
        for row in json.loads(rendered("gitlab", report))
        if row["check_name"] == "parameter-removed"
    }
