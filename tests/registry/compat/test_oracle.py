"""The schema engine before a label-free oracle: no answer is refuted, every witness stands, both ways agree.

The quick slice runs with every change; thousands of pairs, and real documents, run with `long` and `corpus`.
What each run counted is printed (`pytest -rP`); `python -m tests.bench.compat.oracle` runs it alone.
"""

import random
import sys

import pytest

from kernel.schema.dialects import Dialect
from registry.compat.containment import Answer, Comparer, Containment
from tests.bench.compat import mutations, oracle
from tests.bench.compat.mutations import NARROWER, SAME, WIDER
from tests.bench.compat.schemas import schema

D12 = Dialect.DRAFT_2020_12


def held(tally, title):
    """Nothing wrong was said; gives the tally, printed."""
    sys.stdout.write(f"\n{title}: {oracle.report(tally)}\n")
    assert tally.refuted == []
    assert tally.false_witnesses == []
    assert tally.asymmetric == []
    return tally


def weighed(pairs, seed, *, declared_only=False):
    tally, rng = oracle.Tally(), random.Random(seed)
    for pair in pairs:
        oracle.weigh(pair, tally, rng, declared_only=declared_only)
    return tally


@pytest.mark.parametrize("declared_only", [False, True])
def test_generated_changes_are_judged_rightly(declared_only):
    pairs = oracle.generated(random.Random(5), 280)
    tally = held(weighed(pairs, 6, declared_only=declared_only), f"generated, declared {declared_only}")
    assert tally.pairs >= 250
    assert tally.rate(WIDER) >= 0.97
    assert tally.rate(SAME) >= 0.97
    assert tally.witnessed(NARROWER) >= 0.85
    assert tally.found[True] / tally.found.total() >= 0.7  # the sampler is no blind judge


@pytest.mark.long
@pytest.mark.parametrize("declared_only", [False, True])
def test_thousands_of_generated_changes_are_judged_rightly(declared_only):
    pairs = oracle.generated(random.Random(11), 6000)
    tally = held(weighed(pairs, 12, declared_only=declared_only), f"generated, declared {declared_only}")
    assert min(tally.rate(kind) for kind in (WIDER, NARROWER, SAME)) >= 0.95
    assert tally.witnessed(NARROWER) >= 0.9


@pytest.mark.corpus
@pytest.mark.long
@pytest.mark.parametrize("declared_only", [False, True])
def test_changes_of_real_documents_are_judged_rightly(corpus, declared_only):
    pairs = oracle.real(corpus, random.Random(21), 2000)
    tally = held(weighed(pairs, 22, declared_only=declared_only), f"real, declared {declared_only}")
    assert min(tally.rate(kind) for kind in (WIDER, NARROWER, SAME)) >= 0.95
    assert tally.witnessed(NARROWER) >= 0.95  # of what breaks, so much is shown by a confirmed witness


def test_every_mutation_applies_to_something_and_is_named_once():
    names = [(row.name, row.kind) for row in mutations.MUTATIONS]
    assert len(set(names)) == len(names)
    left, rng = {*names}, random.Random(3)
    for number in range(4_000):
        dialect = oracle.DIALECTS[number % 4]
        made = schema(rng, dialect)
        for steps in mutations.places(made):
            rows = [r for r in mutations.MUTATIONS if (r.name, r.kind) in left and dialect in r.dialects]
            left -= {
                (r.name, r.kind) for r in rows if r.make(mutations.at(made, steps), rng, dialect) is not None
            }
    assert left == set()


def test_the_oracle_would_see_a_wrong_answer(monkeypatch):
    """A judge that lets everything pass is refuted, and one that makes witnesses up is caught."""
    pair = oracle.Pair(
        {"type": "string"}, {"type": "string", "maxLength": 3}, D12, "maxLength-added", NARROWER
    )
    monkeypatch.setattr(Comparer, "contains", lambda *_, **__: Containment(Answer.YES))
    tally = weighed([pair], 1)
    assert (len(tally.refuted), tally.false_witnesses, tally.asymmetric) == (1, [], [])
    monkeypatch.setattr(Comparer, "contains", lambda *_, **__: Containment(Answer.NO, witness="a"))
    assert len(weighed([pair], 1).false_witnesses) == 2
    answers = iter([Containment(Answer.NO, witness="aaaa"), Containment(Answer.YES), Containment(Answer.YES),
                    Containment(Answer.YES)])  # fmt: skip
    monkeypatch.setattr(Comparer, "contains", lambda *_, **__: next(answers))
    assert len(weighed([pair], 1).asymmetric) == 1
