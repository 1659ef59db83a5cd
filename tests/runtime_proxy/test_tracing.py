"""Traces at a collector on loopback: ids, parents, times, attributes, and nothing that a caller has written."""

import asyncio
import contextlib
import http.client
import itertools
import json
import re
import time
from types import SimpleNamespace
from typing import Any

import pytest

from adapters.errors import UpstreamTimeout
from kernel.errors import SettingsError
from runtime_proxy.console.exporter import MOST_WAITING, Exporter
from runtime_proxy.console.meters import Meters
from runtime_proxy.console.seen import Seen
from runtime_proxy.console.spans import export_request, resource_of
from runtime_proxy.edges import Edges
from runtime_proxy.exchange import Exchange
from runtime_proxy.steps import ADAPTER, ANSWER, Sampling
from tests.doubles.upstream import Upstream, answer

TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
SAMPLED = f"00-{TRACE}-{PARENT}-01"
UNSAMPLED = f"00-{TRACE}-{PARENT}-00"
ORDER = {"code": "2823-3", "priority": "urgent", "note": "Muster, Erika"}


@pytest.fixture
def collector():
    made = Upstream({"POST /v1/traces": answer(200, b'{"partialSuccess":{}}')})
    yield made
    made.close()


@pytest.fixture
def traced(make_house, collector, kit):
    """Serve on loopback with traces on, give the client, and afterwards what the collector has."""

    @contextlib.asynccontextmanager
    async def serving(**settings: Any):
        house = make_house(
            trace_endpoint=f"{collector.url}/v1/traces", proxy_port=0, proxy_drain_timeout=0, **settings
        )
        await house.publish()
        await house.plane.begin()
        edges = Edges(house.plane.handlers, house.settings)
        await edges.listen()
        house.plane.count_answers(edges)
        port = next(iter(edges.addresses().values()))[1]

        def ask(method: str, target: str, body: Any, headers: dict[str, str]) -> int:
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            lines = {"x-api-key": kit.KEY, "content-type": "application/json"} | headers
            client.request(method, target, None if body is None else json.dumps(body), lines)
            status = client.getresponse().status
            client.close()
            return status

        async def call(method: str, target: str, body: Any = None, **headers: str) -> int:
            return await asyncio.to_thread(ask, method, target, body, headers)

        try:
            yield SimpleNamespace(house=house, call=call)
        finally:
            await edges.drain()
            await house.plane.stop()

    return serving


def spans(collector: Upstream) -> list[dict[str, Any]]:
    found = []
    for seen in collector.seen:
        assert (seen.method, seen.target) == ("POST", "/v1/traces")
        assert seen.header("content-type") == ["application/json"]
        for resource in json.loads(seen.body)["resourceSpans"]:
            assert attributes(resource["resource"])["service.name"] == "interlock-proxy"
            found += [span for scope in resource["scopeSpans"] for span in scope["spans"]]
    return found


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    """Read attributes as OTLP has them: one typed value each, 64-bit integers as strings."""
    told = {}
    for one in span["attributes"]:
        ((kind, value),) = one["value"].items()
        assert isinstance(value, str)
        told[one["key"]] = int(value) if kind == "intValue" else value
    return told


def named(found: list[dict[str, Any]], name: str) -> dict[str, Any]:
    (one,) = [span for span in found if span["name"] == name]
    return one


async def test_a_callers_trace_goes_on_through_us_to_the_provider(traced, collector) -> None:
    begun = time.time_ns()
    async with traced(trace_ratio=0) as site:
        status = await site.call("POST", "/orders/v1/orders?ward=7-Muster", ORDER, traceparent=SAMPLED)
        assert status == 201
        (call,) = site.house.provider.calls
        audit = {record.get("trace_id") for record in site.house.journal.records}
    found = spans(collector)
    server = named(found, "POST /orders/v1/orders")
    client = named(found, "POST")
    assert {span["traceId"] for span in found} == {TRACE} == audit
    assert (server["parentSpanId"], server["kind"], server["flags"] & 0x301) == (PARENT, 2, 0x301)
    assert (client["parentSpanId"], client["kind"]) == (server["spanId"], 3)
    assert dict(call.headers)[b"traceparent"] == f"00-{TRACE}-{client['spanId']}-01".encode()
    inner = [span["name"] for span in found if span["kind"] == 1]
    assert inner == ["authenticate", "limit", "validate request", "audit", "validate response", "audit"]
    assert {span["parentSpanId"] for span in found[1:]} == {server["spanId"]}
    assert len({span["spanId"] for span in found}) == len(found)
    assert all(re.fullmatch(r"[0-9a-f]{16}", span["spanId"]) for span in found)
    ends = [(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"])) for span in found]
    first, last = ends[0]
    assert begun <= first <= last <= time.time_ns()
    assert all(first <= start <= end <= last for start, end in ends)
    assert all(one[1] <= next_[0] for one, next_ in itertools.pairwise(ends[1:])), "steps overlap"


async def test_attributes_follow_the_conventions_and_hold_nothing_of_the_caller(
    traced, collector, kit
) -> None:
    async with traced() as site:
        site.house.provider.answer = lambda _: kit.answer(200, {"id": "o-1"})
        await site.call(
            "GET", "/orders/v1/orders/Muster-4711?born=1970-01-01", traceparent=SAMPLED, cookie="who=Erika"
        )
        await site.call("POST", "/orders/v1/orders", ORDER | {"code": "Muster"}, traceparent=SAMPLED)
        await site.call("GET", "/nowhere/Muster", traceparent=SAMPLED)
    found = spans(collector)
    read = attributes(named(found, "GET /orders/v1/orders/{id}"))
    assert re.fullmatch(r"[0-9a-f-]{36}", read.pop("interlock.request_id"))
    assert read == {
        "http.request.method": "GET",
        "http.route": "/orders/v1/orders/{id}",
        "http.response.status_code": 200,
        "url.scheme": "http",
        "network.protocol.name": "http",
        "interlock.contract": "orders",
        "interlock.contract.version": "1.0.0",
        "interlock.operation": "readOrder",
        "interlock.route": "orders v1",
        "interlock.consumer": "ward",
    }
    refused = named(found, "POST /orders/v1/orders")
    assert attributes(refused)["interlock.refusal"] == "body-invalid"
    assert "status" not in refused, "what the caller did wrong is no error of this server"
    unmatched = [attributes(span) for span in found if span["kind"] == 2 and span["name"] == "GET"]
    assert [one["interlock.refusal"] for one in unmatched] == ["not-found"]
    raw = b"".join(seen.body for seen in collector.seen)
    # No word of digits alone: ids and times may hold any.
    for word in (b"Muster", b"Erika", b"1970-01", b"urgent", b"nowhere", b"127.0.0.1", b"ilk_"):
        assert word not in raw, word


async def test_the_record_of_a_refusal_names_the_trace(traced, collector) -> None:
    async with traced(trace_ratio=1) as site:
        assert await site.call("POST", "/orders/v1/orders", {}) == 422
        (record,) = [one for one in site.house.journal.records if one["stage"] == "refused"]
    (server,) = [span for span in spans(collector) if span["kind"] == 2]
    assert record["trace_id"] == server["traceId"]


async def test_a_provider_that_does_not_answer_is_an_error_of_both_spans(traced, collector) -> None:
    def late(_: Any) -> Any:
        raise UpstreamTimeout("too late", sent=True)

    async with traced() as site:
        site.house.provider.answer = late
        assert await site.call("GET", "/orders/v1/orders/1", traceparent=SAMPLED) == 504
    found = spans(collector)
    for name in ("GET /orders/v1/orders/{id}", "GET"):
        span = named(found, name)
        assert span["status"] == {"code": 2}
        assert attributes(span)["error.type"] == "upstream-timeout"
    assert "http.response.status_code" not in attributes(named(found, "GET")), (
        "504 is ours, not the provider's"
    )


async def test_without_a_caller_that_decided_the_ratio_decides(traced, collector) -> None:
    async with traced(trace_ratio=1) as site:
        assert await site.call("GET", "/orders/v1/orders", traceparent=UNSAMPLED) == 502
        assert await site.call("POST", "/orders/v1/orders", ORDER) == 201
        sent = dict(site.house.provider.calls[-1].headers)[b"traceparent"].decode()
    (root,) = [span for span in spans(collector) if span["kind"] == 2]
    assert root["name"] == "POST /orders/v1/orders"
    assert root["parentSpanId"] == ""
    assert root["flags"] & 0x200 == 0
    assert sent.startswith(f"00-{root['traceId']}-")
    assert sent.endswith("-01")


async def test_nothing_is_traced_where_nobody_asks_for_it(make_house, kit) -> None:
    house = make_house()
    await house.publish()
    await house.ask("POST", "/orders/v1/orders", ORDER, ("traceparent", SAMPLED))
    assert house.pipeline.sampling is None
    assert house.last.steps is None
    assert dict(house.provider.calls[0].headers)[b"traceparent"].endswith(b"-01"), "the flag is passed on"


@pytest.mark.parametrize(
    ("traceparent", "follows", "ratio", "traced"),
    [
        (SAMPLED, True, 0.0, True),
        (UNSAMPLED, True, 1.0, False),
        (SAMPLED, False, 0.0, False),
        (UNSAMPLED, False, 1.0, True),
        ("nonsense", True, 0.0, False),
        ("nonsense", True, 1.0, True),
        ("", True, 1.0, True),
    ],
)
def test_who_decides(traceparent: str, follows: bool, ratio: float, traced: bool) -> None:
    headers = [(b"traceparent", traceparent.encode())] if traceparent else []
    exchange = Exchange(b"GET", b"/", headers, "192.0.2.7", time.perf_counter())
    Sampling(trace_ratio=ratio, kept_ratio=None, follows=follows).begin(exchange)
    assert (exchange.steps is not None) is traced
    if traced and traceparent.startswith("00-"):
        assert exchange.steps.trace_id == TRACE


def test_an_address_for_outsiders_does_not_let_them_decide(make_house) -> None:
    house = make_house(
        trace_endpoint="http://127.0.0.1:4318/v1/traces", trace_ratio=0, proxy_listen_public="127.0.0.1:8702"
    )
    lines = [(b"traceparent", SAMPLED.encode())]
    decided = {}
    for front, pipeline in house.plane.handlers.items():
        exchange = Exchange(b"GET", b"/", lines, "192.0.2.7", time.perf_counter())
        pipeline.sampling.begin(exchange)
        decided[front.name] = exchange.steps is not None
    assert decided == {"proxy": True, "public": False}


def test_an_unknown_method_is_not_told() -> None:
    made = Seen(
        0, 5, 0, ((ADAPTER, 4), (ANSWER, 5)), "_OTHER", 200, "r", sent=True, secure=True, trace_id=TRACE
    )
    found = json.loads(export_request(resource_of("test", "proxy"), [made]))
    server, client = found["resourceSpans"][0]["scopeSpans"][0]["spans"]
    assert (server["name"], client["name"]) == ("HTTP", "HTTP")
    assert attributes(server)["http.request.method"] == "_OTHER"
    assert attributes(server)["url.scheme"] == "https"


def a_seen() -> Seen:
    return Seen(0, 5, 0, (), "GET", 200, "r", sent=True, secure=False, trace_id=TRACE, span_id=PARENT)


async def test_too_many_are_dropped_and_a_collector_that_is_away_costs_no_more(tmp_path, collector) -> None:
    meters = Meters(tmp_path / "metrics", "proxy", most_rows=256)
    full = Exporter(f"{collector.url}/v1/traces", resource_of("test", "proxy"))
    for _ in range(MOST_WAITING + 3):
        full.offer(a_seen())
    assert full.fates == {"sent": 0, "dropped": 3, "failed": 0}
    await full.stop()
    assert full.fates == {"sent": MOST_WAITING, "dropped": 3, "failed": 0}
    assert len(spans(collector)) == MOST_WAITING
    full.gauge(meters)
    full.gauge(meters)
    told = meters.page().decode()
    assert f'interlock_traces_total{{fate="sent"}} {MOST_WAITING}\n' in told
    assert 'interlock_traces_total{fate="dropped"} 3\n' in told
    meters.stop()
    collector.close()
    away = Exporter(f"{collector.url}/v1/traces", resource_of("test", "proxy"), beat=0.001)
    away.offer(a_seen())
    away.start()
    async with asyncio.timeout(10):
        while not away.fates["failed"]:
            await asyncio.sleep(0.01)
    await away.stop()
    assert away.fates == {"sent": 0, "dropped": 0, "failed": 1}


def test_an_endpoint_that_is_no_url_is_refused_at_the_start(make_house) -> None:
    with pytest.raises(SettingsError, match="trace_endpoint"):
        make_house(trace_endpoint="collector:4318")
