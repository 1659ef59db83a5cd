"""Real pairs whose verdicts were read from the specifications before the engine was asked, and where the two differ.

`corpus_expected.json` holds what a reader of OpenAPI expects of each pair, and why, also where the pair's own
name says otherwise. It is not written anew by any run. A row of DIFFERENT is reviewed: the engine is not wrong.
"""

import json
from pathlib import Path

import pytest

EXPECTED = json.loads(Path(__file__).with_name("corpus_expected.json").read_text())
VERDICTS = json.loads(Path(__file__).with_name("corpus_verdicts.json").read_text())

# pair → the engine's verdict, and why it may stand
DIFFERENT = {
    "bc_request_param_base.yaml -> bc_request_param_style_changed.yaml": ("breaking", "what a consumer writes in form style is read by another style, whatever that one is"),
    "bc_security_requirements_base.yaml -> bc_security_requirements_scheme_type_changed.yaml": ("breaking", "credentials belong to the scheme that they were given out for"),
    "bc_security_scheme_base.yaml -> bc_security_scheme_scheme_changed.yaml": ("breaking", "the way that was open is not among the new ones"),
    "bc_security_scheme_base.yaml -> bc_security_scheme_type_changed.yaml": ("breaking", "the way that was open is not among the new ones"),
    "add_endpoint_1.yaml -> add_endpoint_2.yaml": ("compatible", "the two templates have different methods, so that each call has one operation; `check` refuses the document"),
    "oneOf_diff_1.yaml -> oneOf_diff_2.yaml": ("undecided", "the alternatives name Pet's discriminator and their own at once; no value was found that shows the break"),
    "response_schema_added_1.yaml -> response_schema_added_2.yaml": ("undecided", "the old document writes a reference where a schema belongs, and what it says there is unknown"),
}  # fmt: skip


@pytest.mark.parametrize("part", sorted(EXPECTED))
def test_the_engine_says_what_the_specifications_say(part):
    found = {name: VERDICTS[part][name] for name in EXPECTED[part]}
    wanted = {name: DIFFERENT.get(name, row)[0] for name, row in EXPECTED[part].items()}
    assert found == wanted


def test_no_break_is_called_compatible_and_the_list_is_not_stale():
    rows = {name: row[0] for rows in EXPECTED.values() for name, row in rows.items()}
    assert all(rows[name] != verdict for name, (verdict, _) in DIFFERENT.items())
    assert not [
        name
        for name, (verdict, _) in DIFFERENT.items()
        if (rows[name], verdict) == ("breaking", "compatible")
    ]


MOVED = "an address moved, and whether the old one still answers is not written"
BROKEN = "a document breaks the specification there, so that it says nothing"
UNDECIDED = {
    "RecurringService-v25.yaml -> RecurringService-v30.yaml": MOVED,
    "RecurringService-v30.yaml -> RecurringService-v40.yaml": MOVED,
    "RecurringService-v49.yaml -> RecurringService-v67.yaml": MOVED,
    "bc_oauthflow_base.yaml -> bc_oauthflow_authorization_url_changed.yaml": MOVED,
    "bc_oauthflow_base.yaml -> bc_oauthflow_refresh_url_changed.yaml": MOVED,
    "bc_oauthflow_base.yaml -> bc_oauthflow_token_url_changed.yaml": MOVED,
    "bc_security_scheme_base.yaml -> bc_security_scheme_open_id_connect_url_changed.yaml": MOVED,
    "composed_schema_1.yaml -> composed_schema_2.yaml": BROKEN,
    "delete_endpoint_1.yaml -> delete_endpoint_2.yaml": BROKEN,
    "response_schema_added_1.yaml -> response_schema_added_2.yaml": BROKEN,
    "schema-add-property-1.yaml -> schema-add-property-2.yaml": BROKEN,
    "schema-add-property-put-1.yaml -> schema-add-property-put-2.yaml": BROKEN,
    "schema-pattern-diff-1.yaml -> schema-pattern-diff-2.yaml": BROKEN,
    "oneOf_diff_1.yaml -> oneOf_diff_2.yaml": DIFFERENT["oneOf_diff_1.yaml -> oneOf_diff_2.yaml"][1],
}


def test_what_is_undecided_has_its_reason():
    pairs = [(name, verdict) for rows in VERDICTS.values() for name, verdict in rows.items()]
    assert {name for name, verdict in pairs if verdict == "undecided"} == set(UNDECIDED)
    # Where the documents do say something and nothing moved, one of all pairs could not be decided.
    assert sum(reason not in {MOVED, BROKEN} for reason in UNDECIDED.values()) == 1
