"""The guard: one source cannot take more than its share, and a full table does not open it."""

from runtime_proxy.gcra import SECOND
from runtime_proxy.guard import Guard


def test_a_source_gets_its_requests_per_second_and_no_more() -> None:
    guard = Guard(5)
    refusals = [guard.admit("192.0.2.7", SECOND) for _ in range(6)]
    assert refusals[:5] == [None] * 5
    assert refusals[5] is not None
    assert (refusals[5].slug, refusals[5].status) == ("source-over-limit", 429)
    assert refusals[5].header_lines()[-1] == (b"retry-after", b"1")


def test_another_source_is_not_hit() -> None:
    guard = Guard(1)
    assert guard.admit("192.0.2.7", 0) is None
    assert guard.admit("192.0.2.7", 0) is not None
    assert guard.admit("192.0.2.8", 0) is None


def test_time_gives_requests_back() -> None:
    guard = Guard(2)
    assert [guard.admit("::1", 0) is None for _ in range(3)] == [True, True, False]
    assert guard.admit("::1", SECOND // 2) is None
    assert guard.admit("::1", SECOND // 2) is not None


def test_a_full_table_drops_idle_sources_and_else_counts_new_ones_together() -> None:
    guard = Guard(1, most_sources=2)
    assert guard.admit("a", 0) is None
    assert guard.admit("b", 0) is None
    assert guard.admit("c", 0) is None
    assert guard.admit("d", 0) is not None, "new sources share one cell while all others owe"
    later = 5 * SECOND
    assert guard.admit("e", later) is None
    assert guard.admit("f", later) is None
