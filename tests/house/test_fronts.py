"""Addresses by audience as an operator runs them: one process or several workers, real sockets."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.doubles.upstream import Upstream, answer
from tests.house.data_folder import make, serving
from tests.house.running import ask


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream({"POST /orders": answer(201, b"{}")})
    yield made
    made.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("workers", ["1", "2"])
def test_the_internal_contract_is_on_its_own_address_alone(
    tmp_path: Path, upstream: Upstream, workers: str
) -> None:
    make(tmp_path, upstream.url)
    ports = {name: free_port() for name in ("internal", "public")}
    named = {f"INTERLOCK_PROXY_LISTEN_{name.upper()}": f"127.0.0.1:{port}" for name, port in ports.items()}
    with serving(tmp_path, "--workers", workers, **named) as (_, port):
        told = json.loads((tmp_path / "run" / "proxy.json").read_text())
        assert told["audiences"] == {name: {"host": "127.0.0.1", "port": at} for name, at in ports.items()}
        reached = {
            name: ask(at, "POST", "/orders/v1/orders", b'{"n": 1}').status
            for name, at in {**ports, "proxy": port}.items()
        }
        assert reached == {"internal": 201, "public": 404, "proxy": 404}
        assert ask(ports["public"], "GET", "/-/readyz").json() == {"status": "ready"}
        assert ask(ports["public"], "GET", "/-/metrics").status == 404
        assert ask(port, "GET", "/-/metrics").status == 200
