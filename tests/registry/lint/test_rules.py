"""The examples of the table are the test of every rule; every id that a finding can carry has a row."""

from datetime import date
from typing import Any

import pytest
import yaml

from kernel.contract.document import kind_of
from kernel.contract.metadata import read_metadata
from kernel.contract.metadata import rules as metadata_rules
from kernel.contract.version import Version
from registry.lint.canon import Canon, CanonicalSchema
from registry.lint.document import House, lint
from registry.lint.rule import Rule
from registry.lint.rules import BY_ID, RULES

OPENAPI = {
    "openapi": "3.1.0",
    "info": {"title": "Laboratory orders", "version": "1.0.0", "description": "Order tests."},
    "paths": {},
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
}
ASYNCAPI = {
    "asyncapi": "3.0.0",
    "info": {"title": "Laboratory events", "version": "1.0.0", "description": "Results as they come."},
    "channels": {},
}
JUDGED = [rule for rule in RULES if rule.bad]
WARD = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "wardKind": {"type": "string", "maxLength": 9},
        "number": {"type": "integer"},
        "floor": {"type": "integer"},
    },
}
HOUSE = House(
    canon=Canon(
        (CanonicalSchema("ward", Version(1, 0, 0), WARD, WARD, "urn:interlock:schema:ward:1.0.0:sha256-00"),)
    ),
    as_of=date(2026, 11, 26),
)


def document(rule: Rule, piece: str) -> Any:
    """Put a piece of YAML into an otherwise perfect document of the first kind that the rule knows."""
    root = yaml.safe_load(piece)
    if rule.kinds == ("openapi", "asyncapi", "schema") and not {"openapi", "asyncapi"} & root.keys():
        return root if rule.id != "version-unsupported" else OPENAPI | root
    if rule.kinds[0] == "schema":
        return root
    perfect = ASYNCAPI if rule.kinds[0] == "asyncapi" else OPENAPI
    made = perfect | root
    if "components" in root and "components" in perfect:
        made["components"] = perfect["components"] | root["components"]
    return made


def found_in(root: Any, rule: Rule) -> list[str]:
    return [finding.what for finding in lint(root, kind_of(root), house=HOUSE) if finding.rule == rule.id]


@pytest.mark.parametrize("rule", JUDGED, ids=[rule.id for rule in JUDGED])
def test_the_bad_example_is_found_and_the_good_one_is_not(rule: Rule) -> None:
    assert found_in(document(rule, rule.bad), rule) != []
    assert found_in(document(rule, rule.good), rule) == []


@pytest.mark.parametrize("rule", JUDGED, ids=[rule.id for rule in JUDGED])
def test_a_good_example_has_no_error_of_any_rule(rule: Rule) -> None:
    root = document(rule, rule.good)
    assert [one for one in lint(root, kind_of(root), house=HOUSE) if one.severity == "error"] == []


def test_a_bad_example_of_an_error_has_only_that_error() -> None:
    for rule in JUDGED:
        root = document(rule, rule.bad)
        errors = {one.rule for one in lint(root, kind_of(root), house=HOUSE) if one.severity == "error"}
        assert errors == ({rule.id} if rule.severity == "error" else set()), rule.id


def test_ids_are_unique_and_every_row_has_its_words() -> None:
    assert len(BY_ID) == len(RULES)
    for rule in RULES:
        assert rule.why.endswith("."), rule.id
        assert rule.remedy.endswith((".", "`.")), rule.id
        assert rule.find is None or (rule.good and rule.bad), rule.id


def test_every_rule_of_metadata_has_a_row_with_its_severity() -> None:
    assert {name: severity for name, severity, _ in metadata_rules()}.items() <= {
        rule.id: rule.severity for rule in RULES
    }.items()
    _, broken = read_metadata(b"systems: 5\nretry: 5\nobjectives: 5\nnonsense: 1\n")
    assert {finding.rule for finding in broken} <= BY_ID.keys()


def test_every_finding_of_the_operation_compiler_has_a_row() -> None:
    import re
    from pathlib import Path

    folder = Path(__file__).resolve().parents[3] / "kernel" / "operation"
    text = "\n".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py"))
    named = set(re.findall(r'(?:unchecked|_note)\(\s*"([a-z-]+)"', text))
    assert len(named) >= 5
    assert named <= BY_ID.keys()


def test_every_finding_of_the_registry_has_a_row() -> None:
    from registry.review.naming import RULES as NAMING

    assert NAMING.keys() <= BY_ID.keys()
    assert "meta-kind-mismatch" in BY_ID
