"""A label-free oracle for the schema engine: thousands of changed schemas, each answer held to the validators.

    .venv/bin/python -m tests.bench.compat.oracle [--pairs 2000] [--seed 1]
    .venv/bin/python -m tests.bench.compat.oracle --real ../shared/data --declared

For every pair it asks both directions, as what we accept and as what we emit, and counts
- refuted: *compatible*, and a sampled value is taken by one version and refused by the other (0 allowed);
- false witnesses: a witness that the two compiled validators do not confirm (0 allowed);
- asymmetric: A to B for what we accept says another thing than B to A for what we emit (0 allowed);
- decided: how often the answer was not *undecided*, by kind of change.
"""

from __future__ import annotations

import argparse
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kernel.contract.positions import token
from kernel.contract.sites import resolve_pointer
from kernel.errors import InterlockError
from kernel.schema.dialects import Dialect
from kernel.schema.validator import CompiledSchema, compile_schema, dialect_of
from registry.compat.containment import Answer, Comparer, Containment
from registry.compat.inputs import read_self_contained
from registry.compat.schema_change import Change, Direction, judged
from registry.compat.schema_side import Side
from tests.bench.compat import mutations
from tests.bench.compat.mutations import NARROWER, OTHER, SAME, WIDER
from tests.bench.compat.schemas import Values, schema

DIALECTS = (Dialect.DRAFT_2020_12, Dialect.OPENAPI_31, Dialect.OPENAPI_30, Dialect.DRAFT_07)
SAMPLES = 120
LARGEST = 400_000  # bytes of a document that is read as YAML


@dataclass(frozen=True, slots=True)
class Pair:
    """Two documents and the place in both that is compared."""

    old: Any
    new: Any
    dialect: Dialect
    label: str
    kind: str = OTHER
    pointer: str = ""


@dataclass(slots=True)
class Tally:
    """What was counted over many pairs; the lists hold what must not be."""

    pairs: int = 0
    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    refuted: list[str] = field(default_factory=list)
    false_witnesses: list[str] = field(default_factory=list)
    asymmetric: list[str] = field(default_factory=list)
    undecided: list[tuple[str, Pair, str]] = field(default_factory=list)
    found: Counter[bool] = field(default_factory=Counter)  # breaks that sampling alone would have found
    seconds: float = 0.0

    def rate(self, kind: str) -> float:
        """Give the share of decided answers for the direction in which a kind of change breaks or not."""
        own = {answer: count for (name, answer), count in self.answers.items() if name == kind}
        return 1 - own.get("unknown", 0) / max(sum(own.values()), 1)

    def witnessed(self, kind: str) -> float:
        """Give the share of confirmed witnesses among what was not proven harmless."""
        no, unknown = self.answers[(kind, "no")], self.answers[(kind, "unknown")]
        return no / max(no + unknown, 1)


def generated(rng: random.Random, count: int) -> Iterator[Pair]:
    """Give random schemas with one or two changes, and now and then two that have nothing in common."""
    for number in range(count):
        dialect = DIALECTS[number % len(DIALECTS)]
        old = schema(rng, dialect)
        if number % 10 == 9:
            yield Pair(old, schema(rng, dialect), dialect, "unrelated")
            continue
        found = mutations.mutated(old, rng, dialect)
        if found is None:
            continue
        new, row, steps = found
        kind = mutations.kind_at(row, old, steps)
        label = row.name
        if number % 5 == 4 and (more := mutations.mutated(new, rng, dialect)) is not None:
            new, second, _ = more
            kind, label = OTHER, f"{label} and {second.name}"
        yield Pair(old, new, dialect, label, kind)


def weigh(
    pair: Pair, tally: Tally, rng: random.Random, *, declared_only: bool = False, samples: int = SAMPLES
) -> None:
    """Ask the engine about one pair in both directions and hold its answers to the validators."""
    compiled = _compiled(pair)
    if compiled is None:
        return
    tally.pairs += 1
    began = time.perf_counter()
    there = _ask(pair, "accepts", declared_only=declared_only)
    back = _ask(pair, "emits", declared_only=declared_only)
    tally.seconds += time.perf_counter() - began
    turned = Pair(pair.new, pair.old, pair.dialect, pair.label, pair.kind, pair.pointer)
    for answer, other, way in ((there, _ask(turned, "emits", declared_only=declared_only), "there"),
                               (back, _ask(turned, "accepts", declared_only=declared_only), "back")):  # fmt: skip
        if (answer.answer, answer.witness) != (other.answer, other.witness):
            tally.asymmetric.append(_told(pair, way, answer.witness))
    for answer, takes, refuses, way in ((there, *compiled, "there"), (back, *reversed(compiled), "back")):
        counted = (
            pair.kind if way == "there" else {WIDER: NARROWER, NARROWER: WIDER}.get(pair.kind, pair.kind)
        )
        tally.answers[(counted, str(answer.answer))] += 1
        if answer.answer is Answer.UNKNOWN:
            tally.undecided.append((way, pair, answer.reason))
        if answer.answer is Answer.NO and not (
            takes.accepts(answer.witness) and not refuses.accepts(answer.witness)
        ):
            tally.false_witnesses.append(_told(pair, way, answer.witness))
        writer = (0 if way == "there" else 1) if declared_only else None
        value = (
            None if answer.answer is Answer.UNKNOWN else _refuting(pair, takes, refuses, rng, samples, writer)
        )
        if answer.answer is Answer.YES and value is not None:
            tally.refuted.append(_told(pair, way, value[0]))
        tally.found[answer.answer is Answer.NO and value is not None] += answer.answer is Answer.NO


def _ask(pair: Pair, direction: Direction, *, declared_only: bool) -> Containment:
    sides = [Side(root, pair.dialect, tag=tag) for root, tag in ((pair.old, "old"), (pair.new, "new"))]
    ends = [side.at(pair.pointer) for side in sides]
    return judged(Comparer(declared_only=declared_only), Change(ends[0], ends[1], direction, "it"))


def _compiled(pair: Pair) -> tuple[CompiledSchema, CompiledSchema] | None:
    made = []
    for root in (pair.old, pair.new):
        try:
            made.append(compile_schema(resolve_pointer(root, pair.pointer), root=root, dialect=pair.dialect))
        except InterlockError:
            return None
    return made[0], made[1]


def _refuting(
    pair: Pair,
    takes: CompiledSchema,
    refuses: CompiledSchema,
    rng: random.Random,
    samples: int,
    writer: int | None,
) -> tuple[Any] | None:
    """Look for a value that one takes and the other refuses, near either schema or as `writer` sends them."""
    ends = [(root, resolve_pointer(root, pair.pointer)) for root in (pair.old, pair.new)]
    words = [node for _, node in ends]
    if writer is not None:
        ends = [ends[writer]]
    makers = [(Values(rng, root, words, declared=writer is not None), node) for root, node in ends]
    for number in range(samples):
        maker, node = makers[number % len(makers)]
        value = maker.value(node)
        if takes.accepts(value) and not refuses.accepts(value):
            return (value,)
    return None


def _told(pair: Pair, way: str, value: Any) -> str:
    shown = [json.dumps(part, ensure_ascii=False)[:900] for part in (pair.old, pair.new, value)]
    return f"{pair.label} ({pair.dialect}, {way})\n  old {shown[0]}\n  new {shown[1]}\n  value {shown[2]}"


def report(tally: Tally) -> str:
    """Write what was counted, for a reader."""
    lines = [f"{tally.pairs} pairs, {tally.seconds / max(tally.pairs, 1) * 500:.1f} ms an answer"]
    for kind in (WIDER, NARROWER, SAME, OTHER):
        counts = {answer: tally.answers[(kind, answer)] for answer in ("yes", "no", "unknown")}
        if sum(counts.values()):
            told = ", ".join(f"{answer} {count}" for answer, count in counts.items())
            lines.append(
                f"  {kind:<9} {told}: decided {tally.rate(kind):.1%}, witnessed {tally.witnessed(kind):.1%}"
            )
    lines.append(
        f"  refuted {len(tally.refuted)}, false witnesses {len(tally.false_witnesses)}, "
        f"asymmetric {len(tally.asymmetric)}; sampling alone finds "
        f"{tally.found[True] / max(tally.found.total(), 1):.0%} of the breaks"
    )
    return "\n".join(lines)


def real(folder: Path, rng: random.Random, count: int) -> Iterator[Pair]:
    """Give schemas of real OpenAPI documents, each changed at one place."""
    documents = [root for root in map(_document, sorted((folder / "openapi").rglob("*"))) if root is not None]
    for number in range(count):
        root = documents[number % len(documents)]
        dialect = dialect_of(root)
        name = rng.choice(sorted(root["components"]["schemas"]))
        found = mutations.mutated(root["components"]["schemas"][name], rng, dialect)
        if found is not None:
            schemas = {**root["components"]["schemas"], name: found[0]}
            new = {**root, "components": {**root["components"], "schemas": schemas}}
            kind = mutations.kind_at(found[1], root["components"]["schemas"][name], found[2])
            yield Pair(
                root,
                new,
                dialect,
                f"{found[1].name} at {found[2]}",
                kind,
                f"/components/schemas{token(name)}",
            )


def _document(path: Path) -> Any:
    """Read a document that is complete in itself and declares schemas; None for anything else."""
    try:
        if path.suffix == ".gz":
            root = json.loads(gzip.decompress(path.read_bytes()))
        elif path.suffix in {".yaml", ".json"} and path.stat().st_size < LARGEST:
            root = read_self_contained(path).root
        else:
            return None
        dialect_of(root)
    except InterlockError:
        return None
    components = root.get("components")
    return root if isinstance(components, dict) and components.get("schemas") else None


def main() -> int:
    """Run as many pairs as asked; 1 where an answer was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--real", type=Path, help="a folder of real documents, instead of random schemas")
    parser.add_argument("--declared", action="store_true", help="read schemas as the OpenAPI differ does")
    parser.add_argument("--undecided", type=int, default=0, help="show so many undecided pairs")
    options = parser.parse_args()
    tally = Tally()
    rng = random.Random(options.seed)
    pairs = real(options.real, rng, options.pairs) if options.real else generated(rng, options.pairs)
    for pair in pairs:
        weigh(pair, tally, rng, declared_only=options.declared)
    wrong = [*tally.refuted, *tally.false_witnesses, *tally.asymmetric]
    sys.stdout.write("\n".join([report(tally), *wrong[:20]]) + "\n")
    for way, pair, reason in tally.undecided[: options.undecided]:
        sys.stdout.write(f"{reason}: {_told(pair, way, None)}\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
