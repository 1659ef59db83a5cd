"""Interlock for the bench: a data folder with a signed bundle, consumers with key, token and limit, audit on."""

from __future__ import annotations

import hashlib
import json
import secrets
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey

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
from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from kernel.bundle.trust import Issuer, TokenBinding, TokenTrust
from kernel.bundle.write import write_blob, write_part
from kernel.contract.digest import canonical_bytes
from kernel.contract.document import parse
from kernel.sealing.keys import KeyFolder
from tests.bench.cases import Credential
from tests.bench.machine import BenchError, Program

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = Path(__file__).with_name("lab-orders.yaml")
NAME = "lab-orders"
PREFIX = f"/{NAME}/v1"
TARGET = f"{PREFIX}/orders"
# The guard per source would end the bench in its first second; the limits stay on, out of reach.
ENVIRONMENT = {"INTERLOCK_PROXY_GUARD_REQUESTS": "10000000"}
_OUT_OF_REACH = Limit("bench", 10_000_000, 1, 10_000_000)
_ONE_A_DAY = Limit("bench", 1, 86_400, 1)
_ISSUER, _AUDIENCE = "https://login.hospital.example", "https://api.hospital.example/orders"
_LIFE = 3 * 3600  # seconds of the token: longer than any run


@dataclass(frozen=True)
class Credentials:
    """What the load shows: a key, a token of the issuer, and the key of a consumer whose limit is spent."""

    key: str
    token: str
    spent: str

    def header(self, credential: Credential) -> tuple[str, str]:
        """Give the header of one of them."""
        if credential == "token":
            return "Authorization", f"Bearer {self.token}"
        return "X-API-Key", self.key if credential == "key" else self.spent


def prepare(data: Path, upstream_port: int) -> Credentials:
    """Write keys and bundle into a data folder; returns what callers show."""
    signer = KeyFolder(data / "keys").ensure("bundle", "contracts", "access", "routes")
    bundle = data / "bundle"
    digest = write_blob(bundle, canonical_bytes(parse(CONTRACT.read_bytes(), name=CONTRACT.name).root))
    key, known = _key()
    spent, of_storm = _key()
    token, jwks = _token()
    bound = ConsumerPolicy(tokens=(TokenBinding(_ISSUER, "ward-7"),))
    consumers = (
        Consumer("ward-7", "Ward 7", "internal", (known,), (Grant(NAME, 1),), (_OUT_OF_REACH,), bound),
        Consumer("ward-8", "Ward 8", "internal", (of_storm,), (Grant(NAME, 1),), (_ONE_A_DAY,)),
    )
    adapter = AdapterInstance("laboratory", "http", {"base_url": f"http://127.0.0.1:{upstream_port}"})
    trust = TokenTrust(issuers=(Issuer(_ISSUER, (_AUDIENCE,), jwks=jwks),))
    route = Route(
        NAME, 1, "1.0.0", ("1.0.0",), "laboratory", (_OUT_OF_REACH,), policy=RoutePolicy(tokens=trust)
    )
    for part in (
        ContractsPart(1, (ContractEntry(NAME, "1.0.0", "openapi", "frozen", "internal", digest),)),
        AccessPart(1, consumers),
        RoutesPart(1, "bench", (adapter,), (route,)),
    ):
        write_part(bundle, part, signer)
    return Credentials(key, token, spent)


def form() -> str:
    """Say which form of the hot modules Python takes here: compiled, or the pure source."""
    found = [
        file
        for package in ("kernel", "adapters", "runtime_proxy")
        for file in (ROOT / package).rglob(f"*{sysconfig.get_config_var('EXT_SUFFIX')}")
    ]
    return f"compiled ({len(found)} modules)" if found else "pure Python"


def _key() -> tuple[str, Key]:
    key_id = secrets.token_hex(4)
    key = f"ilk_{key_id}_{secrets.token_hex(16)}"
    return key, Key(key_id, hashlib.sha256(key.encode()).hexdigest())


def _token() -> tuple[str, dict[str, Any]]:
    """Be the issuer: sign one access token (RFC 9068), and give the keys that verify it."""
    signing = ECKey.generate_key("P-256")
    now = int(time.time())
    claims = {
        "iss": _ISSUER, "aud": _AUDIENCE, "iat": now, "exp": now + _LIFE, "sub": "system-7",
        "client_id": "ward-7", "jti": secrets.token_hex(8),
    }  # fmt: skip
    header = {"alg": "ES256", "typ": "at+jwt", "kid": "bench"}
    token = jws.serialize_compact(header, json.dumps(claims).encode(), signing, algorithms=["ES256"])
    return token, {"keys": [{**signing.as_dict(private=False), "kid": "bench", "use": "sig"}]}


def command(data: Path, *, audit: bool = True) -> list[str | Path]:
    """Give the command as a user would type it; without audit it is started by tests/bench/unaudited.py."""
    return [
        sys.executable,
        "-m",
        "cli" if audit else "tests.bench.unaudited",
        "proxy",
        "serve",
        "--data",
        data,
        "--proxy-port",
        "0",
    ]


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
