"""Conformance evidence: bound to bytes, without secrets, audited, and asked for where a setting says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from kernel.errors import SettingsError
from registry.errors import DigestMismatch, GateRefused, NotAllowed, RequestRefused
from registry.review import catalogue, conformance, decision, submission
from registry.review.evidence import Evidence
from registry.review.principal import Principal, Role
from registry.review.requirement import required_of

CI = Principal("pipeline", frozenset({Role.CI}))
T = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PATHS = {"/orders": {"get": {"operationId": "findOrders", "responses": {"200": {"description": "found"}}}}}


def run(digest: str, **changes: Any) -> Evidence:
    known = Evidence(
        0, "lab-orders", "1.0.0", digest, "http://lis.example:8080/api", "passed", complete=False, seed=7, started_at=T,
        seconds=1.5, operations=1, calls=40, counts={"fuzzing": 40}, rules=(), tools={"schemathesis": "4.32.5"},
        recorded_at=T, recorded_by="",
    )  # fmt: skip
    return replace(known, **changes)


def asking(desk: Any, required: str) -> Any:
    settings = replace(desk.settings, values={**desk.settings.values, "require_conformance": required})
    return replace(desk, settings=settings)


def approve(services: Any, doubles: Any, review: Any) -> None:
    for member in (doubles.BO, doubles.CY):
        decision.approve(services, member, review.id, digest=review.digest, reason="reviewed")


@pytest.mark.parametrize("required", ["lab-orders", "domain:laboratory", "*", "billing, lab-orders"])
def test_approval_waits_for_a_passed_run_over_this_digest(desk: Any, doubles: Any, required: str) -> None:
    services = asking(desk, required)
    done = submission.submit(services, doubles.AUTHOR, doubles.openapi(paths=PATHS))
    review = done.review
    assert [
        ("requires conformance evidence, and no provider was tested" in one) for one in done.blockers
    ] == [True]
    with pytest.raises(GateRefused, match="requires conformance evidence"):
        approve(services, doubles, review)
    failed = conformance.keep_evidence(
        services, CI, run(review.digest, outcome="failed", rules=("conformance/x",))
    )
    [said] = catalogue.review(services, review.id).blockers
    assert "the newest run (number 1, 2026-11-20, http://lis.example:8080/api) failed" in said
    assert (failed.id, failed.complete, failed.recorded_by) == (1, True, "pipeline")
    conformance.keep_evidence(
        services, CI, run(review.digest, operations=0)
    )  # passed, but not all of it was called
    assert catalogue.review(services, review.id).blockers == (said,)
    conformance.keep_evidence(
        services, CI, run(review.digest), frozenset({"positive"})
    )  # nothing wrong was sent
    assert catalogue.review(services, review.id).blockers == (said,)
    conformance.keep_evidence(services, CI, run(review.digest))
    approve(services, doubles, review)
    assert catalogue.version(services, "lab-orders", "1.0.0").state == "frozen"
    assert [one.outcome for one in conformance.evidence(services, "lab-orders", "1.0.0")] == [
        "passed",
        "passed",
        "passed",
        "failed",
    ]


@pytest.mark.parametrize("required", ["", "billing", "domain:billing"])
def test_others_are_not_asked_for_it(desk: Any, doubles: Any, required: str) -> None:
    services = asking(desk, required)
    done = submission.submit(services, doubles.AUTHOR, doubles.openapi(paths=PATHS))
    assert done.blockers == ()


@pytest.mark.parametrize("wrong", ["domain:", "team:lab", "lab-orders, domain: ", ":x"])
def test_a_slip_in_the_setting_is_an_error(desk: Any, wrong: str) -> None:
    with pytest.raises(SettingsError, match="require_conformance"):
        required_of(asking(desk, wrong).settings)


def test_evidence_is_held_to_the_bytes_and_holds_no_secret(desk: Any, doubles: Any) -> None:
    done = submission.submit(desk, doubles.AUTHOR, doubles.openapi(paths=PATHS))
    assert done.review is not None
    digest = done.review.digest
    with pytest.raises(DigestMismatch):
        conformance.keep_evidence(desk, CI, run("sha256:" + "0" * 64))
    for url in (
        "http://u:p@lis/",
        "http://lis/?token=1",
        "http://lis/#x",
        "ftp://lis/",
        "http:///x",
        "http://[x",
    ):
        with pytest.raises(RequestRefused, match="address"):
            conformance.keep_evidence(desk, CI, run(digest, provider=url))
    for lie in ({"rules": ("conformance/server-error",)}, {"calls": 0}):
        with pytest.raises(RequestRefused, match="has not passed"):
            conformance.keep_evidence(desk, CI, run(digest, **lie))
    with pytest.raises(NotAllowed):
        conformance.keep_evidence(desk, doubles.AUTHOR, run(digest))
    conformance.keep_evidence(desk, CI, run(digest))
    with desk.store.reading() as ledger:
        last = [one.record for one in ledger.outbox.waiting(100)][-1]
    assert (last["act"], last["actor"], last["subject"], last["subject_digest"]) == (
        "conformance",
        "pipeline",
        "lab-orders@1.0.0",
        digest,
    )
    assert last["detail"]["provider"] == "http://lis.example:8080/api"


def test_only_openapi_contracts_are_called(desk: Any, doubles: Any) -> None:
    done = submission.submit(desk, doubles.AUTHOR, doubles.schema())
    assert done.review is not None
    given = run(done.review.digest, contract="patient-identity")
    with pytest.raises(RequestRefused, match="only openapi"):
        conformance.keep_evidence(desk, CI, given)
