"""The written page of rules is what the table says, and every rule can be explained by its id."""

import re
import subprocess
import sys
from pathlib import Path

from registry.lint.rules import RULES

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_of_rules_is_what_the_table_says() -> None:
    run = subprocess.run(
        [sys.executable, "scripts/write_rules.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


def test_every_rule_has_its_section() -> None:
    text = (ROOT / "docs" / "reference" / "rules.md").read_text(encoding="utf-8")
    assert re.findall(r"^## (\S+)$", text, re.MULTILINE) == [rule.id for rule in RULES]


def test_explain_knows_every_rule() -> None:
    from cli.topics import rule_topics

    assert {rule.id for rule in RULES} <= {topic.code for topic in rule_topics()}
