"""Sunset, deprecation and stability: what may go, when, and what that never hides."""

import copy
import json
from datetime import date, timedelta

import pytest

from registry.compat.policy_dates import day_of, life_of
from registry.compat.policy_judge import Policy, judge
from registry.compat.policy_lifecycle import announcements
from registry.compat.policy_profiles import PROFILE

SUNSET = "2026-06-01"
BEFORE, ON, AFTER = date(2026, 5, 1), date(2026, 6, 1), date(2026, 6, 2)
OLD = {"deprecated": True, "x-sunset": SUNSET}


def operation(name, **more):
    return {"operationId": name, "responses": {"200": {"description": "Done"}}, **more}


def api(paths, schema=None):
    body = {
        "openapi": "3.0.3",
        "info": {"title": "Orders", "version": "1.0.0"},
        "paths": copy.deepcopy(paths),
    }
    return body if schema is None else {**body, "components": {"schemas": {"Order": schema}}}


def exchanged(schema):
    """An API that takes and gives the same schema."""
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}
    answer = {"200": {"description": "Done", "content": content}}
    return api(
        {"/o": {"post": {"operationId": "o", "requestBody": {"content": content}, "responses": answer}}},
        schema,
    )


def order(*required, **properties):
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def events(messages, **operation_words):
    references = [{"$ref": f"#/channels/c/messages/{name}"} for name in messages]
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Events", "version": "1.0.0"},
        "channels": {"c": {"address": "c", "messages": messages}},
        "operations": {
            "tell": {
                "action": "send", "channel": {"$ref": "#/channels/c"}, "messages": references, **operation_words,
            }
        },
    }  # fmt: skip


def outcome(old, new, as_of, profile="standard", kind="openapi"):
    return judge(old, new, kind, Policy(as_of, PROFILE[profile]))


def rules(verdict):
    return {one.rule for one in verdict.findings}


PARAMETER = {"name": "page", "in": "query", "schema": {"type": "string"}}
TEXT = {"type": "string"}
GONE = {
    "operation": (api({"/a": {"get": operation("a", **OLD)}, "/b": {"get": operation("b")}}), api({"/b": {"get": operation("b")}})),
    "path parameter template": (api({"/a/{x}": {"get": operation("a", **OLD)}}), api({})),
    "parameter": (
        api({"/a": {"get": operation("a", parameters=[{**PARAMETER, **OLD}])}}),
        api({"/a": {"get": operation("a")}}),
    ),
    "shared parameter": (
        api({"/a": {"parameters": [{**PARAMETER, **OLD}], "get": operation("a")}}),
        api({"/a": {"get": operation("a")}}),
    ),
    "property": (exchanged(order("a", a=TEXT, old={**TEXT, **OLD})), exchanged(order("a", a=TEXT))),
    "required property": (exchanged(order("a", "old", a=TEXT, old={**TEXT, **OLD})), exchanged(order("a", a=TEXT))),
    "only property": (exchanged(order("old", old={**TEXT, **OLD})), exchanged({"type": "object", "additionalProperties": False})),
}  # fmt: skip


@pytest.mark.parametrize("name", GONE)
def test_a_deprecated_part_may_go_once_its_sunset_has_passed(name):
    old, new = GONE[name]
    for day in (BEFORE, ON):
        early = outcome(old, new, day)
        assert early.outcome == "breaking", rules(early)
        assert "removed-after-sunset" not in rules(early)
        assert any(f"judged as of {day}" in one.why for one in early.findings)
    late = outcome(old, new, AFTER)
    assert (late.outcome, late.required_bump) == ("compatible", "minor"), rules(late)
    assert "removed-after-sunset" in rules(late)
    assert outcome(old, new, AFTER, "strict").outcome == "breaking"


@pytest.mark.parametrize("name", GONE)
def test_without_deprecation_or_without_a_date_it_may_not(name):
    old, new = GONE[name]
    for word in ("deprecated", "x-sunset"):
        assert outcome(_without(old, word), new, AFTER).outcome == "breaking"
    unread = _replaced(old, "x-sunset", "next summer")
    assert outcome(unread, new, AFTER).outcome == "breaking"


def _without(node, word):
    if isinstance(node, dict):
        return {key: _without(value, word) for key, value in node.items() if key != word}
    return [_without(item, word) for item in node] if isinstance(node, list) else node


def _replaced(node, word, value):
    if isinstance(node, dict):
        return {key: value if key == word else _replaced(item, word, value) for key, item in node.items()}
    return [_replaced(item, word, value) for item in node] if isinstance(node, list) else node


def test_a_message_may_go_once_its_sunset_has_passed():
    old = events(
        {"placed": {"payload": TEXT}, "old": {"payload": TEXT, "x-deprecated": True, "x-sunset": SUNSET}}
    )
    new = events({"placed": {"payload": TEXT}})
    assert outcome(old, new, ON, kind="asyncapi").outcome != "compatible"
    late = outcome(old, new, AFTER, kind="asyncapi")
    assert (late.outcome, rules(late)) == ("compatible", {"removed-after-sunset"})


def test_a_message_of_asyncapi_2_may_go_once_its_sunset_has_passed():
    def document(*messages):
        channels = {"c": {"subscribe": {"message": {"oneOf": list(messages)}}}}
        return {"asyncapi": "2.6.0", "info": {"title": "E", "version": "1.0.0"}, "channels": channels}

    kept, old = (
        {"name": "a", "payload": TEXT},
        {"name": "b", "payload": TEXT, "x-deprecated": True, "x-sunset": SUNSET},
    )
    assert outcome(document(old, kept), document(kept), ON, kind="asyncapi").outcome != "compatible"
    late = outcome(document(old, kept), document(kept), AFTER, kind="asyncapi")
    assert "removed-after-sunset" in rules(late)


def test_what_goes_hides_no_break_beside_it():
    old = exchanged(order("a", "old", a=TEXT, old={**TEXT, **OLD}))
    new = exchanged(order("a", a={"type": "string", "maxLength": 3}))
    verdict = outcome(old, new, AFTER)
    assert verdict.outcome == "breaking"
    assert {"value-no-longer-accepted", "removed-after-sunset"} <= rules(verdict)


def test_a_property_that_comes_back_elsewhere_with_another_type_is_a_break_for_readers():
    old = {**order("old", old={**TEXT, **OLD}), "additionalProperties": True}
    new = {"type": "object", "allOf": [{"properties": {"old": {"type": "integer"}}, "required": ["old"]}]}
    verdict = outcome(old, new, AFTER, kind="schema")
    assert verdict.outcome == "breaking"
    assert "value-newly-emitted" in rules(verdict)


def test_places_are_those_of_the_whole_document():
    old = api(
        {"/a": {"get": operation("a", parameters=[{**PARAMETER, **OLD}, {"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 9}}])}}
    )  # fmt: skip
    new = api(
        {"/a": {"get": operation("a", parameters=[{"name": "q", "in": "query", "schema": {"type": "string", "maxLength": 5}}])}}
    )  # fmt: skip
    (narrowed,) = [one for one in outcome(old, new, AFTER).findings if one.rule == "value-no-longer-accepted"]
    assert narrowed.base_pointer == "/paths/~1a/get/parameters/1/schema/maxLength"
    assert narrowed.pointer == "/paths/~1a/get/parameters/0/schema/maxLength"


def changed(before, after, as_of=BEFORE, profile="standard"):
    old, new = ({"/a": {"get": operation("a", **words)}} for words in (before, after))
    return outcome(api(old), api(new), as_of, profile)


def later(days, **more):
    return {"deprecated": True, "x-sunset": str(BEFORE + timedelta(days=days)), **more}


LIVES = [  # before, after, as of 2026-05-01: outcome by profile, the rule that says so
    ({}, {"deprecated": True}, "breaking", "compatible", "compatible", "sunset-missing"),
    ({}, later(180), "compatible", "compatible", "compatible", None),
    ({}, later(179), "breaking", "compatible", "compatible", None),
    ({}, later(90), "breaking", "compatible", "compatible", None),
    ({}, later(89), "breaking", "breaking", "compatible", "sunset-too-soon"),
    ({}, later(30, **{"x-stability-level": "beta"}), "breaking", "breaking", "breaking", "stability-lowered"),
    ({"x-stability-level": "beta"}, later(30, **{"x-stability-level": "beta"}), "breaking", "compatible", "compatible", None),
    ({"x-stability-level": "beta"}, later(29, **{"x-stability-level": "beta"}), "breaking", "breaking", "compatible", "sunset-too-soon"),
    ({}, later(200, **{"x-deprecation": str(BEFORE + timedelta(days=150))}), "breaking", "breaking", "compatible", "sunset-too-soon"),
    ({"deprecated": True}, later(10), "breaking", "breaking", "compatible", "sunset-too-soon"),
    (later(200), later(199), "breaking", "breaking", "breaking", "sunset-brought-forward"),
    (later(200), later(201), "compatible", "compatible", "compatible", "sunset-changed"),
    (later(200), {"deprecated": True}, "compatible", "compatible", "compatible", "sunset-changed"),
    (later(200), {}, "compatible", "compatible", "compatible", "no-longer-deprecated"),
    ({}, {"deprecated": True, "x-sunset": "soon"}, "breaking", "breaking", "compatible", "lifecycle-value-unknown"),
    (later(9), later(9), "compatible", "compatible", "compatible", None),
    (later(200), later(200, **{"x-deprecation": str(BEFORE + timedelta(days=201))}), "breaking", "breaking", "compatible", "sunset-before-deprecation"),
    ({"x-stability-level": "beta"}, {"x-stability-level": "stable"}, "compatible", "compatible", "compatible", "stability-raised"),
    ({}, {"x-stability-level": "beta"}, "breaking", "breaking", "breaking", "stability-lowered"),
    ({"x-stability-level": "beta"}, {"x-stability-level": "alpha"}, "breaking", "breaking", "breaking", "stability-lowered"),
    ({}, {"x-stability-level": "gamma"}, "breaking", "breaking", "compatible", "lifecycle-value-unknown"),
    ({}, {"x-stability-level": "stable"}, "compatible", "compatible", "compatible", None),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "strict", "standard", "lenient", "rule"), LIVES)
def test_what_is_promised_about_time(before, after, strict, standard, lenient, rule):
    found = {profile: changed(before, after, profile=profile) for profile in PROFILE}
    assert [str(found[name].outcome) for name in ("strict", "standard", "lenient")] == [
        strict,
        standard,
        lenient,
    ]
    if rule is not None:
        assert rule in rules(found["standard"])


@pytest.mark.parametrize(
    ("level", "strict", "standard"),
    [("draft", "compatible", "compatible"), ("alpha", "breaking", "compatible"), ("beta", "breaking", "breaking"), ("stable", "breaking", "breaking")],
)  # fmt: skip
def test_what_may_break_is_said_by_the_level_of_the_older_version(level, strict, standard):
    word = {"x-stability-level": level}
    old = {"/a": {"get": operation("a", **word)}, "/b": {"get": operation("b")}}
    new = {
        "/a": {"get": operation("a", parameters=[{**PARAMETER, "required": True}], **word)},
        "/b": {"get": operation("b")},
    }
    for there in (new, {"/b": {"get": operation("b")}}):
        assert outcome(api(old), api(there), BEFORE, "strict").outcome == strict
        verdict = outcome(api(old), api(there), BEFORE)
        assert verdict.outcome == standard
        assert ("unstable-not-compared" in rules(verdict)) is (standard == "compatible")
    raised = {
        "/a": {"get": {**new["/a"]["get"], "x-stability-level": "draft"}},
        "/b": {"get": operation("b")},
    }
    if level == "stable":
        assert outcome(api(old), api(raised), BEFORE).outcome == "breaking"


def test_an_unstable_part_that_did_not_change_is_not_spoken_of():
    word = {"x-stability-level": "alpha"}
    old = {"/a": {"get": operation("a", **word)}, "/b": {"get": operation("b")}}
    new = {
        "/a": {"get": operation("a", **word)},
        "/b": {"get": operation("b")},
        "/c": {"get": operation("c")},
    }
    assert "unstable-not-compared" not in rules(outcome(api(old), api(new), BEFORE))


def test_a_level_above_an_operation_holds_for_it():
    old, new = api({"/a": {"get": operation("a")}}), api({})
    old["info"]["x-stability-level"] = "draft"
    assert outcome(old, new, BEFORE).outcome == "compatible"
    old["paths"]["/a"]["x-stability-level"] = "beta"
    assert outcome(old, new, BEFORE).outcome == "breaking"


def test_a_draft_schema_may_become_anything_and_a_stable_one_may_not():
    draft = {"type": "string", "x-stability-level": "draft"}
    verdict = outcome(draft, {"type": "integer"}, BEFORE, kind="schema")
    assert (verdict.outcome, verdict.required_bump, rules(verdict)) == (
        "compatible",
        "minor",
        {"unstable-not-compared"},
    )
    assert (
        outcome({"type": "string"}, {**draft, "type": "integer"}, BEFORE, kind="schema").outcome == "breaking"
    )


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-12-31", date(2026, 12, 31)),
        ("2026-12-31T23:30:00-02:00", date(2027, 1, 1)),
        ("Sat, 31 Dec 2026 23:59:59 GMT", date(2026, 12, 31)),
        ("@1688169599", date(2023, 6, 30)),
        ("2026-12-32", None),
        ("2026-12-31T10:00:00", None),
        ("20261231", None),
        ("soon", None),
        ("@", None),
        (20261231, None),
        ("9" * 70, None),
    ],
)
def test_days_are_read_from_what_the_headers_write(text, day):
    assert day_of(text) == day


def test_a_life_names_what_it_cannot_read():
    life = life_of({"x-sunset": 1, "x-deprecation": "x", "x-stability-level": "gold", "deprecated": "yes"})
    assert life.unknown == ("x-deprecation", "x-sunset", "x-stability-level")
    assert not life.deprecated


def test_a_data_property_that_is_called_like_a_word_of_ours_is_no_word():
    schema = order(**{"x-sunset": TEXT, "deprecated": {"type": "boolean"}, "x-stability-level": TEXT})
    verdict = outcome(exchanged(schema), exchanged({**schema, "description": "d"}), AFTER)
    assert rules(verdict) == {"notes-changed"}


def test_a_property_is_announced_like_an_operation():
    plain, soon = (
        exchanged(order("a", a=TEXT, b=TEXT)),
        {**TEXT, "deprecated": True, "x-sunset": "2026-05-09"},
    )
    verdict = outcome(plain, exchanged(order("a", a=TEXT, b=soon)), BEFORE)
    assert "sunset-too-soon" in rules(verdict)
    undated = exchanged(order("a", a=TEXT, b={**TEXT, "deprecated": True}))
    assert "sunset-missing" in rules(outcome(plain, undated, BEFORE))


def test_a_property_whose_end_was_called_off_is_compared_as_ever():
    ended = exchanged(order("a", a=TEXT, old={**TEXT, **OLD}))
    back = exchanged(order("a", a=TEXT, old={"type": "string", "maxLength": 2}))
    verdict = outcome(ended, back, AFTER)
    assert verdict.outcome == "breaking"
    assert {"value-no-longer-accepted", "sunset-changed"} <= rules(verdict)
    assert "removed-after-sunset" not in rules(verdict)


def test_a_property_does_not_go_with_the_schema_that_held_it():
    ended, renamed = (
        exchanged(order("a", a=TEXT, old={**TEXT, **OLD})),
        exchanged(order("a", a=TEXT, old={"type": "integer"})),
    )
    text = json.dumps(renamed).replace("schemas/Order", "schemas/Request")
    renamed = json.loads(text)
    renamed["components"]["schemas"] = {"Request": renamed["components"]["schemas"]["Order"]}
    verdict = outcome(ended, renamed, AFTER)
    assert verdict.outcome == "breaking"
    assert "removed-after-sunset" not in rules(verdict)


@pytest.mark.parametrize("name", GONE)
def test_what_a_version_between_announced_counts_for_those_before_it_too(name):
    """1.0.0 says nothing, 1.1.0 announces the end, 1.2.0 goes without: nobody on 1.0.0 had less notice."""
    between, new = GONE[name]
    old = _without(_without(between, "deprecated"), "x-sunset")
    told = [announcements(between)]
    assert told[0]
    for day, wanted in ((ON, "breaking"), (AFTER, "compatible")):
        verdict = judge(old, new, "openapi", Policy(day), announced=told)
        assert verdict.outcome == wanted, rules(verdict)
    assert judge(old, new, "openapi", Policy(AFTER)).outcome == "breaking"
    assert judge(old, new, "openapi", Policy(AFTER, PROFILE["strict"]), announced=told).outcome == "breaking"


def test_notice_counts_from_the_version_that_announced_the_end():
    silent, ends = ({"/a": {"get": operation("a", **words)}} for words in ({}, later(100)))
    near = BEFORE + timedelta(days=60)
    assert outcome(api(silent), api(ends), near).outcome == "breaking"
    told = [announcements(api(ends))]
    assert judge(api(silent), api(ends), "openapi", Policy(near), announced=told).outcome == "compatible"
    sooner = api({"/a": {"get": operation("a", **later(70))}})
    verdict = judge(api(silent), sooner, "openapi", Policy(near), announced=told)
    assert "sunset-too-soon" in rules(verdict)


def test_where_no_base_is_known_notice_counts_from_the_day_that_the_version_names():
    silent, ends = (
        {"/a": {"get": operation("a", **words)}}
        for words in ({}, later(100, **{"x-deprecation": str(BEFORE)}))
    )
    near = Policy(BEFORE + timedelta(days=60))
    assert judge(api(silent), api(ends), "openapi", near).outcome == "breaking"
    assert judge(api(silent), api(ends), "openapi", near.believing()).outcome == "compatible"
    short = {"/a": {"get": operation("a", **later(80, **{"x-deprecation": str(BEFORE)}))}}
    assert judge(api(silent), api(short), "openapi", near.believing()).outcome == "breaking"
    undated = {"/a": {"get": operation("a", **later(100))}}
    assert judge(api(silent), api(undated), "openapi", near.believing()).outcome == "breaking"


@pytest.mark.parametrize("odd", [[], {}, 1, None, {"$ref": {}}, {"$ref": []}, {"$ref": "#/nowhere"}, "x"])
def test_what_makes_no_sense_takes_nothing_out_and_ends_nothing(odd):
    ending = {"x-deprecated": True, "x-sunset": SUNSET}
    old = events({"placed": {"payload": TEXT}, "old": {"payload": TEXT, **ending}})
    old["channels"]["d"] = {"address": "d", "messages": {}, **ending}
    new = events({"placed": {"payload": TEXT}})
    for place in (
        ("operations", "tell", "channel"),
        ("operations", "tell", "messages"),
        ("operations", "odd"),
    ):
        broken = copy.deepcopy(old)
        *steps, last = place
        holder = broken
        for step in steps:
            holder = holder[step]
        holder[last] = [odd, *holder.get(last, [])] if last == "messages" else odd
        assert outcome(broken, new, AFTER, kind="asyncapi").outcome in {"compatible", "breaking", "undecided"}
        assert outcome(new, broken, AFTER, kind="asyncapi").outcome in {"compatible", "breaking", "undecided"}
