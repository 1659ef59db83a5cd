"""The cache of answers over real sockets: the provider is spared, and what goes out is framed and dated right."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.doubles.upstream import Upstream, answer
from tests.house.running import ask, proxy_run

pytestmark = pytest.mark.house

CODES = """
openapi: 3.1.0
info: { title: Codes, version: 1.0.0 }
paths:
  /codes/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get:
      operationId: readCode
      x-interlock-cache: true
      responses:
        "200": { description: one, content: { application/json: { schema: { type: object } } } }
        "304": { description: the same }
    delete:
      operationId: dropCode
      responses: { "204": { description: gone } }
"""


def test_an_answer_is_fetched_once_until_it_is_changed(tmp_path: Path) -> None:
    (tmp_path / "codes.yaml").write_text(CODES)
    upstream = Upstream()
    kept = ("Cache-Control: public, max-age=3600", 'ETag: "a"', "Age: 5")
    upstream.answers["GET /codes/7"] = answer(200, b'{"code": "7"}', "application/json", *kept)
    upstream.answers["DELETE /codes/7"] = b"HTTP/1.1 204 No Content\r\n\r\n"
    try:
        with proxy_run(tmp_path / "codes.yaml", upstream.url, cwd=tmp_path) as (port, _):
            first = ask(port, "GET", "/codes/7")
            again = ask(port, "GET", "/codes/%37")
            assert (first.status, first.body) == (again.status, again.body) == (200, b'{"code": "7"}')
            assert int(again.headers["age"]) >= 5
            assert again.headers["cache-status"].startswith("interlock; hit; ttl=35")
            assert "cache-status" not in first.headers
            same = ask(port, "GET", "/codes/7", headers={"If-None-Match": '"a"'})
            assert (same.status, same.body, same.headers["etag"]) == (304, b"", '"a"')
            assert "content-type" not in same.headers
            assert len(upstream.seen) == 1
            assert ask(port, "DELETE", "/codes/7").status == 204
            assert ask(port, "GET", "/codes/7").status == 200
            assert [one.method for one in upstream.seen] == ["GET", "DELETE", "GET"]
    finally:
        upstream.close()
