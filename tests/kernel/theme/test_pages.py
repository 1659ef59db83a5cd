"""The theme: everything is escaped, nothing is loaded from elsewhere, and colours can be read."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import jinja2
import pytest

from kernel.theme.pages import CONTENT_SECURITY_POLICY, ago, count, day, iso, load_theme, sentence, spans

ROOT = Path(__file__).resolve().parents[3]
FOLDERS = (ROOT / "kernel" / "theme", ROOT / "registry" / "web" / "pages")
STYLE = (FOLDERS[0] / "style.css").read_text(encoding="utf-8")
AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)

# What stands on what: text needs 4.5 to 1 (WCAG 2.2 1.4.3), edges of controls 3 to 1 (1.4.11).
TEXT = [
    ("ink", "paper"), ("ink", "card"), ("quiet", "paper"), ("quiet", "card"), ("accent", "paper"), ("accent", "card"),
    ("accent-ink", "accent"), ("accent", "accent-tint"), ("ink", "accent-tint"), ("good", "good-tint"), ("bad", "bad-tint"),
    ("warn", "warn-tint"), ("unsure", "unsure-tint"), ("bad", "card"), ("ink", "bad-tint"), ("ink", "good-tint"), ("ink", "warn-tint"),
]  # fmt: skip
EDGES = [("edge", "card"), ("edge", "paper"), ("accent", "paper"), ("bad", "card")]


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_colours_have_contrast(scheme: int) -> None:
    block = re.findall(r":root \{(.*?)\}", STYLE, re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", block))
    for pairs, least in ((TEXT, 4.5), (EDGES, 3.0)):
        for front, back in pairs:
            light, dark = sorted((_luminance(colours[front]), _luminance(colours[back])), reverse=True)
            assert (light + 0.05) / (dark + 0.05) >= least, (front, back)


@pytest.mark.parametrize(
    "path",
    sorted(
        page for folder in FOLDERS for page in folder.glob("*.*") if page.suffix in {".html", ".css", ".svg"}
    ),
    ids=lambda path: path.name,
)
def test_nothing_is_loaded_from_elsewhere_and_nothing_is_inline(path: Path) -> None:
    text = path.read_text(encoding="utf-8").replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert re.findall(r"https?://|//[a-z]+\.|@import|url\(", text) == []
    assert re.findall(r"<script|\sstyle=|\son[a-z]+=|javascript:|\|\s*safe", text) == []


def test_the_policy_allows_only_what_pages_need() -> None:
    assert "default-src 'none'" in CONTENT_SECURITY_POLICY
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "script-src" not in CONTENT_SECURITY_POLICY


def test_everything_is_escaped(tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text("{{ text }}|{{ text | spans }}", encoding="utf-8")
    shown = load_theme(tmp_path).render("one.html", text="<b>`<i>`&")
    assert shown == "&lt;b&gt;`&lt;i&gt;`&amp;|&lt;b&gt;<code>&lt;i&gt;</code>&amp;"
    assert spans("a ` <b>") == "a ` &lt;b&gt;"


def test_a_name_that_nobody_gave_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "one.html").write_text("{{ nothing }}", encoding="utf-8")
    with pytest.raises(jinja2.UndefinedError):
        load_theme(tmp_path).render("one.html")


def test_files_are_named_by_their_content() -> None:
    style, mark = load_theme(prefix="/look").files
    assert re.fullmatch(r"/look/style\.[0-9a-f]{12}\.css", style.path)
    assert re.fullmatch(r"/look/mark\.[0-9a-f]{12}\.svg", mark.path)
    assert style.data == STYLE.encode()


def test_times_and_numbers_in_words() -> None:
    assert iso(AT) == "2026-11-21T09:30:00Z"
    assert day(AT) == "21 Nov 2026"
    assert [ago(AT - timedelta(seconds=past), AT) for past in (-5, 59, 60, 7300, 90_000)] == [
        "just now", "just now", "1 minute ago", "2 hours ago", "1 day ago",
    ]  # fmt: skip
    assert [count(1, "finding"), count(0, "finding"), count(1200, "reply", "replies")] == [
        "1 finding", "0 findings", "1,200 replies",
    ]  # fmt: skip


def test_messages_become_sentences() -> None:
    assert [sentence(text) for text in ("it broke", "It broke.", "why?", "", "“Split it.”")] == [
        "It broke.", "It broke.", "Why?", "", "“Split it.”",
    ]  # fmt: skip
