"""The demonstration as a user runs it: every act goes as told, ends with 0, and leaves no process behind."""

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from tests.house.running import clean_environment

pytestmark = pytest.mark.house

# One phrase of each step that issue and README promise.
TOLD = (
    "The registry is empty",
    "interfaces are frozen",
    "the running proxy took it up by itself",
    "A valid order passed to the simulated laboratory: 201",
    "A bad order was refused: 422 body-invalid: /patient/identifiers/0/value (required), /priority (enum)",
    "An undeclared operation was refused: 404 not-found",
    "A wrong media type was refused: 415 media-type-unsupported",
    "A guessed key was refused: 401",
    "429 with Retry-After",
    "the consumer got 502 and saw nothing of that answer",
    "AA in original mode; CA, then AA in enhanced mode",
    "Each became a canonical lab-result",
    "lies in the dead letters",
    "Replayed after the fix, it succeeded: a third event",
    "replayed again, was refused",
    "The candidate 1.1.0-rc.1 breaks whoever relies on 1.0.0",
    "pinned ward-terminals stay on 1.0.0",
    "The log of all of this verifies",
    "the verification names it",
    "went as told",
    "Everything was stopped",
)
PLANTED = (b"Sandberg", b"Ylva", b"70012345")


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    data = tmp_path_factory.mktemp("demo") / "data"
    run = subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--exit", "--data", str(data)],
        env=clean_environment(), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    log = data / "demo.log"
    assert run.returncode == 0, (
        run.stdout[-3000:] + run.stderr + (log.read_text()[-3000:] if log.exists() else "")
    )
    return run.stdout, data


@pytest.mark.parametrize("phrase", TOLD)
def test_the_story_tells(told: tuple[str, Path], phrase: str) -> None:
    assert phrase in told[0]


def test_what_is_counted_is_shown_or_said_to_be_left_out(told: tuple[str, Path]) -> None:
    _, _, act = told[0].partition("breaks whoever relies on 1.0.0: ")
    count = int(act.split()[0])
    shown = [line for line in act.partition("✓")[0].splitlines() if " at /" in line]
    left = count - len(shown)
    assert (f"… and {left} more\n" in act) is (left > 0)
    assert len(shown) == min(count, 3)


def test_no_command_is_told_twice_in_a_row(told: tuple[str, Path]) -> None:
    lines = told[0].splitlines()
    assert [one for one, after in pairwise(lines) if one == after and "$" in one] == []


def test_no_health_data_lies_readable_in_any_file(told: tuple[str, Path]) -> None:
    readable = {
        str(path.relative_to(told[1])): word
        for path in told[1].rglob("*")
        if path.is_file()
        for word in PLANTED
        if word in path.read_bytes()
    }
    # Examples of a contract are the author's own text, and are published with it.
    examples = {name for name in readable if name.startswith(("bundle/", "registry.db"))}
    assert set(readable) - examples == set()


def test_the_whole_log_verifies_afterwards(told: tuple[str, Path]) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "cli", "audit", "verify", "--data", str(told[1]), "--format", "json"],
        env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stdout + run.stderr
    assert json.loads(run.stdout)


def test_a_folder_of_somebody_else_is_never_removed(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    run = subprocess.run(
        [sys.executable, "-m", "cli", "demo", "--exit", "--data", str(tmp_path)],
        env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert run.returncode == 2
    assert (tmp_path / "thesis.txt").read_text() == "mine"
