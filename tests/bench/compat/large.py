"""Time and memory of comparing large real documents: `python -m tests.bench.compat.large`.

The 11 MB description of GitHub's API against itself with 50 changes strewn over it, Discord's with ten, and
the chains of Adyen and NHS. For each pair: seconds of `interlock diff` from start to end as a user calls it
(files read, both engines, the report), of `compare` alone with the documents parsed already, as a registry has
them, and of oasdiff alone on the whole documents; and the greatest memory (resident set) of either program.
Each pair runs in a process of its own. The goals are for the first figure.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import multiprocessing
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

from kernel.contract.document import parse
from kernel.settings import load
from registry.compat import oasdiff
from registry.compat.inputs import read_self_contained
from registry.compat.openapi_touched import text_of
from registry.compat.policy import compare
from tests.bench.compat.scattered import scattered

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "openapi"
GOALS = {"github": (10.0, 1000.0)}  # s, MB; of the others 2 s
OTHERS = (2.0, 1000.0)


def main() -> int:
    """Measure every pair that was asked for, print a table, and say whether the goals are met."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.compat.large")
    parser.add_argument("pair", nargs="*", default=[], help="names that begin so (default: all)")
    chosen = parser.parse_args()
    click.echo(
        f"{'pair':<44} {'diff s':>7} {'compare s':>9} {'oasdiff s':>9} {'MB':>6} {'oasdiff MB':>10}"
        f" {'verdict':<12} goal"
    )
    good = True
    for name in _names():
        if chosen.pair and not any(name.startswith(word) for word in chosen.pair):
            continue
        with multiprocessing.get_context("spawn").Pool(1) as pool:
            row = pool.apply(_measured, (name,))
        met = row["diff"] <= row["goal"][0] and row["megabytes"] + row["oasdiff_mb"] <= row["goal"][1]
        good = good and met
        click.echo(
            f"{name:<44} {row['diff']:7.2f} {row['seconds']:9.2f} {row['oasdiff_s']:9.2f} {row['megabytes']:6.0f}"
            f" {row['oasdiff_mb']:10.0f} {row['verdict']:<12} {'met' if met else 'MISSED'}"
        )
    return 0 if good else 1


def _names() -> list[str]:
    chains = [*(DATA / "adyen-chains").glob("*.yaml"), *(DATA / "nhs-bars").glob("*.yaml")]
    by_name: dict[str, list[Path]] = {}
    for file in chains:
        by_name.setdefault(file.stem.rpartition("-")[0], []).append(file)
    pairs = []
    for files in by_name.values():
        ordered = sorted(files, key=_number)
        pairs += [f"{old.stem}..{new.stem}" for old, new in itertools.pairwise(ordered)]
    return ["github", "discord", *sorted(pairs)]


def _number(file: Path) -> tuple[int, ...]:
    return tuple(int(part) for part in file.stem.rpartition("-")[2].lstrip("v").split("."))


def documents(name: str) -> tuple[Any, Any]:
    """Give the two self-contained roots of a pair."""
    if ".." in name:
        folder = DATA / ("adyen-chains" if "Service" in name else "nhs-bars")
        old, new = (folder / f"{stem}.yaml" for stem in name.split(".."))
        return read_self_contained(old, folder).root, read_self_contained(new, folder).root
    file = DATA / {"github": "github/ghes-3.18.json.gz", "discord": "discord/openapi.json.gz"}[name]
    root = parse(gzip.decompress(file.read_bytes()), name=file.stem).root
    return root, scattered(root, 50 if name == "github" else 10)


def _measured(name: str) -> dict[str, Any]:
    old, new = documents(name)
    settings = load(environ={})
    began = time.perf_counter()
    verdict = compare(old, new, "openapi", settings=settings)
    seconds = time.perf_counter() - began
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    began = time.perf_counter()
    oasdiff.ask(old, new, settings, upgrade=False)
    alone = time.perf_counter() - began
    oasdiff_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return {
        "diff": _as_called(old, new),
        "seconds": seconds,
        "oasdiff_s": alone,
        "megabytes": megabytes,
        "oasdiff_mb": oasdiff_mb,
        "verdict": str(verdict.outcome),
        "goal": GOALS.get(name, OTHERS),
    }


def _as_called(old: Any, new: Any) -> float:
    """Give the seconds of `interlock diff` on two files."""
    with tempfile.TemporaryDirectory(prefix="interlock-large-") as folder:
        files = [Path(folder) / name for name in ("old.json", "new.json")]
        for file, root in zip(files, (old, new), strict=True):
            file.write_bytes(text_of(root))
        began = time.perf_counter()
        command = [sys.executable, "-m", "cli", "diff", *map(str, files)]
        run = subprocess.run(command, capture_output=True, check=False)
        seconds = time.perf_counter() - began
    if run.returncode not in (0, 1, 3):
        raise RuntimeError(run.stderr.decode("utf-8", "replace")[:500])
    return seconds


if __name__ == "__main__":
    sys.exit(main())
