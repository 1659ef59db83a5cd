"""The peer Wallarm API Firewall: no package registry has it, so a variable names the binary, or it is left out."""

from __future__ import annotations

import os
from pathlib import Path

from tests.bench.machine import BenchError

VARIABLE = "BENCH_WALLARM"


def program() -> Path:
    """Give the binary that the variable names; raises `BenchError` with a reason."""
    named = os.environ.get(VARIABLE, "")
    if not named:
        raise BenchError(f"{VARIABLE} names no binary of it")
    if not os.access(named, os.X_OK):
        raise BenchError(f"{VARIABLE} names nothing that can be run")
    return Path(named)


def environment(contract: Path, port: int, health_port: int, upstream_port: int) -> dict[str, str]:
    """Give its settings: refuse what the contract does not allow, both ways."""
    return {
        "APIFW_MODE": "PROXY",
        "APIFW_URL": f"http://127.0.0.1:{port}",
        "APIFW_HEALTH_HOST": f"127.0.0.1:{health_port}",
        "APIFW_API_SPECS": str(contract),
        "APIFW_SERVER_URL": f"http://127.0.0.1:{upstream_port}",
        "APIFW_REQUEST_VALIDATION": "BLOCK",
        "APIFW_RESPONSE_VALIDATION": "BLOCK",
        "APIFW_LOG_LEVEL": "ERROR",
    }
