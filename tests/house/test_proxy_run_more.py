"""`interlock proxy run` as a stranger tries it: one 3.1 contract of many corners, judged from outside."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import yaml

from tests.doubles.upstream import Upstream, answer
from tests.house.running import ask, proxy_run
from tests.house.test_proxy_run import House

pytestmark = pytest.mark.house

CLINIC = r"""
openapi: 3.1.0
info: { title: Clinic, version: "2026-11" }
x-ok: &ok { "200": { description: ok, content: { application/json: {} } } }
x-page: &page { name: page, in: query, schema: { type: integer, minimum: 1 } }
paths:
  /beds/{id}: { $ref: "#/components/pathItems/Bed" }
  /beds/mine: { get: { responses: *ok } }
  /beds/: { get: { responses: *ok } }
  /beds/{id}:release:
    post:
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses: *ok
  /labels/{id}:
    get:
      parameters: [{ name: id, in: path, required: true, style: label, explode: true, schema: { type: array, items: { type: integer } } }]
      responses: *ok
  /points/{at}:
    get:
      parameters: [{ name: at, in: path, required: true, style: matrix, explode: true, schema: { $ref: "#/components/schemas/Point" } }]
      responses: *ok
  /search:
    get:
      parameters:
        - *page
        - { <<: *page, name: limit, required: true }
        - { name: near, in: query, style: deepObject, explode: true, schema: { $ref: "#/components/schemas/Point" } }
        - { name: expand, in: query, style: deepObject, explode: true, schema: { type: array, items: { enum: [ward, staff] } } }
        - { name: tags, in: query, explode: false, schema: { type: array, uniqueItems: true, items: { type: string } } }
        - { name: filter, in: query, content: { application/json: { schema: { type: object, required: [w] } } } }
        - { name: since, in: query, schema: { type: string, format: date-time } }
        - { name: X-Wards, in: header, schema: { type: array, items: { type: integer } } }
        - { name: session, in: cookie, schema: { type: string, format: uuid } }
      responses: *ok
  /orders:
    post:
      requestBody:
        required: true
        content:
          application/json: { schema: { $ref: "#/components/schemas/Order" } }
          application/vnd.clinic+json; version=2: { schema: { type: array, prefixItems: [{ type: string }], items: false } }
          text/*: { schema: { type: string, maxLength: 3 } }
          application/x-www-form-urlencoded: { schema: { $ref: "#/components/schemas/Point" } }
          multipart/form-data:
            schema:
              type: object
              required: [scan]
              properties: { scan: { type: string, format: binary, maxLength: 4 }, point: { $ref: "#/components/schemas/Point" } }
      responses: *ok
  /answers/{n}:
    get:
      parameters: [{ name: n, in: path, required: true, schema: { type: integer } }]
      responses:
        "200": { description: ok, headers: { X-Left: { required: true, schema: { type: integer } } }, content: { application/json: { schema: { type: integer } } } }
        2XX: { description: other, content: { text/plain: { schema: { type: string } } } }
        "204": { description: nothing }
        default: { description: trouble, content: { application/problem+json: { schema: { type: object, required: [title] } } } }
components:
  pathItems:
    Bed:
      parameters:
        - { name: id, in: path, required: true, schema: { type: integer } }
        - { name: view, in: query, required: true, schema: { type: integer } }
      get:
        parameters: [{ name: view, in: query, schema: { enum: [full, "1"] } }]
        responses: *ok
      delete: { responses: *ok }
  schemas:
    Point: { type: object, required: [x], properties: { x: { type: integer }, y: { type: integer } }, additionalProperties: false }
    Person: { type: object, properties: { kin: { type: array, items: { $ref: "#/components/schemas/Person" } }, born: { type: string, format: date } } }
    Order:
      type: object
      unevaluatedProperties: false
      allOf: [{ properties: { patient: { $ref: "#/components/schemas/Person", maxProperties: 2 } } }]
      properties:
        dose: { type: number, multipleOf: 0.01 }
        count: { type: integer, format: int32 }
        serial: { type: integer, maximum: 9007199254740993 }
        code: { type: string, pattern: '^(?=.*\d)(?!00)[\w-]{2,6}$' }
        name: { type: [string, "null"], minLength: 2, maxLength: 2 }
        mail: { type: string, format: email }
        raw: { type: string, pattern: '^[\p{L} ]+$' }
        kind: { const: { a: [1, null] } }
        either: { oneOf: [{ type: integer }, { type: number, minimum: 10 }] }
        $ref: { type: boolean }
      patternProperties: { "^x-": { type: integer } }
      dependentRequired: { dose: [count] }
"""

UUID = "123e4567-e89b-12d3-a456-426614174000"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
V2 = {"Content-Type": "application/vnd.clinic+json;charset=utf-8;version=2"}
PARTS = {"Content-Type": 'multipart/form-data; boundary="B"'}


def parts(*pieces: str) -> bytes:
    """Write a multipart body; each piece is what follows `form-data; `, with `|` for the line end after it."""
    lines = [f"--B\r\nContent-Disposition: form-data; {piece}".replace("|", "\r\n") for piece in pieces]
    return ("\r\n".join([*lines, "--B--"]) + "\r\n").encode()


def written_out(text: str) -> str:
    """Give the contract without its anchors, which keep the text above short and are off in contracts."""
    return json.dumps(yaml.safe_load(text), indent=1)


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("more")
    (folder / "clinic.yaml").write_text(written_out(CLINIC))
    upstream = Upstream()
    try:
        with proxy_run(folder / "clinic.yaml", upstream.url, cwd=folder) as (port, _):
            yield House(port, upstream)
    finally:
        upstream.close()


# method, target, headers, status
HEADS = [
    ("GET", "/beds/7?view=full", {}, 200),
    ("GET", "/beds/7?view=1", {}, 200),
    ("GET", "/beds/7", {}, 200),  # the operation's `view` takes the place of the path's
    ("GET", "/beds/7?view=2", {}, 400),
    ("DELETE", "/beds/7", {}, 400),
    ("DELETE", "/beds/7?view=2", {}, 200),
    ("DELETE", "/beds/mine?view=2", {}, 405),
    ("GET", "/beds/mine", {}, 200),
    ("GET", "/beds/", {}, 200),
    ("GET", "/beds", {}, 404),
    ("POST", "/beds/7:release", {}, 200),
    ("POST", "/beds/x:release", {}, 400),
    ("GET", "/beds/%37?view=full", {}, 200),
    ("GET", "/beds/7%2F8?view=full", {}, 400),
    ("GET", "/labels/.1.2", {}, 200),
    ("GET", "/labels/1.2", {}, 400),
    ("GET", "/points/;x=1;y=2", {}, 200),
    ("GET", "/points/;y=2", {}, 400),
    ("GET", "/search?limit=1", {}, 200),
    ("GET", "/search", {}, 400),
    ("GET", "/search?limit=0", {}, 400),
    ("GET", "/search?limit=1&limit=2", {}, 400),
    ("GET", "/search?limit=1&page=x", {}, 400),
    ("GET", "/search?limit=1&unknown=%C3%A5", {}, 200),
    ("GET", "/search?limit=1&near[x]=1", {}, 200),
    ("GET", "/search?limit=1&near%5Bx%5D=a", {}, 400),
    ("GET", "/search?limit=1&near[z]=1&near[x]=1", {}, 400),
    ("GET", "/search?limit=1&expand[]=ward&expand[]=staff", {}, 200),
    ("GET", "/search?limit=1&expand[0]=ward", {}, 200),
    ("GET", "/search?limit=1&expand[]=money", {}, 400),
    ("GET", "/search?limit=1&tags=a,b", {}, 200),
    ("GET", "/search?limit=1&tags=a,a", {}, 400),
    ("GET", "/search?limit=1&tags=a%2Ca", {}, 200),
    ("GET", "/search?limit=1&filter=%7B%22w%22:1%7D", {}, 200),
    ("GET", "/search?limit=1&filter=%7B%7D", {}, 400),
    ("GET", "/search?limit=1&since=2026-02-28T23:59:59.5%2B01:00", {}, 200),
    ("GET", "/search?limit=1&since=2026-02-29T00:00:00Z", {}, 400),
    ("GET", "/search?limit=1", {"x-wards": "1, 2"}, 200),
    ("GET", "/search?limit=1", {"X-Wards": "1,b"}, 400),
    ("GET", "/search?limit=1", {"Cookie": f"a=b; session={UUID}"}, 200),
    ("GET", "/search?limit=1", {"Cookie": "session=1"}, 400),
]  # fmt: skip

BODIES = [
    (b"{}", {}, 200),
    (b'{"dose": 19.99, "count": 1}', {}, 200),
    (b'{"dose": 19.999, "count": 1}', {}, 422),
    (b'{"dose": 1}', {}, 422),
    (b'{"count": 2147483648}', {}, 422),
    (b'{"count": 2.147483647e9}', {}, 200),
    (b'{"serial": 9007199254740993}', {}, 200),
    (b'{"serial": 9007199254740994}', {}, 422),
    (b'{"code": "a1"}', {}, 200),
    (b'{"code": "ab"}', {}, 422),
    (b'{"code": "001"}', {}, 422),
    (b'{"code": "a1\\n"}', {}, 422),
    ('{"name": "😀å"}'.encode(), {}, 200),
    ('{"name": "😀"}'.encode(), {}, 422),
    (b'{"name": null}', {}, 200),
    (b'{"mail": "a@b@c.se"}', {}, 422),
    ('{"raw": "Åsa Ek"}'.encode(), {}, 200),
    (b'{"raw": "4"}', {}, 422),
    (b'{"kind": {"a": [1.0, null]}}', {}, 200),
    (b'{"kind": {"a": [1, 0]}}', {}, 422),
    (b'{"either": 10.5}', {}, 200),
    (b'{"either": 10}', {}, 422),
    (b'{"$ref": true, "x-a": 1}', {}, 200),
    (b'{"x-a": "b"}', {}, 422),
    (b'{"other": 1}', {}, 422),
    (b'{"patient": {"kin": [{"born": "2024-02-29"}]}}', {}, 200),
    (b'{"patient": {"kin": [{"born": "2023-02-29"}]}}', {}, 422),
    (b'{"patient": {"a": 1, "b": 2, "c": 3}}', {}, 422),
    (b'["a"]', V2, 200),
    (b'["a", 1]', V2, 422),
    (b'["a"]', {"Content-Type": "application/vnd.clinic+json; version=3"}, 415),
    (b"abc", {"Content-Type": "text/csv"}, 200),
    (b"abcd", {"Content-Type": "text/csv"}, 422),
    (b"\xe5\xe4\xf6", {"Content-Type": "text/csv; charset=iso-8859-1"}, 200),
    (b"x=1&y=2", FORM, 200),
    (b"y=2", FORM, 422),
    (b"x=1&z=2", FORM, 422),
    (parts('name="scan"; filename="a"|\r\nabcd'), PARTS, 200),
    (parts("name=scan; filename=a; filename*=utf-8''a|\r\nabcd"), PARTS, 200),
    (parts('name="scan"|\r\nabcde'), PARTS, 422),
    (parts('name="scan"|\r\na', 'name="point"|Content-Type: application/json\r\n\r\n{"x": 1}'), PARTS, 200),
    (parts('name="scan"|\r\na', 'name="point"|Content-Type: application/json\r\n\r\n{"y": 1}'), PARTS, 422),
]  # fmt: skip

JSON = "application/json"
PROBLEM = "application/problem+json"
CODED = b"HTTP/1.1 200 OK\r\nX-Left: 1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n%b0\r\n\r\n"
ANSWERS = [
    (answer(200, b"7", JSON, "x-left: 1"), 200),
    (answer(200, b"7", "application/json; charset=utf-8", "X-Left: 1"), 200),
    (answer(200, b'"7"', JSON, "X-Left: 1"), 502),
    (answer(200, b"7", JSON), 502),
    (answer(200, b"7", JSON, "X-Left: many"), 502),
    (answer(200, b"7", "text/plain", "X-Left: 1"), 502),
    (answer(200, b"", "", "X-Left: 1"), 502),
    (CODED % b"1;a=b\r\n7\r\n1\r\n1\r\n", 200),
    (CODED % b"1\r\n7\r\n1\r\nx\r\n", 502),
    (answer(202, b"soon", "text/plain"), 202),
    (answer(202, b"7", JSON), 502),
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204),
    (answer(303, b'{"title": "t"}', PROBLEM, "Location: http://127.0.0.1:9/"), 303),
    (answer(404, b'{"title": "t"}', PROBLEM), 404),
    (answer(503, b'{"tytle": "t"}', PROBLEM), 502),
    (b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + answer(200, b"7", JSON, "X-Left: 1"), 200),
    (b"garbage\r\n\r\n", 502),
    (b"HTTP/1.1 200 OK\r\nX-Left: 1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n7", 502),
]  # fmt: skip


@pytest.mark.parametrize(("method", "target", "headers", "status"), HEADS)
def test_paths_and_parameters(
    house: House, method: str, target: str, headers: dict[str, str], status: int
) -> None:
    house.upstream.seen.clear()
    got = house.ask(method, target, headers=headers)
    assert got.status == status, got.body
    # What passes goes on as it came, byte for byte; what does not, not at all.
    assert [seen.target for seen in house.upstream.seen] == ([target] if status == 200 else [])


@pytest.mark.parametrize(("body", "headers", "status"), BODIES)
def test_bodies(house: House, body: bytes, headers: dict[str, str], status: int) -> None:
    house.upstream.seen.clear()
    got = house.ask("POST", "/orders", body, headers)
    assert got.status == status, got.body
    assert [seen.body for seen in house.upstream.seen] == ([body] if status == 200 else [])


def test_answers(house: House) -> None:
    for number, (raw, _) in enumerate(ANSWERS):
        house.upstream.answers[f"GET /answers/{number}"] = raw
    got = [house.ask("GET", f"/answers/{number}").status for number in range(len(ANSWERS))]
    assert got == [status for _, status in ANSWERS]


def test_large_answers_and_bodies_pass_whole(house: House) -> None:
    text = b'"' + b"x" * 3_000_000 + b'"'
    house.upstream.answers["GET /beds/mine"] = answer(200, text)
    assert house.ask("GET", "/beds/mine").body == text
    body = b'{"patient": {"note": ' + text + b"}}"
    house.upstream.seen.clear()
    assert house.ask("POST", "/orders", body).status == 200
    assert house.upstream.seen[-1].body == body


def exchange(port: int, *pieces: bytes) -> list[int]:
    """Send raw bytes on one connection, its last request closing it; gives the statuses that came back."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        for piece in pieces:
            connection.sendall(piece)
        got = b""
        while data := connection.recv(65536):
            got += data
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", got)]


HOST = b" HTTP/1.1\r\nHost: clinic\r\n"
END = b"Connection: close\r\n\r\n"
POST = b"POST /orders" + HOST + b"Content-Type: application/json\r\n"


def test_the_wire(house: House) -> None:
    port = house.port
    get = b"GET /labels/.1" + HOST
    assert exchange(port, get + b"\r\nGET /labels/x" + HOST + b"\r\n" + get + END) == [200, 400, 200]
    chunked = POST + b"Transfer-Encoding: chunked\r\n" + END
    assert exchange(port, chunked + b'5\r\n{"cod\r\n8\r\ne":"a1"}\r\n0\r\n\r\n') == [200]
    assert exchange(port, chunked + b'5\r\n{"cod\r\n8\r\ne":"ab"}\r\n0\r\n\r\n') == [422]
    assert exchange(port, chunked + b"0\r\n\r\n") == [400]
    assert exchange(port, POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n" + END) == [400]
    assert exchange(port, b"GET /labels/.1 HTTP/1.0\r\n\r\n") == [200]
    assert exchange(port, b"GET /labels/.1 HTTP/1.1\r\n\r\n") == [400]


def test_who_waits_for_100_is_told_to_go_on(house: House) -> None:
    with socket.create_connection(("127.0.0.1", house.port), timeout=20) as connection:
        connection.sendall(POST + b"Content-Length: 2\r\nExpect: 100-continue\r\n" + END)
        got = connection.recv(65536)
        assert got == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_many_callers_at_once_get_their_own_answers(house: House) -> None:
    barrier = threading.Barrier(16)

    def call(number: int) -> bool:
        barrier.wait(20)
        return all(
            ask(house.port, "POST", "/orders", body).status == status
            for body, headers, status in BODIES[number % 4 :: 4]
            if not headers
        )

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(call, range(16)))


def test_a_file_that_only_one_operation_spoils_can_be_served_without_it(tmp_path: Path) -> None:
    spoiled = CLINIC.replace("maxLength: 3", r"pattern: '(a)\1'")
    (tmp_path / "x.yaml").write_text(written_out(spoiled))
    upstream = Upstream()
    try:
        with proxy_run(tmp_path / "x.yaml", upstream.url, "--keep-going", cwd=tmp_path) as (port, said):
            assert re.search(r"POST /orders: the pattern .* back references", said)
            assert ask(port, "POST", "/orders", b"{}").status == 501
            assert ask(port, "GET", "/labels/.1").status == 200
    finally:
        upstream.close()


def test_an_answer_that_cannot_be_judged_passes_where_nothing_is_refused(tmp_path: Path) -> None:
    spoiled = """
openapi: 3.1.0
info: {title: Notes, version: 1.0.0}
paths:
  /notes:
    get:
      responses:
        "200": {description: ok, content: {application/yaml: {schema: {type: object}}}}
"""
    (tmp_path / "x.yaml").write_text(spoiled)
    upstream = Upstream()
    try:
        file = tmp_path / "x.yaml"
        with proxy_run(file, upstream.url, "--keep-going", "--report-only", cwd=tmp_path) as (port, said):
            assert "GET /notes: application/yaml cannot be read into object" in said
            answer = ask(port, "GET", "/notes")
            assert (answer.status, answer.headers["x-interlock-violations"]) == (200, "1")
        with proxy_run(file, upstream.url, "--keep-going", cwd=tmp_path) as (port, said):
            assert ask(port, "GET", "/notes").status == 501
    finally:
        upstream.close()
