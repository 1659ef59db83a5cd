"""Writes docs/guide/ci-examples.md: what the gate says of ordinary mistakes, as it really says it; `--check` compares."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.ci.ways import WAYS, Way, told  # noqa: E402 - the tests are no installed package

PAGE = ROOT / "docs/guide/ci-examples.md"


def page(telling: Callable[[Way], tuple[int, str]] = told) -> str:
    """Write the whole page."""
    lines = [
        "<!-- Written by scripts/write_gate_examples.py, which runs the program; do not edit. -->",
        "",
        "# What the gate says of ordinary mistakes",
        "",
        "A repository holds three contracts, committed as `main`: `patient-ref` (a canonical schema), `meal-orders` (an",
        "API that uses it) and `bed-events` (events), each in version 1.0.0. In each example somebody changes one thing",
        "and runs",
        "",
        "```",
        "interlock ci gate --against git:main",
        "```",
        "",
        "The last line of each report, which names the engines, is left out. How to read a report, and what may be done",
        "about a finding, stands in [the gate in a pipeline](ci.md).",
    ]
    for way in WAYS:
        code, text = telling(way)
        lines += [
            "",
            f"## {way.title}",
            "",
            f"{way.story} Ends with {code}.",
            "",
            "```text",
            text.rstrip("\n"),
            "```",
        ]
    return "\n".join(lines) + "\n"


def main(*, check: bool) -> int:
    """Write the page, or say that it is out of date."""
    text = page()
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print(
            "docs/guide/ci-examples.md is out of date: run python scripts/write_gate_examples.py",
            file=sys.stderr,
        )
        return 1
    PAGE.write_text(text, encoding="utf-8")
    print("docs/guide/ci-examples.md written")
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
