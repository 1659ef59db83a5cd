"""`interlock ci gate`: options, exit codes, reports written to files."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from ci.errors import BaseUnusable, NoContracts
from cli.ci import ci
from cli.ci_reports import FORMATS
from cli.main import main

ROOT = Path(__file__).resolve().parents[2]
NOBODY = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.org")
BREAKING = str(ROOT / "contracts/samples/lab-orders-breaking")


def run(*arguments):
    result = CliRunner().invoke(ci, ["gate", *arguments], standalone_mode=False)
    assert result.exception is None, result.exception
    return int(result.return_value), result.stdout


def test_a_contract_alone_passes():
    code, text = run(str(ROOT / "contracts/vitals"))
    assert code == 0
    assert text.startswith(
        "PASSED: 1 contract, nobody is broken (compared with the other versions in this tree)\n\n"
        "✓ vitals 1.0.0  contracts/vitals/1.0.0/openapi.yaml\n"
        "  passed: a first version, nothing to compare it with\n"
    )


def test_a_breaking_candidate_fails_with_1():
    code, text = run(BREAKING, "--against", str(ROOT / "contracts/lab-orders/1.0.0"), "--format", "json")
    body = json.loads(text)
    assert (code, body["status"]) == (1, "failed")
    found = body["contracts"][0]["comparisons"][0]
    assert (found["base"], found["verdict"]) == ("1.0.0", "breaking")
    assert any(row["witness"] for row in found["findings"])


def test_several_reports_are_written_in_one_run(tmp_path):
    reports = [f"--report={kind}={tmp_path / 'out' / kind}" for kind in FORMATS]
    code, _ = run(BREAKING, "--against", str(ROOT / "contracts/lab-orders/1.0.0"), *reports)
    assert code == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == set(FORMATS)
    assert json.loads((tmp_path / "out/json").read_text())["status"] == "failed"


@pytest.mark.parametrize("arguments", [
    ["--report", "sarif"], ["--report", "pdf=x"], ["--against", "/nowhere/at/all"], ["/nowhere/at/all"],
])  # fmt: skip
def test_wrong_usage_ends_with_2(capsys, arguments):
    with pytest.raises(SystemExit) as ended:
        main(
            ["ci", "gate", *arguments]
            if arguments[0].startswith("/")
            else ["ci", "gate", BREAKING, *arguments]
        )
    assert ended.value.code == 2
    assert capsys.readouterr().err


def test_a_registry_that_does_not_answer_is_undecided(tmp_path):
    token = tmp_path / "token"
    token.write_text("t")
    code, text = run(
        BREAKING, "--against", "registry", "--registry", "http://127.0.0.1:9", "--token-file", str(token)
    )
    assert code == 3
    assert "does not answer" in text


def test_contracts_anywhere_are_judged_though_interlock_toml_names_no_folder(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "contracts/vitals", tmp_path / "apis/vitals")
    (tmp_path / "interlock.toml").write_text('[compat]\nprofile = "strict"\n')
    for command in (["init", "-q"], ["add", "-A"], [*NOBODY, "commit", "-qm", "One"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    code, text = run("--against", "git:HEAD")
    assert (code, text.splitlines()[0]) == (0, "UNCHANGED: 1 contract, none changed (compared with git:HEAD)")

    document = tmp_path / "apis/vitals/1.0.0/openapi.yaml"
    document.write_text(document.read_text().replace("required: [", "required: [added, "))
    assert run("--against", "git:HEAD")[0] == 1
    # A folder that is new does not narrow what is looked at.
    (tmp_path / "interlock.toml").unlink()
    (tmp_path / "contracts").mkdir()
    assert run("--against", "git:HEAD")[0] == 1


def test_nothing_to_judge_is_no_pass(tmp_path, monkeypatch):
    shutil.copytree(ROOT / "contracts/vitals", tmp_path / "apis/vitals")
    (tmp_path / "interlock.toml").write_text('[contracts]\npaths = ["nothing"]\n')
    for command in (["init", "-q"], ["add", "-A"], [*NOBODY, "commit", "-qm", "One"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(ci, ["gate", "--against", "git:HEAD"], standalone_mode=False)
    assert isinstance(result.exception, NoContracts), result.stdout


def test_a_registry_that_nobody_named_is_a_wrong_option(tmp_path, monkeypatch):
    monkeypatch.setenv("INTERLOCK_DATA_DIR", str(tmp_path))
    result = CliRunner().invoke(ci, ["gate", str(ROOT / "contracts/vitals"), "--against", "registry"])
    assert result.exit_code == 2
    assert "--registry URL" in result.output


def test_an_empty_folder_is_no_base(tmp_path):
    vitals = str(ROOT / "contracts/vitals")
    result = CliRunner().invoke(ci, ["gate", vitals, "--against", str(tmp_path)], standalone_mode=False)
    assert isinstance(result.exception, BaseUnusable), result.stdout
    assert "there is no contract below" in result.exception.message
