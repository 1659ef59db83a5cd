"""CORS as a real browser sees it: Chromium calls `interlock proxy run` from pages of two other origins."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.upstream import Upstream, answer
from tests.house.running import proxy_run

pytestmark = [pytest.mark.house, pytest.mark.chromium]

WARD = """
openapi: 3.1.0
info: { title: Ward, version: 1.0.0 }
paths:
  /vitals/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    put:
      operationId: deliver
      parameters: [{ name: X-Ward, in: header, schema: { type: string } }]
      requestBody:
        required: true
        content: { application/json: { schema: { type: object, required: [pulse] } } }
      responses:
        "200":
          description: kept
          headers: { X-Count: { schema: { type: integer } } }
          content: { application/json: { schema: { type: object } } }
"""
_CALL = """async ([url, header, body]) => {
  try {
    const got = await fetch(url, {method: 'PUT', body, headers: {'content-type': 'application/json', [header]: '7'}});
    return [got.status, got.headers.get('x-count'), got.headers.get('x-hidden'), await got.text()];
  } catch (error) { return [0, null, null, error.name]; }
}"""


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[tuple[str, str]]:
    """Two origins with an empty page each."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text(
        "<!doctype html><title>Ward</title><link rel=icon href=data:,>"
    )
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
        for _ in range(2)
    ]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    listed, other = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    yield listed, other
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_browser_lets_listed_pages_call_and_no_others(tmp_path: Path, pages: tuple[str, str]) -> None:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    listed, other = pages
    (tmp_path / "ward.yaml").write_text(WARD)
    upstream = Upstream()
    upstream.answers["PUT /vitals/7"] = answer(
        200, b'{"ok": true}', "application/json", "X-Count: 3", "X-Hidden: no"
    )
    try:
        with (
            proxy_run(tmp_path / "ward.yaml", upstream.url, "--allow-origin", listed, cwd=tmp_path) as (
                port,
                _,
            ),
            sync_playwright() as playwright,
        ):
            browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
            page = browser.new_page()
            url = f"http://127.0.0.1:{port}/vitals/7"
            found = {}
            for name, origin, header, body in (
                ("listed", listed, "x-ward", '{"pulse": 70}'),
                ("refused", listed, "x-ward", "{}"),
                ("undeclared", listed, "x-admin", '{"pulse": 70}'),
                ("unlisted", other, "x-ward", '{"pulse": 70}'),
            ):
                page.goto(origin)
                found[name] = page.evaluate(_CALL, [url, header, body])
            browser.close()
    finally:
        upstream.close()
    assert found["listed"] == [200, "3", None, '{"ok": true}']
    assert found["refused"][0] == 422
    assert "body-invalid" in found["refused"][3]
    assert found["undeclared"] == found["unlisted"] == [0, None, None, "TypeError"]
    assert len(upstream.seen) == 1
