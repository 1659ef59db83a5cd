"""Makes a data folder with a small signed bundle, and runs `interlock proxy serve` on it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from kernel.bundle.model import (
    AccessPart,
    AdapterInstance,
    ContractEntry,
    ContractsPart,
    Route,
    RoutesPart,
)
from kernel.bundle.write import write_blob, write_part
from kernel.contract.digest import canonical_bytes
from kernel.contract.document import parse
from kernel.sealing.keys import KeyFolder
from tests.house.running import clean_environment

ORDERS = b"""
openapi: 3.0.3
info: { title: Orders, version: 1.0.0 }
paths:
  /orders:
    post:
      operationId: place
      requestBody: { required: true, content: { application/json: { schema: { type: object, required: [n], properties: { n: { type: integer } } } } } }
      responses: { "201": { description: ok, content: { application/json: { schema: { type: object } } } } }
"""


def make(data: Path, upstream: str, document: bytes = ORDERS, serial: int = 1) -> None:
    """Sign a bundle with one open route /orders/v1 to `upstream`."""
    keys = KeyFolder(data / "keys")
    signer = keys.ensure("registry", "contracts", "access", "routes")
    folder = data / "bundle"
    digest = write_blob(folder, canonical_bytes(parse(document).root))
    entry = ContractEntry("orders", "1.0.0", "openapi", "frozen", "internal", digest)
    adapter = AdapterInstance("provider", "http", {"base_url": upstream})
    route = Route("orders", 1, "1.0.0", ("1.0.0",), "provider")
    write_part(folder, ContractsPart(serial, (entry,)), signer)
    write_part(folder, AccessPart(serial, ()), signer)
    write_part(folder, RoutesPart(serial, "test", (adapter,), (route,)), signer)


def make_beside(data: Path, healthy: str, broken: str, guards: dict[str, Any] | None = None) -> None:
    """Sign a bundle with two open routes, /orders/v1 to `healthy` and /others/v1 to `broken` with one second."""
    keys = KeyFolder(data / "keys")
    signer = keys.ensure("registry", "contracts", "access", "routes")
    folder = data / "bundle"
    digest = write_blob(folder, canonical_bytes(parse(ORDERS).root))
    entries = tuple(
        ContractEntry(name, "1.0.0", "openapi", "frozen", "internal", digest) for name in ("orders", "others")
    )
    adapters = (
        AdapterInstance("healthy", "http", {"base_url": healthy}),
        AdapterInstance("broken", "http", {"base_url": broken, **(guards or {})}),
    )
    routes = (
        Route("orders", 1, "1.0.0", ("1.0.0",), "healthy"),
        Route("others", 1, "1.0.0", ("1.0.0",), "broken", timeout_seconds=1.0),
    )
    write_part(folder, ContractsPart(1, entries), signer)
    write_part(folder, AccessPart(1, ()), signer)
    write_part(folder, RoutesPart(1, "test", adapters, routes), signer)


@contextlib.contextmanager
def serving(
    data: Path, *options: str, before: Sequence[str] = (), **environment: str
) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """Run `proxy serve` (below `before`, such as strace); yields the process and the port."""
    ready = data / "run" / "proxy.json"
    ready.unlink(missing_ok=True)
    log = (data / "proxy.log").open("ab")
    child = subprocess.Popen(
        [*before, sys.executable, "-m", "cli", "proxy", "serve", "--data", str(data), "--proxy-port", "0",
         *options],
        stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=clean_environment(**environment),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 60
        while not ready.exists():
            assert child.poll() is None, (data / "proxy.log").read_text()
            assert time.monotonic() < deadline, "not ready"
            time.sleep(0.02)
        yield child, int(json.loads(ready.read_text())["port"])
    finally:
        log.close()
        if child.poll() is None:
            # Where strace is around it, the proxy is another process: strace ends with it, but not it with strace.
            proxy = int(json.loads(ready.read_text())["pid"]) if before and ready.exists() else child.pid
            os.kill(proxy, signal.SIGTERM)
            try:
                child.wait(30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
