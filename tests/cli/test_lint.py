"""`interlock lint`: what a newcomer sees, which interlock.toml holds, and how it ends."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from ci.errors import ProjectInvalid
from cli.check import check
from cli.ci_gate import gate
from cli.explain import explain
from cli.lint import lint
from registry.lint.spectral.faults import RulesetFailed, RulesetInvalid

API = """\
openapi: 3.1.0
info: {title: Ward orders, version: 1.0.0, description: Orders., contact: {name: Ward team}}
security: [{key: []}]
paths:
  /orders/:
    get:
      operationId: listOrders
      summary: List orders
      responses:
        default: {description: Refused., content: {application/problem+json: {schema: {type: object, additionalProperties: true}}}}
components: {securitySchemes: {key: {type: apiKey, in: header, name: X-Key}}}
"""
META = """\
{name: ward-orders, version: 1.0.0, kind: openapi, title: Ward orders, owner: ward-team, domain: ward, audience: internal,
description: Orders of a ward., systems: {provider: ward-system, consumers: [ehr], source_of_truth: ward-system},
sensitivity: health, urgency: routine, retry: {policy: none}, objectives: {latency_p99_ms: 500, availability: "99.9"}}
"""
RULESET = """\
rules:
  summary-dot:
    description: Summaries are sentences.
    message: "{{error}}"
    severity: error
    given: "$.paths[*][*].summary"
    then: {function: pattern, functionOptions: {match: "[.]$"}}
"""


def run(*words: object) -> Result:
    return CliRunner().invoke(
        lint, [str(word) for word in words], standalone_mode=False, catch_exceptions=False
    )


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    folder = tmp_path / "contracts" / "ward-orders" / "1.0.0"
    folder.mkdir(parents=True)
    (folder / "openapi.yaml").write_text(API)
    (folder / "meta.yaml").write_text(META)
    (tmp_path / "house.yaml").write_text(RULESET)
    return folder


def test_a_rule_is_told_once_and_every_place_below_it(contract: Path) -> None:
    result = run(contract)
    assert result.return_value == 0
    assert result.stdout == (
        "warning path-trailing-slash\n"
        "  why: With and without the slash are two addresses: callers try the wrong one and get a 404.\n"
        "  fix: Leave the slash out.\n"
        f"  {contract}/openapi.yaml:5:3: /orders/ ends in a slash\n\n"
    )
    assert result.stderr == "1 document: 0 errors, 1 warning, 0 notes (`interlock explain RULE` says more)\n"


def test_what_fails_and_what_is_told_can_be_chosen(contract: Path) -> None:
    assert run(contract, "--fail-on", "warning").return_value == 1
    quiet = run(contract, "--level", "error")
    assert (quiet.return_value, quiet.stdout) == (0, "")


def test_a_ruleset_of_ones_own(contract: Path) -> None:
    result = run(contract / "openapi.yaml", "--ruleset", contract.parents[2] / "house.yaml")
    assert result.return_value == 1
    assert result.stdout.startswith(
        "error ruleset/summary-dot\n"
        "  why: Summaries are sentences.\n"
        f"  fix: See {contract.parents[2] / 'house.yaml'}:2:3 #/rules/summary-dot.\n"
        f'  {contract}/openapi.yaml:8:7: "List orders" must match the pattern "[.]$"\n'
    )


def test_interlock_toml_names_rulesets_severities_and_exceptions(contract: Path) -> None:
    home = contract.parents[2]
    toml = home / "interlock.toml"
    toml.write_text('[lint]\nrulesets = ["house.yaml"]\n[lint.severity]\npath-trailing-slash = "info"\n')
    body = json.loads(run(home, "--format", "json").stdout)
    assert [(one["rule"], one["severity"]) for one in body["findings"]] == [
        ("ruleset/summary-dot", "error"), ("path-trailing-slash", "info"),
    ]  # fmt: skip
    toml.write_text(
        '[lint.severity]\npath-trailing-slash = "off"\n\n[[lint.exception]]\nrule = "problem-missing"\n'
        'contract = "ward-orders"\nowner = "Ada Berg"\nreason = "frozen"\nexpires = 2027-01-01\n'
    )
    assert "error" not in run(home, "--as-of", "2026-12-31").stdout
    unused = run(home, "--as-of", "2026-12-31").stdout
    assert "nothing needs the exception from `problem-missing` of Ada Berg in interlock.toml" in unused
    assert "exception-expired" in run(home, "--as-of", "2027-01-02").stdout
    toml.write_text(
        toml.read_text()
        .replace("problem-missing", "path-trailing-slash")
        .replace('slash = "off"', 'slash = "error"')
    )
    assert run(home, "--as-of", "2026-12-31").stdout == ""


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('[lint.severity]\npath-trailing-slush = "off"\n', 2, "did you mean `path-trailing-slash`?"),
        ('[lint.severity]\nopenapi-invalid = "off"\n', 2, "is an error"),
        ('[[lint.exception]]\nrule = "nothing"\ncontract = "a"\nowner = "b"\nreason = "c"\nexpires = 2027-01-01\n', 2, "there is no rule"),
    ],
)  # fmt: skip
def test_rules_that_are_none_are_refused_in_interlock_toml(
    contract: Path, text: str, line: int, said: str
) -> None:
    (contract.parents[2] / "interlock.toml").write_text(text)
    with pytest.raises(ProjectInvalid) as caught:
        run(contract)
    assert said in caught.value.message
    assert caught.value.place is not None
    assert caught.value.place.line == line


def test_a_ruleset_that_cannot_be_used_ends_with_its_code(contract: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    bad.write_text("functions: [mine]\nrules: {}\n")
    with pytest.raises(RulesetInvalid) as invalid:
        run(contract, "--ruleset", bad)
    assert invalid.value.exit_code == 2
    bad.write_text("rules: {a: {given: '$.info[?(@.x.y)]', then: {function: truthy}}}\n")
    with pytest.raises(RulesetFailed) as failed:
        run(contract, "--ruleset", bad)
    assert failed.value.exit_code == 3


def test_every_place_is_counted_though_only_the_first_are_told(contract: Path, tmp_path: Path) -> None:
    rules = tmp_path / "many.yaml"
    rules.write_text("rules: {never: {given: '$.x-many[*]', then: {function: undefined}}}\n")
    document = contract / "openapi.yaml"
    document.write_text(API + "x-many: [" + ", ".join(map(str, range(150))) + "]\n")
    lines = [
        line for line in run(document, "--ruleset", rules).stdout.splitlines() if "must be undefined" in line
    ]
    assert len(lines) == 100
    assert lines[-1].endswith("(and in 50 more places)")


def test_explain_shows_a_rule_with_its_examples_and_says_whose_a_teams_rule_is() -> None:
    told = CliRunner().invoke(explain, ["name-drift"]).stdout
    assert "Bad:\n    # canonical schema ward 1.0.0" in told
    assert "What to do: Spell it as the canonical schema does." in told
    assert "stands in the ruleset" in CliRunner().invoke(explain, ["ruleset/summary-dot"]).stdout


def test_the_gate_runs_the_rulesets_of_interlock_toml_and_ends_where_one_cannot_be_read(
    contract: Path,
) -> None:
    home = contract.parents[2]
    (home / "interlock.toml").write_text('[lint]\nrulesets = ["house.yaml"]\n')
    result = CliRunner().invoke(
        gate, [str(home / "contracts")], standalone_mode=False, catch_exceptions=False
    )
    assert result.return_value == 1
    assert '[error] "List orders" must match the pattern' in result.stdout
    assert "fix:     See house.yaml:2:3 #/rules/summary-dot." in result.stdout
    assert str(home) not in result.stdout
    (home / "house.yaml").write_text("extends: spectral:nothing\n")
    with pytest.raises(RulesetInvalid) as caught:
        CliRunner().invoke(gate, [str(home / "contracts")], standalone_mode=False, catch_exceptions=False)
    assert str(caught.value.place) == "house.yaml:1:1 #/extends"


def test_check_judges_exceptions_by_a_day_too(contract: Path) -> None:
    document = contract / "openapi.yaml"
    exception = "{rule: path-trailing-slash, owner: Ada, reason: so, expires: '2026-12-31'}"
    document.write_text(API.replace("  /orders/:\n", f"  /orders/:\n    x-interlock-lint: [{exception}]\n"))

    def told(day: str) -> list[str]:
        result = CliRunner().invoke(check, [str(document), "--as-of", day], standalone_mode=False)
        return [line.split()[2] for line in result.stdout.splitlines()]

    assert told("2026-12-31") == []
    assert told("2027-01-01") == ["path-trailing-slash", "exception-expired"]
