from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kernel.contract.finding import Outcome
from kernel.contract.lifecycle import State
from kernel.errors import LifecycleError
from kernel.sealing.dsse import verify_statement
from kernel.sealing.keys import KeyFolder
from registry.errors import (
    Conflict,
    DigestMismatch,
    DutiesNotSeparate,
    GateRefused,
    NotAllowed,
    RequestRefused,
)
from registry.review import catalogue, decision, lifecycle, submission
from registry.review.model import ReviewState
from registry.review.principal import Principal, Role


def submitted(services: Any, doubles: Any, **more: Any) -> Any:
    done = submission.submit(services, doubles.AUTHOR, doubles.openapi(**more))
    assert done.review is not None
    return done.review


def test_quorum_freezes_and_the_statement_says_who(services: Any, doubles: Any) -> None:
    review = submitted(services, doubles)
    once = decision.approve(services, doubles.BO, review.id, digest=review.digest, reason="reviewed")
    assert (once.state, once.missing) == (ReviewState.OPEN, 1)
    assert catalogue.version(services, "lab-orders", "1.0.0").state is State.IN_REVIEW
    done = decision.approve(services, doubles.CY, review.id, digest=review.digest, reason="agreed")
    assert (done.state, done.missing) == (ReviewState.FROZEN, 0)
    found = catalogue.version(services, "lab-orders", "1.0.0")
    assert found.state is State.FROZEN
    assert found.frozen_at is not None
    trust = KeyFolder(services.settings.path / "keys").trust()
    envelope = catalogue.statement(services, "lab-orders", "1.0.0")
    said = verify_statement(envelope, trust.may_sign("contracts")).statement
    assert said.subject[0].digest == {"sha256": review.digest.removeprefix("sha256:")}
    assert [one["principal"] for one in said.predicate["approvals"]] == ["bo", "cy"]
    assert said.predicate["authors"] == ["ada"]


def test_one_member_cannot_approve_twice(services: Any, doubles: Any) -> None:
    review = submitted(services, doubles)
    decision.approve(services, doubles.BO, review.id, digest=review.digest, reason="reviewed")
    with pytest.raises(Conflict, match="already"):
        decision.approve(services, doubles.BO, review.id, digest=review.digest, reason="again")
    assert catalogue.review(services, review.id).missing == 1


def test_approval_is_over_the_digest_that_was_seen(desk: Any, doubles: Any) -> None:
    review = submitted(desk, doubles)
    with pytest.raises(DigestMismatch):
        decision.approve(desk, doubles.BO, review.id, digest="sha256:" + "0" * 64, reason="reviewed")
    with pytest.raises(DigestMismatch):
        decision.reject(desk, doubles.BO, review.id, digest="sha256:" + "0" * 64, reason="reviewed")


def test_authors_cannot_judge_not_even_those_of_an_earlier_round(desk: Any, doubles: Any) -> None:
    both = Principal("eve", frozenset({Role.AUTHOR, Role.BOARD}))
    first = submission.submit(desk, both, doubles.openapi())
    second = submission.submit(desk, doubles.AUTHOR, doubles.openapi(**{"x-more": 1}))
    assert first.review is not None
    assert second.review is not None
    assert second.review.authors == ("ada", "eve")
    for act in (decision.approve, decision.reject):
        with pytest.raises(DutiesNotSeparate):
            act(desk, both, second.review.id, digest=second.review.digest, reason="mine")


@pytest.mark.parametrize("who", ["AUTHOR", "OPERATOR"])
def test_only_the_board_decides(desk: Any, doubles: Any, who: str) -> None:
    review = submitted(desk, doubles)
    with pytest.raises(NotAllowed):
        decision.approve(desk, getattr(doubles, who), review.id, digest=review.digest, reason="x")


@pytest.mark.parametrize("told", ["breaking", "undecided"])
def test_the_gate_holds(services: Any, doubles: Any, told: str) -> None:
    doubles.freeze(services, doubles.openapi())
    review = submitted(services, doubles, version="1.1.0", **{"x-verdict": told})
    assert review.assessment.outcome is Outcome(told)
    with pytest.raises(GateRefused) as caught:
        decision.approve(services, doubles.BO, review.id, digest=review.digest, reason="reviewed")
    assert caught.value.reasons == review.blockers
    assert caught.value.exit_code == 1
    assert catalogue.review(services, review.id).approvals == ()


def test_a_base_frozen_meanwhile_asks_for_a_new_verdict(services: Any, doubles: Any) -> None:
    doubles.freeze(services, doubles.openapi())
    late = submitted(services, doubles, version="1.2.0")
    doubles.freeze(services, doubles.openapi(version="1.1.0"))
    with pytest.raises(GateRefused, match=r"1\.1\.0 was frozen after"):
        decision.approve(services, doubles.BO, late.id, digest=late.digest, reason="reviewed")
    again = submitted(services, doubles, version="1.2.0")
    assert again.id != late.id
    assert [one.base_version for one in again.assessment.comparisons] == ["1.0.0", "1.1.0"]


def test_an_ended_review_stays_ended(services: Any, doubles: Any) -> None:
    review = submitted(services, doubles)
    ended = decision.reject(services, doubles.BO, review.id, digest=review.digest, reason="not needed")
    assert (ended.state, ended.ended_by, ended.end_reason) == (ReviewState.REJECTED, "bo", "not needed")
    assert catalogue.version(services, "lab-orders", "1.0.0").state is State.REJECTED
    with pytest.raises(Conflict, match="ended"):
        decision.approve(services, doubles.CY, review.id, digest=review.digest, reason="reviewed")


def test_only_its_author_withdraws(desk: Any, doubles: Any) -> None:
    review = submitted(desk, doubles)
    other = Principal("zoe", frozenset({Role.AUTHOR}))
    with pytest.raises(NotAllowed):
        decision.withdraw(desk, other, review.id, reason="not mine")
    done = decision.withdraw(desk, doubles.AUTHOR, review.id, reason="a slip")
    assert done.state is ReviewState.WITHDRAWN
    assert catalogue.version(desk, "lab-orders", "1.0.0").state is State.WITHDRAWN


@pytest.mark.parametrize("reason", ["", "   ", "x" * 2001])
def test_a_reason_is_required(desk: Any, doubles: Any, reason: str) -> None:
    review = submitted(desk, doubles)
    with pytest.raises(RequestRefused, match="reason"):
        decision.approve(desk, doubles.BO, review.id, digest=review.digest, reason=reason)


def test_a_greater_quorum_set_since_counts(sqlite_engine: Any, tmp_path: Path, doubles: Any) -> None:
    desk = doubles.make_services(sqlite_engine, tmp_path / "data")
    review = submitted(desk, doubles)
    values = {**desk.settings.values, "board_quorum": 3}
    strict = replace(desk, settings=type(desk.settings)(values))
    decision.approve(strict, doubles.BO, review.id, digest=review.digest, reason="reviewed")
    two = decision.approve(strict, doubles.CY, review.id, digest=review.digest, reason="reviewed")
    assert (two.state, two.missing) == (ReviewState.OPEN, 1)


def test_deprecate_then_retire(services: Any, doubles: Any) -> None:
    doubles.freeze(services, doubles.openapi())
    sunset = services.now() + timedelta(days=90)
    with pytest.raises(LifecycleError, match="frozen"):
        lifecycle.retire(services, doubles.BO, "lab-orders", "1.0.0", reason="too soon")
    with pytest.raises(RequestRefused, match="past"):
        lifecycle.deprecate(
            services, doubles.BO, "lab-orders", "1.0.0", sunset=services.now() - timedelta(1), reason="x"
        )
    found = lifecycle.deprecate(services, doubles.BO, "lab-orders", "1.0.0", sunset=sunset, reason="replaced")
    assert (found.state, found.sunset_at) == (State.DEPRECATED, sunset)
    gone = lifecycle.retire(services, doubles.BO, "lab-orders", "1.0.0", reason="unused")
    assert gone.state is State.RETIRED
    fresh = submission.submit(
        services, doubles.AUTHOR, doubles.openapi(version="1.1.0", **{"x-verdict": "breaking"})
    )
    assert fresh.assessment.comparisons == ()  # nobody may rely on a retired version
    with pytest.raises(NotAllowed):
        lifecycle.deprecate(services, doubles.OPERATOR, "lab-orders", "1.0.0", sunset=None, reason="x")
