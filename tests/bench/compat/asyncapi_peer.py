"""Our verdicts on event contracts beside those of `@asyncapi/diff`: `python -m tests.bench.compat.asyncapi_peer`.

The pairs and what the specification asks of them stand in event_pairs.py. The peer is installed by npm, pinned,
into the bench's own folder, and gets documents with their references written out, as it asks for. Its verdict:
breaking where it says so of one change, undecided where it leaves one unclassified, else compatible.
"""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from kernel.operation.shapes import follow
from registry.compat.policy import compare
from tests.bench import npm
from tests.bench.compat.event_pairs import EventPair, event_pairs
from tests.bench.machine import BenchError

VERSION = "0.5.0"
FOLDER = Path(__file__).resolve().parents[3] / ".tools" / "bench" / "asyncapi-diff"
_RUN_SECONDS = 120
_SCRIPT = """
const { diff } = require("@asyncapi/diff");
const pairs = JSON.parse(require("fs").readFileSync(0, "utf8"));
process.stdout.write(JSON.stringify(pairs.map(([old, changed]) => {
  try {
    const found = diff(old, changed);
    return found.breaking().length ? "breaking" : found.unclassified().length ? "undecided" : "compatible";
  } catch (error) { return "error"; }
})));
"""


@dataclass(frozen=True)
class Row:
    """One pair: what is expected, and what each engine said (`peer` is None where it could not run)."""

    pair: EventPair
    ours: str
    peer: str | None


def peer_verdicts(pairs: Sequence[EventPair], folder: Path = FOLDER) -> list[str]:
    """Ask the peer about each pair; raises `BenchError` where it cannot be installed or does not end well."""
    npm.install(folder, f"@asyncapi/diff@{VERSION}", wanted="@asyncapi/diff")
    given = json.dumps([[written_out(pair.old, pair.old), written_out(pair.new, pair.new)] for pair in pairs])
    try:
        done = subprocess.run(
            ["node", "-e", _SCRIPT], input=given, cwd=folder, capture_output=True, text=True, timeout=_RUN_SECONDS,
            check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise BenchError(f"the peer did not finish within {_RUN_SECONDS} s") from None
    if done.returncode != 0:
        raise BenchError(f"the peer failed: {done.stderr.strip().splitlines()[-1:]}")
    found: list[str] = json.loads(done.stdout)
    return found


def written_out(root: Any, node: Any) -> Any:
    """Give a document with what its references mean in their places, components left out (our pairs have no circles)."""
    node, _ = follow(root, node, "")
    if isinstance(node, dict):
        kept = {key: item for key, item in node.items() if not (node is root and key == "components")}
        return {key: written_out(root, item) for key, item in kept.items()}
    return [written_out(root, item) for item in node] if isinstance(node, list) else node


def rows(folder: Path = FOLDER) -> tuple[list[Row], str]:
    """Give a row for each pair, and why the peer is missing ("" where it is not)."""
    pairs = event_pairs()
    said: Sequence[str | None] = [None] * len(pairs)
    reason = ""
    try:
        said = peer_verdicts(pairs, folder)
    except BenchError as error:
        reason = str(error)
    ours = [str(compare(pair.old, pair.new, "asyncapi").outcome) for pair in pairs]
    return [Row(*one) for one in zip(pairs, ours, said, strict=True)], reason


def judgement(expected: str, said: str | None) -> str:
    """Say how a verdict stands to what is expected: right, false-compatible, false-incompatible, undecided, error."""
    if said == expected:
        return "right"
    if said in {"compatible", "breaking"}:
        return "false-compatible" if said == "compatible" else "false-incompatible"
    return str(said)


def main() -> int:
    """Print the table and the counts; ends with 1 where we call a break compatible, or the reverse."""
    found, reason = rows()
    click.echo(f"{'pair':<48} {'expected':<11} {'interlock':<11} @asyncapi/diff {VERSION}")
    for row in found:
        click.echo(f"{row.pair.name:<48} {row.pair.expected:<11} {row.ours:<11} {row.peer or '-'}")
    counts = {
        "interlock": Counter(judgement(row.pair.expected, row.ours) for row in found),
        "@asyncapi/diff": Counter(judgement(row.pair.expected, row.peer) for row in found if row.peer),
    }
    for name, count in counts.items():
        told = ", ".join(f"{word} {count[word]}" for word in ("right", "false-compatible", "false-incompatible", "undecided", "error"))  # fmt: skip
        click.echo(f"{name}: {told}" if count else f"{name}: left out, {reason}")
    wrong = counts["interlock"]["false-compatible"] + counts["interlock"]["false-incompatible"]
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())
