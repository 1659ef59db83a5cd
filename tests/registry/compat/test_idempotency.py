"""A change of `x-interlock-idempotency` is called what it does to callers, in both directions."""

import pytest

from kernel.settings import load
from registry.compat.policy import compare
from registry.compat.rules import BY_ID

KEPT = {"key": "required", "ttl": 3600}


def document(declared):
    operation = {"responses": {"200": {"description": "ok"}}}
    if declared is not None:
        operation["x-interlock-idempotency"] = declared
    return {
        "openapi": "3.0.3",
        "info": {"title": "t", "version": "1.0.0"},
        "paths": {"/a": {"post": operation}},
    }


@pytest.mark.parametrize(
    ("before", "after", "rule"),
    [
        (None, "optional", "idempotency-key-taken"),
        (None, "required", "idempotency-key-required"),
        ("optional", "required", "idempotency-key-required"),
        ("required", "optional", "idempotency-key-relaxed"),
        ("required", None, "idempotency-key-dropped"),
        ("optional", None, "idempotency-key-dropped"),
        (KEPT, {**KEPT, "ttl": 7200}, "idempotency-key-relaxed"),
        (KEPT, {**KEPT, "ttl": 60}, "idempotency-key-shorter"),
        (KEPT, {**KEPT, "scope": "contract"}, "change-unclassified"),
        (KEPT, {**KEPT, "provider": "honours"}, "change-unclassified"),
        (KEPT, {**KEPT, "not-done": [503]}, "change-unclassified"),
        (KEPT, {**KEPT, "grace": 5}, "change-unclassified"),
    ],
)
def test_what_a_change_is_called(before, after, rule):
    found = compare(document(before), document(after), "openapi", settings=load({"data": "x"}, environ={}))
    assert [one.rule for one in found.findings if "oasdiff" not in one.rule] == [rule]
    assert found.findings[0].severity is BY_ID[rule].severity


def test_another_way_to_write_the_same_is_no_change_for_callers():
    found = compare(document("required"), document({"key": "required"}), "openapi", settings=None)
    assert [one.rule for one in found.findings] == ["idempotency-key-relaxed"]
