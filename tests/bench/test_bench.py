"""The bench measures what it says: its messages are judged, its goals are judged, its clock takes no wrong answer."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qsl

import pytest

from runtime_proxy.deferred import Deferred
from runtime_proxy.refusal import Refusal
from runtime_proxy.validate_request import validate_request
from tests.bench import interlock, pace
from tests.bench.cases import Case, cases
from tests.bench.desk import Desk
from tests.bench.latency import Disk, request_bytes
from tests.bench.load import Measured, headers_of
from tests.bench.order import LARGE_SIZE, admission, large_order, order
from tests.bench.pace import Paced
from tests.bench.programs import UNAUDITED
from tests.bench.report import Findings, goals
from tests.bench.steps import PAGE, measure, refreshed
from tests.doubles.upstream import Upstream, answer

CASES = {case.name: case for case in cases()}
# What makes each message one that the contract forbids.
SPOILED = {
    "order": (b'"urgent"', b'"hasty"'),
    "large": (b'"urgent"', b'"hasty"'),
    "token": (b'"urgent"', b'"hasty"'),
    "form": (b"patient_sex=F", b"patient_sex=Y"),
    "query": (b"718-7%7C", b"718-77%7C"),
}


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    made = Desk(tmp_path_factory.mktemp("bench"))
    asyncio.run(made.open())
    yield made
    asyncio.run(made.close())


def judged(desk: Desk, case: Case, spoil: tuple[bytes, bytes] = (b"", b"")) -> Refusal | None:
    """Judge the very bytes that the load sends."""
    headers = headers_of(case, desk.credentials.header(case.credential))
    raw = request_bytes(case, case.target_of(interlock.PREFIX), headers)
    assert spoil[0] in raw
    desk.raw = raw.replace(spoil[0], spoil[1].ljust(len(spoil[0]), b" "), 1) if spoil[0] else raw

    async def judge() -> Refusal | None:
        exchange = desk.exchange(desk.read())
        desk.plane.handler.admit(exchange)
        if isinstance(exchange.refusal, Deferred):
            await desk.plane.handler.serve(exchange)
        elif exchange.refusal is None and exchange.operation is not None:
            return validate_request(exchange.operation, exchange)
        return exchange.refusal

    return asyncio.run(judge())


def test_messages_have_the_sizes_that_are_printed() -> None:
    assert len(order()) == 860
    assert LARGE_SIZE - 200 < len(large_order()) <= LARGE_SIZE
    assert len(parse_qsl(admission().decode(), strict_parsing=True)) == 60


@pytest.mark.parametrize("name", SPOILED)
def test_each_message_is_allowed_and_is_judged(desk: Desk, name: str) -> None:
    assert judged(desk, CASES[name]) is None
    refusal = judged(desk, CASES[name], SPOILED[name])
    assert refusal is not None
    assert refusal.status in (400, 422)


def test_the_storm_is_refused_after_its_one_call(desk: Desk) -> None:
    assert judged(desk, CASES["storm"]) is None
    refusal = judged(desk, CASES["storm"])
    assert refusal is not None
    assert refusal.status == 429


def _found(cpu: float, *, p99: float = 1.0, record: float = 5.0) -> Findings:
    def row(spent: float) -> list[Measured]:
        return [Measured(1000, 1, 2, spent, 0, 50)] * 3

    waits = {"nginx": 1.0, UNAUDITED: p99, "interlock": p99 + 0.2}
    return Findings(
        "pure Python",
        runs={
            "order": {"nginx": row(10), "interlock": row(cpu), "kin-openapi": row(40)},
            "storm": {"nginx": row(5), "interlock": row(12)},
        },
        waits={name: [Paced(700, 0.5, wait, 0.1)] for name, wait in waits.items()},
        disk=Disk(0.1, 0.2),
        records={1: 90.0, 32: record},
        isolation="beside guards\nhang no 1.0 9.0 9.00 0\nhang yes 1.0 1.2 1.20 0\n",
    )


def test_goals_are_met_missed_or_further() -> None:
    fast = tuple(goals(_found(19)))
    assert all(goal.met for goal in fast)
    assert len(fast) == 8
    slow = {goal.text.strip().split(" ", 1)[1]: goal for goal in goals(_found(24, p99=2.4, record=11))}
    assert {text for text, goal in slow.items() if not goal.met} == {
        "x nginx, 2 later on",
        "µs an audit record, 32 in flight, at most 10 wanted",
        "ms p99 without audit, at most 2.00 (2 x nginx) wanted",
        "ms p99 with audit, at most 2.30 (that and 3 fdatasync) wanted",
    }
    assert [text for text, goal in slow.items() if goal.further] == ["x nginx, 2 later on"]


def test_where_the_load_was_late_itself_waiting_is_not_judged() -> None:
    found = _found(19, p99=9.0)
    found.waits["interlock"] = [Paced(700, 0.5, 9.2, 5.0)]
    (told,) = [goal for goal in goals(found) if "p99" in goal.text and "alone" not in goal.text]
    assert "not judged" in told.text
    assert told.further


def test_what_was_not_measured_is_not_judged() -> None:
    assert list(goals(Findings("pure Python"))) == []


def test_paced_load_counts_right_answers_only() -> None:
    upstream = Upstream({"POST /orders": answer(201, b"{}")})
    try:
        request = request_bytes(CASES["order"], "/orders", {})
        url = f"{upstream.url}/orders"
        paced = pace.measure(url, request, status=201, rate=400, seconds=0.5, warm_up=0.1, connections=4)
        assert paced.rate * 0.5 >= 100
        assert 0 < paced.p50 <= paced.p99
        with pytest.raises(ValueError, match="a wrong answer"):
            pace.measure(url, request, status=200, rate=400, seconds=0.5, warm_up=0.1, connections=4)
    finally:
        upstream.close()


def test_the_steps_of_a_call_are_those_of_the_page(tmp_path: Path) -> None:
    found, whole, connected = asyncio.run(measure(tmp_path, 1))
    assert whole > 0
    assert connected > 0
    page = refreshed(PAGE.read_text(), dict.fromkeys(found, 1234.5))
    assert page.count("| 1234.50 |") == len(found)
