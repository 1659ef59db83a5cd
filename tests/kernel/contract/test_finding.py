"""A finding keeps its identity whatever is said of it, and is read again from what older releases stored."""

import json
from dataclasses import replace

import pytest

from kernel.contract.finding import Finding, Severity, shown

FOUND = Finding(
    "value-no-longer-accepted",
    Severity.BREAKING,
    "/paths/~1orders/post/requestBody/content/application~1json/schema/properties/note/maxLength",
    "The request body at 'note': `maxLength` changed",
    why="A value that was taken is refused.",
    remedy="Keep it.",
    base_pointer="/paths/~1orders/post/requestBody/content/application~1json/schema/properties/note/maxLength",
    before=50,
    after=40,
    direction="accepts",
)
WHOLE = replace(
    FOUND,
    witness={"note": "a" * 41},
    has_witness=True,
    exchange={"kind": "request", "method": "POST", "path": "/orders", "body": {"note": "a" * 41}},
    nearest={"note": "a" * 40},
    has_nearest=True,
    difference=({"op": "replace", "path": "/note", "value": "a" * 41},),
    source="new.yaml", line=20, column=3, base_source="old.yaml", base_line=19, base_column=3,
    engine="interlock", engine_version="0.1.0", agreed=("oasdiff/request-property-max-length-decreased",),
)  # fmt: skip


def test_the_fingerprint_is_the_same_in_every_release():
    assert FOUND.fingerprint == "2f565c94eb516555"


def test_wording_witness_place_in_files_and_engines_do_not_touch_the_fingerprint():
    worded = replace(
        WHOLE, what="Another sentence", why="", remedy="", severity=Severity.RISKY, engine="other"
    )
    assert worded.fingerprint == FOUND.fingerprint


@pytest.mark.parametrize(
    "other",
    [
        {"rule": "value-newly-emitted"},
        {"pointer": "/paths"},
        {"base_pointer": None},
        {"direction": "emits"},
        {"before": 60},
        {"after": 39},
    ],
)
def test_rule_places_direction_and_values_make_the_fingerprint(other):
    assert replace(FOUND, **other).fingerprint != FOUND.fingerprint


def test_long_values_are_named_by_digest_so_that_two_of_them_differ_in_the_fingerprint():
    long, longer = ["x" * 3_000], ["x" * 3_001]
    assert shown("short") == "short"
    assert shown(long) == {
        "digest": "sha256:d6852b8dac7ca95b43a271db4bbbc0b8a5069272575c26a2e77caa0df85317e3",
        "bytes": 3_004,
    }
    prints = {replace(FOUND, after=shown(value)).fingerprint for value in (long, longer)}
    assert len(prints) == 2


def test_the_json_form_holds_what_carries_the_witness_and_both_places():
    body = WHOLE.as_json()
    assert body["exchange"]["path"] == "/orders"
    assert body["nearest"] == {"note": "a" * 40}
    assert body["difference"] == [{"op": "replace", "path": "/note", "value": "a" * 41}]
    assert body["source"] == {"file": "new.yaml", "line": 20, "column": 3}
    assert body["base_source"] == {"file": "old.yaml", "line": 19, "column": 3}
    assert body["engine_version"] == "0.1.0"
    assert body["agreed"] == ["oasdiff/request-property-max-length-decreased"]
    assert "base_source" not in FOUND.as_json()


def test_what_is_stored_is_read_again_unchanged():
    assert Finding.from_stored(json.loads(json.dumps(WHOLE.stored()))) == WHOLE


def test_what_an_older_release_stored_is_read_and_what_a_newer_one_adds_is_passed_over():
    old = {
        "rule": "operation-removed", "severity": "breaking", "pointer": "/paths/~1a/get", "what": "GET /a was removed",
        "why": "", "remedy": "", "base_pointer": "/paths/~1a/get", "before": None, "after": None, "witness": None,
        "has_witness": False, "direction": None, "source": None, "line": None, "column": None, "engine": "oasdiff 1.33.0",
    }  # fmt: skip
    read = Finding.from_stored({**old, "of-tomorrow": 1})
    assert read == Finding(
        "operation-removed", Severity.BREAKING, "/paths/~1a/get", "GET /a was removed",
        base_pointer="/paths/~1a/get", engine="oasdiff 1.33.0",
    )  # fmt: skip
