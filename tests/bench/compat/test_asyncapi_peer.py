"""What the specification asks of event contracts, pair by pair; and the peer, where npm can install it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bench.compat.asyncapi_peer import judgement, rows, written_out
from tests.bench.compat.event_pairs import EventPair, event_pairs
from tests.bench.machine import BenchError

PAIRS = event_pairs()


@pytest.mark.parametrize("pair", PAIRS, ids=[pair.name for pair in PAIRS])
def test_our_verdict_is_what_the_specification_asks_for(pair: EventPair) -> None:
    from registry.compat.policy import compare

    assert str(compare(pair.old, pair.new, "asyncapi").outcome) == pair.expected, pair.reason


def test_pairs_have_names_of_their_own_and_both_verdicts() -> None:
    assert len({pair.name for pair in PAIRS}) == len(PAIRS)
    assert {pair.expected for pair in PAIRS} == {"compatible", "breaking"}
    assert not any("$ref" in str(written_out(pair.new, pair.new)) for pair in PAIRS)


def test_without_the_peer_its_column_is_empty_and_the_reason_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.bench.npm.shutil.which", lambda _: None)
    found, reason = rows(tmp_path / "none")
    assert reason == "npm or node is missing"
    assert {row.peer for row in found} == {None}
    assert {judgement(row.pair.expected, row.ours) for row in found} == {"right"}


@pytest.mark.long
def test_the_peer_is_asked_about_every_pair(tmp_path: Path) -> None:
    from tests.bench.compat.asyncapi_peer import peer_verdicts

    try:
        said = peer_verdicts(PAIRS, tmp_path / "peer")
    except BenchError as error:
        pytest.skip(f"@asyncapi/diff: {error}")
    assert len(said) == len(PAIRS)
    told = {judgement(pair.expected, one) for pair, one in zip(PAIRS, said, strict=True)}
    assert {"right", "undecided"} <= told
