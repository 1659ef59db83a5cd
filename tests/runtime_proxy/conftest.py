"""A data plane in memory: real contracts, real pipeline, an adapter and a journal that the test holds."""

import asyncio
import hashlib
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

import pytest
import uvloop

from adapters.port import Answer, Call
from kernel.audit.forms import Draft, ExchangeForm
from kernel.bundle.model import (
    AccessPart,
    AdapterInstance,
    Bundle,
    Consumer,
    ContractEntry,
    ContractsPart,
    Grant,
    Key,
    Limit,
    Route,
    RoutesPart,
)
from kernel.contract.digest import canonical_bytes, digest
from kernel.errors import AuditError
from kernel.promise import Promise
from kernel.settings import load
from runtime_proxy.console.meters import Meters
from runtime_proxy.dataplane import DataPlane
from runtime_proxy.exchange import Exchange, Reply
from runtime_proxy.idempotency import NO_KEYS, KeyRoom


def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], object]]:
    """The event loop that the data plane runs on in the end."""
    return {"uvloop": uvloop.new_event_loop}


KEY = "ilk_w1_0123456789abcdef"

ORDER = {
    "type": "object",
    "additionalProperties": False,
    "required": ["code", "priority"],
    "properties": {
        "code": {"type": "string", "pattern": "^[0-9]{4,5}-[0-9]$"},
        "priority": {"enum": ["routine", "urgent"]},
        "copies": {"type": "integer", "minimum": 1, "maximum": 9},
        "note": {"type": "string", "maxLength": 20},
    },
}
RECEIPT = {
    "type": "object",
    "required": ["id"],
    "properties": {"id": {"type": "string"}, "state": {"enum": ["placed", "done"]}},
}


def orders_document(version: str = "1.0.0", **more: Any) -> dict[str, Any]:
    """Write a small contract: orders are placed, listed and read; anybody may ask for the status."""
    receipt = {"application/json": {"schema": {"$ref": "#/components/schemas/Receipt"}}}
    paths: dict[str, Any] = {
        "/orders": {
            "get": {
                "operationId": "listOrders",
                "parameters": [
                    {"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}},
                    {"name": "X-Ward", "in": "header", "schema": {"type": "string", "maxLength": 8}},
                ],
                "responses": {"200": {"description": "a page", "content": receipt}},
            },
            "post": {
                "operationId": "placeOrder",
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
                },
                "responses": {
                    "201": {"description": "placed", "content": receipt},
                    "404": {"description": "no such ward"},
                },
            },
        },
        "/orders/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "readOrder",
                "responses": {
                    "200": {"description": "one", "content": receipt},
                    "304": {"description": "same"},
                },
            },
            "put": {
                "operationId": "replaceOrder",
                "security": [{"apiKey": ["orders.write"]}],
                "requestBody": {
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}}
                },
                "responses": {"204": {"description": "done"}},
            },
        },
        "/status": {
            "get": {
                "operationId": "status",
                "security": [],
                "responses": {"204": {"description": "alive"}},
            }
        },
    }
    return {
        "openapi": "3.1.0",
        "x-interlock-unknown-query": "allow",
        "info": {"title": "Orders", "version": version},
        "security": [{"apiKey": []}],
        "paths": {**paths, **more},
        "components": {
            "schemas": {"Order": ORDER, "Receipt": RECEIPT},
            "securitySchemes": {"apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"}},
        },
    }


class Journal:
    """Keeps records in memory; `refuse` are numbers of appends (from 0) that fail."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.refuse: set[int] = set()
        self.failure: AuditError | None = None
        self._appends = 0

    def form(self, fields: dict[str, Any]) -> ExchangeForm:
        return ExchangeForm(fields, writer="proxy", epoch=1)

    def append(
        self, record: dict[str, Any] | Draft, loop: asyncio.AbstractEventLoop | None = None
    ) -> Promise:
        number, self._appends = self._appends, self._appends + 1
        done = Promise(loop or asyncio.get_running_loop())
        if number in self.refuse:
            done.fail(AuditError("the disk is full"))
        else:
            self.records.append(record.as_record() if isinstance(record, Draft) else record)
            done.keep(None)
        return done

    def refuse_next(self, after: int = 0) -> None:
        self.refuse.add(self._appends + after)

    def stages(self) -> list[str]:
        return [record["stage"] for record in self.records if record["stage"] != "act"]


class Provider:
    """An adapter that answers what the test says, and keeps the calls."""

    kind = "double"

    def __init__(self, name: str = "laboratory") -> None:
        self.name = name
        self.calls: list[Call] = []
        self.answer: Callable[[Call], Answer] = lambda _: answer(201, {"id": "o-1", "state": "placed"})
        self.stopped = False

    async def start(self) -> None:
        """Nothing to do."""

    async def stop(self) -> None:
        self.stopped = True

    async def call(self, call: Call) -> Answer:
        self.calls.append(call)
        return self.answer(call)


def answer(status: int, body: Any = None, *headers: tuple[bytes, bytes]) -> Answer:
    """Write a provider's answer; a body that is no bytes is JSON."""
    if body is None:
        return Answer(status, list(headers), b"")
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(status, [(b"content-type", b"application/json"), *headers], data)


class House:
    """One data plane with its doubles; `publish` puts a bundle in force."""

    def __init__(
        self,
        *,
        open_reports: bool = False,
        keys: KeyRoom = NO_KEYS,
        meters: Meters | None = None,
        **settings: Any,
    ) -> None:
        self.now = 1_000_000_000_000
        self.journal = Journal()
        self.provider = Provider()
        self.settings = load({"data": "unused", **settings}, environ={})
        self.plane = DataPlane(
            self.settings,
            self.journal,
            lambda _: self.provider,
            open_reports=open_reports,
            monotonic=lambda: self.now,
            keys=keys,
            meters=meters,
        )
        self.pipeline = self.plane.handler
        self._serial = 0

    async def publish(self, *documents: dict[str, Any], **more: Any) -> None:
        await self.plane.activation.take_up(self.bundle_of(*documents, **more))

    def bundle_of(
        self,
        *documents: dict[str, Any],
        current: str = "1.0.0",
        grants: tuple[Grant, ...] = (Grant("orders", 1),),
        limits: tuple[Limit, ...] = (),
        routed: tuple[Limit, ...] = (),
        consumers: tuple[Consumer, ...] = (),
        states: dict[str, str] | None = None,
        audience: str = "internal",
        reaches: str = "internal",
        entry: dict[str, Any] | None = None,
        kind: Any = "openapi",
        adapter_settings: dict[str, Any] | None = None,
        **route: Any,
    ) -> Bundle:
        self._serial += 1
        documents = documents or (orders_document(),)
        entries, blobs = [], {}
        for document in documents:
            version = document["info"]["version"]
            blobs[digest(document)] = canonical_bytes(document)
            state = (states or {}).get(version, "frozen")
            entries.append(
                ContractEntry("orders", version, kind, state, audience, digest(document), **(entry or {}))
            )
        ward = Consumer(
            "ward", "Ward 7", reaches, (Key("w1", hashlib.sha256(KEY.encode()).hexdigest()),), grants, limits
        )
        versions = tuple(one.version for one in entries if one.state != "retired")
        routes = (Route("orders", 1, current, versions, "laboratory", routed, **route),) if versions else ()
        adapter = AdapterInstance("laboratory", "double", adapter_settings or {})
        return Bundle(
            ContractsPart(self._serial, tuple(entries)),
            AccessPart(self._serial, (ward, *consumers)),
            RoutesPart(self._serial, "test", (adapter,), routes),
            blobs,
        )

    def exchange(
        self, method: str, target: str, body: Any = b"", *headers: tuple[str, str], key: str | None = KEY
    ) -> Exchange:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines = [(b"host", b"proxy.example:8701")]
        if key is not None:
            lines.append((b"x-api-key", key.encode()))
        if data and not any(name == "content-type" for name, _ in headers):
            lines.append((b"content-type", b"application/json"))
        lines += [(name.encode(), value.encode("latin-1")) for name, value in headers]
        made = Exchange(method.encode(), target.encode(), lines, "192.0.2.7", time.perf_counter())
        made.body = data
        return made

    async def ask(
        self, method: str, target: str, body: Any = b"", *headers: tuple[str, str], **more: Any
    ) -> Reply:
        exchange = self.exchange(method, target, body, *headers, **more)
        self.last = exchange
        if not self.pipeline.admit(exchange):
            exchange.body = b""
        return await self.pipeline.serve(exchange)


def header(reply: Reply, name: str) -> str | None:
    found = [value.decode() for line, value in reply.headers if line == name.encode()]
    assert len(found) <= 1, found
    return found[0] if found else None


def problem(reply: Reply) -> dict[str, Any]:
    """Check the form of a refusal and give its body."""
    assert header(reply, "content-type") == "application/problem+json"
    body = json.loads(reply.body)
    assert body["status"] == reply.status
    assert body["type"] == f"urn:interlock:refusal:{body['type'].rpartition(':')[2]}"
    assert body["request_id"] == header(reply, "x-request-id")
    body["slug"] = body["type"].rpartition(":")[2]
    return body


@pytest.fixture
def make_house(tmp_path):
    """Make houses that keep metrics, each in a folder of its own."""
    kept: list[Meters] = []

    def make(*, meters: Meters | None = None, **more: Any) -> House:
        if meters is None:
            meters = Meters(tmp_path / f"metrics-{len(kept)}", "proxy", most_rows=256)
            kept.append(meters)
        return House(meters=meters, **more)

    yield make
    for meters in kept:
        meters.stop()


@pytest.fixture
async def house(make_house):
    made = make_house()
    await made.publish()
    return made


@pytest.fixture
def kit():
    """The functions above, for tests (test folders are no packages)."""

    class Kit:
        KEY = KEY
        answer = staticmethod(answer)
        header = staticmethod(header)
        problem = staticmethod(problem)
        orders_document = staticmethod(orders_document)

    return Kit
