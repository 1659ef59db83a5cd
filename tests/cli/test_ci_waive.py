"""`interlock ci waive` writes what the gate reads, and leaves the rest of the file as it was."""

import tomllib
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from ci.errors import ProjectInvalid
from ci.project import read_project
from ci.waiving import add_waiver, waiver_file
from cli.ci import ci
from registry.compat.policy_tables import Waiver

FINGERPRINT = "0123456789abcdef"
KEPT = '# ours\n[compat] # strict, for now\nprofile   = "strict"\n'


def waive(*more: str, config: Path | None = None) -> tuple[int, str]:
    arguments = ["waive", FINGERPRINT, "--owner", "Ada Berg", "--reason", 'she said "yes"\\', *more]
    if config is not None:
        arguments += ["--config", str(config)]
    result = CliRunner().invoke(ci, arguments)
    return result.exit_code, result.output


def test_it_adds_to_the_end_and_keeps_the_text(tmp_path: Path) -> None:
    file = tmp_path / "interlock.toml"
    file.write_text(KEPT)
    file.chmod(0o640)
    code, said = waive(
        "--expires", "2099-01-31", "--contract", "lab-orders", "--rule", "operation-removed", config=file
    )
    assert code == 0, said
    assert file.read_text().startswith(KEPT)
    assert file.stat().st_mode & 0o777 == 0o640
    (waiver,) = read_project(file).waivers
    assert waiver == Waiver(
        FINGERPRINT, "Ada Berg", 'she said "yes"\\', date(2099, 1, 31), "lab-orders", "operation-removed"
    )
    assert str(file) in said
    assert sorted(one.name for one in tmp_path.iterdir()) == ["interlock.toml"]


def test_without_a_file_one_is_made_at_the_root_of_the_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "contracts" / "a").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "contracts" / "a")
    assert waive("--expires", "2099-01-31")[0] == 0
    assert waiver_file(Path()) == tmp_path / "interlock.toml"
    assert tomllib.loads((tmp_path / "interlock.toml").read_text())["waiver"][0]["owner"] == "Ada Berg"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--expires", "2020-01-01"], "is over already"),
        (["--expires", "soon"], "is no date"),
        ([], "--expires"),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, more: list[str], said: str) -> None:
    file = tmp_path / "interlock.toml"
    code, output = waive(*more, config=file)
    assert code == 2
    assert said in output
    assert not file.exists()


def test_a_fingerprint_must_be_one(tmp_path: Path) -> None:
    arguments = ["waive", "abc", "--owner", "a", "--reason", "b", "--expires", "2099-01-01"]
    result = CliRunner().invoke(ci, [*arguments, "--config", str(tmp_path / "interlock.toml")])
    assert result.exit_code == 2
    assert "16 hexadecimal digits" in result.output


def added(file: Path, contract: str | None = None) -> None:
    add_waiver(file, Waiver(FINGERPRINT, "Bo", "why", date(2099, 1, 1), contract))


def test_the_same_finding_is_not_waived_twice(tmp_path: Path) -> None:
    file = tmp_path / "interlock.toml"
    added(file, "vitals")
    added(file, "lab-orders")
    with pytest.raises(ProjectInvalid, match="Bo waived"):
        added(file, "vitals")
    added(file)
    with pytest.raises(ProjectInvalid, match="Bo waived"):
        added(file, "admissions")
    assert len(read_project(file).waivers) == 3


def test_a_file_that_cannot_take_it_stays_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "interlock.toml"
    file.write_text("waiver = []\n")
    with pytest.raises(ProjectInvalid, match="takes no"):
        added(file)
    assert file.read_text() == "waiver = []\n"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["interlock.toml"]


def test_line_ends_and_a_missing_last_one_are_respected(tmp_path: Path) -> None:
    file = tmp_path / "interlock.toml"
    file.write_bytes(b'[compat]\r\nprofile = "lenient"')
    added(file)
    assert file.read_bytes().startswith(b'[compat]\r\nprofile = "lenient"\r\n\r\n[[waiver]]\r\n')
    assert read_project(file).compat.profile == "lenient"
