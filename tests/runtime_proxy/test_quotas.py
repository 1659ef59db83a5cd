"""Calendar quotas: windows are those of the wall calendar, in months, short and long days."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kernel.bundle.limits import Quota
from runtime_proxy.gcra import SECOND
from runtime_proxy.quotas import Calendar, QuotaCell

ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
)
HOUR = 3600


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


@pytest.mark.parametrize(
    ("zone", "every", "wall", "begins", "ends", "hours"),
    [
        ("Europe/Berlin", "day", "2026-03-29T12:00+02:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00", 23),
        ("Europe/Berlin", "day", "2026-10-25T12:00+01:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        ("Europe/Berlin", "day", "2026-10-25T02:30+02:00", "2026-10-25T00:00+02:00", "2026-10-26T00:00+01:00", 25),
        ("Europe/Berlin", "month", "2026-03-31T23:59+02:00", "2026-03-01T00:00+01:00", "2026-04-01T00:00+02:00", 743),
        ("America/Havana", "day", "2026-11-01T00:30-05:00", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", 25),
        ("America/Havana", "day", "2026-11-01T00:30-04:00", "2026-11-01T00:00-04:00", "2026-11-02T00:00-05:00", 25),
        ("UTC", "month", "2026-12-31T23:59+00:00", "2026-12-01T00:00+00:00", "2027-01-01T00:00+00:00", 744),
        ("UTC", "day", "2028-02-29T00:00+00:00", "2028-02-29T00:00+00:00", "2028-03-01T00:00+00:00", 24),
    ],
)  # fmt: skip
def test_a_window_is_the_day_or_month_of_the_zone(zone, every, wall, begins, ends, hours) -> None:
    start, end, _ = Calendar(Quota("q", 1, every, zone)).windows(at(wall))
    assert (start, end) == (at(begins), at(ends))
    assert end - start == hours * HOUR


@given(
    st.sampled_from(ZONES),
    st.sampled_from(("day", "month")),
    st.integers(at("2000-01-01T00:00+00:00"), at("2050-01-01T00:00+00:00")),
)
def test_windows_hold_their_moment_follow_each_other_and_begin_at_a_local_midnight(zone, every, wall) -> None:
    start, end, after = Calendar(Quota("q", 1, every, zone)).windows(wall)
    assert start <= wall < end < after
    assert Calendar(Quota("q", 1, every, zone)).windows(end)[:2] == (end, after)
    local = datetime.fromtimestamp(start, ZoneInfo(zone))
    before = datetime.fromtimestamp(start - 1, ZoneInfo(zone))
    assert (local.date() - before.date()) == timedelta(days=1)
    assert every == "day" or local.day == 1


def test_a_quota_begins_anew_with_the_day_and_not_with_a_clock_that_is_turned_back() -> None:
    wall = [float(at("2026-05-04T23:59:58+02:00"))]
    cell = QuotaCell(Quota("day", 3, "day", "Europe/Berlin"), lambda: wall[0])
    for _ in range(3):
        assert cell.wait(0) == 0
        cell.spend(0)
    assert (cell.wait(0), cell.tell(0), cell.policy) == (2 * SECOND, b'"day";r=0;t=2', b'"day";q=3;w=86400')
    wall[0] -= 7200
    assert cell.wait(0) == 7202 * SECOND
    wall[0] += 7202
    assert (cell.wait(0, 2), cell.tell(0)) == (0, b'"day";r=3;t=86400')
    cell.spend(0, 2)
    assert cell.wait(0, 2) == 86_400 * SECOND
    assert cell.wait(0, 1) == 0


def test_a_month_names_no_length() -> None:
    assert QuotaCell(Quota("m", 3, "month"), lambda: 0.0).policy == b'"m";q=3'


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="IANA"):
        Quota("day", 3, "day", "Mars/Olympus")
    with pytest.raises(ValueError, match="IANA"):
        Quota("day", 3, "day", "../etc/passwd")
