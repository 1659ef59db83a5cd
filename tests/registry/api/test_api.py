from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from registry.review import accounts, publication
from registry.review.principal import Role

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from registry.api import authority
    from registry.api.app import BASE, OPERATIONS, build_app, read_contract

CONTRACT = Path(__file__).resolve().parents[3] / "contracts/interlock-registry/1.2.0/openapi.yaml"
WHO = {"author": "ada", "board": "bo", "ci": "pipeline", "operator": "olga", "auditor": "abe"}


class Client:
    """The API in this process, called as a token's owner."""

    def __init__(self, services: Any, doubles: Any) -> None:
        self.services = services
        self.app = build_app(services)
        self.tokens = {
            role: accounts.issue_token(
                services, doubles.LOCAL, subject=subject, roles=frozenset({Role(role)})
            ).presented
            for role, subject in WHO.items()
        }
        self.tokens["second"] = accounts.issue_token(
            services, doubles.LOCAL, subject="cy", roles=frozenset({Role.BOARD})
        ).presented

    async def ask(
        self, method: str, path: str, role: str | None = None, body: Any = None, **more: Any
    ) -> httpx.Response:
        headers = {
            **({"Authorization": f"Bearer {self.tokens[role]}"} if role else {}),
            **more.pop("headers", {}),
        }
        if body is not None:
            more["json"] = body
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://registry") as client:
            return await client.request(method, BASE + path, headers=headers, **more)


@pytest.fixture
def client(desk: Any, doubles: Any) -> Client:
    publication.publish_first(desk)
    return Client(desk, doubles)


def draft(doubles: Any, **more: Any) -> dict[str, Any]:
    made = doubles.openapi(**more)
    return {"document": made.document.decode(), "metadata": made.metadata.decode(), "source": "openapi.json"}


async def frozen(client: Client, doubles: Any, **more: Any) -> dict[str, Any]:
    done = (await client.ask("POST", "/submissions", "author", draft(doubles, **more))).json()
    for member in ("board", "second"):
        body = {"digest": done["digest"], "reason": "reviewed"}
        answer = await client.ask("POST", f"/reviews/{done['review_id']}/approvals", member, body)
        assert answer.status_code == 200, answer.text
    return answer.json()


def problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )
    body: dict[str, Any] = answer.json()
    assert (body["status"], body["code"], body["type"]) == (status, code, f"urn:interlock:error:{code}")
    return body


def test_every_operation_has_a_function_and_a_row_of_roles() -> None:
    ids = {
        operation["operationId"]
        for item in yaml.safe_load(CONTRACT.read_text())["paths"].values()
        for operation in item.values()
    }
    assert ids == OPERATIONS.keys() == authority.ROLES.keys()


@pytest.mark.parametrize("table", ["OPERATIONS", "ROLES"])
def test_a_missing_row_keeps_the_api_from_starting(
    desk: Any, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    from registry.api import app
    from registry.errors import RegistryError

    where, rows = (app, OPERATIONS) if table == "OPERATIONS" else (authority, authority.ROLES)
    monkeypatch.setattr(where, table, {name: row for name, row in rows.items() if name != "approveReview"})
    with pytest.raises(RegistryError, match="approveReview"):
        build_app(desk)


def test_a_media_type_without_validator_keeps_the_api_from_starting(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.api import app
    from registry.errors import RegistryError

    contract = read_contract()
    contract["paths"]["/contracts"]["get"]["responses"]["200"]["content"]["text/csv"] = {}
    monkeypatch.setattr(app, "read_contract", lambda: contract)
    with pytest.raises(RegistryError, match="text/csv"):
        build_app(desk)


def test_an_operation_open_by_contract_only_keeps_the_api_from_starting(
    desk: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.api import app
    from registry.errors import RegistryError

    contract = read_contract()
    contract["paths"]["/reviews/{review_id}/approvals"]["post"]["security"] = []
    monkeypatch.setattr(app, "read_contract", lambda: contract)
    with pytest.raises(RegistryError, match="approveReview"):
        build_app(desk)


def _paths() -> list[tuple[str, str, str]]:
    document = yaml.safe_load(CONTRACT.read_text())
    fill = {
        "{name}": "lab-orders", "{version}": "1.0.0", "{major}": "1", "{review_id}": "1", "{waiver_id}": "1", "{consumer_id}": "ehr",
        "{key_id}": "k1", "{contract}": "lab-orders", "{limit_name}": "calls", "{adapter_name}": "lab",
        "{environment}": "test", "{application}": "lis", "{release}": "7",
    }  # fmt: skip
    found = []
    for template, item in document["paths"].items():
        path = re.sub(r"\{[a-z_]+\}", lambda match: fill[match[0]], template)
        found += [(method.upper(), path, operation["operationId"]) for method, operation in item.items()]
    return found


async def test_deny_by_default_for_every_role_and_operation(client: Client) -> None:
    """A body that is wrong on purpose: who may not call never learns whether it was right."""
    for method, path, operation in _paths():
        await _denied(client, method, path, operation)


async def _denied(client: Client, method: str, path: str, operation: str) -> None:
    allowed = authority.ROLES[operation]
    if allowed is None:
        assert (await client.ask(method, path)).status_code == 200
        return
    body = {"wrong": True} if method in {"POST", "PUT"} else None
    answer = await client.ask(method, path, None, body)
    problem(answer, 401, "not-signed-in")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    for role in Role:
        answer = await client.ask(method, path, str(role), body)
        if role in allowed:
            assert answer.status_code not in {401, 403, 500}, (role, answer.text)
        else:
            problem(answer, 403, "not-allowed")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic x", "Bearer ilt_a_b", "Bearer " + "x" * 600]
)
async def test_bad_tokens_are_all_alike(client: Client, header: str) -> None:
    problem(await client.ask("GET", "/contracts", headers={"Authorization": header}), 401, "not-signed-in")


async def test_from_submission_to_a_served_version(client: Client, doubles: Any) -> None:
    review = await frozen(client, doubles)
    assert (review["state"], review["missing"]) == ("frozen", 0)
    listed = (await client.ask("GET", "/contracts?search=laboratory", "auditor")).json()
    assert [one["name"] for one in listed["contracts"]] == ["lab-orders"]
    version = (await client.ask("GET", "/contracts/lab-orders/versions/1.0.0", "auditor")).json()
    assert (version["state"], version["digest"], version["active"]) == ("frozen", review["digest"], False)
    document = (await client.ask("GET", "/contracts/lab-orders/versions/1.0.0/document", "ci")).json()
    assert document["document"] == doubles.openapi().document.decode()
    statement = (await client.ask("GET", "/contracts/lab-orders/versions/1.0.0/statement", "auditor")).json()
    assert statement["payloadType"] == "application/vnd.in-toto+json"
    settings = {"base_url": "http://127.0.0.1:9"}
    made = await client.ask(
        "POST", "/adapters", "operator", {"name": "lab", "kind": "http", "settings": settings}
    )
    assert (made.status_code, made.json()["settings"]) == (201, settings)
    bound = await client.ask(
        "PUT", "/routes/lab-orders/1", "operator", {"adapter": "lab", "timeout_seconds": 2.5}
    )
    assert (bound.json()["current"], bound.json()["timeout_seconds"]) == (None, 2.5)
    active = await client.ask("POST", "/routes/lab-orders/1/activations", "operator", {"version": "1.0.0"})
    assert active.json()["versions"] == ["1.0.0"]
    assert (await client.ask("GET", "/contracts/lab-orders/versions/1.0.0", "ci")).json()["active"] is True
    await client.ask("POST", "/consumers", "operator", {"id": "ehr", "name": "EHR", "audience": "internal"})
    issued = await client.ask("POST", "/consumers/ehr/keys", "operator", {})
    assert issued.status_code == 201
    assert issued.json()["presented"].startswith("ilk_")
    assert issued.headers["cache-control"] == "no-store"
    await client.ask(
        "PUT", "/consumers/ehr/grants/lab-orders/1", "operator", {"pin": "1.0.0", "scopes": ["a"]}
    )
    await client.ask(
        "PUT", "/consumers/ehr/limits/calls", "operator", {"requests": 10, "seconds": 1, "burst": 5}
    )
    consumer = (await client.ask("GET", "/consumers/ehr", "auditor")).json()
    assert consumer["grants"] == [{"contract": "lab-orders", "major": 1, "pin": "1.0.0", "scopes": ["a"]}]
    assert consumer["limits"] == [{"name": "calls", "requests": 10, "seconds": 1, "burst": 5}]
    assert "presented" not in json.dumps(consumer)
    hit = (await client.ask("GET", "/contracts/lab-orders/majors/1/consumers", "author")).json()
    assert [one["consumer_id"] for one in hit["consumers"]] == ["ehr"]
    bundle = (await client.ask("GET", "/bundles/current", "auditor")).json()
    assert bundle == {"contracts": 2, "access": 5, "routes": 4}
    again = (await client.ask("POST", "/bundles", "operator")).json()
    assert again == {"contracts": 3, "access": 6, "routes": 5}


async def test_taking_everything_away_again(client: Client, doubles: Any) -> None:
    await frozen(client, doubles)
    await client.ask("POST", "/adapters", "operator", {"name": "lab", "kind": "http"})
    await client.ask("PUT", "/routes/lab-orders/1", "operator", {"adapter": "lab"})
    await client.ask("POST", "/routes/lab-orders/1/activations", "operator", {"version": "1.0.0"})
    in_use = await client.ask("DELETE", "/adapters/lab", "operator")
    problem(in_use, 409, "conflict")
    other = await client.ask("POST", "/routes/lab-orders/1/activations", "operator", {"version": "2.0.0"})
    problem(other, 422, "request-refused")
    off = await client.ask("DELETE", "/routes/lab-orders/1/activations/1.0.0", "operator")
    assert off.json()["versions"] == []
    assert (await client.ask("DELETE", "/routes/lab-orders/1", "operator")).status_code == 204
    assert (await client.ask("DELETE", "/adapters/lab", "operator")).status_code == 204
    assert (await client.ask("GET", "/adapters", "operator")).json() == {"adapters": []}
    assert (await client.ask("GET", "/routes", "auditor")).json() == {"routes": []}
    body = {"reason": "replaced", "sunset": "2027-01-31T00:00:00Z"}
    gone = await client.ask("POST", "/contracts/lab-orders/versions/1.0.0/deprecation", "board", body)
    assert (gone.json()["state"], gone.json()["sunset_at"]) == ("deprecated", "2027-01-31T00:00:00.000000Z")
    retired = await client.ask(
        "POST", "/contracts/lab-orders/versions/1.0.0/retirement", "board", {"reason": "unused"}
    )
    assert retired.json()["state"] == "retired"
    twice = await client.ask(
        "POST", "/contracts/lab-orders/versions/1.0.0/retirement", "board", {"reason": "x"}
    )
    problem(twice, 409, "transition-refused")


async def test_a_break_is_told_with_its_findings_and_cannot_be_approved(client: Client, doubles: Any) -> None:
    await frozen(client, doubles)
    wanted = draft(doubles, version="1.1.0", **{"x-verdict": "breaking"})
    planned = await client.ask("POST", "/submissions", "board", {**wanted, "plan": True})
    assert (planned.status_code, planned.json()["status"]) == (200, "planned")
    problem(await client.ask("POST", "/submissions", "board", wanted), 403, "not-allowed")
    answer = await client.ask("POST", "/submissions", "ci", wanted)
    done = answer.json()
    assert (answer.status_code, done["assessment"]["verdict"]) == (201, "breaking")
    (comparison,) = done["assessment"]["comparisons"]
    assert comparison["findings"][0]["rule"] == "fake-rule"
    assert comparison["findings"][0]["source"]["file"] == "openapi.json"
    body = {"digest": done["digest"], "reason": "please"}
    refused = await client.ask("POST", f"/reviews/{done['review_id']}/approvals", "board", body)
    assert problem(refused, 409, "gate-refused")["reasons"] == done["blockers"]
    queue = (await client.ask("GET", "/reviews?state=open", "board")).json()["reviews"]
    assert [(one["id"], one["blockers"]) for one in queue] == [(done["review_id"], done["blockers"])]
    whole = (await client.ask("GET", f"/reviews/{done['review_id']}", "auditor")).json()
    assert whole["assessment"] == done["assessment"]
    bytes_ = (await client.ask("GET", f"/reviews/{done['review_id']}/document", "board")).json()
    assert bytes_ == {"media": "json", "document": wanted["document"]}
    other = {"digest": "sha256:" + "0" * 64, "reason": "no"}
    problem(
        await client.ask("POST", f"/reviews/{done['review_id']}/rejection", "board", other),
        409,
        "digest-mismatch",
    )
    ended = await client.ask("POST", f"/reviews/{done['review_id']}/withdrawal", "ci", {"reason": "a slip"})
    assert ended.json()["state"] == "withdrawn"


async def test_a_refused_submission_is_an_answer_and_not_an_error(client: Client, doubles: Any) -> None:
    broken = {**draft(doubles), "document": '{"openapi": "3.1.0", "openapi": "3.1.0"}'}
    answer = await client.ask("POST", "/submissions", "author", broken)
    assert (answer.status_code, answer.json()["status"], answer.json()["review_id"]) == (200, "refused", None)
    assert answer.json()["assessment"]["lint"][0]["severity"] == "error"
    surrogate = json.dumps({**draft(doubles), "document": "x"}).replace('"x"', '"\\ud800"')
    refused = await client.ask(
        "POST", "/submissions", "author", content=surrogate, headers={"Content-Type": "application/json"}
    )
    assert refused.status_code in {200, 400}
    assert refused.json().get("status") in {"refused", 400}


@pytest.mark.parametrize(
    ("content", "media", "status", "code"),
    [
        (
            b'{"id": "a", "id": "b", "name": "x", "audience": "internal"}',
            "application/json",
            400,
            "request-malformed",
        ),
        (
            b'{"id": "secret value", "name": "x", "audience": "internal"}',
            "application/json",
            400,
            "request-malformed",
        ),
        (
            b'{"id": "a", "name": "x", "audience": "internal", "more": 1}',
            "application/json",
            400,
            "request-malformed",
        ),
        (b'{"id": NaN}', "application/json", 400, "request-malformed"),
        (b"{", "application/json", 400, "request-malformed"),
        (b"id=a", "application/x-www-form-urlencoded", 415, "media-type-unsupported"),
        (b"{}", "text/plain", 415, "media-type-unsupported"),
        (b"", "application/json", 400, "request-malformed"),
    ],
)
async def test_bodies_are_held_to_the_contract(
    client: Client, content: bytes, media: str, status: int, code: str
) -> None:
    headers = {"Content-Type": media}
    answer = await client.ask("POST", "/consumers", "operator", content=content, headers=headers)
    body = problem(answer, status, code)
    assert "secret value" not in json.dumps(body)


async def test_a_body_without_media_type_is_not_guessed_at(client: Client) -> None:
    answer = await client.ask("POST", "/consumers", "operator", content=b'{"id": "a"}')
    problem(answer, 415, "media-type-unsupported")


async def test_oversized_and_chunked_bodies_are_refused_unread(client: Client) -> None:
    headers = {"Content-Type": "application/json", "Content-Length": str(41 * 1024 * 1024)}
    problem(
        await client.ask("POST", "/submissions", "author", content=b"{}", headers=headers),
        413,
        "body-too-large",
    )

    async def pieces() -> Any:
        yield b"{}"

    chunked = await client.ask(
        "POST", "/submissions", "author", content=pieces(), headers={"Content-Type": "application/json"}
    )
    problem(chunked, 413, "body-too-large")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/contracts?limit=0", 400),
        ("/contracts?strange=1", 400),
        ("/contracts/UPPER", 400),
        ("/nowhere", 404),
        ("/reviews/x", 404),
    ],
)
async def test_parameters_are_held_to_the_contract(client: Client, path: str, status: int) -> None:
    answer = await client.ask("GET", path, "auditor")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json"), (
        answer.text
    )


async def test_methods_that_are_not_declared(client: Client) -> None:
    answer = await client.ask("PATCH", "/contracts", "auditor")
    assert problem(answer, 405, "method-not-allowed")


async def test_an_answer_outside_the_contract_is_not_given(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.api import present

    await client.ask("POST", "/consumers", "operator", {"id": "ehr", "name": "EHR", "audience": "internal"})
    monkeypatch.setattr(present, "consumer", lambda row: {"id": "ehr", "leak": "a secret"})
    answer = await client.ask("GET", "/consumers/ehr", "operator")
    assert problem(answer, 500, "registry-error")
    assert "secret" not in answer.text


async def test_a_defect_of_ours_tells_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from registry.review import access

    def fail(_services: Any) -> Any:
        raise RuntimeError("password=hunter2")

    monkeypatch.setattr(access, "consumers", fail)
    answer = await client.ask("GET", "/consumers", "operator")
    assert problem(answer, 500, "registry-error")
    assert "hunter2" not in answer.text


async def test_health_without_a_token(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await client.ask("GET", "/healthz")).json()["status"] == "ok"
    from registry.store.outbox import SqlOutbox

    monkeypatch.setattr(SqlOutbox, "count", lambda self: 5000)
    problem(await client.ask("GET", "/healthz"), 503, "store-failed")


async def test_numbers_beyond_doubles_reach_the_reader(client: Client, doubles: Any) -> None:
    wanted = draft(doubles)
    wanted["metadata"] = wanted["metadata"].replace("latency_p99_ms: 800", "latency_p99_ms: 800.5")
    done = (await client.ask("POST", "/submissions", "author", wanted)).json()
    answer = await client.ask("GET", f"/reviews/{done['review_id']}", "auditor")
    assert answer.json()["metadata"]["objectives"]["latency_p99_ms"] == 800.5


async def test_policies_are_set_read_and_refused_with_their_place(client: Client, doubles: Any) -> None:
    await frozen(client, doubles)
    await client.ask("POST", "/consumers", "operator", {"id": "ehr", "name": "EHR", "audience": "internal"})
    adapter = {"name": "lab", "kind": "http", "settings": {"base_url": "http://127.0.0.1:1"}}
    await client.ask("POST", "/adapters", "operator", adapter)
    await client.ask("PUT", "/routes/lab-orders/1", "operator", {"adapter": "lab"})
    wanted = {"address": {"hosts": ["orders.example"], "header": None}}
    answer = await client.ask("PUT", "/routes/lab-orders/1/policy", "operator", wanted)
    assert (answer.status_code, answer.json()) == (200, wanted), answer.text
    assert (await client.ask("GET", "/routes/lab-orders/1/policy", "author")).json() == wanted
    assert (await client.ask("PUT", "/consumers/ehr/policy", "operator", {})).json() == {}
    assert (await client.ask("GET", "/consumers/ehr/policy", "auditor")).json() == {}
    wrong = await client.ask("PUT", "/routes/lab-orders/1/policy", "operator", {"address": {"hosts": [1]}})
    assert "/address/hosts/0" in problem(wrong, 422, "policy-invalid")["detail"]
    problem(await client.ask("GET", "/routes/lab-orders/7/policy", "author"), 404, "not-found")
    problem(await client.ask("GET", "/consumers/nobody/policy", "operator"), 404, "not-found")
    problem(await client.ask("PUT", "/consumers/ehr/policy", "board", {}), 403, "not-allowed")
    problem(await client.ask("GET", "/consumers/ehr/policy", "author"), 403, "not-allowed")


async def test_consumers_and_routes_are_closed_and_opened(client: Client, doubles: Any) -> None:
    await frozen(client, doubles)
    await client.ask("POST", "/consumers", "operator", {"id": "ehr", "name": "EHR", "audience": "internal"})
    adapter = {"name": "lab", "kind": "http", "settings": {"base_url": "http://127.0.0.1:1"}}
    await client.ask("POST", "/adapters", "operator", adapter)
    await client.ask("PUT", "/routes/lab-orders/1", "operator", {"adapter": "lab"})
    for path in ("/consumers/ehr/denial", "/routes/lab-orders/1/denial"):
        problem(await client.ask("PUT", path, "board", {"reason": "x"}), 403, "not-allowed")
        problem(await client.ask("PUT", path, "operator", {}), 400, "request-malformed")
        problem(await client.ask("DELETE", path, "operator"), 404, "not-found")
        assert (await client.ask("PUT", path, "operator", {"reason": "x"})).status_code == 200
        problem(await client.ask("PUT", path, "operator", {"reason": "x"}), 409, "conflict")
    listed = (await client.ask("GET", "/denials", "auditor")).json()["denials"]
    assert [(one["kind"], one["name"], one["by"]) for one in listed] == [
        ("consumer", "ehr", "olga"),
        ("route", "lab-orders/v1", "olga"),
    ]
    left = (await client.ask("DELETE", "/consumers/ehr/denial", "operator")).json()["denials"]
    assert [one["kind"] for one in left] == ["route"]
    problem(await client.ask("PUT", "/consumers/none/denial", "operator", {"reason": "x"}), 404, "not-found")


def test_our_own_contract_grows_by_its_own_rules() -> None:
    from kernel.contract.document import parse
    from kernel.settings import load
    from registry.compat.policy import compare

    older, newer = (
        parse((CONTRACT.parents[1] / number / "openapi.yaml").read_bytes()).root
        for number in ("1.0.0", "1.1.0")
    )
    verdict = compare(older, newer, "openapi", settings=load(environ={}))
    assert (str(verdict.outcome), str(verdict.required_bump)) == ("compatible", "minor")


async def test_conformance_runs_are_kept_and_listed(client: Client, doubles: Any) -> None:
    review = await frozen(client, doubles)
    body = {
        "digest": review["digest"], "provider": "http://lis.example/api", "outcome": "failed", "seed": 7,
        "started_at": "2026-11-20T09:00:00Z", "seconds": 2.5, "operations": 0, "calls": 12, "counts": {"fuzzing": 12},
        "rules": ["conformance/server-error"], "tools": {"schemathesis": "4.32.5"},
    }  # fmt: skip
    told, body = body, {**body, "phases": ["positive", "negative", "stateful"]}
    path = "/contracts/lab-orders/versions/1.0.0/conformance"
    made = await client.ask("POST", path, "ci", body)
    assert made.status_code == 201, made.text
    assert {**made.json(), **told, "started_at": made.json()["started_at"]} == made.json()
    assert (made.json()["id"], made.json()["complete"], made.json()["recorded_by"]) == (1, False, "pipeline")
    listed = (await client.ask("GET", path, "auditor")).json()["runs"]
    assert listed == [made.json()]
    problem(
        await client.ask("POST", path, "ci", {**body, "digest": "sha256:" + "0" * 64}), 409, "digest-mismatch"
    )
    problem(
        await client.ask("POST", path, "ci", {**body, "provider": "http://u:p@lis/"}),
        400,
        "request-malformed",
    )
    problem(await client.ask("POST", path, "author", body), 403, "not-allowed")


async def test_the_board_waives_a_finding_and_takes_it_back(client: Client, doubles: Any) -> None:
    await frozen(client, doubles)
    broken = draft(doubles, version="1.1.0", **{"x-verdict": "breaking"})
    review = (await client.ask("POST", "/submissions", "author", broken)).json()["review_id"]
    (finding,) = (await client.ask("GET", f"/reviews/{review}", "auditor")).json()["assessment"][
        "comparisons"
    ][0]["findings"]
    told = {
        "fingerprint": finding["fingerprint"],
        "owner": "Ada Berg",
        "reason": "agreed",
        "expires": "2026-12-31",
    }
    assert (await client.ask("POST", f"/reviews/{review}/waivers", "author", told)).status_code == 403
    for wrong, status in (({"expires": "2026-02-31"}, 422), ({"expires": "2020-01-01"}, 422),
                          ({"fingerprint": "0" * 16}, 404), ({"more": 1}, 400)):  # fmt: skip
        answer = await client.ask("POST", f"/reviews/{review}/waivers", "board", {**told, **wrong})
        assert answer.status_code == status, answer.text
    made = (await client.ask("POST", f"/reviews/{review}/waivers", "board", told)).json()
    assert (made["owner"], made["recorded_by"], made["holds"]) == ("Ada Berg", "bo", True)
    shown = (await client.ask("GET", f"/reviews/{review}", "auditor")).json()
    assert shown["blockers"] == []
    assert shown["assessment"]["comparisons"][0]["findings"][0]["ruling"]["reason"] == "agreed"
    judgement = (await client.ask("GET", f"/reviews/{review}/judgement", "auditor")).json()
    assert {key: judgement[key] for key in ("profile", "fail_on", "as_of", "mode", "uses")} == {
        "profile": "standard", "fail_on": "risky", "as_of": "2026-11-20", "mode": "", "uses": [],
    }  # fmt: skip
    assert [one["id"] for one in judgement["waivers"]] == [made["id"]]
    path = f"/waivers/{made['id']}/revocation"
    assert (await client.ask("POST", path, "ci", {"reason": "no"})).status_code == 403
    gone = (await client.ask("POST", path, "second", {"reason": "the caller is still there"})).json()
    assert (gone["revoked_by"], gone["holds"]) == ("cy", False)
    assert (await client.ask("POST", path, "second", {"reason": "again"})).status_code == 409
    assert (await client.ask("GET", f"/reviews/{review}", "auditor")).json()["blockers"]
