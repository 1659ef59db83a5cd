"""Memory and start of a proxy with many contracts: `python -m tests.bench.memory [--contracts 1000]`.

Prints the seconds from the start of `interlock proxy serve` to its first ready answer, and the memory of the process
tree (PSS: pages that processes share count once), without contracts and with all of them.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from kernel.bundle.model import AccessPart, AdapterInstance, ContractEntry, ContractsPart, Route, RoutesPart
from kernel.bundle.write import write_blob, write_part
from kernel.contract.digest import canonical_bytes
from kernel.sealing.keys import KeyFolder

MOST_WORKER, MOST_ALL, MOST_SECONDS = 60.0, 1500.0, 60.0  # MB, MB, s
OPERATIONS, SCHEMAS = 24, 70  # of one contract: about 55 kB of canonical JSON


def main() -> int:
    """Measure both, print, and say whether the goals are met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory")
    parser.add_argument("--contracts", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--calls", type=int, default=100, help="contracts of which one operation is called")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="interlock-bench-") as folder:
        none = Path(folder) / "none"
        publish(none, 0)
        base, seconds = _measured(none, chosen.workers, 0)
        each = base / chosen.workers
        click.echo(
            f"{base:8.1f} MB {seconds:6.1f} s  no contract, {chosen.workers} worker(s): {each:.1f} MB each"
        )
        many = Path(folder) / "many"
        size = publish(many, chosen.contracts)
        total, seconds = _measured(many, chosen.workers, min(chosen.calls, chosen.contracts))
        click.echo(
            f"{total:8.1f} MB {seconds:6.1f} s  {chosen.contracts} contracts of {size / 1024:.0f} kB, "
            f"{OPERATIONS} operations and {SCHEMAS} schemas each"
        )
        shutil.rmtree(many)
    met = each <= MOST_WORKER and total <= MOST_ALL and seconds <= MOST_SECONDS
    click.echo(
        f"wanted: {MOST_WORKER:g} MB a worker, {MOST_ALL:g} MB and {MOST_SECONDS:g} s: {'met' if met else 'missed'}"
    )
    return 0 if met else 1


def contract(number: int) -> dict[str, Any]:
    """Write a contract of average size: resources with lists, parameters, and nested schemas."""
    schemas: dict[str, Any] = {}
    for index in range(SCHEMAS):
        schemas[f"Part{index}"] = {
            "type": "object",
            "required": ["id", "state"],
            "properties": {
                "id": {"type": "string", "format": "uuid", "description": "Names the part over all systems."},
                "state": {
                    "type": "string",
                    "enum": ["planned", "active", "done", f"special-{number}-{index}"],
                },
                "at": {"type": "string", "format": "date-time"},
                "amount": {"type": "number", "minimum": 0, "maximum": 1_000_000},
                "code": {"type": "string", "pattern": "^[0-9]{4,5}-[0-9]$"},
                "notes": {"type": "array", "maxItems": 20, "items": {"type": "string", "maxLength": 400}},
                **(
                    {"part": {"$ref": f"#/components/schemas/Part{index + 1}"}} if index + 1 < SCHEMAS else {}
                ),
            },
        }
    paths: dict[str, Any] = {}
    for index in range(OPERATIONS // 2):
        ref = {"application/json": {"schema": {"$ref": f"#/components/schemas/Part{index}"}}}
        many = {
            "application/json": {
                "schema": {"type": "array", "items": {"$ref": f"#/components/schemas/Part{index}"}}
            }
        }
        query = [
            {
                "name": name,
                "in": "query",
                "schema": {"type": "string", "maxLength": 60},
                "description": "Narrows the list.",
            }
            for name in ("state", "ward", "after", "before")
        ]
        paths[f"/parts{index}"] = {
            "get": {"operationId": f"list{index}", "parameters": query, "responses": {"200": {"description": "A page.", "content": many}}},
            "post": {
                "operationId": f"make{index}",
                "requestBody": {"required": True, "content": ref},
                "responses": {"201": {"description": "Made.", "content": ref}},
            },
        }  # fmt: skip
    return {
        "openapi": "3.1.0",
        "info": {"title": f"Contract {number}", "version": "1.0.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }


def publish(data: Path, count: int) -> int:
    """Sign a bundle with `count` routed contracts; gives the bytes of one."""
    signer = KeyFolder(data / "keys").ensure("registry", "contracts", "access", "routes")
    bundle = data / "bundle"
    entries, routes, size = [], [], 0
    for number in range(count):
        document = canonical_bytes(contract(number))
        size = len(document)
        name = f"contract-{number}"
        entries.append(
            ContractEntry(name, "1.0.0", "openapi", "frozen", "internal", write_blob(bundle, document))
        )
        routes.append(Route(name, 1, "1.0.0", ("1.0.0",), "nowhere"))
    adapter = AdapterInstance("nowhere", "http", {"base_url": "http://127.0.0.1:9"})
    write_part(bundle, ContractsPart(1, tuple(entries)), signer)
    write_part(bundle, AccessPart(1, ()), signer)
    write_part(bundle, RoutesPart(1, "bench", (adapter,), tuple(routes)), signer)
    return size


def _measured(data: Path, workers: int, calls: int) -> tuple[float, float]:
    """Give MB of the process tree once `calls` operations were called, and the seconds to the first ready."""
    began = time.monotonic()
    with _serving(data, workers) as (child, port):
        seconds = time.monotonic() - began
        for number in range(calls):
            for _ in range(workers):
                _call(port, number)
        time.sleep(1)
        return _pss(child.pid) / 1024, seconds


def _call(port: int, number: int) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("POST", f"/contract-{number}/v1/parts0", b"{}", {"Content-Type": "application/json"})
    assert connection.getresponse().status == 422
    connection.close()


@contextlib.contextmanager
def _serving(data: Path, workers: int) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    ready = data / "run" / "proxy.json"
    with (data / "log").open("wb") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "cli", "proxy", "serve", "--data", str(data), "--proxy-port", "0", "--workers", str(workers)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, env={**os.environ, "INTERLOCK_PROXY_GUARD_REQUESTS": "10000000"},
        )  # fmt: skip
    try:
        deadline = time.monotonic() + 600
        while not ready.exists():
            if child.poll() is not None or time.monotonic() > deadline:
                raise SystemExit((data / "log").read_text())
            time.sleep(0.05)
        yield child, int(json.loads(ready.read_text())["port"])
    finally:
        child.terminate()
        child.wait(60)


def _pss(pid: int) -> int:
    """Kilobytes of a process and its descendants."""
    total = 0
    found = [pid]
    for one in found:
        for task in Path(f"/proc/{one}/task").glob("*/children"):
            found += [int(child) for child in task.read_text().split()]
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                total += int(line.split()[1])
    return total


if __name__ == "__main__":
    sys.exit(main())
