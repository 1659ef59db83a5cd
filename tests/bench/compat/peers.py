"""Verdicts on the same pairs, ours beside the peers': `python -m tests.bench.compat.peers`.

Two tables: pairs of JSON Schemas whose truth is worked out by hand (schema_pairs.py), and pairs of OpenAPI
documents whose verdict was read from the specifications before any engine was asked (corpus_expected.json,
where ../shared/data lies). What counts most is *false compatible*: a break that was let through. Peers are
installed into the bench's own folder by their ordinary clients, and left out with the reason where that fails.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import venv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from kernel.schema.dialects import Dialect
from kernel.settings import load
from registry.compat import oasdiff
from registry.compat.containment import Answer, Comparer
from registry.compat.inputs import read_self_contained
from registry.compat.policy import compare
from registry.compat.schema_side import Side
from tests.bench import npm
from tests.bench.compat.schema_pairs import PAIRS
from tests.bench.machine import BenchError

ROOT = Path(__file__).resolve().parents[3]
HOME = ROOT / ".tools" / "bench" / "compat"
CORPUS = ROOT.parent / "shared" / "data" / "openapi" / "openapi-diff-pairs"
EXPECTED = ROOT / "tests" / "registry" / "compat" / "corpus_expected.json"
NPM = {"json-schema-diff": "1.0.0", "openapi-diff": "0.24.1"}
PYPI = "jsonsubschema==0.0.8"
_SECONDS = 600


@dataclass(frozen=True)
class Pair:
    """Two documents, and what is true of them: yes or no of schemas, a verdict of contracts."""

    name: str
    old: Any
    new: Any
    truth: str


@dataclass(frozen=True)
class Said:
    """What a peer answered, and how long it took."""

    said: str
    seconds: float


Judge = Callable[[Sequence[Pair]], list[Said]]


def main() -> int:
    """Print both tables; the exit code is 1 when we called a break compatible, or a harmless change a break."""
    good = True
    pairs = schema_pairs()
    ours = {
        "interlock": each(our_schema),
        "json-schema-diff": from_npm("json-schema-diff"),
        "jsonsubschema": from_pypi(),
    }
    good &= table(f"{len(pairs)} pairs of JSON Schemas", pairs, ours, yes="yes", no="no")
    if EXPECTED.exists() and CORPUS.is_dir():
        contracts = contract_pairs()
        judges = {
            "interlock": each(our_contract),
            "oasdiff": each(bare_oasdiff),
            "openapi-diff": from_npm("openapi-diff"),
        }
        good &= table(
            f"{len(contracts)} pairs of OpenAPI documents", contracts, judges, yes="compatible", no="breaking"
        )
    else:
        click.echo("\npairs of OpenAPI documents: left out, ../shared/data is not here")
    return 0 if good else 1


def table(title: str, pairs: list[Pair], judges: dict[str, Judge | str], *, yes: str, no: str) -> bool:
    """Print a row for each judge; whether ours, the first, said nothing wrong."""
    click.echo(
        f"\n{title}\n{'':<18}{'right':>7}{'false compatible':>18}{'false breaking':>16}{'unsaid':>8}{'s':>8}"
    )
    good = True
    for place, (name, judge) in enumerate(judges.items()):
        if isinstance(judge, str):
            click.echo(f"{name:<18} left out: {judge}")
            continue
        answers = judge(pairs)
        rows = list(zip(pairs, answers, strict=True))
        wrong = [pair for pair, answer in rows if answer.said == yes and pair.truth == no]
        strict = [pair for pair, answer in rows if answer.said == no and pair.truth == yes]
        unsaid = sum(answer.said not in {yes, no} and pair.truth in {yes, no} for pair, answer in rows)
        right = sum(answer.said == pair.truth for pair, answer in rows)
        seconds = sum(answer.seconds for answer in answers)
        click.echo(f"{name:<18}{right:>7}{len(wrong):>18}{len(strict):>16}{unsaid:>8}{seconds:>8.1f}")
        if place == 0:
            good = not wrong and not strict
            for pair in (*wrong, *strict):
                click.echo(f"    wrong: {pair.name}")
    return good


def schema_pairs() -> list[Pair]:
    """Give every row of schema_pairs.py both ways: is each value of the old one of the new?"""
    found = []
    for name, one, other, there, back in PAIRS:
        found.append(Pair(f"{name}, there", one, other, "yes" if there else "no"))
        found.append(Pair(f"{name}, back", other, one, "yes" if back else "no"))
    return found


def contract_pairs() -> list[Pair]:
    """Give the pairs of the corpus with the verdicts that were read from the specifications."""
    files = {file.name: file for file in CORPUS.rglob("*") if file.is_file()}
    found = []
    for name, (truth, _) in json.loads(EXPECTED.read_text())[CORPUS.name].items():
        old, new = (read_self_contained(files[part]).root for part in name.split(" -> "))
        found.append(Pair(name, old, new, truth))
    return found


def each(judge: Callable[[Pair], str]) -> Judge:
    """Ask a judge of this process about one pair after the other."""

    def judged(pairs: Sequence[Pair]) -> list[Said]:
        found = []
        for pair in pairs:
            began = time.perf_counter()
            said = judge(pair)
            found.append(Said(said, time.perf_counter() - began))
        return found

    return judged


def our_schema(pair: Pair) -> str:
    """Ask our prover."""
    sides = (Side(pair.old, Dialect.DRAFT_07, tag="old"), Side(pair.new, Dialect.DRAFT_07, tag="new"))
    answer = Comparer(declared_only=False).contains(sides[0].at(""), sides[1].at("")).answer
    return {Answer.YES: "yes", Answer.NO: "no", Answer.UNKNOWN: "unknown"}[answer]


def our_contract(pair: Pair) -> str:
    """Ask for our whole verdict."""
    return str(compare(pair.old, pair.new, "openapi", settings=load(environ={})).outcome)


def bare_oasdiff(pair: Pair) -> str:
    """Ask oasdiff alone: level WARN and above break, as its own gate has it."""
    upgrade = str(pair.old.get("openapi"))[:3] != str(pair.new.get("openapi"))[:3]
    opinion = oasdiff.ask(pair.old, pair.new, load(environ={}), upgrade=upgrade)
    if opinion.trouble:
        return "refused"
    return "breaking" if any(row.get("level", 0) >= 2 for row in opinion.findings) else "compatible"


def from_npm(peer: str) -> Judge | str:
    """Install a peer by npm; gives why where that fails."""
    try:
        npm.install(HOME, *(f"{name}@{version}" for name, version in NPM.items()), wanted=peer)
    except BenchError as error:
        return str(error)

    def judged(pairs: Sequence[Pair]) -> list[Said]:
        asked = {
            "peer": peer,
            "folder": str(HOME),
            "pairs": [{"old": pair.old, "new": pair.new} for pair in pairs],
        }
        return _said(run(["node", Path(__file__).with_name("peers.js")], json.dumps(asked)), pairs)

    return judged


def from_pypi() -> Judge | str:
    """Install the PyPI peer into an environment of its own; gives why where that fails."""
    folder = HOME / "jsonsubschema"
    python = folder / "bin" / "python"
    if not (folder / "installed").exists():
        try:
            venv.create(folder, with_pip=True, clear=True)
            run([python, "-m", "pip", "install", "--quiet", PYPI])
        except (BenchError, OSError, subprocess.SubprocessError) as error:
            return str(error)
        (folder / "installed").touch()

    def judged(pairs: Sequence[Pair]) -> list[Said]:
        asked = json.dumps([{"old": pair.old, "new": pair.new} for pair in pairs])
        return _said(run([python, Path(__file__).with_name("subschema.py")], asked), pairs)

    return judged


def _said(output: str, pairs: Sequence[Pair]) -> list[Said]:
    found = [Said(**json.loads(line)) for line in output.splitlines()]
    return found + [Said("refused", 0.0)] * (len(pairs) - len(found))


def run(command: Sequence[str | Path], text: str = "") -> str:
    """Run a peer's program; raises `BenchError` with its last line."""
    try:
        done = subprocess.run(
            command, input=text, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise BenchError(f"no end within {_SECONDS} s") from None
    if done.returncode != 0:
        raise BenchError((done.stderr.strip().splitlines() or ["it failed"])[-1][:200])
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
