"""Ids and times of records: one look at the clock gives both, whichever way the clock goes."""

from __future__ import annotations

import threading
import uuid
from datetime import UTC, datetime

import pytest

from kernel.audit.stamps import _Clock, _Ids, _written, id_head, stamp

NOON = 1_795_780_800_000_000_000  # 2026-11-27T12:00:00Z


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [
        (NOON, "2026-11-27T12:00:00.000000000Z"),
        (NOON + 7, "2026-11-27T12:00:00.000000007Z"),
        (NOON + 999_999, "2026-11-27T12:00:00.000999999Z"),
        (NOON + 1_000_000, "2026-11-27T12:00:00.001000000Z"),
        (NOON + 999_999_999, "2026-11-27T12:00:00.999999999Z"),
        (NOON + 1_000_000_000, "2026-11-27T12:00:01.000000000Z"),
        (NOON - 1, "2026-11-27T11:59:59.999999999Z"),
        (NOON - 86_400_000_000_000, "2026-11-26T12:00:00.000000000Z"),
    ],
)
def test_the_clock_may_go_either_way(time_ns: int, text: str) -> None:
    clock = _Clock()
    for moment in (NOON, time_ns, NOON + 500_000, time_ns):
        written = _written(clock.at(moment), moment)
    assert written == text


def test_an_id_holds_its_millisecond() -> None:
    clock, ids = _Clock(), _Ids()
    one = uuid.UUID(ids.make(clock.at(NOON + 3_999_999)))
    assert (one.int >> 80, one.version, one.variant) == (NOON // 1_000_000 + 3, 7, uuid.RFC_4122)


def test_ids_stay_in_order_where_the_counter_carries() -> None:
    clock, ids = _Clock(), _Ids()
    made = [ids.make(clock.at(NOON + number * 10)) for number in range(70_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_id_and_time_of_a_stamp_are_of_one_moment() -> None:
    record_id, recorded = stamp()
    moment = datetime.fromisoformat(recorded[:23]).replace(tzinfo=UTC)
    assert uuid.UUID(record_id).int >> 80 == round(moment.timestamp() * 1000)
    assert id_head() >= record_id[:15]


def test_threads_never_make_the_same_id() -> None:
    made: list[list[str]] = [[] for _ in range(4)]
    threads = [
        threading.Thread(target=lambda mine=mine: mine.extend(stamp()[0] for _ in range(5_000)))
        for mine in made
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({one for mine in made for one in mine}) == 20_000
