"""Small messages that would cost much, through a real `proxy run`: refused at once, and the next call is served."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator

import pytest

from tests.doubles.upstream import Upstream
from tests.doubles.wire_house import WireHouse
from tests.house.running import proxy_run

CONTRACT = """\
openapi: 3.1.0
info: { title: Bombs, version: 1.0.0 }
paths:
  /things:
    get:
      parameters:
        - { name: deep, in: query, style: deepObject, schema: { type: object, properties: { a: { type: array, items: { type: integer } } } } }
        - { name: list, in: query, explode: false, schema: { type: array, items: { type: integer } } }
        - { name: word, in: query, schema: { type: string, pattern: "^(a+)+$" } }
        - { name: number, in: query, schema: { type: integer } }
      responses: { "200": { description: done, content: { application/json: { schema: {} } } } }
    post:
      requestBody:
        content:
          application/json: { schema: { type: object, properties: { word: { type: string, pattern: "^(a|a)*$" }, number: { multipleOf: 0.01 }, list: { type: array, uniqueItems: true } } } }
          application/x-www-form-urlencoded: { schema: { type: object } }
          application/xml: { schema: { type: object } }
          multipart/form-data: { schema: { type: object } }
      responses: { "200": { description: done, content: { application/json: { schema: {} } } } }
"""
HOST = b"Host: a\r\n"
NEXT = b"GET /things HTTP/1.1\r\n" + HOST + b"\r\n"


def get(query: str) -> bytes:
    return f"GET /things?{query} HTTP/1.1\r\n".encode() + HOST + b"\r\n"


def post(kind: bytes, body: bytes, *lines: bytes) -> bytes:
    head = b"POST /things HTTP/1.1\r\nContent-Type: %b\r\nContent-Length: %d\r\n" % (kind, len(body))
    return head + b"".join(line + b"\r\n" for line in lines) + HOST + b"\r\n" + body


JSON, FORM, XML = b"application/json", b"application/x-www-form-urlencoded", b"application/xml"
GZIP = b"Content-Encoding: gzip"
ENTITIES = b'<!DOCTYPE r [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><r>&b;&b;&b;</r>'
BOMBS = [
    ("pairs", get("&".join(["x=1"] * 2000)), {400}),
    ("empty pairs", get("&" * 8000), {400}),
    ("items", get("list=" + "1," * 3000), {400}),
    ("index", get("deep[a][999999999]=1"), {400}),
    ("depth of brackets", get("deep" + "[a]" * 900 + "=1"), {400}),
    ("open brackets", get("deep" + "[" * 4000 + "=1"), {200, 400}),
    ("digits", get("number=" + "9" * 7000), {400}),
    ("exponent", get("number=1e999999999"), {400}),
    ("pattern", get("word=" + "a" * 4000 + "b"), {400}),
    ("JSON depth", post(JSON, b"[" * 100_000), {400}),
    ("JSON depth, closed", post(JSON, b'{"a":' * 50_000 + b"1" + b"}" * 50_000), {400}),
    ("JSON digits", post(JSON, b'{"number":' + b"9" * 1_000_000 + b"}"), {400, 422}),
    ("JSON exponent", post(JSON, b'{"number":1e99999999999}'), {400}),
    ("JSON small exponent", post(JSON, b'{"number":1e-99999999}'), {200, 400, 422}),
    ("JSON pattern", post(JSON, b'{"word":"' + b"a" * 100_000 + b'b"}'), {422}),
    ("JSON items", post(JSON, b'{"list":[' + b",".join(b"%d" % n for n in range(100_000)) + b",1]}"), {422}),
    ("JSON keys", post(JSON, b"{" + b",".join(b'"k%d":1' % n for n in range(50_000)) + b"}"), {200, 413}),
    ("form fields", post(FORM, b"&".join([b"a=1"] * 100_000)), {400, 413}),
    ("parts", post(b"multipart/form-data; boundary=B", b'--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 20_000 + b"--B--"), {400, 413}),
    ("boundaries", post(b"multipart/form-data; boundary=B", b"\r\n--B" * 200_000), {400, 413}),
    ("XML entities", post(XML, ENTITIES), {400}),
    ("XML depth", post(XML, b"<a>" * 100_000), {400, 413}),
    ("XML attributes", post(XML, b"<a" + b"".join(b' b%d="1"' % n for n in range(50_000)) + b"/>"), {200, 400, 413, 422}),
    ("gzip", post(JSON, gzip.compress(b'{"a":"' + b"0" * 100_000_000 + b'"}', 9), GZIP), {400, 413}),
    ("gzip in gzip", post(JSON, gzip.compress(gzip.compress(b"0" * 10_000_000)), b"Content-Encoding: gzip, gzip"), {400, 413, 415}),
    ("deflate", post(JSON, zlib.compress(b" " * 100_000_000, 9), b"Content-Encoding: deflate"), {400, 413}),
    ("gzip, cut off", post(JSON, gzip.compress(b"{}")[:-5], GZIP), {400}),
    ("gzip with more behind it", post(JSON, gzip.compress(b"{}") + b"{}", GZIP), {400}),
    ("cookies", b"GET /things HTTP/1.1\r\nCookie: " + b"a=b;" * 5000 + b"\r\n" + HOST + b"\r\n", {200, 400}),
]  # fmt: skip


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WireHouse]:
    folder = tmp_path_factory.mktemp("bombs")
    (folder / "bombs.yaml").write_text(CONTRACT)
    upstream = Upstream()
    try:
        with proxy_run(folder / "bombs.yaml", upstream.url, cwd=folder) as (port, _):
            yield WireHouse(port, upstream)
    finally:
        upstream.close()


@pytest.mark.parametrize(("name", "data", "statuses"), BOMBS, ids=[row[0] for row in BOMBS])
def test_a_bomb_does_not_go_off(wire: WireHouse, name: str, data: bytes, statuses: set[int]) -> None:
    with wire.client() as client:  # which waits 20 seconds at most
        client.send(data)
        got = client.answer()
        assert got is not None
        assert got.status in statuses, got
    with wire.client() as client:
        client.send(NEXT)
        got = client.answer()
        assert got is not None
        assert got.status == 200
