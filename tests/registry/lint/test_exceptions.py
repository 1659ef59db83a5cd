"""Exceptions hide what they name, at their place, until their day; what is wrong with them is told."""

from datetime import date
from typing import Any

import pytest

from registry.lint.document import House, lint
from registry.lint.exceptions import RuleException

DAY = date(2026, 11, 26)
FINE = {
    "rule": "date-format-missing",
    "owner": "Ada Berg",
    "reason": "the analyser sends so",
    "expires": "2027-03-31",
}


def schema(exceptions: Any, place: str = "") -> dict[str, Any]:
    ward = {
        "type": "object",
        "additionalProperties": False,
        "properties": {"orderedAt": {"type": "string", "maxLength": 9}},
    }
    root: dict[str, Any] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Ward",
        "type": "object",
        "additionalProperties": False,
        "properties": {"ward": ward, "seenAt": {"type": "string", "maxLength": 9}},
    }
    node: Any = root
    for step in place.split("/")[1:]:
        node = node[step]
    node["x-interlock-lint"] = exceptions
    return root


def told(root: Any, **house: Any) -> list[tuple[str, str]]:
    found = lint(root, "schema", house=House(**{"as_of": DAY, **house}))
    return [(one.rule, one.pointer) for one in found]


WARD, SEEN = "/properties/ward/properties/orderedAt", "/properties/seenAt"


def test_an_exception_holds_for_its_object_and_what_is_below() -> None:
    assert told(schema([FINE])) == []
    assert told(schema([FINE], "/properties/ward")) == [("date-format-missing", SEEN)]
    assert told(schema([FINE], SEEN)) == [("date-format-missing", WARD)]


def test_the_last_day_is_within_and_the_next_is_not() -> None:
    assert told(schema([FINE]), as_of=date(2027, 3, 31)) == []
    assert told(schema([FINE]), as_of=date(2027, 4, 1)) == [
        ("date-format-missing", SEEN), ("date-format-missing", WARD), ("exception-expired", "/x-interlock-lint/0"),
    ]  # fmt: skip
    assert told(schema([FINE]), as_of=None) == []


def test_what_nothing_needs_is_told() -> None:
    other = FINE | {"rule": "format-misspelt"}
    assert told(schema([FINE, other])) == [("exception-unused", "/x-interlock-lint/1")]


@pytest.mark.parametrize(
    ("exception", "place", "said"),
    [
        ("nothing", "", "is a list of exceptions"),
        ([5], "/0", "an exception is an object"),
        ([{**FINE, "owner": " "}], "/0", "says no `owner`"),
        ([{key: FINE[key] for key in ("rule", "owner", "reason")}], "/0", "says no `expires`"),
        ([{**FINE, "expires": "31.3.2027"}], "/0/expires", "2027-03-31"),
        ([{**FINE, "until": "x"}], "/0", "no `until`"),
        ([{**FINE, "rule": "date-format-mising"}], "/0/rule", "did you mean `date-format-missing`?"),
        ([{**FINE, "rule": "schema-invalid"}], "/0/rule", "is an error"),
        ([{**FINE, "rule": "content-unchecked"}], "/0/rule", "waive the finding instead"),
        ([{**FINE, "rule": "exception-unused"}], "/0/rule", "about exceptions"),
    ],
)
def test_a_malformed_exception_excepts_nothing(exception: Any, place: str, said: str) -> None:
    found = lint(schema(exception), "schema", house=House(as_of=DAY))
    assert [one.rule for one in found] == ["date-format-missing", "date-format-missing", "exception-invalid"]
    assert found[-1].pointer == f"/x-interlock-lint{place}"
    assert said in found[-1].what


def test_an_exception_in_data_is_data() -> None:
    root = schema([FINE])
    root["examples"] = [{"x-interlock-lint": "nothing"}]
    assert "exception-invalid" not in {rule for rule, _ in told(root)}


def test_errors_cannot_be_excepted() -> None:
    root = schema([{**FINE, "rule": "schema-invalid"}])
    root["properties"]["seenAt"]["type"] = "text"
    assert ("schema-invalid", "/properties/seenAt/type") in told(root)


def test_exceptions_and_severities_from_outside() -> None:
    outside = RuleException("date-format-missing", "Ada", "so", date(2027, 3, 31), scope=SEEN)
    root = schema([], "/properties/ward")
    assert told(root, exceptions=(outside,)) == [("date-format-missing", WARD)]
    assert told(root, severity={"date-format-missing": None}) == []


def test_info_of_an_api_can_carry_one() -> None:
    api = {
        "openapi": "3.1.0",
        "info": {
            "title": "Orders",
            "version": "1.0.0",
            "description": "Orders.",
            "x-interlock-lint": [FINE | {"rule": "contact-missing"}],
        },
        "paths": {},
    }
    assert lint(api, "openapi", house=House(as_of=DAY)) == ()
