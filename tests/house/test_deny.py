"""Deny lists against real workers: refused within two seconds, kept over restarts, lifted by who made them."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kernel.audit.search import Query, search
from kernel.bundle.deny import Denial, Denied, DenyList, registry_list, write_list
from kernel.bundle.model import AccessPart, Consumer, Grant, Key
from kernel.bundle.write import write_part
from kernel.sealing.keys import KeyFolder, SigningKey
from tests.doubles.upstream import Upstream, answer
from tests.house.data_folder import ORDERS, make, serving
from tests.house.running import Answered, ask, clean_environment

PATIENCE = 20.0  # seconds; the promise is two, and a busy machine is no failure
SELDOM = {
    "INTERLOCK_PROXY_BUNDLE_POLL": "60",
    "INTERLOCK_PROXY_GUARD_REQUESTS": "1000000",
}  # the lists do not wait for the bundle
PRESENTED = {"one": "ilk_k1_aaaa", "two": "ilk_k2_bbbb"}
SECURED = (
    ORDERS
    + b"""
security: [{ key: [] }]
components: { securitySchemes: { key: { type: apiKey, in: header, name: X-API-Key } } }
"""
)


class Folder:
    """A data folder with two consumers of one key each, and `interlock proxy deny` on it."""

    def __init__(self, data: Path, upstream: str) -> None:
        self.data = data
        make(data, upstream, SECURED)
        self.keys = KeyFolder(data / "keys")
        self.registry = self.keys.ensure("deny", "deny-list")
        consumers = tuple(
            Consumer(name, name, "internal", (Key(f"k{n}", hashlib.sha256(key.encode()).hexdigest()),), (Grant("orders", 1),))
            for n, (name, key) in enumerate(PRESENTED.items(), 1)
        )  # fmt: skip
        write_part(data / "bundle", AccessPart(2, consumers), self.keys.signing_key("registry"))

    def deny(self, *words: str, code: int = 0) -> str:
        run = subprocess.run(
            [sys.executable, "-m", "cli", "proxy", "deny", *words, "--data", str(self.data)],
            capture_output=True, text=True, timeout=60, check=False, env=clean_environment(),
        )  # fmt: skip
        assert run.returncode == code, run.stderr
        return run.stdout + run.stderr

    def by_registry(self, serial: int, *whats: Denied, signer: SigningKey | None = None) -> None:
        entries = tuple(Denial(what, "2026-11-26T12:00:00Z", "olga") for what in whats)
        write_list(
            registry_list(self.data / "bundle"),
            DenyList(serial, "registry", entries),
            signer or self.registry,
        )

    def acts(self) -> list[str]:
        found = search(self.data / "audit", Query())
        return [str(one["act"]) for one in found if "deny" in str(one.get("act"))]


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    made = Upstream({"POST /orders": answer(201, b"{}")})
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path: Path, upstream: Upstream) -> Folder:
    return Folder(tmp_path, upstream.url)


def call(port: int, name: str = "one") -> Answered:
    return ask(port, "POST", "/orders/v1/orders", b'{"n": 1}', {"X-API-Key": PRESENTED[name]})


def becomes(told: Callable[[], object], wanted: object) -> None:
    """Wait for an answer, and see that it stays for as many calls as reach every worker."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if [told() for _ in range(12)] == [wanted] * 12:
            return
        time.sleep(0.05)
    raise AssertionError(told())


def verdict(port: int, name: str = "one") -> tuple[int, str]:
    got = call(port, name)
    return got.status, got.slug if got.status >= 400 else ""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_denied_on_the_host_is_refused_by_every_worker(folder: Folder, workers: str) -> None:
    with serving(folder.data, "--workers", workers, **SELDOM) as (_, port):
        becomes(lambda: verdict(port), (201, ""))
        folder.deny(PRESENTED["one"], "--reason", "lost laptop")  # the whole key, as it lies in a mail
        becomes(lambda: verdict(port), (401, "credentials-refused"))
        assert verdict(port, "two") == (201, "")
        folder.deny("consumer/two")
        becomes(lambda: verdict(port, "two"), (403, "denied"))
        folder.deny("key/k1", "--undo")
        becomes(lambda: verdict(port), (201, ""))
        folder.deny("/orders/v1")
        becomes(lambda: verdict(port), (403, "denied"))
        listed = json.loads(folder.deny("--list", "--format", "json"))
        assert [one["what"] for one in listed] == ["consumer/two", "route/orders/v1"]
        assert PRESENTED["one"].encode() not in b"".join(
            file.read_bytes() for file in folder.data.rglob("*") if file.is_file()
        )
    with serving(folder.data, "--workers", workers) as (_, port):  # a restart lifts nothing
        assert verdict(port) == (403, "denied")
        folder.deny("route/orders/v1", "--undo")
        becomes(lambda: verdict(port), (201, ""))
        assert verdict(port, "two") == (403, "denied")
    acts = folder.acts()
    assert (acts.count("proxy-deny"), acts.count("proxy-deny-undo")) == (3, 2)
    assert "deny-list-activated" in acts


def test_the_list_of_the_registry_counts_beside_it_and_no_fault_lifts_it(folder: Folder) -> None:
    with serving(folder.data, **SELDOM) as (_, port):
        folder.by_registry(7, Denied("key", "k1"))
        becomes(lambda: verdict(port), (401, "credentials-refused"))
        (folder.data / "bundle" / "access.dsse.json").write_bytes(b"spoilt")  # the bundle is of no help now
        folder.by_registry(8, Denied("key", "k1"), Denied("consumer", "two"))
        becomes(lambda: verdict(port, "two"), (403, "denied"))
        for spoil in (
            lambda: folder.by_registry(6),
            lambda: folder.by_registry(9, signer=SigningKey.generate("stranger")),
            lambda: registry_list(folder.data / "bundle").unlink(),
        ):
            spoil()
            becomes(
                lambda: "deny list (registry)" in ask(port, "GET", "/-/readyz").json()["troubles"],
                wanted=True,
            )
            assert verdict(port) == (401, "credentials-refused")
            folder.by_registry(8, Denied("key", "k1"), Denied("consumer", "two"))
            becomes(lambda: ask(port, "GET", "/-/readyz").json()["troubles"], {})
        assert ask(port, "GET", "/-/readyz").json()["denied"] == {"key": 1, "consumer": 1, "route": 0}
        folder.by_registry(9)
        becomes(lambda: (verdict(port), verdict(port, "two")), ((201, ""), (201, "")))


def test_what_cannot_be_meant_is_said(folder: Folder) -> None:
    assert "no key, consumer or route" in folder.deny("k9", code=2)
    assert "holds no key/k9" in folder.deny("key/k9", code=2)
    assert "names nothing" in folder.deny("adapter/x", code=2)
    assert "was not denied here" in folder.deny("key/k1", "--undo", code=2)
    folder.deny("key/k9", "--unseen")
    folder.deny("k1")
    assert "key/k1" in folder.deny("--list")


def test_closing_does_not_wait_for_a_spoilt_list(folder: Folder) -> None:
    folder.deny("k1")
    (folder.data / "denied" / "local.dsse.json").write_bytes(b"spoilt")
    assert "a new list is written" in folder.deny("k2")
    with serving(folder.data) as (_, port):
        assert verdict(port, "two") == (401, "credentials-refused")
