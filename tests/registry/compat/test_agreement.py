"""One break is told once: oasdiff's row of the same place agrees with ours, and every other row stays."""

import pytest

from kernel.settings import load
from registry.compat import openapi
from registry.compat.oasdiff import Opinion
from registry.compat.policy import compare
from tests.registry.compat.ward import WARD, changed

SETTINGS = load(environ={})
BOOKING = "/components/schemas/Booking"
ONCE = {
    "a bound": (changed(f"{BOOKING}/properties/patient/maxLength", 10), "request-property-max-length-decreased"),
    "a required property": (changed(f"{BOOKING}/required", ["patient", "nights"]), "request-property-became-required"),
    "a value that is sent": (changed("/components/schemas/State/enum/2", "x"), "response-property-enum-value-added"),
    "a parameter": (changed("/components/parameters/Ward/required", value=True), "request-parameter-became-required"),
    "an operation": (changed("/paths/~1beds~1{id}/delete", remove=True), "api-removed-without-deprecation"),
    "a header": (changed("/components/headers/Location/required", value=False), "response-header-became-optional"),
}  # fmt: skip


@pytest.mark.parametrize("name", ONCE)
def test_what_both_engines_see_is_one_finding(name):
    new, rule = ONCE[name]
    found = compare(WARD, new, "openapi", settings=SETTINGS)
    (ours,) = [f for f in found.findings if str(f.severity) != "safe"]
    assert (ours.engine, ours.agreed) == ("interlock", (f"oasdiff/{rule}",))
    assert ours.engine_version == found.engines["interlock"]


def told(monkeypatch, new, *rows):
    monkeypatch.setattr(openapi, "ask_oasdiff", lambda *_: Opinion(tuple(rows), "1.33.0"))
    return compare(WARD, new, "openapi", settings=SETTINGS).findings


def row(rule, text, level=3, operation="POST", path="/beds"):
    return {"id": rule, "text": text, "level": level, "operation": operation, "path": path}


@pytest.mark.parametrize("other", [
    row("request-property-min-length-increased", "the `patient` request property's minLength was increased to `2`"),
    row("request-property-max-length-decreased", "the `notify` request property's maxLength was decreased to `10`"),
    row("request-property-became-required", "the request property `notify` became required"),
    row("response-property-max-length-decreased", "the `patient` response property's maxLength was decreased to `10`"),
    row("request-property-max-length-decreased", "the `patient` request property's maxLength was decreased to `10`",
        operation="GET"),
    row("request-parameter-became-required", "the `query` request parameter `ward` became required"),
])  # fmt: skip
def test_what_only_the_other_engine_sees_stays_a_finding_that_blocks(monkeypatch, other):
    new = changed(f"{BOOKING}/properties/patient/maxLength", 10)
    found = told(monkeypatch, new, other)
    theirs = [f for f in found if f.engine == "oasdiff"]
    assert [(f.rule, f.engine_version) for f in theirs] == [(f"oasdiff/{other['id']}", "1.33.0")]
    proven = "response" in other["id"]  # the answers are the same, to the letter
    assert (str(theirs[0].severity) == "safe") is proven
    assert all(not f.agreed for f in found)


def test_a_claim_that_weighs_more_than_ours_is_not_swallowed(monkeypatch):
    """Ours is safe there, or risky: what is called worse is told."""
    new = changed("/paths/~1beds/get/parameters/0", remove=True)
    worse = row("request-parameter-removed", "deleted the `query` request parameter `free`", 3, "GET")
    same = row("request-parameter-removed", "deleted the `query` request parameter `free`", 2, "GET")
    assert [f.rule for f in told(monkeypatch, new, worse)] == [
        "oasdiff/request-parameter-removed",
        "parameter-removed",
    ]
    assert [(f.rule, f.agreed) for f in told(monkeypatch, new, same)] == [
        ("parameter-removed", ("oasdiff/request-parameter-removed",))
    ]


def test_two_rows_that_name_other_values_have_other_fingerprints(monkeypatch):
    """A waiver of one is none of the other."""
    rows = [
        row(
            "request-property-enum-value-removed",
            f"removed the enum value `{value}` of the request property `ward`",
        )
        for value in ("a", "b")
    ]
    found = told(monkeypatch, changed(f"{BOOKING}/properties/patient/maxLength", 10), *rows)
    assert len({f.fingerprint for f in found if f.engine == "oasdiff"}) == 2
