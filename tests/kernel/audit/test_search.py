"""Search: every filter, all writers in one order, memory that does not grow."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

import pytest

from kernel.audit.record import act_record, exchange_record
from kernel.audit.search import Query, last_value, search
from kernel.errors import AuditError

if TYPE_CHECKING:
    from conftest import Log


@pytest.fixture
def filled(log: Log) -> Log:
    proxy, registry = log.open(), log.open("registry")
    for number in range(5):
        first = log.received(f"r-{number}")
        proxy.append_and_wait(first)
        proxy.append_and_wait(log.completed(f"r-{number}", closes=first["id"]))
        act = act_record(actor="amara", act="approved", subject=f"lab-orders 1.{number}.0", outbox=number)
        registry.append_and_wait(act)
    proxy.append_and_wait(
        exchange_record(
            {}, "refused", request_id="r-9", client="192.0.2.9", refusal="no-route", outcome="refused"
        )
    )
    return log


@pytest.mark.parametrize(
    ("query", "count"),
    [
        (Query(), 18),
        (Query(stage="completed"), 5),
        (Query(contract="lab-orders"), 10),
        (Query(consumer="ward-7", outcome="success"), 5),
        (Query(request_id="r-3"), 2),
        (Query(writer="registry"), 6),
        (Query(refusal="no-route"), 1),
        (Query(actor="amara", subject="lab-orders 1.2.0"), 1),
        (Query(adapter="laboratory", stage="received"), 5),
        (Query(contract="lab"), 0),
        (Query(until="2001-01-01T00:00:00Z"), 0),
        (Query(since="2001-01-01T00:00:00Z", until="2999-01-01T00:00:00Z"), 18),
    ],
)
def test_filters(filled: Log, query: Query, count: int) -> None:
    found = list(search(filled.folder, query))
    assert len(found) == count
    assert [record["recorded"] for record in found] == sorted(record["recorded"] for record in found)


def test_time_bounds_are_from_and_before(filled: Log) -> None:
    times = [record["recorded"] for record in search(filled.folder, Query())]
    found = list(search(filled.folder, Query(since=times[3], until=times[9])))
    assert [record["recorded"] for record in found] == times[3:9]


def test_one_record_by_its_id(filled: Log) -> None:
    wanted = filled.records()[4]
    assert list(search(filled.folder, Query(id=wanted["id"]))) == [wanted]


def test_a_search_reads_no_further_than_it_is_asked(filled: Log) -> None:
    assert len(list(islice(search(filled.folder, Query()), 3))) == 3


def test_a_damaged_line_is_passed_over(filled: Log) -> None:
    lines = filled.lines()
    lines[4] = b"\0" * 40 + b"\n"
    filled.segment().write_bytes(b"".join(lines))
    assert len(list(search(filled.folder, Query()))) == 17


def test_a_relay_finds_where_it_was(filled: Log) -> None:
    assert last_value(filled.folder, "registry", "outbox") == 4
    assert last_value(filled.folder, "proxy-0", "outbox") is None
    assert last_value(filled.folder, "nobody", "outbox") is None


def test_no_log_is_told(log: Log) -> None:
    with pytest.raises(AuditError, match="no audit log here"):
        list(search(log.folder / "nowhere", Query()))
