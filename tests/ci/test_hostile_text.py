"""What stands in a document never acts on a terminal, a log, a page or a comment."""

import json
import re
from html.parser import HTMLParser

import pytest
from lxml import etree
from markdown_it import MarkdownIt

from ci.formats.safe_text import visible
from cli.ci_reports import FORMATS
from tests.ci.reports import EVIL, hostile, odd_path, rendered

UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


@pytest.mark.parametrize("kind", FORMATS)
def test_no_format_holds_a_character_that_acts_or_hides(kind):
    assert UNSEEN.findall(rendered(kind, hostile())) == []


@pytest.mark.parametrize("kind", FORMATS)
def test_a_file_name_that_is_no_text_does_not_break_a_format(kind):
    rendered(kind, odd_path("a\udcffb")).encode("utf-8")


@pytest.mark.parametrize("kind", sorted(set(FORMATS) - {"github"}))
def test_no_line_of_a_report_is_a_log_command(kind):
    lines = rendered(kind, hostile()).splitlines()
    assert [line for line in lines if line.lstrip().startswith("::") or re.search(r"##\w*\[", line)] == []


def test_github_commands_are_ours_alone():
    lines = rendered("github", hostile()).splitlines()
    commands = [line for line in lines if line.lstrip().startswith("::")]
    assert all(re.match(r"::(error|warning|notice) (file=[^:]*|title=[^:]*)::", line) for line in commands)
    assert len(lines) == len(commands) + 1
    assert not any("##[" in line or "##vso[" in line for line in lines)


class Page(HTMLParser):
    """Gathers the elements of a page, whatever could run or load something, and the text outside of code."""

    def __init__(self):
        super().__init__()
        self.tags, self.bad, self.said, self.code = set(), [], [], 0

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.code += tag in {"code", "pre"}
        self.bad += [
            (tag, name) for name, _ in attrs if name.startswith("on") or name in {"src", "srcset", "action"}
        ]

    def handle_endtag(self, tag):
        self.code -= tag in {"code", "pre"}

    def handle_data(self, data):
        if not self.code:
            self.said.append(data)


def test_html_holds_no_element_of_a_documents_making():
    page = Page()
    page.feed(rendered("html", hostile()))
    assert page.bad == []
    assert {"script", "img", "b", "iframe"}.isdisjoint(page.tags)
    assert EVIL[:20] in "".join(page.said)


def test_markdown_calls_nobody_and_opens_no_element():
    text = rendered("markdown", hostile())
    page = Page()
    page.feed(MarkdownIt("commonmark").enable("table").render(text))
    assert page.bad == []
    assert page.tags <= {
        "h2", "h3", "p", "table", "thead", "tbody", "tr", "th", "td", "strong", "details", "summary", "b", "ul", "li",
        "code", "pre", "sub", "blockquote",
    }  # fmt: skip
    said = "".join(page.said)
    assert "a <b onclick" in said
    assert re.findall(r"@\w|#\d|://|www\.", said) == []
    assert text.splitlines().count("</details>") == 4


def test_junit_and_json_keep_what_was_said_in_escapes():
    root = etree.fromstring(rendered("junit", hostile()).encode())
    assert "\\u001b[31m" in root[0].get("name")
    assert json.loads(rendered("json", hostile()))["contracts"][0]["name"] == EVIL


@pytest.mark.parametrize(("text", "safe"), [
    ("plain ü 漢 😀", "plain ü 漢 😀"),
    ("a\nb\tc\rd", r"a\nb\tc\rd"),
    ("\x1b[2J", r"\u001b[2J"),
    ("\u202eevil\u2069", r"\u202eevil\u2069"),
    ("  ::error::x", r"  :\u003aerror::x"),
    ("##[add-path]x ##vso[y] ##teamcity[z] ## title", r"#\u0023[add-path]x #\u0023vso[y] #\u0023teamcity[z] ## title"),
    ("\U000e0041", r"\U000e0041"),
])  # fmt: skip
def test_text_is_made_visible(text, safe):
    assert visible(text) == safe


def test_long_text_is_cut():
    assert visible("x" * 5_000, 10) == "x" * 10 + "…"
