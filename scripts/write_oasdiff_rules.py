"""Writes registry/compat/oasdiff_rules.json and docs/rules/oasdiff.md from the pinned oasdiff's catalogue."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from kernel.settings import load
from registry.compat.oasdiff import PINNED, program

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "registry/compat/oasdiff_rules.json"
PAGE = ROOT / "docs/rules/oasdiff.md"
_LEVELS = {"error": "breaking", "warning": "risky", "info": "safe"}


def table() -> dict[str, list[str]]:
    """Ask oasdiff for its checks: id -> level, area, kind, description."""
    oasdiff = program(load())
    if oasdiff is None:
        raise SystemExit("oasdiff is missing: run make setup")
    run = subprocess.run(
        [oasdiff, "checks", "changelog", "--format", "json"], capture_output=True, check=True, timeout=60
    )
    rows = json.loads(run.stdout)
    return {row["id"]: [row["level"], row["area"], row["kind"], row["description"]] for row in rows}


def page(rows: dict[str, list[str]]) -> str:
    """Write all rules as one table."""
    lines = [
        "# Rules of oasdiff",
        "",
        "<!-- Written by scripts/write_oasdiff_rules.py; do not edit. -->",
        "",
        f"oasdiff {PINNED} is the second opinion on OpenAPI changes (see [findings](../reference/findings.md)).",
        "Its rules appear as `oasdiff/<id>`. The severity below is oasdiff's own; where our comparison of the",
        "same place proves that nobody is broken it becomes *safe*, and where it can neither prove nor refute,",
        "*undecided*.",
        "",
        "| rule | severity | what changed |",
        "|---|---|---|",
    ]
    lines += [f"| `oasdiff/{name}` | {_LEVELS[row[0]]} | {row[3]} |" for name, row in sorted(rows.items())]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write both files."""
    rows = table()
    TABLE.write_text(json.dumps(rows, indent=0, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(rows), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
