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


def typed(way, operation="GET", status="200"):
    """A row about the type of a property of one component, which `way` leads to."""
    text = f"the `{way}[#/components/schemas/Bed]/ward` response's property `type` changed from `integer` to `string`"
    return row("response-property-type-changed", f"{text} for status `{status}`", 1, operation)


def test_what_is_safe_about_a_component_is_told_once_however_many_ways_lead_to_it(monkeypatch):
    new = changed(f"{BOOKING}/properties/patient/maxLength", 10)  # the answers stay as they are
    longer, shorter = "items/allOf[#/components/schemas/Beds]/items/oneOf", "items/oneOf"
    rows = [typed(longer), typed(shorter), typed("next/oneOf"), typed(shorter), typed(shorter, "POST")]
    rows += [typed(shorter, status="default")]
    found = [f for f in told(monkeypatch, new, *rows) if f.engine == "oasdiff"]
    assert {str(f.severity) for f in found} == {"safe"}
    said = sorted(f.what.partition(" response's property ")[::2] for f in found)
    ending = "`type` changed from `integer` to `string` for status"
    bed = "[#/components/schemas/Bed]/ward`"
    assert said == [
        (f"the `items/oneOf{bed}", f"{ending} `200`"),  # that of POST
        (f"the `items/oneOf{bed}", f"{ending} `default`"),
        (f"the `next/oneOf{bed}", f"{ending} `200` (and at 2 more places with the same schema)"),
    ]


def test_what_is_not_safe_is_told_for_each_way(monkeypatch):
    """Who accepts one place has not accepted the next."""
    name, said = (
        "request-property-became-nullable",
        "the request property `{}[#/components/schemas/Bed]/ward` became nullable",
    )
    rows = [row(name, said.format(way)) for way in ("items/oneOf", "next/oneOf")]
    found = told(monkeypatch, changed(f"{BOOKING}/properties/patient/maxLength", 10), *rows)
    theirs = [f for f in found if f.engine == "oasdiff"]
    assert "safe" not in {str(f.severity) for f in theirs}
    assert len({f.fingerprint for f in theirs}) == 2
