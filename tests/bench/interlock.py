"""Interlock for the bench: a data folder with a signed bundle, one consumer with key and limit, audit on."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
import time
from pathlib import Path

from kernel.bundle.model import (
    AccessPart,
    AdapterInstance,
    Consumer,
    ContractEntry,
    ContractsPart,
    Grant,
    Key,
    Limit,
    Route,
    RoutesPart,
)
from kernel.bundle.write import write_blob, write_part
from kernel.contract.digest import canonical_bytes
from kernel.contract.document import parse
from kernel.sealing.keys import KeyFolder
from tests.bench.machine import BenchError, Program

CONTRACT = Path(__file__).with_name("lab-orders.yaml")
NAME = "lab-orders"
TARGET = f"/{NAME}/v1/orders"
# The guard per source would end the bench in its first second; the limits stay on, out of reach.
ENVIRONMENT = {"INTERLOCK_PROXY_GUARD_REQUESTS": "10000000"}
_OUT_OF_REACH = Limit("bench", 10_000_000, 1, 10_000_000)


def prepare(data: Path, upstream_port: int) -> str:
    """Write keys and bundle into a data folder; returns the consumer's API key."""
    signer = KeyFolder(data / "keys").ensure("bundle", "contracts", "access", "routes")
    bundle = data / "bundle"
    digest = write_blob(bundle, canonical_bytes(parse(CONTRACT.read_bytes(), name=CONTRACT.name).root))
    key_id = secrets.token_hex(4)
    key = f"ilk_{key_id}_{secrets.token_hex(16)}"
    consumer = Consumer(
        "ward-7",
        "Ward 7",
        "internal",
        (Key(key_id, hashlib.sha256(key.encode()).hexdigest()),),
        (Grant(NAME, 1),),
        (_OUT_OF_REACH,),
    )
    adapter = AdapterInstance("laboratory", "http", {"base_url": f"http://127.0.0.1:{upstream_port}"})
    route = Route(NAME, 1, "1.0.0", ("1.0.0",), "laboratory", (_OUT_OF_REACH,))
    for part in (
        ContractsPart(1, (ContractEntry(NAME, "1.0.0", "openapi", "frozen", "internal", digest),)),
        AccessPart(1, (consumer,)),
        RoutesPart(1, "bench", (adapter,), (route,)),
    ):
        write_part(bundle, part, signer)
    return key


def command(data: Path) -> list[str | Path]:
    """Give the command as a user would type it."""
    return [sys.executable, "-m", "cli", "proxy", "serve", "--data", data, "--proxy-port", "0"]


def port_of(program: Program, data: Path, seconds: float = 60) -> int:
    """Wait until the proxy says that it is ready."""
    end = time.monotonic() + seconds
    ready = data / "run" / "proxy.json"
    while time.monotonic() < end:
        if ready.is_file():
            return int(json.loads(ready.read_text())["port"])
        if not Path(f"/proc/{program.pid}/exe").exists():
            break
        time.sleep(0.05)
    tail = "\n".join(program.log.read_text(errors="replace").splitlines()[-8:])
    raise BenchError(f"the proxy is not ready:\n{tail}")
