"""Which revision replaces which, as a table."""

import pytest

from adapters.canonical.revision import RANKS, Head, decide
from adapters.devices.lab_hl7v2.status import EVENTS
from adapters.errors import MessageRefused

EARLY, LATE = "2026-03-01T09:00:00.000Z", "2026-03-01T10:00:00.000Z"


def test_the_first_is_the_first():
    assert decide(None, Head("preliminary", None, "a")) == "first"


@pytest.mark.parametrize("status", RANKS)
def test_the_same_content_is_no_revision_however_old(status):
    assert decide(Head(status, LATE, "a"), Head(status, EARLY, "a")) == "unchanged"


@pytest.mark.parametrize("held", RANKS)
@pytest.mark.parametrize("new", RANKS)
def test_a_later_clock_always_wins_and_an_earlier_never(held, new):
    assert decide(Head(held, EARLY, "a"), Head(new, LATE, "b")) == "newer"
    with pytest.raises(MessageRefused) as refused:
        decide(Head(held, LATE, "a"), Head(new, EARLY, "b"))
    assert refused.value.reason == "older-than-held"


@pytest.mark.parametrize("clocks", [(LATE, LATE), (None, LATE), (LATE, None), (None, None)])
def test_without_a_difference_of_clocks_the_status_may_not_go_back(clocks):
    for held, held_rank in RANKS.items():
        for new, new_rank in RANKS.items():
            before, after = Head(held, clocks[0], "a"), Head(new, clocks[1], "b")
            if new_rank >= held_rank:
                assert decide(before, after) == "newer"
            else:
                with pytest.raises(MessageRefused) as refused:
                    decide(before, after)
                assert refused.value.reason == "status-goes-back"


def test_every_status_has_a_rank_and_an_event():
    assert set(RANKS) == set(EVENTS)
