"""Ordinary mistakes in a scratch repository, over the command line: exit code and every word of the report.

The page docs/guide/ci-examples.md is the golden file: people read it, and this test holds the program to it.
"""

import re
from functools import lru_cache
from pathlib import Path

import pytest

from scripts.write_gate_examples import page
from tests.ci.ways import WAYS, told

PAGE = Path(__file__).resolve().parents[2] / "docs/guide/ci-examples.md"
MEND = "read it, and if it is right: python scripts/write_gate_examples.py"

cached = lru_cache(told)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_the_report_is_the_one_in_the_guide(way):
    code, text = cached(way)
    assert code == way.exit_code
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {way.title}\n")[1]
    assert text == re.search(r"```text\n(.*?\n)```", section, re.DOTALL)[1], MEND


def test_the_page_holds_these_reports_and_no_other():
    assert page(cached) == PAGE.read_text(encoding="utf-8"), MEND


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
def test_a_newcomer_finds_verdict_place_and_what_to_do(way):
    _, text = cached(way)
    assert text.startswith(("FAILED: ", "UNDECIDED: "))
    assert len(re.findall(r"\n {6}fix: ", text)) == len(re.findall(r"\n  \[(?!warning)", text)) > 0
    assert re.search(r"\n {6}where: {3}contracts/", text)
    assert "\nWhat now: " in text
    assert "/tmp/" not in text
