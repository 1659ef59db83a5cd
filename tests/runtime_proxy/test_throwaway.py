"""One file in, a signed bundle out: names, versions, keys, prefixes, and errors with their places."""

import json
from pathlib import Path

import pytest

from kernel.bundle.read import read_bundle
from kernel.errors import InterlockError
from runtime_proxy.inspection import Asked, describe_bundle, explain_call, trial_of
from runtime_proxy.throwaway import Way, make_bundle, prepare_all

WAY = Way("http://127.0.0.1:9")


def write(folder: Path, text: str, name: str = "ward.yaml") -> Path:
    file = folder / name
    file.write_text(text)
    return file


def minimal(**info: str) -> str:
    body = {
        "openapi": "3.1.0",
        "info": {"title": "Ward", "version": "1.2.3", **info},
        "paths": {"/beds": {"get": {"responses": {"200": {"description": "ok"}}}}},
    }
    return json.dumps(body)


def made_of(file: Path, folder: Path, way: Way = WAY):
    made = make_bundle(file, way, folder / "bundle")
    return made, trial_of(read_bundle(made.folder, made.trust), 1 << 20)


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Ward", "ward"),
        ("Clinic Appointments API (v2)", "clinic-appointments-api-v2"),
        ("2nd floor", "api-2nd-floor"),
        ("Ängsblomma", "ngsblomma"),
        ("—", "beds"),
        ("x" * 200, "x" * 64),
    ],
)
def test_the_contract_is_named_after_its_title_or_file(tmp_path, title, name) -> None:
    assert (
        make_bundle(write(tmp_path, minimal(title=title), "Beds.json"), WAY, tmp_path / "b").contract == name
    )


@pytest.mark.parametrize(
    ("version", "read"),
    [("1.2.3", "1.2.3"), ("2.0", "2.0.0"), ("v3", "3.0.0"), ("1.0.0+build", "1.0.0"), ("2026-11-21", "2026.0.0"), ("draft", "1.0.0"), ("1.0.0-rc.1", "1.0.0-rc.1")],
)  # fmt: skip
def test_any_version_text_gives_a_version(tmp_path, version, read) -> None:
    assert make_bundle(write(tmp_path, minimal(version=version)), WAY, tmp_path / "b").version == read


def test_without_security_there_is_no_key(tmp_path) -> None:
    made, trial = made_of(write(tmp_path, minimal()), tmp_path)
    assert (made.key, made.places) == ("", ())
    assert trial.plan.keys == {}


SECURED = """
openapi: 3.0.3
info: {title: Ward, version: 1.0.0}
security: [{key: []}]
paths:
  /beds:
    get:
      operationId: beds
      parameters: [{name: floor, in: query, schema: {type: integer}}]
      responses: {"200": {description: ok, content: {application/json: {schema: {type: array}}}}}
    post:
      security: [{login: [write]}, {basic: []}]
      x-interlock-max-body: 100
      requestBody: {required: true, content: {application/json: {schema: {type: object}}}}
      responses: {"201": {description: made}}
components:
  securitySchemes:
    key: {type: apiKey, in: query, name: token}
    login: {type: oauth2, flows: {clientCredentials: {tokenUrl: "https://x.example/t", scopes: {write: w}}}}
    basic: {type: http, scheme: basic}
    unused: {type: apiKey, in: header, name: X-Unused}
"""


def test_one_key_opens_every_operation_and_every_place_is_told(tmp_path) -> None:
    made, trial = made_of(write(tmp_path, SECURED), tmp_path)
    assert made.key.startswith("ilk_")
    assert made.places == (
        "query parameter token=KEY",
        "header Authorization: Bearer KEY",
        "HTTP basic authentication, any user name, KEY as the password",
    )
    (consumer,) = trial.plan.consumers.values()
    (access,) = consumer.access.values()
    assert access.scopes == {"write"}
    for path in tmp_path.rglob("*"):
        assert not path.is_file() or made.key.encode() not in path.read_bytes()


def test_two_makings_share_no_key(tmp_path) -> None:
    file = write(tmp_path, SECURED)
    assert make_bundle(file, WAY, tmp_path / "a").key != make_bundle(file, WAY, tmp_path / "b").key


def test_a_plan_says_what_would_serve_a_call(tmp_path) -> None:
    _, trial = made_of(write(tmp_path, SECURED), tmp_path, Way("http://127.0.0.1:9/api", "/hospital"))
    found = explain_call(trial, "POST", "http://proxy.example/hospital/beds?x=1")
    assert found["contract"] == "ward"
    assert found["operation"] == "POST /beds"
    assert found["security"] == ["login (write)", "basic"]
    assert found["request_media"] == ["application/json"]
    assert (found["request_body"], found["body_limit"]) == ("required", 100)
    assert found["audit"] == ["received", "completed"]
    assert found["forwarded_to"] == "/beds"
    assert found["adapter"] == "upstream (http)"
    found = explain_call(trial, "GET", "/hospital/beds", Asked("local"))
    assert found["parameters"] == ["query floor? (form)"]
    assert found["responses"] == {"200": ["application/json"]}
    assert found["audit"] == ["completed"]


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("GET", "/beds", {"refusal": "not-found", "status": 404}),
        ("PUT", "/hospital/beds", {"refusal": "method-not-allowed", "status": 405, "allow": ["GET", "HEAD", "OPTIONS", "POST"]}),
        ("GET", "/hospital/%zz", {"refusal": "target-invalid", "status": 400}),
        ("OPTIONS", "/hospital/beds", {"answer": "204, by the proxy itself", "allow": ["GET", "HEAD", "OPTIONS", "POST"]}),
    ],
)  # fmt: skip
def test_a_plan_says_which_refusal_a_call_would_get(tmp_path, method, url, expected) -> None:
    _, trial = made_of(write(tmp_path, SECURED), tmp_path, Way("http://127.0.0.1:9", "/hospital"))
    assert explain_call(trial, method, url) == expected


def test_a_plan_knows_no_strangers(tmp_path) -> None:
    _, trial = made_of(write(tmp_path, SECURED), tmp_path)
    with pytest.raises(InterlockError, match="no consumer 'nobody'"):
        explain_call(trial, "GET", "/beds", Asked("nobody"))


def test_what_is_served_is_described_without_secrets(tmp_path) -> None:
    made, trial = made_of(write(tmp_path, SECURED), tmp_path)
    text = json.dumps(describe_bundle(trial.plan))
    assert '"operations": 2' in text
    assert made.key not in text


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("openapi: 3.0.3\n  paths: [", "document-syntax", "ward.yaml:2"),
        ("title: x\n", "document-kind", "ward.yaml"),
        ("asyncapi: 3.0.0\n", "contract-invalid", "ward.yaml"),
        ('swagger: "2.0"\npaths: {}\n', "contract-invalid", "ward.yaml"),
        ("openapi: 3.0.3\npaths: {}\n", "contract-invalid", "ward.yaml:2"),
        (
            "openapi: 3.0.3\npaths:\n  /a:\n    $ref: 'http://127.0.0.1:1/x'\n",
            "reference-refused",
            "ward.yaml:3",
        ),
        (
            SECURED.replace("security: [{key: []}]", "security: [{other: []}]"),
            "contract-invalid",
            "ward.yaml:7",
        ),
    ],
)
def test_a_file_that_is_no_contract_is_refused_with_its_place(tmp_path, text, code, place) -> None:
    with pytest.raises(InterlockError) as caught:
        make_bundle(write(tmp_path, text), WAY, tmp_path / "b")
    assert caught.value.code == code
    assert place in str(caught.value.place)
    assert caught.value.hint


def test_an_operation_that_cannot_be_checked_is_named_with_its_place(tmp_path) -> None:
    text = SECURED.replace("schema: {type: integer}", 'schema: {type: string, pattern: "(?=a)b"}')
    made, trial = made_of(write(tmp_path, text), tmp_path)
    (fault,) = prepare_all(trial.plan, made.document)
    assert fault.message.startswith("GET /beds: ")
    assert "ward.yaml:9" in str(fault.place)
    assert explain_call(trial, "GET", "/beds")["unservable"]
    assert not explain_call(trial, "POST", "/beds")["unservable"]


def test_a_missing_file_is_an_error_of_the_house(tmp_path) -> None:
    with pytest.raises(InterlockError, match=r"nowhere\.yaml"):
        make_bundle(tmp_path / "nowhere.yaml", WAY, tmp_path / "b")


def test_our_own_contracts_find_their_canonical_schemas(tmp_path) -> None:
    root = Path(__file__).resolve().parents[2] / "contracts" / "lab-orders" / "1.0.0" / "openapi.yaml"
    made, trial = made_of(root, tmp_path)
    assert (made.contract, made.version) == ("laboratory-orders", "1.0.0")
    assert prepare_all(trial.plan, made.document) == []
    assert explain_call(trial, "POST", "/orders")["operation"] == "placeOrder"


@pytest.mark.parametrize(
    ("security", "beyond"),
    [
        ([], 0),
        ([{"key": []}], 0),
        ([{"mutual": []}], 1),
        ([{"mutual": [], "key": []}], 1),
        ([{"mutual": []}, {"key": []}], 0),
        ([{"mutual": []}, {}], 0),
    ],
)
def test_what_no_key_opens_is_counted(tmp_path, security, beyond) -> None:
    body = json.loads(minimal())
    body["components"] = {
        "securitySchemes": {
            "key": {"type": "apiKey", "in": "header", "name": "X-Key"},
            "mutual": {"type": "mutualTLS"},
        }
    }
    body["security"] = security
    assert make_bundle(write(tmp_path, json.dumps(body)), WAY, tmp_path / "b").beyond == beyond
