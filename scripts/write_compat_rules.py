"""Writes docs/rules/{compatibility,gate,oasdiff}.md and registry/compat/oasdiff_rules.json; `--check` compares."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ci.conformance_rules import RULES as CONFORMANCE_RULES
from ci.conformance_rules import ConformanceRule
from ci.drift_rules import RULES as DRIFT_RULES
from ci.rules import RULES as GATE_RULES
from kernel.settings import load
from registry.compat.oasdiff import PINNED, program
from registry.compat.rules import RULES, Rule

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "registry/compat/oasdiff_rules.json"
PAGES = ROOT / "docs/rules"
_LEVELS = {"error": "breaking", "warning": "risky", "info": "safe"}
_NOTE = "<!-- Written by scripts/write_compat_rules.py; do not edit. -->"


def catalogue() -> dict[str, list[str]] | None:
    """Ask the pinned oasdiff for its checks: id -> level, area, kind, description; None where it is missing."""
    oasdiff = program(load())
    if oasdiff is None:
        return None
    command = [oasdiff, "checks", "changelog", "--format", "json"]
    run = subprocess.run(command, capture_output=True, check=True, timeout=60)
    rows = json.loads(run.stdout)
    return {row["id"]: [row["level"], row["area"], row["kind"], row["description"]] for row in rows}


def oasdiff_page(rows: dict[str, list[str]]) -> str:
    """Write all rules of oasdiff as one table."""
    lines = [
        "# Rules of oasdiff",
        "",
        _NOTE,
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


def compatibility_page() -> str:
    """Write our own rules, one section for each."""
    lines = [
        "# Rules of compatibility",
        "",
        _NOTE,
        "",
        "What `interlock diff` and the gate report (see [findings](../reference/findings.md)). *breaking* and",
        "*risky* make a verdict breaking, *undecided* makes it undecided, *safe* blocks nothing. Second opinions",
        "on OpenAPI stand in [rules of oasdiff](oasdiff.md).",
    ]
    return "\n".join([*lines, *sections(RULES)]) + "\n"


def gate_page() -> str:
    """Write the rules of the gate, one section for each."""
    lines = [
        "# Rules of the gate",
        "",
        _NOTE,
        "",
        "What [`interlock ci gate`](../guide/ci.md) itself finds, beside the rules of [compatibility](compatibility.md)",
        "and of the [house](../reference/rules.md): what a change does to versions that others rely on. *breaking* and",
        "*error* fail, *undecided* is undecided, *warning* blocks nothing.",
    ]
    return "\n".join([*lines, *sections(GATE_RULES)]) + "\n"


def conformance_page() -> str:
    """Write the rules of conformance runs, one section for each."""
    lines = [
        "# Rules of conformance runs and of probing",
        "",
        _NOTE,
        "",
        "What [`interlock ci conformance`](../guide/conformance.md) finds about a provider, and what asking a",
        "deployed service finds ([`interlock ci drift --probe`](../guide/drift.md), ids `drift/…`). *breaking* fails,",
        "*undecided* is undecided, *risky* fails with `--fail-on risky`, *warning* blocks nothing.",
    ]
    return "\n".join([*lines, *sections((*CONFORMANCE_RULES, *DRIFT_RULES))]) + "\n"


def sections(rules: Iterable[Rule | ConformanceRule]) -> Iterator[str]:
    """Write one section for each rule."""
    for rule in rules:
        yield from ("", f"## {rule.id}", "", f"Severity: **{rule.severity}**. {rule.why}")
        if rule.remedy:
            yield from ("", f"What to do: {rule.remedy}")


def written() -> dict[Path, str]:
    """Give what each file should hold."""
    rows = catalogue() or json.loads(TABLE.read_text(encoding="utf-8"))
    return {
        TABLE: json.dumps(rows, indent=0, sort_keys=True, ensure_ascii=False) + "\n",
        PAGES / "oasdiff.md": oasdiff_page(rows),
        PAGES / "compatibility.md": compatibility_page(),
        PAGES / "gate.md": gate_page(),
        PAGES / "conformance.md": conformance_page(),
    }


def main(*, check: bool) -> int:
    """Write the files, or say which ones are out of date."""
    stale = [
        path for path, text in written().items() if not path.is_file() or path.read_text("utf-8") != text
    ]
    for path in stale:
        if check:
            print(
                f"{path.relative_to(ROOT)} is out of date: run python scripts/write_compat_rules.py",
                file=sys.stderr,
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written()[path], encoding="utf-8")
            print(f"{path.relative_to(ROOT)} written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
