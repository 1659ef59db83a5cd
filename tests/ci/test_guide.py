"""The guide for pipeline owners: its commands exist, its snippets are YAML, and what they name is there."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ci.report import EXIT_CODES
from cli.ci_reports import FORMATS
from cli.main import interlock
from tests.ci.scratch_repository import Scratch
from tests.ci.ways import run

GUIDE = (Path(__file__).resolve().parents[2] / "docs/guide/ci.md").read_text(encoding="utf-8")
SNIPPETS = re.findall(
    r"^```(\w*)\n(.*?)^```$", re.sub(r"(?m)^  (?=```|interlock)", "", GUIDE), re.MULTILINE | re.DOTALL
)
COMMANDS = [
    line.split("interlock ", 1)[1]
    for _, text in SNIPPETS
    for line in re.sub(r"\n +--report", " --report", text).splitlines()
    if re.search(r"(^|run: >|entry: |- )\s*interlock |^\s+interlock ", line)
]


def test_the_guide_shows_commands():
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_of_the_guide_exists_with_its_options(command):
    result = CliRunner().invoke(interlock, [*shlex.split(command), "--help"])
    assert result.exit_code == 0, result.output
    assert "Usage: " in result.output


@pytest.mark.parametrize("text", [text for kind, text in SNIPPETS if kind == "yaml"])
def test_every_snippet_is_yaml(text):
    assert yaml.safe_load(text)


def test_the_tables_name_every_report_and_every_exit_code():
    assert set(re.findall(r"^\| `(\w+)` \| [^|]+ \|$", GUIDE, re.MULTILINE)) >= set(FORMATS)
    codes = re.search(r"## Exit codes\n(.*?)\n## ", GUIDE, re.DOTALL)[1]
    assert {int(code) for code in re.findall(r"^\| (\d) ", codes, re.MULTILINE)} == {
        *EXIT_CODES.values(),
        2,
        4,
    }


def test_the_github_step_runs_as_it_is_written(tmp_path):
    repo = Scratch(tmp_path)
    repo.git("update-ref", "refs/remotes/origin/main", "main")
    command = next(text for text in COMMANDS if "GITHUB_BASE_REF" in text).replace("$GITHUB_BASE_REF", "main")
    code, text = run(repo.home, *shlex.split(command))
    assert (code, text) == (
        0,
        "interlock gate: unchanged. 3 contracts, none changed (compared with git:origin/main)\n",
    )
    assert (tmp_path / "interlock.sarif").is_file()
    assert (tmp_path / "comment.md").read_text().startswith("<!-- interlock-gate -->\n")
