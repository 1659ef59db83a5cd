"""Write docs/reference/rules.md from the table of lint's rules, or check that it is up to date.

python scripts/write_rules.py [--check]
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from registry.lint.rule import Rule  # noqa: E402 - the path above makes the packages importable
from registry.lint.rules import RULES  # noqa: E402

PAGE = ROOT / "docs" / "reference" / "rules.md"
_HEAD = """<!-- Written by scripts/write_rules.py; do not edit. -->
# Rules of lint

What `interlock check` and a submission say about one document. An *error* means that it is not valid or could not be
served; a *warning* is what the house asks for beyond that; an *info* is worth knowing. `interlock explain RULE` tells
the same. Rules about changes between two versions are told by `interlock diff`; those of oasdiff stand in
[rules/oasdiff.md](../rules/oasdiff.md).

The good and the bad example of a rule are pieces of a document, and are that rule's test. Warnings and notes are only
looked for where the structure of the document is sound; of one rule at most 100 places are told, and the rest is counted.
Rules whose finding is told once with a number are marked *counted*. How to except a place, to give a rule another severity
and to bring rules of your own: [guide/lint.md](../guide/lint.md).

"""


def page() -> str:
    """Give the whole page: a table of all rules, then one section for each."""
    table = "".join(
        f"| [{rule.id}](#{rule.id}) | {rule.severity} | {', '.join(rule.kinds)} |\n" for rule in RULES
    )
    return f"{_HEAD}| rule | severity | for |\n| --- | --- | --- |\n{table}\n" + "\n".join(
        map(section, RULES)
    )


def section(rule: Rule) -> str:
    """Give the section of one rule."""
    counted = ", counted" if rule.counted else ""
    text = f"## {rule.id}\n\n*{rule.severity}{counted}, {', '.join(rule.kinds)}.* {rule.why}\n\n"
    text += f"**What to do.** {rule.remedy}\n"
    for word, piece in (("Bad", rule.bad), ("Good", rule.good)):
        if piece:
            text += f"\n{word}:\n\n```yaml\n{piece}\n```\n"
    return text


def main(*, check: bool) -> int:
    """Write or compare the page; returns 1 when `check` finds it out of date."""
    text = page()
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    if check:
        print("docs/reference/rules.md is out of date: run python scripts/write_rules.py", file=sys.stderr)
        return 1
    PAGE.write_text(text, encoding="utf-8")
    print("docs/reference/rules.md written")
    return 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
