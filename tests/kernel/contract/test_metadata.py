"""meta.yaml: every gap is a finding with a place, and the rule ids are those that are documented."""

import re
from pathlib import Path

import pytest

from kernel.contract.finding import Severity
from kernel.contract.metadata import Metadata, read_metadata, rules
from kernel.errors import DocumentError

ROOT = Path(__file__).resolve().parents[3]

FULL = """\
name: ward-beds
version: 2.1.0
kind: openapi
title: Beds of the wards
owner: bed-management
domain: logistics
audience: partner
description: Which beds are free.
systems:
  provider: bed-board
  consumers: [ehr, transport]
  source_of_truth: bed-board
sensitivity: pseudonymous
urgency: urgent
retry:
  policy: idempotent-only
  max_attempts: 3
objectives:
  latency_p99_ms: 250
  availability: "99.95"
"""


def test_a_full_file_has_no_findings():
    metadata, findings = read_metadata(FULL.encode())
    assert findings == ()
    assert metadata == Metadata(
        name="ward-beds",
        version="2.1.0",
        kind="openapi",
        title="Beds of the wards",
        owner="bed-management",
        domain="logistics",
        audience="partner",
        provider="bed-board",
        consumers=("ehr", "transport"),
        source_of_truth="bed-board",
        sensitivity="pseudonymous",
        urgency="urgent",
        retry_policy="idempotent-only",
        max_attempts=3,
        latency_p99_ms=250,
        availability="99.95",
        description="Which beds are free.",
    )


def test_an_almost_empty_file_misses_everything_else():
    metadata, findings = read_metadata(b"name: ward-beds\n")
    assert metadata == Metadata(name="ward-beds")
    assert [finding.rule for finding in findings] == [
        rule for rule, _, _ in rules() if rule.endswith("-missing") and rule != "meta-name-missing"
    ]
    assert len(findings) == 16
    warnings = {finding.rule for finding in findings if finding.severity is Severity.WARNING}
    assert warnings == {"meta-title-missing", "meta-description-missing"}


@pytest.mark.parametrize(
    ("old", "new", "rule", "line"),
    [
        ("name: ward-beds", "name: Ward Beds", "meta-name-invalid", 1),
        ("name: ward-beds", "name: ward--beds", "meta-name-invalid", 1),
        ("version: 2.1.0", "version: 2.1", "meta-version-invalid", 2),
        ("version: 2.1.0", "version: 2.1.0+5", "meta-version-invalid", 2),
        ("kind: openapi", "kind: soap", "meta-kind-invalid", 3),
        ("owner: bed-management", "owner: ''", "meta-owner-invalid", 5),
        ("owner: bed-management", 'owner: "a\\nb"', "meta-owner-invalid", 5),
        ("audience: partner", "audience: everyone", "meta-audience-invalid", 7),
        ("  provider: bed-board\n", "", "meta-systems-provider-missing", 9),
        ("[ehr, transport]", "[]", "meta-systems-consumers-invalid", 11),
        ("[ehr, transport]", "ehr", "meta-systems-consumers-invalid", 11),
        ("[ehr, transport]", "[ehr, 3]", "meta-systems-consumers-invalid", 11),
        ("sensitivity: pseudonymous", "sensitivity: no", "meta-sensitivity-invalid", 13),
        ("urgency: urgent\n", "", "meta-urgency-missing", 1),
        ("policy: idempotent-only", "policy: sometimes", "meta-retry-policy-invalid", 16),
        ("max_attempts: 3", "max_attempts: 0", "meta-retry-max-attempts-invalid", 17),
        ("max_attempts: 3", "max_attempts: true", "meta-retry-max-attempts-invalid", 17),
        ("  max_attempts: 3\n", "", "meta-retry-max-attempts-missing", 15),
        ("latency_p99_ms: 250", "latency_p99_ms: fast", "meta-objectives-latency-p99-ms-invalid", 19),
        ('"99.95"', '"101"', "meta-objectives-availability-invalid", 20),
        ('"99.95"', '"five nines"', "meta-objectives-availability-invalid", 20),
        ("audience: partner", "audience: partner\ncolour: blue", "meta-key-unknown", 8),
        ("  max_attempts: 3", "  max_attempts: 3\n  backoff: 2", "meta-key-unknown", 18),
        ("kind: openapi", "kind: openapi\ncompatibility: FULL", "meta-compatibility-invalid", 4),
        ("kind: openapi", "kind: schema\ncompatibility: full", "meta-compatibility-invalid", 4),
    ],
)
def test_one_fault_is_one_finding(old, new, rule, line):
    assert old in FULL
    _, findings = read_metadata(FULL.replace(old, new).encode(), "contracts/ward-beds/meta.yaml")
    assert [finding.rule for finding in findings] == [rule]
    (finding,) = findings
    assert (finding.source, finding.line) == ("contracts/ward-beds/meta.yaml", line)
    assert finding.what
    assert finding.why
    assert finding.remedy


def test_a_part_that_is_no_mapping_is_said_once_for_itself():
    _, findings = read_metadata(re.sub(r"retry:\n.*\n.*\n", "retry: none\n", FULL).encode())
    assert [finding.rule for finding in findings] == [
        "meta-retry-policy-missing",
        "meta-retry-max-attempts-missing",
        "meta-retry-invalid",
    ]


def test_without_retries_there_are_no_attempts_to_count():
    text = FULL.replace("policy: idempotent-only\n  max_attempts: 3", "policy: none")
    metadata, findings = read_metadata(text.encode())
    assert findings == ()
    assert metadata.retry_policy == "none"
    assert metadata.max_attempts is None


def test_unquoted_availability_is_kept_as_written():
    assert read_metadata(FULL.replace('"99.95"', "99.95").encode())[0].availability == "99.95"


def test_a_canonical_schema_may_say_how_it_is_compatible():
    schema = FULL.replace("kind: openapi", "kind: schema")
    assert read_metadata(schema.encode())[0].compatibility is None
    metadata, findings = read_metadata(f"{schema}compatibility: BACKWARD_TRANSITIVE\n".encode())
    assert (metadata.compatibility, findings) == ("BACKWARD_TRANSITIVE", ())


@pytest.mark.parametrize("text", ["", "- name", "name: [", "name: a\nname: b"])
def test_what_cannot_be_read_is_an_error(text):
    with pytest.raises(DocumentError):
        read_metadata(text.encode())


def test_rule_ids_are_unique():
    ids = [rule for rule, _, _ in rules()]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"meta-[a-z0-9-]+", rule) for rule in ids)


@pytest.mark.parametrize(
    "file",
    sorted(ROOT.glob("contracts/*/[0-9]*/meta.yaml")),
    ids=lambda file: str(file.parent.relative_to(ROOT)),
)
def test_our_own_contracts_have_no_findings(file):
    metadata, findings = read_metadata(file.read_bytes(), file.name)
    assert findings == ()
    assert (metadata.name, metadata.version) == (file.parent.parent.name, file.parent.name)
