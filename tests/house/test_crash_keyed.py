"""kill -9 between forward and answer: the key is closed until somebody says what became of the call."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.doubles.upstream import Upstream, answer
from tests.house import data_folder
from tests.house.running import ask, clean_environment

pytestmark = pytest.mark.house
KEYED = data_folder.ORDERS.replace(
    b"operationId: place", b"operationId: place\n      x-interlock-idempotency: required"
)
KEY = {"Idempotency-Key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}


def command(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", "proxy", *arguments, "--data", str(data)],
        capture_output=True, text=True, timeout=60, check=False, env=clean_environment(),
    )  # fmt: skip


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A data folder whose proxy was killed while the provider held a call under KEY."""
    data = tmp_path / "data"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        data_folder.make(data, f"http://127.0.0.1:{silent.getsockname()[1]}", KEYED)
        with data_folder.serving(data) as (child, port):
            caller = threading.Thread(target=give_up, args=(port,), daemon=True)
            caller.start()
            connection, _ = silent.accept()
            with connection:
                connection.settimeout(30)
                assert connection.recv(65536).startswith(b"POST /orders ")
                child.send_signal(signal.SIGKILL)
                child.wait(30)
            caller.join(30)
    return data


def give_up(port: int) -> None:
    with pytest.raises(OSError):
        ask(port, "POST", "/orders/v1/orders", b'{"n": 7}', KEY)


def test_after_kill_9_the_call_is_not_sent_again_until_it_is_resolved(killed: Path) -> None:
    provider = Upstream({"POST /orders": answer(201, b'{"id": 1}')})
    try:
        data_folder.make(killed, provider.url, KEYED, serial=2)
        with data_folder.serving(killed) as (_, port):
            for _ in range(2):
                got = ask(port, "POST", "/orders/v1/orders", b'{"n": 7}', KEY)
                assert (got.status, got.slug) == (409, "idempotency-unresolved")
            assert provider.seen == []

            listed = command(killed, "unresolved", "--format", "json")
            assert listed.returncode == 1, listed.stderr
            (call,) = json.loads(listed.stdout)
            assert (call["route"], call["operation"], call["consumer"]) == ("orders v1", "place", "")
            done = command(
                killed, "resolve", call["request_id"], "--not-done", "--note", "asked the laboratory"
            )
            assert done.returncode == 0, done.stderr

            got = ask(port, "POST", "/orders/v1/orders", b'{"n": 7}', KEY)
            assert got.status == 201
            again = ask(port, "POST", "/orders/v1/orders", b'{"n": 7}', KEY)
            assert (again.body, again.headers["idempotent-replayed"]) == (b'{"id": 1}', "true")
            assert len(provider.seen) == 1
            assert command(killed, "unresolved").returncode == 0
    finally:
        provider.close()
    acts = [
        json.loads(line)["record"]
        for path in (killed / "audit" / "operator").glob("*.jsonl")
        for line in path.read_text().rstrip().splitlines()[1:]
    ]
    (act,) = [one for one in acts if one["stage"] == "act"]
    assert (act["act"], act["subject"]) == ("call-resolved", call["request_id"])
    assert (act["note"], act["detail"]) == ("asked the laboratory", {"outcome": "not-done"})


def test_what_was_carried_out_is_never_sent_again(killed: Path) -> None:
    provider = Upstream()
    try:
        data_folder.make(killed, provider.url, KEYED, serial=2)
        (call,) = json.loads(command(killed, "unresolved", "--format", "json").stdout)
        assert command(killed, "resolve", call["request_id"], "--done").returncode == 0
        assert command(killed, "resolve", call["request_id"], "--done").returncode == 1
        with data_folder.serving(killed) as (_, port):
            got = ask(port, "POST", "/orders/v1/orders", b'{"n": 7}', KEY)
            assert (got.status, got.slug) == (409, "idempotency-answer-lost")
        assert provider.seen == []
    finally:
        provider.close()
