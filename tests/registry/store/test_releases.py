"""Releases, deployments and evidence over both databases: what is written is read, and one release stands at a time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from registry.errors import Conflict
from registry.review.evidence import Evidence
from registry.review.release import Deployment, Environment, Need, Provided, Release


@pytest.fixture
def filled(services: Any, doubles: Any) -> Any:
    doubles.freeze(services, doubles.openapi())
    at = services.now()
    with services.store.writing() as ledger:
        ledger.releases.add_environment(Environment("test", "a note", at, "olga"))
        ledger.releases.add_release(Release("lis", "7", (Provided("lab-orders", "1.0.0"),), (), at, "ci"))
        ledger.releases.add_release(
            Release("ehr", "3", (), (Need("lab-orders", "1.0.0", ("a", "b")),), at, "ci")
        )
    return services


def test_what_is_written_is_read(filled: Any) -> None:
    with filled.store.reading() as ledger:
        [place] = ledger.releases.environments()
        assert (place.name, place.note, place.created_by) == ("test", "a note", "olga")
        assert ledger.releases.release("lis", "7").provides == (Provided("lab-orders", "1.0.0"),)
        assert ledger.releases.release("ehr", "3").needs == (Need("lab-orders", "1.0.0", ("a", "b")),)
        assert ledger.releases.release("ehr", "4") is None
        assert [one.version for one in ledger.releases.releases("ehr", 10)] == ["3"]
        assert not ledger.releases.ever_provided("test", "lab-orders")


def test_one_release_of_an_application_stands_in_an_environment(filled: Any) -> None:
    at = filled.now()
    with filled.store.writing() as ledger:
        ledger.releases.deploy(Deployment(0, "test", "lis", "7", at, "ci"))
    with pytest.raises(Conflict), filled.store.writing() as ledger:
        ledger.releases.deploy(Deployment(0, "test", "lis", "7", at, "ci"))
    with filled.store.writing() as ledger:
        [standing] = ledger.releases.standing("test")
        ledger.releases.end(standing.id, at, "ci")
        ledger.releases.deploy(Deployment(0, "test", "lis", "7", at, "ci"))
        assert ledger.releases.ever_provided("test", "lab-orders")
        assert not ledger.releases.ever_provided("production", "lab-orders")
    with filled.store.reading() as ledger:
        assert [one.ended_by for one in ledger.releases.history("test", "lis", 10)] == [None, "ci"]
        assert ledger.releases.history("test", "ehr", 10) == ()
        assert len(ledger.releases.standing()) == 1


def test_the_newest_run_that_counts_is_found(filled: Any) -> None:
    with filled.store.reading() as ledger:
        digest = ledger.contracts.version("lab-orders", "1.0.0").digest
    at = filled.now()
    run = Evidence(
        0, "lab-orders", "1.0.0", digest, "http://lis", "passed", complete=True, seed=2**40, started_at=at, seconds=1.25,
        operations=1, calls=2, counts={"fuzzing": 2}, rules=(), tools={"schemathesis": "4"}, recorded_at=at, recorded_by="ci",
    )  # fmt: skip
    with filled.store.writing() as ledger:
        assert ledger.evidence.latest(digest) is None
        first = ledger.evidence.add(run)
        assert ledger.evidence.latest(digest) == replace(run, id=first)
        ledger.evidence.add(replace(run, complete=False))
        assert ledger.evidence.latest(digest).id == first
        failed = ledger.evidence.add(replace(run, complete=False, outcome="failed", rules=("a", "b")))
        assert (ledger.evidence.latest(digest).id, ledger.evidence.latest(digest).rules) == (
            failed,
            ("a", "b"),
        )
    with filled.store.reading() as ledger:
        assert [one.complete for one in ledger.evidence.find("lab-orders", "1.0.0", 2)] == [False, False]
