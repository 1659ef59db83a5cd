"""Examples are left out before oasdiff is asked, and nothing that only is called like one."""

from kernel.settings import load
from registry.compat.examples import without_examples
from registry.compat.policy import compare


def api(**media):
    schema = {
        "type": "object",
        "properties": {"example": {"type": "string", "example": "x"}},
        "default": {"example": 1},
    }
    body = {"content": {"application/json": {"schema": schema, **media}}}
    answers = {"default": {"description": "Done", "headers": {"examples": {"schema": {"type": "string"}}}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Notes", "version": "1"},
        "paths": {"/example": {"post": {"requestBody": body, "responses": answers}}},
        "components": {"examples": {"a": {"value": 1}}},
    }


def test_only_examples_go():
    made = without_examples(api(examples={"a": {"value": {}}}, example={}))
    expected = api()
    del expected["components"]["examples"]
    properties = expected["paths"]["/example"]["post"]["requestBody"]["content"]["application/json"][
        "schema"
    ]["properties"]
    del properties["example"]["example"]
    assert made == expected


def test_an_example_in_a_form_that_nobody_knows_leaves_the_verdict_alone():
    old, new = api(examples={"first": "not an Example Object"}), api(examples={"first": "another text"})
    verdict = compare(old, new, "openapi", settings=load(environ={}))
    assert (str(verdict.outcome), [found.rule for found in verdict.findings]) == (
        "compatible",
        ["notes-changed"],
    )
