"""What is submitted is held against the canonical schemas that are frozen, the newest of each."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from registry.review import submission
from registry.review.canon import canon_of
from registry.review.engines import HouseEngines

PLACE = {key: {"type": "integer"} for key in ("wardKind", "floor", "bedNumber")}


class LintOnly(HouseEngines):
    """The real lint, without compiler and comparison."""

    def compile(self, root: Any, kind: Any, name: str) -> tuple[Any, ...]:
        return ()


@pytest.fixture
def house(desk: Any) -> Any:
    return replace(desk, engines=LintOnly(desk.settings))


def names(desk: Any, without: str = "") -> list[str]:
    with desk.store.reading() as ledger:
        return [one.title for one in canon_of(ledger, without).schemas]


def test_the_canon_is_the_newest_frozen_version_of_each_schema(desk: Any, doubles: Any) -> None:
    doubles.freeze(desk, doubles.schema("ward", "1.0.0", title="Ward"))
    submission.submit(desk, doubles.AUTHOR, doubles.schema("bed", "1.0.0", title="Bed"))
    assert names(desk) == ["ward 1.0.0"]
    doubles.freeze(desk, doubles.schema("ward", "1.1.0", title="A ward"))
    assert names(desk) == ["ward 1.1.0"]
    assert names(desk, without="ward") == []


def test_copies_and_drifting_names_are_told_at_submission(house: Any, desk: Any, doubles: Any) -> None:
    doubles.freeze(
        desk, doubles.schema("ward", "1.0.0", properties=PLACE, title="Ward", description="A ward.")
    )
    schemas = {
        "Place": {"type": "object", "properties": PLACE},
        "B": {"properties": {"ward_kind": {"type": "integer"}}},
    }
    done = submission.submit(house, doubles.AUTHOR, doubles.openapi(components={"schemas": schemas}))
    told = {one.rule: one for one in done.assessment.lint}
    assert told["schema-copied"].pointer == "/components/schemas/Place"
    assert "urn:interlock:schema:ward:1.0.0:sha256-" in told["schema-copied"].what
    assert told["name-drift"].what == "`ward_kind` is `wardKind` in ward 1.0.0"


def test_the_day_of_the_submission_ends_exceptions(house: Any, doubles: Any) -> None:
    day = house.now().date()
    exception = {
        "rule": "property-naming",
        "owner": "Ada",
        "reason": "so",
        "expires": str(date(day.year - 1, 1, 1)),
    }
    schemas = {"A": {"type": "object", "x-interlock-lint": [exception]}}
    done = submission.submit(house, doubles.AUTHOR, doubles.openapi(components={"schemas": schemas}))
    assert "exception-expired" in {one.rule for one in done.assessment.lint}
