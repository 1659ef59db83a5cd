"""The reference page names every keyword, finding and cap that the code can say."""

from __future__ import annotations

import re
from pathlib import Path

from kernel.operation.limits import DEFAULT
from kernel.operation.strict_json import MAX_DEPTH

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/reference/operations.md").read_text(encoding="utf-8")
SOURCES = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "kernel/operation").glob("*.py"))]


def said(pattern: str) -> set[str]:
    return {found for text in SOURCES for found in re.findall(pattern, text)}


def test_every_keyword_of_ours_is_explained() -> None:
    keywords = said(r'Undecodable\("([\w-]+)"') | said(r'Violation\("[a-z]+", "", "([\w-]+)"')
    keywords |= said(r'Violation\(self\.where, "", "([\w-]+)"')
    assert {"missing", "json", "limit", "style", "undeclared"} <= keywords
    assert {word for word in keywords if f"`{word}`" not in PAGE} == set()


def test_every_finding_is_explained() -> None:
    rules = said(r'"((?:content|parameter|answers)-[a-z-]+)"') - {
        "content-type",
        "content-encoding",
        "content-disposition",
    }
    rules -= {
        "content-coding",
        "content-coding-unsupported",
        "parameter-invalid",
        "content-transfer-encoding",
        "content-length",
    }
    assert len(rules) == 5
    assert {rule for rule in rules if f"| `{rule}` |" not in PAGE} == set()


def test_the_caps_on_the_page_are_those_of_the_code() -> None:
    for words in (
        f"{DEFAULT.query_pairs} query fields",
        f"{DEFAULT.items:,} elements",
        f"{DEFAULT.form_fields:,} form fields",
        f"{DEFAULT.parts} parts",
        f"{DEFAULT.query_bytes // 1024} KB of query",
        f"at most {DEFAULT.object_depth} deep",
        f"{MAX_DEPTH} levels",
        f"up to {DEFAULT.decoded_bytes // 2**20} MB",
        f"to {DEFAULT.decoded_floor // 2**20} MB or {DEFAULT.decoded_ratio} times",
        f"At most {DEFAULT.violations} places",
    ):
        assert words in re.sub(r"\s+", " ", PAGE), words
