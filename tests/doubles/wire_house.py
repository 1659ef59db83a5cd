"""A `proxy run` process before a recording provider, with one small contract for tests of the wire."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.doubles.raw_http import RawClient
from tests.doubles.upstream import Upstream
from tests.house.running import proxy_run

CONTRACT = """\
openapi: 3.1.0
info: { title: Wire, version: 1.0.0 }
paths:
  /orders:
    get:
      operationId: list
      parameters:
        - { name: x, in: query, schema: { type: string } }
        - { name: X-Purpose, in: header, schema: { enum: [TREAT, PAY] } }
      responses: { default: { description: anything, content: { "text/plain": { schema: { type: string } }, "*/*": {} } } }
    post:
      operationId: place
      parameters: [{ name: X-Purpose, in: header, schema: { enum: [TREAT, PAY] } }]
      requestBody: { content: { "text/plain": { schema: { type: string } }, "*/*": {} } } # text is held as a whole
      responses: { default: { description: anything, content: { "text/plain": { schema: { type: string } }, "*/*": {} } } }
  /orders/{id}:
    parameters: [{ name: id, in: path, required: true, schema: { type: string } }]
    get: { operationId: read, responses: { default: { description: anything, content: { "text/plain": { schema: { type: string } }, "*/*": {} } } } }
    delete: { operationId: cancel, responses: { default: { description: anything, content: { "text/plain": { schema: { type: string } }, "*/*": {} } } } }
  /admin/keys:
    get: { operationId: keys, responses: { default: { description: anything, content: { "text/plain": { schema: { type: string } }, "*/*": {} } } } }
"""


@dataclass
class WireHouse:
    """The proxy's port, and the provider behind it."""

    port: int
    upstream: Upstream

    def client(self, *, receive_buffer: int = 0) -> RawClient:
        return RawClient(self.port, receive_buffer=receive_buffer)

    def seen(self) -> list[tuple[str, str, bytes]]:
        """Tell what reached the provider: method, raw target, body."""
        return [(one.method, one.target, one.body) for one in self.upstream.seen]


@contextlib.contextmanager
def wire_house(folder: Path, **settings: str) -> Iterator[WireHouse]:
    """Start both; `settings` are environment variables of the proxy."""
    (folder / "wire.yaml").write_text(CONTRACT)
    upstream = Upstream()
    try:
        with proxy_run(folder / "wire.yaml", upstream.url, cwd=folder, settings=settings) as (port, _):
            yield WireHouse(port, upstream)
    finally:
        upstream.close()
