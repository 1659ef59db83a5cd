"""Documentation cannot lag: every setting, command, code and link is checked against the program."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import msgspec
import pytest

from ci.project import ContractsTable, Tables
from registry.compat.policy_tables import CompatTable, Override, Waiver
from registry.lint.table import LintTable

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


def test_the_written_reference_is_what_the_program_says() -> None:
    run = subprocess.run(
        [sys.executable, "scripts/write_reference.py", "--check"],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = LINK.findall(page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []


def test_every_key_of_interlock_toml_is_documented() -> None:
    text = (ROOT / "docs/reference/interlock-toml.md").read_text(encoding="utf-8")
    for table in msgspec.structs.fields(Tables):
        kind = "[[waiver]]" if table.encode_name == "waiver" else f"[{table.encode_name}]"
        assert f"`{kind}`" in text
    for struct in (ContractsTable, CompatTable, Override, LintTable, Waiver):
        for name in struct.__struct_fields__:
            assert f"| `{name}` |" in text, (struct.__name__, name)


def test_the_changelog_names_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    first = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first is not None
    assert first[1] == version


def test_every_topic_can_be_explained_and_says_something() -> None:
    from cli.topics import topics

    known = list(topics())
    assert len({(topic.kind, topic.code) for topic in known}) == len(known)
    assert [topic.code for topic in known if len(topic.text.split()) < 3] == []
    assert {"exit-codes", "settings", "document-unreadable"} <= {topic.code for topic in known}


def test_every_error_class_has_a_code_of_its_own_words() -> None:
    from cli.topics import error_topics

    shapeless = [
        topic.code for topic in error_topics() if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", topic.code)
    ]
    assert shapeless == []


def test_the_readme_shows_only_commands_that_exist() -> None:
    from cli.main import COMMANDS

    text = (ROOT / "README.md").read_text(encoding="utf-8")
    named = set(re.findall(r"interlock ([a-z]+)", text))
    assert named <= set(COMMANDS), named - set(COMMANDS)
    for target in re.findall(r"make ([a-z-]+)", text):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target


def test_the_map_of_the_house_names_only_what_is_there() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    files = re.findall(r"`([a-z_]+/[a-z0-9_/]+\.py)`", text)
    assert len(files) > 30
    assert [name for name in files if not (ROOT / name).is_file()] == []
    pages = re.findall(r"\]\(([a-z/-]+\.md)\)", text)
    assert [name for name in pages if not (ROOT / "docs" / name).is_file()] == []


def test_every_decision_has_a_number_of_its_own() -> None:
    pages = sorted((ROOT / "docs/adr").glob("*.md"))
    numbers = [page.name[:4] for page in pages]
    assert len(set(numbers)) == len(numbers)
    for page in pages:
        assert page.read_text(encoding="utf-8").startswith(f"# {int(page.name[:4])}. "), page.name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_no_row_is_cut_off_its_table(page: Path) -> None:
    lines = ["", *page.read_text(encoding="utf-8").splitlines(), ""]
    alone = [
        line
        for before, line, after in zip(lines, lines[1:], lines[2:], strict=False)
        if line.startswith("|") and not before and not re.match(r"\|[\s:|-]*-", after)
    ]
    assert alone == []
