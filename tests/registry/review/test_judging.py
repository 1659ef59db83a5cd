"""What a submission is judged by: modes of schemas, the contracts that use them, and the day of the decision."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from kernel.contract.finding import Outcome
from kernel.contract.urn import Urn
from kernel.contract.version import Version
from registry.errors import GateRefused
from registry.review import catalogue, decision, submission
from registry.review.engines import HouseEngines


class SchemaEngines(HouseEngines):
    """The real comparison, without lint and compiler: these documents are small."""

    def lint(self, root: Any, kind: Any, name: str, house: Any) -> tuple[Any, ...]:
        return ()

    def compile(self, root: Any, kind: Any, name: str) -> tuple[Any, ...]:
        return ()


@pytest.fixture
def house(desk: Any) -> Any:
    return replace(desk, engines=SchemaEngines(desk.settings))


def unit(doubles: Any, version: str, longest: int, mode: str | None = None) -> Any:
    draft = doubles.schema("unit", version, type="string", maxLength=longest)
    return (
        draft
        if mode is None
        else replace(draft, metadata=draft.metadata + f"compatibility: {mode}\n".encode())
    )


def judged(house: Any, doubles: Any, draft: Any) -> Any:
    return submission.plan(house, doubles.AUTHOR, draft)


@pytest.mark.parametrize(
    ("mode", "narrower", "wider"),
    [
        (None, Outcome.BREAKING, Outcome.BREAKING),
        ("BACKWARD", Outcome.BREAKING, Outcome.COMPATIBLE),
        ("FORWARD_TRANSITIVE", Outcome.COMPATIBLE, Outcome.BREAKING),
        ("FULL", Outcome.BREAKING, Outcome.BREAKING),
    ],
)
def test_the_mode_of_meta_yaml_says_what_may_change(
    house: Any, doubles: Any, mode: str | None, narrower: Outcome, wider: Outcome
) -> None:
    doubles.freeze(house, unit(doubles, "1.0.0", 9, mode))
    assert judged(house, doubles, unit(doubles, "1.1.0", 5, mode)).assessment.outcome is narrower
    done = judged(house, doubles, unit(doubles, "1.1.0", 12, mode))
    assert done.assessment.outcome is wider
    assert done.assessment.judgement.policy["mode"] == (mode or "FULL_TRANSITIVE")


def test_only_transitive_modes_are_held_to_versions_further_back(house: Any, doubles: Any) -> None:
    for number, longest in (("1.0.0", 9), ("1.1.0", 12)):
        doubles.freeze(house, unit(doubles, number, longest, "BACKWARD"))
    one = judged(house, doubles, unit(doubles, "1.2.0", 12, "BACKWARD"))
    assert [c.base_version for c in one.assessment.comparisons] == ["1.1.0"]
    two = judged(house, doubles, unit(doubles, "1.2.0", 12, "BACKWARD_TRANSITIVE"))
    assert [c.base_version for c in two.assessment.comparisons] == ["1.0.0", "1.1.0"]
    review = submission.submit(house, doubles.AUTHOR, unit(doubles, "1.2.0", 12, "BACKWARD")).review
    assert review.blockers == ()


def test_a_mode_that_promises_less_is_told_and_blocks(house: Any, doubles: Any) -> None:
    doubles.freeze(house, unit(doubles, "1.0.0", 9, "FULL_TRANSITIVE"))
    done = judged(house, doubles, unit(doubles, "1.1.0", 12, "BACKWARD_TRANSITIVE"))
    (comparison,) = done.assessment.comparisons
    assert comparison.outcome is Outcome.BREAKING
    assert [one.rule for one in comparison.findings if one.severity == "risky"] == ["compatibility-weakened"]


def user(doubles: Any, urn: str, *, answer: bool, name: str = "orders") -> Any:
    content = {"application/json": {"schema": {"$ref": urn}}}
    post: dict[str, Any] = {"responses": {"200": {"description": "Done"}}}
    if answer:
        post["responses"]["200"]["content"] = content
    else:
        post["requestBody"] = {"content": content}
    return doubles.openapi(name, paths={"/o": {"post": post}})


@pytest.mark.parametrize(
    ("answer", "direction", "narrower", "wider"),
    [
        (False, "accepts", Outcome.BREAKING, Outcome.COMPATIBLE),
        (True, "emits", Outcome.COMPATIBLE, Outcome.BREAKING),
    ],
)
def test_a_schema_is_judged_through_the_served_contracts_that_use_it(
    house: Any, doubles: Any, answer: bool, direction: str, narrower: Outcome, wider: Outcome
) -> None:
    frozen = doubles.freeze(house, unit(doubles, "1.0.0", 9, "CONTRACT"))
    urn = str(Urn("unit", Version(1, 0, 0), frozen.digest))
    doubles.freeze(house, user(doubles, urn, answer=answer))
    for longest, outcome in ((5, narrower), (12, wider)):
        done = judged(house, doubles, unit(doubles, "1.1.0", longest, "CONTRACT"))
        (use,) = done.assessment.judgement.uses
        assert (use.contract, use.version, use.directions) == ("orders", "1.0.0", (direction,))
        assert use.outcome is outcome
        assert done.assessment.comparisons[0].outcome is outcome
        assert bool(done.blockers) is (outcome is Outcome.BREAKING)
    assert any("orders 1.0.0 uses it" in one for one in done.blockers) is (wider is Outcome.BREAKING)


def test_a_mode_that_is_too_weak_for_its_users_does_not_let_a_break_through(house: Any, doubles: Any) -> None:
    frozen = doubles.freeze(house, unit(doubles, "1.0.0", 9, "BACKWARD"))
    doubles.freeze(house, user(doubles, str(Urn("unit", Version(1, 0, 0), frozen.digest)), answer=True))
    review = submission.submit(house, doubles.AUTHOR, unit(doubles, "1.1.0", 12, "BACKWARD")).review
    assert review.assessment.comparisons[0].outcome is Outcome.COMPATIBLE
    assert [one.outcome for one in review.assessment.judgement.uses] == [Outcome.BREAKING]
    assert any("would break its own consumers" in one for one in review.blockers)
    assert catalogue.review(house, review.id).assessment == review.assessment


DEPRECATED = {"deprecated": True, "x-sunset": "2026-12-01", "responses": {"200": {"description": "Done"}}}


def test_a_sunset_counts_on_the_day_of_the_decision(house: Any, doubles: Any) -> None:
    paths = {"/a": {"get": DEPRECATED}, "/b": {"get": {"responses": {"200": {"description": "Done"}}}}}
    doubles.freeze(house, doubles.openapi(paths=paths))
    without = doubles.openapi(version="1.1.0", paths={"/b": paths["/b"]})
    early = submission.submit(house, doubles.AUTHOR, without).review
    assert early.blockers
    house.now.moment += timedelta(days=12)  # the second of December
    with pytest.raises(GateRefused) as refused:
        decision.approve(house, doubles.BO, early.id, digest=early.digest, reason="gone")
    assert any("judged otherwise today: submit it again" in one for one in refused.value.reasons)
    late = submission.submit(house, doubles.AUTHOR, without).review
    assert late.id != early.id
    assert late.blockers == ()
    assert late.assessment.judgement.policy["as_of"] == "2026-12-02"
    for member in (doubles.BO, doubles.CY):
        late = decision.approve(house, member, late.id, digest=late.digest, reason="gone")
    assert str(late.state) == "frozen"


def test_a_part_may_go_although_versions_before_its_announcement_still_stand(
    house: Any, doubles: Any
) -> None:
    get = {"responses": {"200": {"description": "Done"}}}
    both, ends = ({"/a": {"get": {**get, **words}}, "/b": {"get": get}} for words in ({}, DEPRECATED))
    house.now.moment -= timedelta(days=100)
    doubles.freeze(house, doubles.openapi(paths=both))
    doubles.freeze(house, doubles.openapi(version="1.1.0", paths=ends))
    house.now.moment += timedelta(days=112)  # the second of December
    review = submission.submit(
        house, doubles.AUTHOR, doubles.openapi(version="1.2.0", paths={"/b": both["/b"]})
    ).review
    assert [str(one.outcome) for one in review.assessment.comparisons] == ["compatible", "compatible"]
    assert review.blockers == ()


def test_notice_that_was_long_enough_at_submission_must_be_so_at_the_decision(
    house: Any, doubles: Any
) -> None:
    get = {"responses": {"200": {"description": "Done"}}}
    doubles.freeze(house, doubles.openapi(paths={"/a": {"get": get}}))
    assert house.now.moment < datetime(2026, 11, 21, tzinfo=house.now.moment.tzinfo)
    ends = {**get, "deprecated": True, "x-sunset": "2027-02-19"}
    review = submission.submit(
        house, doubles.AUTHOR, doubles.openapi(version="1.1.0", paths={"/a": {"get": ends}})
    ).review
    assert review.blockers == ()
    decision.approve(house, doubles.BO, review.id, digest=review.digest, reason="fine")
    house.now.moment += timedelta(days=5)
    with pytest.raises(GateRefused):
        decision.approve(house, doubles.CY, review.id, digest=review.digest, reason="fine")
