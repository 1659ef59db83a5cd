"""The operator's console of a whole proxy: found by what is printed, and telling of every worker."""

from __future__ import annotations

import base64
import http.client
import json
import re
from pathlib import Path

import pytest

from cli.proxy_process import write_ready
from tests.doubles.upstream import Upstream, answer
from tests.house.running import ask, proxy_run

pytestmark = pytest.mark.house

STATUS = """
openapi: 3.0.3
info: { title: Status, version: 1.0.0 }
paths:
  /status:
    get:
      operationId: readStatus
      responses: { "204": { description: alive } }
"""
CONSOLE = re.compile(r"console http://127\.0\.0\.1:(\d+)/ops \(any user, password (\S+)\)")


def read(port: int, path: str, token: str) -> tuple[int, str]:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    basic = base64.b64encode(f"ops:{token}".encode()).decode()
    client.request("GET", path, headers={"authorization": f"Basic {basic}"})
    answered = client.getresponse()
    told = answered.status, answered.read().decode()
    client.close()
    return told


@pytest.mark.parametrize("workers", [1, 2])
def test_whichever_worker_answers_tells_of_all(tmp_path: Path, workers: int) -> None:
    (tmp_path / "status.yaml").write_text(STATUS)
    upstream = Upstream({"GET /status": answer(204, kind="")})
    settings = {
        "INTERLOCK_OPS_LISTEN": "127.0.0.1:0" if workers == 1 else _free(),
        "INTERLOCK_OPS_SAMPLE": "1",
    }
    try:
        with proxy_run(
            tmp_path / "status.yaml", upstream.url, "--workers", str(workers), cwd=tmp_path, settings=settings
        ) as (proxy, said):
            console = CONSOLE.search(said)
            assert console is not None, said
            port, token = int(console[1]), console[2]
            for _ in range(8):
                assert ask(proxy, "GET", "/status").status == 204
            for path in ("/ops/workers", "/ops/exchanges", "/ops", "/ops/limits"):
                status, page = read(port, path, token)
                assert status == 200, path
                if path == "/ops/workers":
                    assert len(set(re.findall(r"process (\d+)", page))) == workers
                if path == "/ops/exchanges":
                    assert len(re.findall(r"✓</span>204", page)) == 8
            assert read(port, "/ops", "guess")[0] == 401
            assert ask(proxy, "GET", "/ops").status == 404, "on the proxy's own address there is no console"
    finally:
        upstream.close()


def test_programs_find_the_console_beside_the_proxy(tmp_path: Path) -> None:
    file = tmp_path / "run" / "proxy.json"
    fronts = {"proxy": ("127.0.0.1", 8701), "public": ("127.0.0.1", 8702), "ops": ("127.0.0.1", 8799)}
    write_ready(file, fronts, {})
    told = json.loads(file.read_text())
    assert (told["port"], told["console"]["port"]) == (8701, 8799)
    assert told["audiences"] == {"public": {"host": "127.0.0.1", "port": 8702}}


def _free() -> str:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        return f"127.0.0.1:{taken.getsockname()[1]}"
