"""The data plane with nothing doubled but the provider: folder, signatures, sockets, journal."""

import asyncio
import hashlib
import http.client
import json
import socket
from pathlib import Path

import pytest

from adapters.catalog import build
from adapters.house import House as AdapterHouse
from kernel.audit.journal import Journal
from kernel.audit.search import Query, search
from kernel.audit.verify import verify
from kernel.bundle.model import (
    AccessPart,
    AdapterInstance,
    Consumer,
    ContractEntry,
    ContractsPart,
    Grant,
    Key,
    Route,
    RoutesPart,
)
from kernel.bundle.read import BundleSource
from kernel.bundle.write import write_blob, write_part
from kernel.contract.digest import canonical_bytes
from kernel.sealing.keys import KeyFolder
from kernel.settings import load
from runtime_proxy.dataplane import DataPlane
from runtime_proxy.edge import serve_edge
from tests.doubles.upstream import Upstream, answer

ORDER = b'{"code":"2823-3","priority":"urgent"}'
RECEIPT = b'{"id":"o-1","state":"placed"}'


class Site:
    """One data folder with its proxy, and what publishes into it."""

    def __init__(self, folder: Path, kit) -> None:
        self.kit = kit
        self.settings = load({"data": str(folder), "proxy_port": 0, "proxy_bundle_poll": 0.05}, environ={})
        self.keys = KeyFolder(folder / "keys")
        self.signer = self.keys.ensure("publisher", "contracts", "access", "routes")
        self.heads = self.keys.ensure("heads", "audit-heads")
        self.bundle = folder / "bundle"
        self.upstream = Upstream(
            {"POST /lims/orders": answer(201, RECEIPT), "GET /lims/orders": answer(200, RECEIPT)}
        )

    def publish(self, serial: int, *versions: str, current: str, key: str = "", signer=None) -> None:
        signer = signer or self.signer
        entries = []
        for version in versions:
            document = self.kit.orders_document(version)
            entries.append(
                ContractEntry(
                    "orders",
                    version,
                    "openapi",
                    "frozen",
                    "internal",
                    write_blob(self.bundle, canonical_bytes(document)),
                )
            )
        digest = hashlib.sha256((key or self.kit.KEY).encode()).hexdigest()
        ward = Consumer("ward", "Ward 7", "internal", (Key("w1", digest),), (Grant("orders", 1),))
        adapter = AdapterInstance("laboratory", "http", {"base_url": f"{self.upstream.url}/lims"})
        route = Route("orders", 1, current, versions, "laboratory")
        write_part(self.bundle, ContractsPart(serial, tuple(entries)), signer)
        write_part(self.bundle, AccessPart(serial, (ward,)), signer)
        write_part(self.bundle, RoutesPart(serial, "test", (adapter,), (route,)), signer)

    async def start(self) -> None:
        root = self.settings.path
        self.journal = Journal.open(root / "audit", "proxy", self.heads)
        self.plane = DataPlane(self.settings, self.journal, lambda one: build(one, self.house))
        self.house = AdapterHouse(self.settings, bundle=self.plane.bundle, audit=self.journal)
        source = BundleSource(self.bundle, self.keys.trust, root / "run" / "bundle-seen.json")
        await self.plane.start(source)
        self.edge = await serve_edge(self.plane.handler, "127.0.0.1", 0, self.settings)
        self.port = self.edge.address[1]

    async def stop(self) -> None:
        await self.edge.drain()
        await self.plane.stop()
        await self.house.close()
        await self.journal.aclose()
        self.upstream.close()

    async def ask(self, method: str, target: str, body: bytes = b"", **headers: str):
        return await asyncio.to_thread(self._ask, method, target, body, headers)

    def _ask(self, method: str, target: str, body: bytes, headers: dict[str, str]):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            lines = {"X-API-Key": self.kit.KEY, "Content-Type": "application/json"} | {
                name.replace("_", "-"): value for name, value in headers.items()
            }
            connection.request(method, target, body or None, lines)
            got = connection.getresponse()
            return got.status, {k.lower(): v for k, v in got.getheaders()}, got.read()
        finally:
            connection.close()

    async def until(self, condition) -> None:
        async with asyncio.timeout(20):
            while not await condition():
                await asyncio.sleep(0.02)

    def trouble(self) -> str:
        return self.plane.health.trouble


@pytest.fixture
async def site(tmp_path, kit):
    made = Site(tmp_path, kit)
    made.publish(1, "1.0.0", current="1.0.0")
    await made.start()
    yield made
    await made.stop()


async def test_one_call_from_socket_to_socket(site) -> None:
    status, headers, body = await site.ask("POST", "/orders/v1/orders", ORDER)
    assert (status, body) == (201, RECEIPT)
    assert headers["x-interlock-contract"] == "orders@1.0.0"
    (seen,) = site.upstream.seen
    assert (seen.method, seen.target, seen.body) == ("POST", "/lims/orders", ORDER)
    assert seen.header("x-api-key") == []
    assert seen.header("host") == [f"127.0.0.1:{site.upstream.port}"]


async def test_bytes_on_the_wire_are_the_bytes_forwarded(site) -> None:
    body = b'\r\n {"priority" : "urgent" , "copies": 1.000000000000000000000000000000,\t"code":"2823-3"} '

    def talk() -> bytes:
        with socket.create_connection(("127.0.0.1", site.port), timeout=20) as raw:
            raw.sendall(
                b"POST /orders/v1/orders?b=%2f&a=%20&&a=+ HTTP/1.1\r\nHost: a.example\r\nX-API-Key:  " + site.kit.KEY.encode()
                + b"  \r\ncontent-type: application/json\r\nX-Ward: 7\r\nX-Tag: one\r\nX-Tag: two\r\nx-tag:three\r\n"
                b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
                + b"5\r\n" + body[:5] + b"\r\n" + b"%x;x=y\r\n" % (len(body) - 5) + body[5:] + b"\r\n0\r\n\r\n"
            )  # fmt: skip
            data = b""
            while part := raw.recv(65536):
                data += part
            return data

    site.upstream.answers["POST /lims/orders?b=%2f&a=%20&&a=+"] = answer(201, RECEIPT)
    got = await asyncio.to_thread(talk)
    assert got.startswith(b"HTTP/1.1 201 ")
    (seen,) = site.upstream.seen
    assert (seen.target, seen.body) == ("/lims/orders?b=%2f&a=%20&&a=+", body)
    assert seen.header("x-tag") == ["one", "two", "three"]
    assert seen.header("content-length") == [str(len(body))]
    assert seen.header("transfer-encoding") == []


async def test_a_newer_bundle_is_taken_up_without_restart(site) -> None:
    site.publish(2, "1.0.0", "1.1.0", current="1.1.0")

    async def newer() -> bool:
        _, headers, _ = await site.ask("GET", "/orders/v1/orders")
        return headers.get("x-interlock-contract") == "orders@1.1.0"

    await site.until(newer)


@pytest.mark.parametrize("damage", ["altered", "older", "foreign", "missing"])
async def test_a_bundle_that_must_not_be_served_is_not(site, damage, tmp_path) -> None:
    async def refused() -> bool:
        return site.trouble() != ""

    if damage == "altered":
        path = site.bundle / "access.dsse.json"
        path.write_bytes(path.read_bytes().replace(b'"payload":"', b'"payload":"AAAA'))
    elif damage == "older":
        site.publish(0, "1.0.0", current="1.0.0", key="ilk_w1_stolen")
    elif damage == "foreign":
        site.publish(
            2,
            "1.0.0",
            current="1.0.0",
            key="ilk_w1_stolen",
            signer=KeyFolder(tmp_path / "other").ensure("other", "contracts", "access", "routes"),
        )
    else:
        (site.bundle / "routes.dsse.json").unlink()
    await site.until(refused)
    status, headers, _ = await site.ask("POST", "/orders/v1/orders", ORDER)
    assert (status, headers["x-interlock-contract"]) == (201, "orders@1.0.0")
    status, _, _ = await site.ask("POST", "/orders/v1/orders", ORDER, X_API_Key="ilk_w1_stolen")
    assert status == 401


async def test_the_log_of_all_of_this_verifies(site) -> None:
    await site.ask("POST", "/orders/v1/orders", ORDER)
    await site.ask("GET", "/orders/v1/orders")
    await site.ask("POST", "/orders/v1/orders", b"{}")
    await site.ask("GET", "/nowhere")
    await site.edge.drain()
    await site.plane.stop()
    await site.journal.aclose()
    root = site.settings.path
    report = verify(root / "audit", root / "audit-heads", site.keys.trust().may_sign("audit-heads"))
    assert report.ok, report
    stages = [record["stage"] for record in search(root / "audit", Query())]
    assert stages == ["opened", "act", "received", "completed", "completed", "refused", "refused", "closed"]


async def test_the_provider_that_is_gone_is_502(site) -> None:
    site.upstream.close()
    await site.ask("GET", "/orders/v1/orders")
    status, _, body = await site.ask("POST", "/orders/v1/orders", ORDER)
    assert status == 502
    assert json.loads(body)["type"].endswith((":upstream-unreachable", ":upstream-broken"))


async def test_the_provider_that_is_late_is_504(tmp_path, kit) -> None:
    made = Site(tmp_path, kit)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        made.upstream.port = silent.getsockname()[1]
        made.publish(1, "1.0.0", current="1.0.0")
        routes = RoutesPart(
            2,
            "test",
            (AdapterInstance("laboratory", "http", {"base_url": made.upstream.url}),),
            (Route("orders", 1, "1.0.0", ("1.0.0",), "laboratory", timeout_seconds=0.2),),
        )
        write_part(made.bundle, routes, made.signer)
        await made.start()
        status, headers, body = await made.ask("POST", "/orders/v1/orders", ORDER)
        assert (status, json.loads(body)["type"]) == (504, "urn:interlock:refusal:upstream-timeout")
        assert "retry-after" not in headers
        await made.stop()
