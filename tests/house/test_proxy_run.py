"""`interlock proxy run FILE --upstream URL`, as a user meets it: one file in, right answers out."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.doubles.upstream import Upstream, answer
from tests.house.running import Answered, ask, clean_environment, proxy_run

pytestmark = pytest.mark.house

WARD = """
openapi: 3.0.3
info: { title: Ward, version: 1.0.0 }
servers: [{ url: "https://nowhere.example/v9" }]
paths:
  /patients/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer, minimum: 1 } }
    get:
      operationId: readPatient
      parameters:
        - { name: fields, in: query, schema: { type: array, items: { type: string, enum: [name, ward] } } }
        - { name: X-Purpose, in: header, required: true, schema: { type: string, enum: [TREAT, BILL] } }
      responses:
        "200":
          description: ok
          content:
            application/json:
              schema:
                type: object
                required: [id]
                properties:
                  id: { type: integer }
                  note: { type: string, nullable: true }
        "404": { description: unknown }
    delete:
      operationId: dropPatient
      responses: { "204": { description: gone } }
  /patients/search:
    get:
      operationId: search
      responses: { "200": { description: ok, content: { application/json: { schema: { type: object } } } } }
  /compare/{base}...{head}:
    get:
      operationId: compare
      parameters:
        - { name: base, in: path, required: true, schema: { type: string, pattern: "^[a-z]+$" } }
        - { name: head, in: path, required: true, schema: { type: string } }
      responses: { "200": { description: ok, content: { application/json: { schema: {} } } } }
  /vitals:
    post:
      operationId: deliver
      requestBody:
        required: true
        content:
          application/json:
            schema:
              type: object
              additionalProperties: false
              required: [pulse]
              properties:
                pulse: { type: integer, minimum: 0, maximum: 400, exclusiveMaximum: true }
                device: { type: string, pattern: "^[A-Z]{2}[0-9]+$" }
                taken: { type: string, format: date-time }
                comment: { type: string, nullable: true }
                received: { type: string, readOnly: true }
                big: { type: integer }
      responses:
        "201":
          description: kept
          headers: { X-Count: { required: true, schema: { type: integer } } }
          content: { application/json: { schema: { type: object, required: [ok], properties: { ok: { type: boolean } } } } }
"""


@dataclass
class House:
    port: int
    upstream: Upstream

    def ask(
        self, method: str, target: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answered:
        return ask(self.port, method, target, body, headers)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("run")
    (folder / "ward.yaml").write_text(WARD)
    upstream = Upstream()
    kept = answer(201, b'{"ok": true}', "application/json", "X-Count: 3")
    upstream.answers.update({
        "POST /api/vitals": kept,
        "GET /api/patients/7": answer(200, b'{"id": 7, "note": null}'),
        "GET /api/patients/8": answer(200, b'{"name": "Secret Sandberg"}'),
        "GET /api/patients/9": answer(500, b"boom"),
        "GET /api/patients/10": answer(404, b"", ""),
        "DELETE /api/patients/7": b"HTTP/1.1 204 No Content\r\n\r\n",
    })  # fmt: skip
    try:
        with proxy_run(folder / "ward.yaml", upstream.url + "/api", cwd=folder) as (port, _):
            yield House(port, upstream)
    finally:
        upstream.close()


TREAT = {"X-Purpose": "TREAT"}
GOOD = b'{"pulse": 71}'

# name, method, target, body, headers, status, slug (None: the provider's own answer)
CASES = [
    ("good get", "GET", "/patients/7", None, TREAT, 200, None),
    ("declared 404 without content", "GET", "/patients/10", None, TREAT, 404, None),
    ("array exploded", "GET", "/patients/7?fields=name&fields=ward", None, TREAT, 200, None),
    ("array item outside the enum", "GET", "/patients/7?fields=name&fields=diagnosis", None, TREAT, 400, "parameter-invalid"),
    ("path value not an integer", "GET", "/patients/seven", None, TREAT, 400, "parameter-invalid"),
    ("path value below the minimum", "GET", "/patients/0", None, TREAT, 400, "parameter-invalid"),
    ("required header missing", "GET", "/patients/7", None, {}, 400, "parameter-invalid"),
    ("header outside the enum", "GET", "/patients/7", None, {"X-Purpose": "FUN"}, 400, "parameter-invalid"),
    ("literal before template", "GET", "/patients/search", None, {}, 200, None),
    ("two parameters in one segment", "GET", "/compare/main...feature%2Fx", None, {}, 200, None),
    ("pattern of a part of a segment", "GET", "/compare/MAIN...x", None, {}, 400, "parameter-invalid"),
    ("undeclared path", "GET", "/patient/7", None, {}, 404, "not-found"),
    ("servers are ignored", "GET", "/v9/patients/7", None, TREAT, 404, "not-found"),
    ("undeclared method", "PUT", "/patients/7", GOOD, TREAT, 405, "method-not-allowed"),
    ("head where get is declared", "HEAD", "/patients/7", None, TREAT, 200, None),
    ("delete without body", "DELETE", "/patients/7", None, {}, 204, None),
    ("good post", "POST", "/vitals", GOOD, {}, 201, None),
    ("charset parameter", "POST", "/vitals", GOOD, {"Content-Type": "application/json; charset=utf-8"}, 201, None),
    ("upper case media type", "POST", "/vitals", GOOD, {"Content-Type": "APPLICATION/JSON"}, 201, None),
    ("other media type", "POST", "/vitals", GOOD, {"Content-Type": "text/plain"}, 415, "media-type-unsupported"),
    ("no media type", "POST", "/vitals", GOOD, {"Content-Type": ""}, 415, "media-type-unsupported"),
    ("two media types", "POST", "/vitals", GOOD, {"Content-Type": "text/plain, application/json"}, 415, "media-type-unsupported"),
    ("body missing", "POST", "/vitals", b"", {}, 400, "body-missing"),
    ("not json", "POST", "/vitals", b"{pulse: 71}", {}, 400, "body-malformed"),
    ("duplicate key", "POST", "/vitals", b'{"pulse": 71, "pulse": 9000}', {}, 400, "body-malformed"),
    ("nan", "POST", "/vitals", b'{"pulse": NaN}', {}, 400, "body-malformed"),
    ("byte order mark", "POST", "/vitals", b"\xef\xbb\xbf" + GOOD, {}, 400, "body-malformed"),
    ("bad utf-8", "POST", "/vitals", b'{"pulse": 71, "device": "\xff"}', {}, 400, "body-malformed"),
    ("trailing garbage", "POST", "/vitals", GOOD + b"x", {}, 400, "body-malformed"),
    ("required missing", "POST", "/vitals", b"{}", {}, 422, "body-invalid"),
    ("exclusive maximum of 3.0", "POST", "/vitals", b'{"pulse": 400}', {}, 422, "body-invalid"),
    ("just below it", "POST", "/vitals", b'{"pulse": 399}', {}, 201, None),
    ("an integer written as 71.0", "POST", "/vitals", b'{"pulse": 71.0}', {}, 201, None),
    ("not an integer", "POST", "/vitals", b'{"pulse": 71.5}', {}, 422, "body-invalid"),
    ("unknown property", "POST", "/vitals", b'{"pulse": 71, "ssn-191212121212": 1}', {}, 422, "body-invalid"),
    ("nullable", "POST", "/vitals", b'{"pulse": 71, "comment": null}', {}, 201, None),
    ("not nullable", "POST", "/vitals", b'{"pulse": null}', {}, 422, "body-invalid"),
    ("pattern", "POST", "/vitals", b'{"pulse": 71, "device": "ab1"}', {}, 422, "body-invalid"),
    ("pattern end is the end", "POST", "/vitals", b'{"pulse": 71, "device": "AB1\\n"}', {}, 422, "body-invalid"),
    ("format", "POST", "/vitals", b'{"pulse": 71, "taken": "yesterday"}', {}, 422, "body-invalid"),
    ("format met", "POST", "/vitals", b'{"pulse": 71, "taken": "2026-11-20T08:31:00Z"}', {}, 201, None),
    ("read-only in a request", "POST", "/vitals", b'{"pulse": 71, "received": "now"}', {}, 422, "body-invalid"),
    ("a big integer stays exact", "POST", "/vitals", b'{"pulse": 71, "big": 123456789012345678901234567890}', {}, 201, None),
    ("overflowing number", "POST", "/vitals", b'{"pulse": 71, "big": 1e400}', {}, 400, "body-malformed"),
    ("deep nesting", "POST", "/vitals", b"[" * 5000 + b"]" * 5000, {}, 400, "body-malformed"),
    ("content coding", "POST", "/vitals", GOOD, {"Content-Encoding": "compress"}, 415, "content-coding-unsupported"),
    ("dot segments", "GET", "/patients/../vitals", None, {}, 400, "target-invalid"),
    ("encoded dot segments", "GET", "/patients/%2e%2e/vitals", None, {}, 400, "target-invalid"),
    ("nul", "GET", "/patients/%00", None, TREAT, 400, "target-invalid"),
    ("bad percent", "GET", "/patients/%zz", None, TREAT, 400, "target-invalid"),
    ("provider answers outside its contract", "GET", "/patients/8", None, TREAT, 502, "provider-broke-contract"),
    ("provider answers an undeclared status", "GET", "/patients/9", None, TREAT, 502, "provider-broke-contract"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "target", "body", "headers", "status", "slug"),
    [row[1:] for row in CASES],
    ids=[row[0] for row in CASES],
)
def test_answers(
    house: House,
    method: str,
    target: str,
    body: bytes | None,
    headers: dict[str, str],
    status: int,
    slug: str | None,
) -> None:
    got = house.ask(method, target, body, headers)
    said = got.body.decode("utf-8", "replace")
    assert got.status == status, said
    assert got.headers.get("x-request-id")
    if slug is not None:
        assert got.headers["content-type"] == "application/problem+json"
        assert got.slug == slug
        assert got.json()["status"] == status
        for planted in ("Sandberg", "boom", "191212121212", "yesterday", "9000", "diagnosis", "FUN"):
            assert planted not in said


def test_the_exact_bytes_are_forwarded_below_the_upstream_path(house: House) -> None:
    body = b'{ "big":  12345678901234567890123,\n\t"pulse": 7.10e1 }'
    house.upstream.seen.clear()
    assert house.ask("POST", "/vitals", body).status == 201
    seen = house.upstream.seen[-1]
    assert (seen.method, seen.target, seen.body) == ("POST", "/api/vitals", body)
    assert seen.header("host") == [house.upstream.url.removeprefix("http://")]
    assert seen.header("content-length") == [str(len(body))]


def test_a_refused_call_never_reaches_the_provider(house: House) -> None:
    house.upstream.seen.clear()
    assert house.ask("POST", "/vitals", b"{}").status == 422
    assert house.ask("GET", "/patients/0", headers=TREAT).status == 400
    assert house.upstream.seen == []


def test_raw_targets_are_forwarded_as_they_came(house: House) -> None:
    house.upstream.seen.clear()
    assert house.ask("GET", "/compare/main...a%2Fb?x=%C3%A5").status == 200
    assert house.upstream.seen[-1].target == "/api/compare/main...a%2Fb?x=%C3%A5"


def test_hop_by_hop_headers_stay_here(house: House) -> None:
    house.upstream.seen.clear()
    sent = {
        **TREAT,
        "Connection": "close, X-Hop",
        "X-Hop": "1",
        "TE": "trailers",
        "Keep-Alive": "5",
        "X-Kept": "yes",
    }
    assert house.ask("GET", "/patients/7", headers=sent).status == 200
    seen = house.upstream.seen[-1]
    assert seen.header("x-kept") == ["yes"]
    assert [seen.header(name) for name in ("x-hop", "te", "keep-alive")] == [[], [], []]
    assert seen.header("x-forwarded-for") == ["127.0.0.1"]
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-0[01]", seen.header("traceparent")[0])


def test_method_not_allowed_names_what_is(house: House) -> None:
    got = house.ask("PATCH", "/patients/7", b"{}")
    assert got.status == 405
    allowed = {name.strip() for name in got.headers["allow"].split(",")}
    assert {"GET", "HEAD", "DELETE"} <= allowed <= {"GET", "HEAD", "DELETE", "OPTIONS"}


def test_a_problem_points_to_the_place(house: House) -> None:
    got = house.ask("POST", "/vitals", b'{"pulse": -1, "nobody-knows": 2}').json()
    assert {(e["in"], e["pointer"], e["keyword"]) for e in got["errors"]} == {
        ("body", "/pulse", "minimum"),
        ("body", "/{key}", "additionalProperties"),
    } or {(e["in"], e["pointer"], e["keyword"]) for e in got["errors"]} == {
        ("body", "/pulse", "minimum"),
        ("body", "", "additionalProperties"),
    }
    assert got["request_id"]


def test_report_only_lets_through_and_counts(tmp_path: Path) -> None:
    (tmp_path / "ward.yaml").write_text(WARD)
    upstream = Upstream({"POST /vitals": answer(201, b'{"ok": "no"}', "application/json", "X-Count: 3")})
    try:
        with proxy_run(tmp_path / "ward.yaml", upstream.url, "--report-only", cwd=tmp_path) as (port, _):
            got = ask(port, "POST", "/vitals", b'{"pulse": -1}')
            assert (got.status, got.body) == (201, b'{"ok": "no"}')
            assert int(got.headers["x-interlock-violations"]) == 2
    finally:
        upstream.close()


def test_a_prefix_is_added_and_not_forwarded(tmp_path: Path) -> None:
    (tmp_path / "ward.yaml").write_text(WARD)
    upstream = Upstream({"GET /patients/7": answer(200, b'{"id": 7}')})
    try:
        with proxy_run(tmp_path / "ward.yaml", upstream.url, "--prefix", "/hospital", cwd=tmp_path) as (
            port,
            _,
        ):
            assert ask(port, "GET", "/patients/7", headers=TREAT).status == 404
            assert ask(port, "GET", "/hospital/patients/7", headers=TREAT).status == 200
            assert upstream.seen[-1].target == "/patients/7"
    finally:
        upstream.close()


SECURED = WARD.replace("paths:\n", "security: [{ key: [] }]\npaths:\n") + (
    "components: { securitySchemes: { key: { type: apiKey, in: header, name: X-Ward-Key } } }\n"
)


def test_a_declared_key_is_asked_for_and_not_forwarded(tmp_path: Path) -> None:
    (tmp_path / "ward.yaml").write_text(SECURED)
    upstream = Upstream({"GET /patients/7": answer(200, b'{"id": 7}')})
    try:
        with proxy_run(tmp_path / "ward.yaml", upstream.url, cwd=tmp_path) as (port, said):
            refused = ask(port, "GET", "/patients/7", headers=TREAT)
            assert (refused.status, refused.slug) == (401, "credentials-missing")
            assert refused.headers["www-authenticate"]
            assert ask(port, "GET", "/patients/7", headers={**TREAT, "X-Ward-Key": "guess"}).status == 401
            key = re.search(r"X-Ward-Key: (\S+)", said)
            assert key is not None, said
            assert ask(port, "GET", "/patients/7", headers={**TREAT, "X-Ward-Key": key[1]}).status == 200
            assert upstream.seen[-1].header("x-ward-key") == []
            assert len(upstream.seen) == 1
    finally:
        upstream.close()


def test_no_provider_is_bad_gateway(tmp_path: Path) -> None:
    (tmp_path / "ward.yaml").write_text(WARD)
    upstream = Upstream()
    upstream.close()
    with proxy_run(tmp_path / "ward.yaml", upstream.url, cwd=tmp_path) as (port, _):
        got = ask(port, "GET", "/patients/7", headers=TREAT)
        assert (got.status, got.slug) == (502, "upstream-unreachable")


BROKEN = [
    ("not yaml", "openapi: 3.0.3\n  paths: [", "document"),
    ("no openapi", "title: x\n", ""),
    ("swagger 2", 'swagger: "2.0"\ninfo: {title: x, version: "1"}\npaths: {}\n', ""),
    ("dangling ref", 'openapi: 3.0.3\ninfo: {title: x, version: "1"}\npaths:\n  /a:\n    get:\n      responses:\n        "200": {$ref: "#/components/responses/No"}\n', ""),
    ("network ref", 'openapi: 3.0.3\ninfo: {title: x, version: "1"}\npaths:\n  /a: {$ref: "http://127.0.0.1:1/x.yaml"}\n', ""),
    ("look-behind", WARD.replace("^[A-Z]{2}[0-9]+$", "^[A-Z]+(?<=A)$"), ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "_unused"), [row[1:] for row in BROKEN], ids=[row[0] for row in BROKEN])
def test_a_file_that_cannot_be_served_is_refused_with_its_place(
    tmp_path: Path, text: str, _unused: str
) -> None:
    (tmp_path / "x.yaml").write_text(text)
    run = subprocess.run(
        [sys.executable, "-m", "cli", "proxy", "run", "x.yaml", "--upstream", "http://127.0.0.1:9", "--port", "0"],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode in {1, 2}, run.stderr
    assert "Traceback" not in run.stderr
    assert re.search(r"error\[[a-z-]+\]: ", run.stderr)
    assert "x.yaml" in run.stderr
    assert "hint: " in run.stderr
    assert ("--keep-going serves" in run.stderr) == ("POST /vitals: " in run.stderr)


def test_nothing_is_left_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "ward.yaml").write_text(WARD)
    upstream = Upstream()
    try:
        with proxy_run(tmp_path / "ward.yaml", upstream.url, cwd=tmp_path) as (port, _):
            assert json.loads(ask(port, "GET", "/-/healthz").body)
    finally:
        upstream.close()
    assert [path.name for path in tmp_path.iterdir()] == ["ward.yaml"]
