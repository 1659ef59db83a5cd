"""Several workers as an operator runs them: renewed, crashed and given new bundles under load, and nothing lost."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Self

import pytest

from kernel.audit.search import Query, search
from kernel.audit.verify import verify
from kernel.bundle.model import AdapterInstance, ContractEntry, ContractsPart, Route, RoutesPart
from kernel.bundle.write import write_blob, write_part
from kernel.contract.digest import canonical_bytes
from kernel.sealing.keys import KeyFolder
from tests.doubles.upstream import Upstream, answer
from tests.house.data_folder import ORDERS, make
from tests.house.running import ask, clean_environment, proxy_run

TARGET = "/orders/v1/orders"


class Proxy:
    """`proxy serve --workers N` on a data folder."""

    def __init__(self, data: Path, workers: int) -> None:
        self.data = data
        with (data / "proxy.log").open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "cli", "proxy", "serve", "--data", str(data), "--proxy-port", "0",
                 "--workers", str(workers)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=clean_environment(
                    INTERLOCK_PROXY_BUNDLE_POLL="0.05", INTERLOCK_PROXY_DRAIN_TIMEOUT="5",
                    INTERLOCK_PROXY_GUARD_REQUESTS="1000000",
                ),
            )  # fmt: skip
        self.pids(workers)
        self.port = int(self.table()["port"])

    def table(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads((self.data / "run" / "proxy.json").read_text())
        except FileNotFoundError:
            return {"workers": []}
        return found

    def pids(self, count: int, *, without: set[int] = frozenset()) -> set[int]:  # type: ignore[assignment]
        """Wait until so many are ready and alone, none of them of the former ones."""
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            assert self.child.poll() is None, (self.data / "proxy.log").read_text()
            rows = self.table()["workers"]
            if len(rows) == count and all(row["state"] == "ready" for row in rows):
                found = {row["pid"] for row in rows}
                if not found & without:
                    return found
            time.sleep(0.02)
        raise AssertionError((self.data / "proxy.log").read_text())

    def stop(self) -> int:
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(40)


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream({"POST /orders": answer(201, b"{}")})
    yield made
    made.close()


@pytest.fixture
def proxy(tmp_path: Path, upstream: Upstream) -> Iterator[Proxy]:
    make(tmp_path, upstream.url)
    made = Proxy(tmp_path, 2)
    yield made
    if made.child.poll() is None:
        made.child.kill()
        made.child.wait()


class Callers:
    """Threads that call without pause, half of them on a connection of their own each time; all is counted."""

    def __init__(self, port: int, body: Callable[[], bytes] = lambda: b'{"n":1}') -> None:
        self.port, self.body = port, body
        self.answers: list[tuple[bytes, int, str, bytes]] = []
        self.lost: list[str] = []
        self.resets = 0
        self._end = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(bool(one % 2),)) for one in range(4)]

    def __enter__(self) -> Self:
        for one in self._threads:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for one in self._threads:
            one.join(60)

    def _call(self, kept: bool) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        while not self._end.is_set():
            body = self.body()
            try:
                connection.request("POST", TARGET, body, {"Content-Type": "application/json"})
                got = connection.getresponse()
                said = got.read()
            except (OSError, http.client.HTTPException) as error:
                self.lost.append(repr(error))
                connection.close()
                continue
            self.answers.append((body, got.status, got.headers.get("X-Interlock-Contract", ""), said))
            if not kept:
                connection.close()
            time.sleep(0.002)
        connection.close()


def test_a_renewal_under_load_loses_nothing_and_the_log_of_all_workers_verifies(
    proxy: Proxy, upstream: Upstream
) -> None:
    with Callers(proxy.port) as callers:
        former = proxy.pids(2)
        for _ in range(2):
            proxy.child.send_signal(signal.SIGHUP)
            former |= proxy.pids(2, without=former)
    assert callers.lost == []
    assert {status for _, status, _, _ in callers.answers} == {201}
    assert len(former) == 6
    assert len(upstream.seen) == len(callers.answers), "each call went out once"
    assert proxy.stop() == 0
    assert not (proxy.data / "run" / "proxy.json").exists()
    audit = proxy.data / "audit"
    report = verify(
        audit, proxy.data / "audit-heads", KeyFolder(proxy.data / "keys").trust().may_sign("audit-heads")
    )
    assert report.ok, report
    ended = [one for one in search(audit, Query()) if one["stage"] == "completed"]
    assert len(ended) == len(callers.answers)
    assert len({one["request"] for one in ended if "request" in one} or {one["id"] for one in ended}) == len(
        ended
    )
    assert {one["writer"] for one in ended} >= {"proxy-1a", "proxy-1b", "proxy-2a", "proxy-2b"}


def test_a_killed_worker_costs_its_own_calls_and_no_others(proxy: Proxy) -> None:
    with Callers(proxy.port) as callers:
        for _ in range(2):
            victim = min(proxy.pids(2))
            os.kill(victim, signal.SIGKILL)
            proxy.pids(2, without={victim})
    # Each of the four callers has at most one call under way when a worker dies.
    assert len(callers.lost) <= 8, callers.lost
    assert {status for _, status, _, _ in callers.answers} == {201}
    assert [row["restarts"] for row in proxy.table()["workers"]] != [0, 0]


def test_a_hundred_versions_in_a_row_are_taken_up_without_a_dropped_or_mixed_call(
    proxy: Proxy, upstream: Upstream
) -> None:
    newest = [0]
    with Callers(proxy.port, lambda: b'{"n":%d}' % newest[0]) as callers:
        for number, digest in _publish(proxy.data, upstream, 100):
            newest[0] = number
            _wait(lambda digest=digest: any(row[2] == digest for row in callers.answers[-50:]))
    assert callers.lost == []
    taken = 0
    for body, status, version, said in callers.answers:
        if version == "orders@1.0.0":
            continue
        wanted = int(version.split(".")[1])  # version 1.k.0 takes n = k and nothing else
        sent = json.loads(body)["n"]
        assert status == (201 if sent == wanted else 422), (sent, version, status)
        if status != 201:
            assert json.loads(said)["version"] == f"1.{wanted}.0"
        taken += status == 201
    assert taken
    assert {row[2] for row in callers.answers} >= {f"orders@1.{number}.0" for number in range(1, 101)}


def _publish(data: Path, upstream: Upstream, count: int) -> Iterator[tuple[int, str]]:
    signer = KeyFolder(data / "keys").ensure("registry", "contracts", "access", "routes")
    adapter = AdapterInstance("provider", "http", {"base_url": upstream.url})
    entries: tuple[ContractEntry, ...] = ()
    for number in range(1, count + 1):
        version = f"1.{number}.0"
        only = {"type": "object", "required": ["n"], "properties": {"n": {"const": number}}}
        good = {"201": {"description": "ok", "content": {"application/json": {"schema": {"type": "object"}}}}}
        taken = {"required": True, "content": {"application/json": {"schema": only}}}
        document = {
            "openapi": "3.1.0",
            "info": {"title": "Orders", "version": version},
            "paths": {"/orders": {"post": {"operationId": "place", "requestBody": taken, "responses": good}}},
        }
        digest = write_blob(data / "bundle", canonical_bytes(document))
        made = ContractEntry("orders", version, "openapi", "frozen", "internal", digest)
        entries = (*entries[-1:], made)
        if len(entries) == 1:  # the version of the fixture goes with the next one
            entries = (_first(data), made)
        write_part(data / "bundle", ContractsPart(number + 1, entries), signer)
        route = Route("orders", 1, version, (version,), "provider")
        write_part(data / "bundle", RoutesPart(number + 1, "test", (adapter,), (route,)), signer)
        yield number, f"orders@{version}"


def _first(data: Path) -> ContractEntry:
    from kernel.bundle.read import read_bundle

    return read_bundle(data / "bundle", KeyFolder(data / "keys").trust()).contracts.contracts[0]


def _wait(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _scraped(port: int) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    from prometheus_client.parser import text_string_to_metric_families

    page = ask(port, "GET", "/-/metrics").body.decode()
    families = text_string_to_metric_families(page)
    return {
        (one.name, frozenset(one.labels.items())): one.value for family in families for one in family.samples
    }


def test_any_worker_tells_the_metrics_of_all_also_after_one_was_replaced(proxy: Proxy) -> None:
    place = {
        "contract": "orders",
        "version": "1.0.0",
        "operation": "place",
        "consumer": "-",
        "code_class": "2xx",
    }
    wanted = ("interlock_requests_total", frozenset(place.items()))
    for _ in range(40):
        assert ask(proxy.port, "POST", TARGET, b'{"n":1}').status == 201
    _wait(lambda: {_scraped(proxy.port).get(wanted) for _ in range(10)} == {40.0})
    found = _scraped(proxy.port)
    workers = {
        dict(labels)["worker"] for name, labels in found if name == "interlock_worker_start_time_seconds"
    }
    assert workers == {"proxy-1a", "proxy-2a"}
    assert found["interlock_audit_records_total", frozenset()] >= 80
    victim = min(proxy.pids(2))
    os.kill(victim, signal.SIGKILL)
    proxy.pids(2, without={victim})
    assert ask(proxy.port, "POST", TARGET, b'{"n":1}').status == 201
    _wait(lambda: {_scraped(proxy.port).get(wanted) for _ in range(10)} == {41.0})
    old = proxy.pids(2)
    proxy.child.send_signal(signal.SIGHUP)
    proxy.pids(2, without=old)
    _wait(lambda: {_scraped(proxy.port).get(wanted) for _ in range(10)} == {41.0})


def test_proxy_run_with_workers(tmp_path: Path, upstream: Upstream) -> None:
    (tmp_path / "orders.yaml").write_bytes(ORDERS)
    with proxy_run(tmp_path / "orders.yaml", upstream.url, "--workers", "2", cwd=tmp_path) as (port, said):
        assert said.count("interlock proxy http://") == 1
        assert [ask(port, "POST", "/orders", b'{"n":1}').status for _ in range(20)] == [201] * 20
        assert ask(port, "POST", "/orders", b'{"n":"x"}').slug == "body-invalid"
    with contextlib.suppress(OSError):
        ask(port, "GET", "/")
        raise AssertionError("it still listens")


def test_a_fault_of_the_file_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(ORDERS)
    run = subprocess.run(
        [sys.executable, "-m", "cli", "proxy", "run", "x.yaml", "--upstream", "ftp://x", "--workers", "3"],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert run.stderr.count("error[") == 1


def test_a_second_proxy_on_the_data_folder_is_refused(proxy: Proxy) -> None:
    for workers in ("1", "2"):
        run = subprocess.run(
            [sys.executable, "-m", "cli", "proxy", "serve", "--data", str(proxy.data), "--proxy-port", "0", "--workers", workers],
            env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (run.returncode, "error[already-running]" in run.stderr) == (2, True), run.stderr


def test_a_port_in_use_is_refused_although_ports_are_shared(proxy: Proxy, tmp_path_factory: Any) -> None:
    other = tmp_path_factory.mktemp("other")
    run = subprocess.run(
        [sys.executable, "-m", "cli", "proxy", "serve", "--data", str(other), "--proxy-port", str(proxy.port), "--workers", "2"],
        env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (run.returncode, "error[listen-failed]" in run.stderr) == (3, True), run.stderr
