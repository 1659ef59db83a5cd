"""Metrics as Prometheus reads them, over several workers, and an access log that tells nothing of what was sent."""

import asyncio
import json
import os
import time
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.errors import UpstreamTimeout
from adapters.resilience.guarded import Guarded
from kernel.audit.journal import Journal
from kernel.errors import SettingsError
from kernel.sealing.keys import SigningKey
from runtime_proxy.console import series, table
from runtime_proxy.console.access_log import AccessLog
from runtime_proxy.console.exposition import write
from runtime_proxy.console.meters import Meters
from runtime_proxy.console.series import Series, Totals, gather
from runtime_proxy.exchange import Reply

ORDER = {"code": "2823-3", "priority": "urgent", "note": "Muster, Erika"}


class Page:
    """The metrics as Prometheus' own parser sees them."""

    def __init__(self, data: bytes) -> None:
        self.families = {one.name: one for one in text_string_to_metric_families(data.decode())}
        self.samples = {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in self.families.values()
            for sample in family.samples
        }

    def __call__(self, name: str, **labels: str) -> float:
        return self.samples.get((name, tuple(sorted(labels.items()))), 0.0)


@pytest.fixture
def meters(tmp_path):
    made = Meters(tmp_path / "metrics", "proxy-1a", most_rows=256)
    yield made
    made.stop()


@pytest.fixture
async def counted(make_house, meters):
    house = make_house(meters=meters)
    await house.publish()

    async def ask(*given: Any, **more: Any) -> Reply:
        reply = await house.ask(*given, **more)
        meters.answered(house.last, reply, "")
        return reply

    house.count = ask
    return house


def written(folder: Path) -> bytes:
    totals: Totals = {}
    for _ in gather(folder, totals):
        pass
    return b"".join(write(totals))


def page(meters: Meters) -> Page:
    return Page(meters.page())


async def test_every_answer_is_counted_where_it_belongs(counted, meters, kit) -> None:
    for _ in range(3):
        assert (await counted.count("POST", "/orders/v1/orders", ORDER)).status == 201
    assert (await counted.count("POST", "/orders/v1/orders", {})).status == 422
    assert (await counted.count("POST", "/orders/v1/orders", ORDER, key=None)).status == 401
    assert (await counted.count("GET", "/nowhere")).status == 404
    counted.provider.answer = lambda _: kit.answer(201, {})
    assert (await counted.count("POST", "/orders/v1/orders", ORDER)).status == 502
    await counted.count("GET", "/-/readyz")
    told = page(meters)
    place = {"contract": "orders", "version": "1.0.0", "operation": "placeOrder"}
    requests = "interlock_requests_total"
    assert told(requests, **place, consumer="ward", code_class="2xx") == 3
    assert told(requests, **place, consumer="ward", code_class="4xx") == 1
    assert told(requests, **place, consumer="-", code_class="4xx") == 1
    assert told(requests, **place, consumer="ward", code_class="5xx") == 1
    assert told(requests, contract="-", version="-", operation="-", consumer="-", code_class="4xx") == 1
    assert sum(value for (name, _), value in told.samples.items() if name == requests) == 7
    assert told("interlock_request_duration_seconds_count", **place) == 6
    assert told("interlock_request_duration_seconds_bucket", **place, le="+Inf") == 6
    assert told("interlock_refusals_total", slug="body-invalid") == 1
    assert told("interlock_refusals_total", slug="credentials-missing") == 1
    assert told("interlock_validation_failures_total", side="request", reason="body-invalid") == 1
    assert told("interlock_validation_failures_total", side="response", reason="provider-broke-contract") == 1
    assert told("interlock_bundle_activations_total") == 1
    assert told("interlock_bundle_serial", worker="proxy-1a", part="routes") == 1
    assert told("interlock_exchanges_in_flight", partner="laboratory") == 0
    assert ("interlock_exchanges_in_flight", (("partner", "laboratory"),)) in told.samples


async def test_what_the_provider_takes_is_told_apart_from_what_we_add(counted, meters, kit) -> None:
    def slow(_: Any) -> Any:
        made = kit.answer(201, {"id": "o-1"})
        made.upstream_seconds = 0.3
        return made

    counted.provider.answer = slow
    exchange = counted.exchange("POST", "/orders/v1/orders", ORDER)
    counted.pipeline.admit(exchange)
    reply = await counted.pipeline.serve(exchange)
    exchange.started = time.perf_counter() - 0.302  # the provider's 300 ms, and 2 of ours
    meters.answered(exchange, reply, "")
    told = page(meters)
    place = {"contract": "orders", "version": "1.0.0", "operation": "placeOrder"}
    assert told("interlock_upstream_duration_seconds_sum", partner="laboratory") == pytest.approx(0.3)
    assert told("interlock_upstream_duration_seconds_bucket", partner="laboratory", le="0.25") == 0
    assert told("interlock_upstream_duration_seconds_bucket", partner="laboratory", le="0.5") == 1
    assert told("interlock_request_duration_seconds_sum", **place) > 0.3
    assert told("interlock_gateway_overhead_seconds_bucket", **place, le="0.001") == 0
    assert told("interlock_gateway_overhead_seconds_bucket", **place, le="0.25") == 1


async def test_a_provider_that_never_answered_is_nobodys_overhead(counted, meters) -> None:
    def late(_: Any) -> Any:
        raise UpstreamTimeout("too late", sent=True)

    counted.provider.answer = late
    assert (await counted.count("POST", "/orders/v1/orders", ORDER)).status == 504
    told = page(meters)
    place = {"contract": "orders", "version": "1.0.0", "operation": "placeOrder"}
    assert told("interlock_request_duration_seconds_count", **place) == 1
    assert told("interlock_gateway_overhead_seconds_count", **place) == 0


async def test_a_bundle_that_is_not_taken_shows_as_lag(counted, meters) -> None:
    assert page(meters)("interlock_bundle_lag_seconds", worker="proxy-1a") == 0
    counted.plane.health.behind_since = time.monotonic() - 5
    assert page(meters)("interlock_bundle_lag_seconds", worker="proxy-1a") >= 5


async def test_the_guards_of_an_adapter_are_told(counted, meters, kit) -> None:
    guarded = Guarded(counted.provider, {"breaker": {"least_calls": 2}, "bulkhead": {"calls": 1, "queue": 0}})
    (slot,) = counted.plane.activation.plan.slots
    slot.adapter = guarded

    def broken(_: Any) -> Any:
        raise UpstreamTimeout("too late", sent=True)

    assert page(meters)("interlock_adapter_circuit", worker="proxy-1a", partner="laboratory") == 0
    counted.provider.answer = broken
    for _ in range(3):
        await counted.count("POST", "/orders/v1/orders", ORDER)
    told = page(meters)
    assert told("interlock_adapter_circuit", worker="proxy-1a", partner="laboratory") == 2
    assert told("interlock_adapter_circuit_opened_total", partner="laboratory") == 1
    assert told("interlock_adapter_waiting", partner="laboratory") == 0
    assert told("interlock_refusals_total", slug="circuit-open") == 1
    slot.adapter = Guarded(counted.provider, {"breaker": {}})
    assert page(meters)("interlock_adapter_circuit_opened_total", partner="laboratory") == 1
    assert page(meters)("interlock_adapter_circuit", worker="proxy-1a", partner="laboratory") == 0


def test_workers_are_added_up_and_those_that_are_gone_keep_their_counters(tmp_path) -> None:
    one, two = (Series(tmp_path / f"{name}{series.SUFFIX}", most_rows=9) for name in "ab")
    for made, number in ((one, 3), (two, 4)):
        made.numbers[made.row(table.RECORDS)] += number
        made.set(table.IN_FLIGHT, number, "lab")
        made.set(table.CONNECTIONS, number, str(number))
        made.beat()
    told = Page(written(tmp_path))
    assert told("interlock_audit_records_total") == 7
    assert told("interlock_exchanges_in_flight", partner="lab") == 7
    assert told("interlock_connections_open", worker="3") == 3
    two.close()
    told = Page(written(tmp_path))
    assert told("interlock_audit_records_total") == 7
    assert told("interlock_exchanges_in_flight", partner="lab") == 3
    two = Series(tmp_path / f"b{series.SUFFIX}", most_rows=9)
    two.numbers[two.row(table.RECORDS)] += 1
    two.beat()
    told = Page(written(tmp_path))
    assert told("interlock_audit_records_total") == 8, "a counter never goes back"
    assert told("interlock_exchanges_in_flight", partner="lab") == 3, "a gauge begins anew"
    for made in (one, two):
        made.close()


def test_rows_are_bounded_and_what_is_new_then_is_counted_together(tmp_path) -> None:
    made = Series(tmp_path / f"a{series.SUFFIX}", most_rows=3)
    for number in range(100):
        made.numbers[made.row(table.REFUSALS_TOTAL, f"slug-{number}")] += 1
    made.beat()
    told = Page(written(tmp_path))
    rows = {
        labels: value for (name, labels), value in told.samples.items() if name == "interlock_refusals_total"
    }
    assert len(rows) == 4
    assert rows[(("slug", "other"),)] == 97
    made.close()


async def test_a_long_page_holds_nobody_up(counted, meters) -> None:
    made = Meters(meters._folder, "proxy-2a", most_rows=5_000)
    for number in range(4_000):
        made.series.numbers[made.series.row(table.REFUSALS_TOTAL, f"slug-{number}")] += number
    made.stop()
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    reply = await counted.ask("GET", "/-/metrics", key=None)
    task.cancel()
    assert Page(reply.body)("interlock_refusals_total", slug="slug-3999") == 3999
    assert turns >= 200, "as many as the page has pieces"
    head = await counted.ask("HEAD", "/-/metrics", key=None)
    assert (head.status, head.body) == (200, b"")


def test_labels_cannot_break_out_of_their_line(tmp_path) -> None:
    made = Series(tmp_path / f"a{series.SUFFIX}", most_rows=3)
    odd = 'a"b\\c\nd'
    made.numbers[made.row(table.REFUSALS_TOTAL, odd)] += 2
    made.beat()
    assert Page(written(tmp_path))("interlock_refusals_total", slug=odd) == 2
    made.close()


def test_a_file_that_is_none_of_ours_is_passed_over(tmp_path) -> None:
    (tmp_path / f"x{series.SUFFIX}").write_bytes(os.urandom(1000))
    (tmp_path / f"y{series.SUFFIX}").write_bytes(b"")
    made = Series(tmp_path / f"a{series.SUFFIX}", most_rows=3)
    made.numbers[made.row(table.RECORDS)] += 1
    made.beat()
    assert Page(written(tmp_path))("interlock_audit_records_total") == 1
    made.close()


def test_every_metric_is_of_the_form_that_prometheus_asks_for() -> None:
    for metric in table.METRICS:
        assert metric.name.startswith("interlock_")
        assert metric.name.endswith("_total") == (metric.kind == "counter"), metric.name
        assert bool(metric.buckets) == (metric.kind == "histogram"), metric.name
        assert list(metric.buckets) == sorted(metric.buckets)
        assert metric.help.endswith(".")


async def test_commits_of_the_journal_are_counted(tmp_path, meters) -> None:
    journal = Journal.open(tmp_path / "audit", "proxy", SigningKey.generate("heads"))
    journal.watch(meters.committed)
    before = page(meters)("interlock_audit_records_total")
    await journal.append(
        {"id": "x", "stage": "act", "act": "test", "actor": "me", "subject": "it", "recorded": "now"}
    )
    await journal.aclose()
    told = page(meters)
    assert told("interlock_audit_records_total") == before + 2, "the record and the end"
    assert told("interlock_audit_commit_seconds_count") == 2
    assert told("interlock_audit_commit_seconds_sum") > 0


async def test_a_fault_while_counting_harms_no_answer(counted, meters, caplog) -> None:
    await counted.count("GET", "/orders/v1/orders")
    meters.answered(counted.last, Reply(7_000, []), "")
    meters.answered(counted.last, Reply(7_000, []), "")
    assert len([one for one in caplog.records if "could not be counted" in one.message]) == 1


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_bytes().splitlines()]


async def test_the_access_log_tells_the_template_and_nothing_that_was_sent(counted, meters, tmp_path) -> None:
    file = tmp_path / "access.log"
    meters.log = AccessLog(str(file), 1.0, "proxy-1a")
    secret = "Erika-Muster-1970"
    await counted.count("GET", f"/orders/v1/orders/{secret}?name={secret}", b"", ("x-patient", secret))
    await counted.count("GET", f"/{secret}")
    await counted.count(
        "POST", "/orders/v1/orders", {"code": secret}, ("traceparent", f"00-{'ab' * 16}-{'cd' * 8}-01")
    )
    await counted.count("BREW", "/orders/v1/orders")
    meters.answered(None, Reply(400, []), "request-malformed")
    meters.log.flush()
    text = file.read_text()
    assert secret not in text
    assert counted.last.peer not in text
    first, second, third, _, fifth = lines(file)
    assert first["route"] == "/orders/{id}"
    assert (first["contract"], first["version"], first["operation"]) == ("orders", "1.0.0", "readOrder")
    assert (first["method"], first["consumer"], first["worker"]) == ("GET", "ward", "proxy-1a")
    assert "route" not in second
    assert (second["status"], second["refusal"]) == (404, "not-found")
    assert (third["status"], third["refusal"]) == (422, "body-invalid")
    assert (fifth["status"], fifth["refusal"]) == (400, "request-malformed")


async def test_of_a_sample_of_none_only_our_own_failures_are_logged(counted, meters, tmp_path, kit) -> None:
    file = tmp_path / "access.log"
    meters.log = AccessLog(str(file), 0.0, "proxy")
    await counted.count("POST", "/orders/v1/orders", ORDER)
    counted.provider.answer = lambda _: kit.answer(201, {})
    await counted.count("POST", "/orders/v1/orders", ORDER)
    meters.log.flush()
    assert [line["status"] for line in lines(file)] == [502]


def test_an_access_log_that_cannot_be_opened_is_a_typed_error(tmp_path) -> None:
    with pytest.raises(SettingsError) as error:
        AccessLog(str(tmp_path / "no" / "folder"), 1.0, "proxy")
    assert error.value.place is not None
