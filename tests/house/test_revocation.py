"""Registry and proxy as an operator runs them: what the registry closes is closed, whatever becomes of the bundle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from cli.claims import announced
from tests.doubles.upstream import Upstream, answer
from tests.house.running import Answered, ask, clean_environment

pytestmark = pytest.mark.house
PATIENCE = 20.0  # seconds; the promise is two, and a busy machine is no failure
META = """
name: orders
version: 1.0.0
kind: openapi
title: Orders
owner: orders-team
domain: orders
audience: internal
description: Orders for tests.
systems: { provider: lab, consumers: [ehr], source_of_truth: lab }
sensitivity: none
urgency: routine
retry: { policy: idempotent-only, max_attempts: 3 }
objectives: { latency_p99_ms: 1000, availability: "99.5" }
"""
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "info": {"title": "Orders", "version": "1.0.0", "description": "Orders.", "contact": {"name": "x", "email": "x@y.example"}},
    "security": [{"key": []}],
    "paths": {"/orders": {"get": {
        "operationId": "listOrders", "summary": "List", "description": "List orders.", "tags": ["orders"],
        "responses": {
            "200": {"description": "ok", "content": {"application/json": {"schema": {"type": "object", "additionalProperties": True}}}},
            "400": {"description": "no"},
        },
    }}},
    "tags": [{"name": "orders", "description": "Orders."}],
    "components": {"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-API-Key"}}},
}  # fmt: skip


class Up:
    """`interlock up` on a data folder, and commands beside it."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.environment = clean_environment(INTERLOCK_DATA=str(data), INTERLOCK_BOARD_QUORUM="1")
        with (data / "up.log").open("wb") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "cli", "up", "--registry-port", "0", "--proxy-port", "0"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.environment,
            )  # fmt: skip
        self.wait(lambda: announced(data, "proxy") is not None)
        self.port = int(json.loads((data / "run" / "proxy.json").read_text())["port"])

    def wait(self, truth: Callable[[], bool]) -> None:
        until = time.monotonic() + 3 * PATIENCE
        while not truth():
            assert self.child.poll() is None, (self.data / "up.log").read_text()
            assert time.monotonic() < until, (self.data / "up.log").read_text()
            time.sleep(0.05)

    def run(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "cli", *words],
            capture_output=True, text=True, timeout=120, check=False, env=self.environment,
        )  # fmt: skip
        assert done.returncode in {0, 5}, done.stdout + done.stderr
        return done.stdout

    def becomes(self, told: Callable[[], tuple[int, str]], wanted: tuple[int, str]) -> None:
        until = time.monotonic() + PATIENCE
        while told() != wanted:
            assert time.monotonic() < until, told()
            time.sleep(0.05)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream({"GET /orders": answer(200, b"{}")})
    yield made
    made.close()


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    made = Up(tmp_path)
    yield made
    if made.child.poll() is None:
        made.child.send_signal(signal.SIGTERM)
        try:
            made.child.wait(40)
        except subprocess.TimeoutExpired:
            made.child.kill()
            made.child.wait()


def freeze(up: Up, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "openapi.json").write_text(json.dumps(DOCUMENT))
    (folder / "meta.yaml").write_text(META)
    submitted = json.loads(up.run("contract", "submit", str(folder), "--format", "json"))
    assert submitted["review_id"], submitted
    up.run(
        "review", "approve", str(submitted["review_id"]), "--digest", submitted["digest"], "--reason", "fine"
    )


def test_what_the_registry_closes_is_closed_at_once(up: Up, upstream: Upstream, tmp_path: Path) -> None:
    freeze(up, tmp_path / "contract")
    up.run("adapter", "add", "lab", "--kind", "http", "--set", f"base_url={upstream.url}")
    up.run("route", "add", "orders", "1", "--adapter", "lab")
    up.run("route", "activate", "orders", "1.0.0")
    keys = {}
    for name in ("ehr", "ward"):
        up.run("consumer", "add", name)
        up.run("consumer", "grant", name, "orders", "1")
        keys[name] = up.run("consumer", "key", "add", name).strip()

    def verdict(name: str) -> tuple[int, str]:
        got: Answered = ask(up.port, "GET", "/orders/v1/orders", headers={"X-API-Key": keys[name]})
        return got.status, got.slug if got.status >= 400 else ""

    for name in keys:
        up.becomes(lambda name=name: verdict(name), (200, ""))  # type: ignore[misc]
    # From here on no new bundle can be taken up, for its contracts part is spoilt.
    seen = up.data / "run" / "bundle-seen.json"
    marks = json.loads(seen.read_text())
    registry = announced(up.data, "registry")
    assert registry is not None
    (up.data / "bundle" / "contracts.dsse.json").write_bytes(b"spoilt")
    up.run("consumer", "key", "revoke", "ehr", keys["ehr"].split("_")[1])
    up.becomes(lambda: verdict("ehr"), (401, "credentials-refused"))
    assert verdict("ward") == (200, "")
    up.run("consumer", "deny", "ward", "--reason", "test")
    up.becomes(lambda: verdict("ward"), (403, "denied"))
    up.run("consumer", "allow", "ward")
    up.becomes(lambda: verdict("ward"), (200, ""))
    up.run("route", "deny", "orders", "1", "--reason", "test")
    up.becomes(lambda: verdict("ward"), (403, "denied"))
    assert json.loads(seen.read_text()) == marks  # the bundle had no part in it
    os.kill(registry, signal.SIGSTOP)  # the registry answers nobody any more
    try:
        up.run("proxy", "deny", "consumer/ehr")
        assert {one.split("\t")[0] for one in up.run("proxy", "deny", "--list").splitlines()} == {
            "route/orders/v1", "consumer/ehr", f"key/{keys['ehr'].split('_')[1]}",
        }  # fmt: skip
    finally:
        os.kill(registry, signal.SIGCONT)
