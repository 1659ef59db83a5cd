"""Release notes: what each version brings, by kind and operation, in every form; complete or not, and said so."""

import base64
import hashlib
import itertools
import json
import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser
from importlib import import_module
from pathlib import Path

import jsonschema
import pytest

from ci.changelog import Change, Changelog, Release, Sort
from cli.ci_changelog import NOTES
from kernel.contract.finding import Bump
from tests.ci.reports import EVIL
from tests.ci.scratch_repository import DAY, Scratch
from tests.ci.ways import run

ROOT = Path(__file__).resolve().parents[2]
COMMAND = ("ci", "changelog", "--as-of", DAY)
DIET = (
    "                note:\n",
    (
        "                diet:\n                  description: What to leave out.\n                  type: string\n"
        "                  maxLength: 100\n                note:\n"
    ),
)


@pytest.fixture
def repo(tmp_path):
    return Scratch(tmp_path)


def notes(repo, *arguments):
    code, text = run(repo.home, *COMMAND, "--format", "json", *arguments)
    return code, {f"{one['contract']} {one['version']}": one for one in json.loads(text)["releases"]}


def test_nothing_new_is_said(repo):
    code, text = run(repo.home, *COMMAND, "--against", "git:main")
    assert (code, text) == (0, "# Changes\n\nCompared with git:main.\n\nNothing changed.\n")


def test_a_version_is_told_since_the_one_before_it_by_kind_and_operation(repo):
    repo.next("meal-orders", "1.1.0", DIET, ("maximum: 4", "maximum: 8"))
    repo.next("meal-orders", "2.0.0", DIET, ("maximum: 4", "maximum: 2"), ("      operationId: cancelOrder", "      deprecated: true\n      operationId: cancelOrder"))  # fmt: skip
    code, found = notes(repo, "--against", "git:main")
    assert (code, list(found)) == (0, ["meal-orders 2.0.0", "meal-orders 1.1.0"])
    first, second = found["meal-orders 1.1.0"], found["meal-orders 2.0.0"]
    assert (first["since"], second["since"]) == ("1.0.0", "1.1.0")
    assert first["summary"] == "Since 1.0.0. Whoever used the version before it can go on unchanged."
    assert {(one["sort"], one["where"]) for one in first["changes"]} >= {("added", "POST /orders")}
    assert not any(one["sort"] == "breaking" for one in first["changes"])
    told = {(one["sort"], one["where"]) for one in second["changes"]}
    assert told >= {("breaking", "POST /orders"), ("deprecated", "DELETE /orders/{orderId}")}
    assert second["summary"].startswith("Since 1.1.0. 1 change can break callers:")
    assert [one["values"] for one in second["changes"] if one["rule"] == "value-no-longer-accepted"] == [
        "8 → 2"
    ]


def test_without_a_base_every_version_of_the_tree_is_told(repo):
    repo.next("bed-events", "1.1.0", ("[bed, at]", "[bed]"))
    code, found = notes(repo)
    assert code == 0
    assert found["bed-events 1.0.0"]["summary"] == "The first version."
    assert found["bed-events 1.1.0"]["since"] == "1.0.0"


def test_an_edited_version_is_told_against_itself_and_a_removed_one_as_withdrawn(repo):
    repo.edit("contracts/meal-orders/1.0.0/openapi.yaml", ("maximum: 4", "maximum: 5"))
    shutil.rmtree(repo.home / "contracts/bed-events")
    code, found = notes(repo, "--against", "git:main")
    assert code == 0
    assert {label: (one["since"], one["withdrawn"]) for label, one in found.items()} == {
        "bed-events 1.0.0": (None, True), "meal-orders 1.0.0": ("1.0.0", False),
    }  # fmt: skip


def test_notes_that_lack_a_version_say_so_and_end_with_3(repo):
    repo.edit(
        "contracts/meal-orders/1.0.0/openapi.yaml", ("openapi: 3.1.0\n", "openapi: 3.1.0\nopenapi: 3.1.0\n")
    )
    repo.next("bed-events", "1.0.1", ("Its number.", "The number of the bed."))
    code, text = run(repo.home, *COMMAND, "--against", "git:main")
    assert code == 3
    assert "What changed could not be told: the key 'openapi' stands twice" in text
    assert "## bed-events 1.0.1" in text


def test_markdown_reads_as_a_changelog(repo):
    repo.next("meal-orders", "1.1.0", DIET)
    _, text = run(repo.home, *COMMAND, "--against", "git:main")
    assert text.startswith(
        "# Changes\n\nCompared with git:main.\n\n## meal-orders 1.1.0\n\n"
        "Meal orders. Since 1.0.0. Whoever used the version before it can go on unchanged.\n\n### Added\n\n**POST /orders**\n\n- "
    )


def test_the_notes_go_to_a_file_too(repo, tmp_path):
    code, text = run(repo.home, *COMMAND, "--format", "html", "--output", "out/notes.html")
    assert (code, text) == (0, "")
    assert (tmp_path / "out/notes.html").read_text().startswith("<!doctype html>")


def hostile():
    change = Change(Sort.BREAKING, EVIL, EVIL, EVIL, EVIL, EVIL, "0" * 16, waived=True)
    log = Release(EVIL, EVIL, EVIL, EVIL, EVIL, Bump.MAJOR, (change, replace(change, sort=Sort.ADDED)))
    return Changelog(EVIL, (log, replace(log, trouble=EVIL, changes=())))


@pytest.mark.parametrize("form", NOTES)
def test_text_from_documents_acts_on_nothing(form):
    text = import_module(NOTES[form]).render(hostile())
    assert re.findall("[\x00-\x09\x0b-\x1f\u200b\u202e\u2066\ufeff\u2028]", text) == []
    assert not any(line.lstrip().startswith("::") or "##[" in line for line in text.splitlines())


def test_json_is_valid_by_its_schema(repo):
    repo.next("meal-orders", "1.1.0", DIET)
    schema = json.loads((ROOT / "docs/reference/changelog.schema.json").read_text())
    for text in (
        run(repo.home, *COMMAND, "--format", "json")[1],
        import_module(NOTES["json"]).render(hostile()),
    ):
        jsonschema.Draft202012Validator(schema).validate(json.loads(text))


def test_the_policy_of_the_page_names_its_own_style_and_nothing_else():
    text = import_module(NOTES["html"]).render(hostile())
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', text)[1].replace(
        "&#39;", "'"
    )
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert " style=" not in text


def test_the_page_has_headings_in_order_and_nothing_that_loads_or_runs():
    class Page(HTMLParser):
        def __init__(self):
            super().__init__()
            self.tags = []

        def handle_starttag(self, tag, attrs):
            self.tags.append(tag)
            assert not {name for name, _ in attrs} & {"src", "style", "onclick", "action"}

    page = Page()
    page.feed(import_module(NOTES["html"]).render(hostile()))
    headings = [int(tag[1]) for tag in page.tags if re.fullmatch(r"h\d", tag)]
    assert headings[0] == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(headings))
    assert {"script", "link", "img", "iframe"}.isdisjoint(page.tags)
