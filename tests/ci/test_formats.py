"""Each report format: well formed, complete, and safe with hostile text in findings."""

import json
import xml.etree.ElementTree as ET
from importlib import import_module

import pytest

from ci.report import Comparison, ContractReport, GateReport, Status
from cli.ci import FORMATS
from kernel.contract.finding import Bump, Finding, Outcome, Severity, Verdict
from kernel.contract.version import Version

EVIL = 'a <b> & "c" ]]> \x00\x1b | `x` *y* 100%\n::error::no, really'


def report():
    breaking = Finding(
        "value-no-longer-accepted", Severity.BREAKING, "/components/schemas/Dose", EVIL, why="Because.", remedy="Do not.",
        witness={"ml": 20, "note": EVIL}, has_witness=True, source="contracts/doses/1.1.0/openapi.yaml", line=7, column=3,
    )  # fmt: skip
    safe = Finding("operation-added", Severity.SAFE, "/paths/~1x", "GET /x was added")
    risky = Finding(
        "parameter-removed", Severity.RISKY, "/paths/~1y", "gone", source="a b/ü,c:d.yaml", line=1
    )
    warning = Finding("operation-description", Severity.WARNING, "/paths/~1x/get", "no description")
    low = Finding(
        "version-too-low", Severity.BREAKING, "/info/version", "too low", before="1.0.0", after="1.1.0"
    )
    verdict = Verdict(Outcome.BREAKING, Bump.MAJOR, (breaking, safe, risky), {"oasdiff": "1.33.0"})
    failed = ContractReport(
        "doses", "1.1.0", "openapi", "contracts/doses/1.1.0/openapi.yaml", "contracts/doses/1.1.0/meta.yaml",
        Status.FAILED, (warning,), (Comparison(Version.parse("1.0.0"), verdict),), low, Bump.MAJOR,
    )  # fmt: skip
    same = ContractReport(
        "ward", "1.0.0", "schema", "contracts/ward/schema.json", "contracts/ward/meta.yaml", Status.UNCHANGED
    )
    lost = ContractReport("broken", "", "", "contracts/broken/openapi.yaml", "m", Status.FAILED, error=EVIL)
    return GateReport("git:main", (failed, same, lost), {"oasdiff": "1.33.0"})


def rendered(kind):
    return import_module(FORMATS[kind]).render(report())


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_renders_the_empty_and_the_full_report_alike_each_time(kind):
    module = import_module(FORMATS[kind])
    assert module.render(report()) == module.render(report())
    assert module.render(GateReport("registry", ())).endswith("\n")


def test_text_shows_place_reason_witness_and_remedy():
    text = rendered("text")
    assert "✗ doses 1.1.0 (contracts/doses/1.1.0/openapi.yaml): failed" in text
    assert "against 1.0.0: breaking, needs a major version" in text
    for part in (
        "contracts/doses/1.1.0/openapi.yaml:7:3",
        "why: Because.",
        'witness: {"ml": 20',
        "fix: Do not.",
    ):
        assert part in text
    assert "· ward 1.0.0 (contracts/ward/schema.json): unchanged" in text


def test_json_holds_everything():
    body = json.loads(rendered("json"))
    assert (body["status"], body["against"]) == ("failed", "git:main")
    doses, ward, broken = body["contracts"]
    assert [row["rule"] for row in doses["comparisons"][0]["findings"]] == [
        "value-no-longer-accepted", "operation-added", "parameter-removed",
    ]  # fmt: skip
    assert doses["comparisons"][0]["base"] == "1.0.0"
    assert doses["version_finding"]["rule"] == "version-too-low"
    assert (ward["status"], broken["error"]) == ("unchanged", EVIL)


def test_sarif_has_rules_places_and_levels():
    body = json.loads(rendered("sarif"))
    assert (body["version"], len(body["runs"])) == ("2.1.0", 1)
    run = body["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert set(result) == {
            "ruleId", "ruleIndex", "level", "message", "locations", "partialFingerprints", "properties",
        }  # fmt: skip
    levels = {result["ruleId"]: result["level"] for result in run["results"]}
    assert levels == {
        "value-no-longer-accepted": "error", "operation-added": "none", "parameter-removed": "error",
        "operation-description": "warning", "version-too-low": "error", "contract-unreadable": "error",
    }  # fmt: skip
    first = next(r for r in run["results"] if r["ruleId"] == "value-no-longer-accepted")
    physical = first["locations"][0]["physicalLocation"]
    assert physical["artifactLocation"]["uri"] == "contracts/doses/1.1.0/openapi.yaml"
    assert physical["region"] == {"startLine": 7, "startColumn": 3}
    odd = next(r for r in run["results"] if r["ruleId"] == "parameter-removed")
    assert odd["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "a%20b/%C3%BC%2Cc%3Ad.yaml"
    assert run["invocations"][0]["exitCode"] == 1


def test_junit_is_well_formed_and_counts_right():
    root = ET.fromstring(rendered("junit"))
    assert root.attrib == {"name": "interlock gate", "tests": "5", "failures": "2", "errors": "1"}
    doses, ward, broken = root
    assert {case.get("name"): len(case) for case in doses} == {
        "valid and in order": 0, "compatible with 1.0.0": 1, "version": 1,
    }  # fmt: skip
    assert "100%" in doses.find("testcase/failure").text
    assert ward.find("testcase/skipped") is not None
    assert broken.find("testcase/error").get("message").startswith("a <b> &")


def test_github_commands_cannot_be_forged_by_findings():
    lines = rendered("github").splitlines()
    commands = [line for line in lines if line.startswith("::")]
    assert len(commands) == 5  # one for each finding that is not safe, one for what could not be read
    assert all(line.startswith(("::error file=", "::warning file=")) for line in commands)
    assert any("line=7,col=3,title=breaking%3A value-no-longer-accepted::" in line for line in commands)
    assert any("file=a b/ü%2Cc%3Ad.yaml" in line for line in commands)
    assert "%0A::error::no, really" in commands[0] + commands[1]


def test_gitlab_issues_have_what_code_quality_asks_for():
    issues = json.loads(rendered("gitlab"))
    assert {issue["severity"] for issue in issues} == {"blocker", "critical", "minor"}
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 5
    for issue in issues:
        assert set(issue) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["location"]["lines"]["begin"] >= 1


def test_markdown_escapes_what_findings_say():
    text = rendered("markdown")
    assert text.startswith("## Contracts: **failed**")
    assert "| doses | 1.1.0 | **failed** | major version |" in text
    assert "\\*y\\*" in text
    assert "a \\<b\\> &" in text
    assert "\n::error" not in text
