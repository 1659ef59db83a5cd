"""What is the same to the letter is left out, and nothing else: the findings are those of the whole comparison."""

import json

import pytest

from kernel.errors import InterlockError
from kernel.settings import load
from registry.compat.inputs import read_self_contained
from registry.compat.oasdiff import ask
from registry.compat.openapi_touched import Touched
from registry.compat.policy import compare
from tests.bench.compat.large import documents
from tests.registry.compat.test_corpus import chains, diff_pairs
from tests.registry.compat.ward import WARD, changed, ward

SETTINGS = load(environ={})
SCHEMAS = "/components/schemas"
ADYEN = r"(?P<name>.*)-(?P<version>v\d+)\.yaml"
CHANGES = {
    "a schema two references away": changed(f"{SCHEMAS}/State/enum/2", "cleaning"),
    "a schema that refers to itself": changed(f"{SCHEMAS}/Bed/required", ["id"]),
    "a schema of a request body": changed(f"{SCHEMAS}/Booking/properties/patient/maxLength", 10),
    "a branch that a discriminator names barely": changed(f"{SCHEMAS}/Nurse/properties/kind/enum/0", "sister"),
    "a shared parameter": changed("/components/parameters/Ward/required", value=True),
    "a shared answer": changed("/components/responses/Problem/content", {}),
    "a shared header": changed("/components/headers/Location/required", value=False),
    "a shared body": changed("/components/requestBodies/Booking/required", value=False),
    "a shared callback": changed("/components/callbacks/Freed", {}),
    "a parameter of a path": changed("/paths/~1beds~1{id}/parameters/0/schema/maxLength", 4),
    "an operation": changed("/paths/~1beds~1{id}/delete", remove=True),
    "a path": changed("/paths/~1ping", remove=True),
    "a scheme of the document": changed("/components/securitySchemes/key/name", "X-Other"),
    "a scheme of one operation": changed("/components/securitySchemes/token", {"type": "http", "scheme": "bearer"}),
    "security of the document": changed("/security", [{"key": [], "token": []}]),
    "the servers": changed("/servers/0/url", "https://other.example"),
    "a policy of the document": changed("/x-interlock-cors", {"origins": ["https://a.example"]}),
    "a version of OpenAPI": changed("/openapi", "3.1.0"),
    "words": changed("/paths/~1beds/get/description", "Said."),
}  # fmt: skip


def findings(old, new):
    return [finding.as_json() for finding in compare(old, new, "openapi", settings=SETTINGS).findings]


@pytest.mark.parametrize("name", CHANGES)
def test_nothing_is_lost_by_leaving_equal_operations_out(name, monkeypatch):
    pairs = ((WARD, CHANGES[name]), (CHANGES[name], WARD))
    quick = [findings(*pair) for pair in pairs]
    monkeypatch.setattr(Touched, "differs", lambda *_: True)
    monkeypatch.setattr(Touched, "steady", lambda *_: False)
    monkeypatch.setattr(Touched, "reduced", lambda self: self._ends)
    assert quick == [findings(*pair) for pair in pairs]


@pytest.mark.parametrize("name", CHANGES)
def test_oasdiff_says_the_same_of_what_is_left(name):
    old, new = WARD, CHANGES[name]
    upgrade = old["openapi"] != new["openapi"]
    less = Touched(old, new).reduced()
    said = [ask(*pair, SETTINGS, upgrade=upgrade).findings for pair in ((old, new), less)]
    keys = ("id", "text", "level", "operation", "path")
    rows = [sorted([row.get(key) for key in keys] for row in one) for one in said]
    assert rows[0] == rows[1]


# Two templates of one shape in one document: forbidden (OpenAPI 3.0 §4.7.8.1), and oasdiff ends where it sees both.
_AMBIGUOUS = {"add_endpoint_2.yaml", "delete_endpoint_1.yaml", "delete_endpoint_2.yaml"}


@pytest.mark.corpus
def test_nothing_is_lost_of_real_documents(corpus, monkeypatch):
    """Rule, place and words of every finding, both engines, both ways: with what is equal left out, and without."""
    api, found = corpus / "openapi", {}
    files = [*diff_pairs(api / "openapi-diff-pairs"), *chains(api / "adyen-chains", ADYEN)]
    pairs = {"discord": documents("discord")}
    for old, new in files:
        try:
            pairs[f"{old.name} -> {new.name}"] = tuple(read_self_contained(file).root for file in (old, new))
        except InterlockError:
            continue  # which documents cannot be read is reviewed in tests/registry/lint
    pairs = {name: ends for name, ends in pairs.items() if not {*name.split(" -> ")} & _AMBIGUOUS}
    assert len(pairs) > 130
    for way in ("quick", "whole"):
        if way == "whole":
            monkeypatch.setattr(Touched, "differs", lambda *_: True)
            monkeypatch.setattr(Touched, "steady", lambda *_: False)
            monkeypatch.setattr(Touched, "reduced", lambda self: self._ends)
        for name, (old, new) in pairs.items():
            found[way, name] = findings(old, new), findings(new, old)
    assert [name for name in pairs if found["quick", name] != found["whole", name]] == []


def test_equal_operations_and_what_only_they_need_are_left_out():
    old, new = Touched(ward(), CHANGES["a schema of a request body"]).reduced()
    assert list(old["paths"]) == list(new["paths"]) == ["/beds"]
    assert "post" in new["paths"]["/beds"]
    assert "get" not in new["paths"]["/beds"]
    assert sorted(new["components"]["schemas"]) == ["Bed", "Booking", "State"]


def test_a_reference_to_another_place_than_a_component_is_always_looked_at():
    root = ward()
    root["paths"]["/rounds"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "$ref": "#/paths/~1beds/get/responses/200/content/application~1json/schema"
    }
    other = json.loads(json.dumps(root))
    other["paths"]["/beds"]["get"]["responses"]["200"]["content"]["application/json"]["schema"] = {
        "type": "array"
    }
    labels = {finding["what"].split(":")[0] for finding in findings(root, other)}
    assert any(label.startswith("GET /beds") for label in labels)
    assert Touched(root, other).differs(root["paths"]["/rounds"], other["paths"]["/rounds"])


def test_what_stands_beside_the_reference_of_a_path_item_counts():
    root = ward()
    root["components"]["pathItems"] = {"Ping": {"get": {"responses": {"200": {"description": "Up"}}}}}
    root["openapi"] = "3.1.0"
    root["paths"]["/ping"] = {
        "$ref": "#/components/pathItems/Ping",
        "post": {"responses": {"200": {"description": "Up"}}},
    }
    without = json.loads(json.dumps(root))
    del without["paths"]["/ping"]["post"]
    verdict = compare(root, without, "openapi", settings=SETTINGS)
    assert [f.rule for f in verdict.findings if str(f.severity) == "breaking"][:1] == ["operation-removed"]


def test_two_templates_of_one_shape_share_their_operations():
    root = ward()
    root["paths"]["/beds/{bed}"] = {
        "parameters": [{"name": "bed", "in": "path", "required": True, "schema": {"type": "string"}}],
        "patch": {"responses": {"204": {"description": "Changed"}}},
    }
    without = ward()
    verdict = compare(root, without, "openapi", settings=SETTINGS)
    assert ("operation-removed", "PATCH /beds/{bed} was removed") in [
        (f.rule, f.what) for f in verdict.findings
    ]
    assert not [f for f in verdict.findings if f.rule == "operation-removed" and "GET" in f.what]
