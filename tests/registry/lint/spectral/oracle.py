"""Runs our engine, and Spectral itself, over the same rulesets and documents."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import NamedTuple

from kernel.contract.document import parse
from kernel.contract.positions import token
from registry.lint.spectral.loading import load_ruleset
from registry.lint.spectral.running import run_ruleset
from tests.bench import npm
from tests.bench.machine import BenchError

HERE = Path(__file__).parent
RULESETS = [*sorted((HERE / "rulesets").iterdir()), HERE / "overrides.yaml"]
DOCUMENTS = sorted((HERE / "documents").iterdir())
VERSION = "6.16.3"
_RUN_SECONDS = 300
# What Spectral says besides the rules: about references, syntax and formats.
_NOT_RULES = frozenset({"unrecognized-format", "invalid-ref", "parser"})
_SEVERITIES = {0: "error", 1: "warning", 2: "info", 3: "info"}


class Told(NamedTuple):
    """One result: which rule, where, how bad."""

    document: str
    rule: str
    pointer: str
    severity: str


def ours(ruleset: Path, documents: list[Path]) -> dict[Told, set[str]]:
    """Run our engine; gives the messages of each result."""
    found: dict[Told, set[str]] = {}
    loaded = load_ruleset(ruleset)
    for path in documents:
        root = parse(path.read_bytes(), name=path.name).root
        for one in run_ruleset(loaded, root, str(path)):
            told = Told(path.name, one.rule.name, one.pointer, str(one.severity))
            found.setdefault(told, set()).add(one.message)
    return found


def install(folder: Path) -> tuple[Path | None, str]:
    """Install Spectral by npm into a folder of its own; gives its program, or None and the reason."""
    try:
        return npm.install(folder, f"@stoplight/spectral-cli@{VERSION}", wanted=".bin/spectral"), ""
    except BenchError as error:
        return None, str(error)


def theirs(program: Path, ruleset: Path, documents: list[Path]) -> dict[Told, set[str]]:
    """Run Spectral; raises AssertionError with its own words when it fails."""
    done = subprocess.run(
        [program, "lint", "--ruleset", ruleset, "--format", "json", "--quiet", *documents],
        capture_output=True, text=True, timeout=_RUN_SECONDS, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr or done.stdout
    found: dict[Told, set[str]] = {}
    for row in json.loads(done.stdout):
        if row["code"] not in _NOT_RULES:
            pointer = "".join(map(token, row["path"]))
            told = Told(Path(row["source"]).name, row["code"], pointer, _SEVERITIES[row["severity"]])
            found.setdefault(told, set()).add(row["message"])
    return found
