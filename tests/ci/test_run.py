"""One run of the gate as a pipeline sees it: exit codes, mixed outcomes, waivers, crashes, the same bytes everywhere."""

import json
import os
import subprocess
import sys
from datetime import date
from importlib import import_module
from pathlib import Path

import pytest

import ci.bases
import ci.contracts
from ci.bases import FileBase
from ci.commit_base import commit
from ci.gate import Question, run_gate
from ci.report import Status
from cli.ci_reports import FORMATS
from kernel.errors import InterlockError
from kernel.settings import load
from registry.compat.policy_judge import Policy
from tests.ci.scratch_repository import DAY, ORDERS, Scratch
from tests.ci.ways import COMMAND, run

SETTINGS = load(environ={})
NARROWER = ("maximum: 4", "maximum: 2")
WIDER = ("maximum: 4", "maximum: 8")
MOVED = ("/meal-orders/v1", "/kitchen/meal-orders/v1")
NO_NOTE = ("                note:\n                  description: For the kitchen.\n                  type: string\n                  maxLength: 200\n", "")  # fmt: skip
OPEN = ("              additionalProperties: false\n              required: [patient, meal]", "              required: [patient, meal]")  # fmt: skip


@pytest.fixture
def repo(tmp_path):
    return Scratch(tmp_path)


def told(repo, *arguments):
    code, text = run(repo.home, *COMMAND, "--format", "json", *arguments)
    body = json.loads(text)
    assert body["exit_code"] == code
    return code, {f"{one['name']} {one['version']}": one for one in body["contracts"]}, body


@pytest.mark.parametrize(("edits", "code", "status"), [
    ((), 0, "unchanged"),
    ((WIDER,), 0, "passed"),
    ((NARROWER,), 1, "failed"),
    ((MOVED,), 3, "undecided"),
    ((NARROWER, MOVED), 1, "failed"),  # what is proven to break outranks what is not known
])  # fmt: skip
def test_exit_codes_of_one_contract(repo, edits, code, status):
    if edits:
        repo.next("meal-orders", "1.1.0", *edits)
    found = told(repo)
    assert (found[0], found[2]["status"]) == (code, status)


def test_a_new_version_must_not_break_another_new_one_before_it(repo):
    added = ("                note:\n", "                extra: {type: TYPE}\n                note:\n")
    for version, kind in (("1.1.0", "string"), ("1.2.0", "integer"), ("2.0.0", "boolean")):
        repo.next("meal-orders", version, (added[0], added[1].replace("TYPE", kind)))
    code, found, _ = told(repo)
    assert code == 1
    statuses = {label: one["status"] for label, one in found.items() if label.startswith("meal-orders")}
    assert statuses == {
        "meal-orders 1.0.0": "unchanged", "meal-orders 1.1.0": "passed",
        "meal-orders 1.2.0": "failed", "meal-orders 2.0.0": "passed",
    }  # fmt: skip
    verdicts = [(one["base"], one["verdict"]) for one in found["meal-orders 1.2.0"]["comparisons"]]
    assert verdicts == [("1.0.0", "compatible"), ("1.1.0", "breaking")]


def test_one_that_fails_outranks_one_that_is_undecided(repo):
    repo.next("meal-orders", "1.1.0", MOVED)
    repo.next("bed-events", "1.1.0", ("[bed, at]", "[bed]"))
    code, found, _ = told(repo)
    assert (code, found["meal-orders 1.1.0"]["status"], found["bed-events 1.1.0"]["status"]) == (
        1, "undecided", "failed",
    )  # fmt: skip


def test_risky_findings_fail_unless_only_breaks_shall(repo):
    repo.edit("contracts/meal-orders/1.0.0/openapi.yaml", OPEN)
    repo.commit("Open objects")
    repo.next("meal-orders", "1.1.0", NO_NOTE)
    code, found, _ = told(repo)
    severities = {row["severity"] for row in found["meal-orders 1.1.0"]["comparisons"][0]["findings"]}
    assert (code, "risky" in severities, "breaking" in severities) == (1, True, False)
    code, found, body = told(repo, "--fail-on", "breaking")
    assert (code, found["meal-orders 1.1.0"]["required_bump"], body["fail_on"]) == (0, "minor", "breaking")


def waiver(fingerprint, expires="2026-12-31", contract="meal-orders"):
    return f'[[waiver]]\nfingerprint = "{fingerprint}"\nowner = "Ada"\nreason = "agreed"\nexpires = {expires}\ncontract = "{contract}"\n'


def test_waived_findings_pass_are_told_and_fail_once_they_are_over(repo):
    repo.next("meal-orders", "1.1.0", NARROWER)
    _, found, _ = told(repo)
    blocking = {
        row["fingerprint"]
        for row in found["meal-orders 1.1.0"]["comparisons"][0]["findings"]
        if row["severity"] in {"breaking", "risky", "undecided"}
    }
    repo.write("interlock.toml", "".join(map(waiver, sorted(blocking))))
    code, found, _ = told(repo)
    assert (code, found["meal-orders 1.1.0"]["status"]) == (0, "passed")
    _, text = run(repo.home, *COMMAND)
    assert text.startswith("PASSED: 4 contracts, nobody is broken but by what was accepted (")
    assert "passed: compatible with 1.0.0 but for what was accepted; " in text
    assert "[breaking, waived]" in text
    assert "waived:  until 2026-12-31 by Ada: agreed" in text
    _, sarif = run(repo.home, *COMMAND, "--format", "sarif")
    results = json.loads(sarif)["runs"][0]["results"]
    assert {row["suppressions"][0]["status"] for row in results if "suppressions" in row} == {"accepted"}
    assert "<skipped message=" in run(repo.home, *COMMAND, "--format", "junit")[1]
    assert "<failure" not in run(repo.home, *COMMAND, "--format", "junit")[1]
    assert "::error" not in run(repo.home, *COMMAND, "--format", "github")[1]

    code, text = run(repo.home, *COMMAND[:-1], "2027-01-01")
    assert code == 1
    assert "✗ interlock.toml" in text
    assert "waiver-expired" in text


def test_a_waiver_that_nothing_needs_fails_where_it_is_written(repo):
    repo.write("interlock.toml", "# why\n" + waiver("0" * 16))
    assert told(repo)[0] == 0  # meal-orders is unchanged: nothing was looked for
    repo.next("meal-orders", "1.1.0", WIDER)
    code, _, body = told(repo)
    assert code == 1
    assert [(row["rule"], row["source"]["file"], row["source"]["line"]) for row in body["waivers"]] == [
        ("waiver-stale", "interlock.toml", 2)
    ]


def test_interlock_toml_says_where_contracts_lie(repo):
    repo.git("mv", "contracts", "apis")
    repo.write("interlock.toml", '[contracts]\npaths = ["apis"]\n')
    repo.write("other/contracts/meal-orders/openapi.yaml", "no contract of ours")
    repo.commit("Moved")
    code, found, _ = told(repo)
    assert (code, sorted(found)) == (0, ["bed-events 1.0.0", "meal-orders 1.0.0", "patient-ref 1.0.0"])


def test_an_interlock_toml_of_the_change_itself_hides_nothing(repo):
    repo.write("interlock.toml", '[contracts]\npaths = ["apis"]\n')
    repo.contract("fresh", "1.0.0", "openapi", "Fresh", repo.pinned(ORDERS))
    (repo.home / "apis/fresh").mkdir(parents=True)
    (repo.home / "contracts/fresh/1.0.0").rename(repo.home / "apis/fresh/1.0.0")
    code, found, _ = told(repo)
    gone = {
        label for label, one in found.items() if [row["rule"] for row in one["frozen"]] == ["version-removed"]
    }
    assert (code, gone) == (1, {"bed-events 1.0.0", "meal-orders 1.0.0", "patient-ref 1.0.0"})


def test_paths_of_another_repository_are_named_in_full(repo, tmp_path):
    other = Scratch(tmp_path.parent / f"{tmp_path.name}-second")
    other.next("bed-events", "1.0.1")
    code, text = run(repo.home, "ci", "gate", "contracts", str(other.home / "contracts/bed-events/1.0.1"))
    assert code == 0
    assert f"✓ bed-events 1.0.1  {other.home}/contracts/bed-events/1.0.1/asyncapi.yaml" in text


def test_one_file_is_a_base_with_or_without_a_meta_yaml(repo, tmp_path):
    kept = tmp_path / "kept.yaml"
    kept.write_text((repo.home / "contracts/meal-orders/1.0.0/openapi.yaml").read_text())
    repo.next("meal-orders", "1.1.0", NARROWER)
    for file in (kept, repo.home / "contracts/meal-orders/1.0.0/openapi.yaml"):
        code, text = run(
            repo.home, "ci", "gate", "contracts/meal-orders/1.1.0", "--against", str(file), "--format", "json"
        )
        one = json.loads(text)["contracts"][0]
        assert (code, [row["base"] for row in one["comparisons"]]) == (1, ["1.0.0"])
    question = Question(
        repo.home, (repo.home / "contracts/bed-events",), SETTINGS, Policy(date(2026, 11, 26))
    )
    report = run_gate(question, FileBase(repo.home / "contracts/meal-orders/1.0.0/openapi.yaml"))
    assert (str(report.status), report.contracts[0].error.rule) == ("undecided", "contract-not-judged")


def test_a_file_that_is_no_document_is_no_base(repo, capsys):
    for name, text in (("cut.yaml", "openapi: [3.1.0\n"), ("twice.json", '{"a": 1, "a": 2}')):
        file = repo.home.parent / name
        file.write_text(text)
        code, _ = run(repo.home, "ci", "gate", "contracts/meal-orders", "--against", str(file))
        told = capsys.readouterr().err
        assert code == 2
        assert "base-unusable" in told
        assert name in told


def test_without_a_base_a_single_version_is_compared_with_its_siblings(repo):
    repo.next("meal-orders", "1.1.0", NARROWER)
    code, text = run(repo.home, "ci", "gate", "contracts/meal-orders/1.1.0", "--format", "json")
    assert (code, json.loads(text)["contracts"][0]["comparisons"][0]["base"]) == (1, "1.0.0")


def test_a_contract_that_changes_its_kind_fails(repo):
    text = (repo.home / "contracts/bed-events/1.0.0/asyncapi.yaml").read_text().replace("1.0.0", "1.1.0")
    repo.contract("meal-orders", "1.1.0", "asyncapi", "Meal orders", text)
    code, found, _ = told(repo)
    one = found["meal-orders 1.1.0"]
    assert code == 1
    assert [row["rule"] for row in one["comparisons"][0]["findings"]] == ["kinds-differ"]
    assert [row["rule"] for row in one["lint"]][:1] == ["kind-changed"]


def test_numbers_and_kinds_agree_with_the_document_and_only_grow(repo):
    repo.next("meal-orders", "1.2.0")
    repo.commit("1.2.0")
    repo.next("meal-orders", "1.1.0", ("version: 1.1.0", "version: 7.0.0"))
    repo.edit("contracts/meal-orders/1.1.0/meta.yaml", ("kind: openapi", "kind: schema"))
    code, found, _ = told(repo)
    lint = {row["rule"]: row for row in found["meal-orders 1.1.0"]["lint"]}
    assert code == 1
    assert {"version-not-newer", "meta-kind-mismatch", "document-version-differs"} <= lint.keys()
    place = {"file": "contracts/meal-orders/1.1.0/meta.yaml", "line": 2, "column": 1}
    assert lint["version-not-newer"]["source"] == place
    assert [row["base"] for row in found["meal-orders 1.1.0"]["comparisons"]] == ["1.0.0"]


@pytest.mark.parametrize("place", ["ci.tree.read", "ci.gate.lint_contract", "ci.gate.compare_with"])
@pytest.mark.parametrize("error", [RuntimeError("a secret"), RecursionError(), MemoryError()])
def test_one_that_breaks_us_is_undecided_and_hides_nobody(repo, monkeypatch, place, error):
    repo.next("meal-orders", "1.1.0", WIDER)
    repo.next("bed-events", "1.0.1", ("Its number.", "The number."))
    module, _, name = place.rpartition(".")
    real = getattr(import_module(module), name)

    def breaks(subject, *rest, **more):
        if "bed-events" in str(getattr(subject, "folder", subject)):
            raise error
        return real(subject, *rest, **more)

    monkeypatch.setattr(place, breaks)
    traces = []
    with commit("main", repo.home) as base:
        report = run_gate(
            Question(
                repo.home,
                (repo.home / "contracts",),
                SETTINGS,
                Policy(date(2026, 11, 26)),
                trace=traces.append,
            ),
            base,
        )
    found = {one.label: one for one in report.contracts}
    assert found["bed-events 1.0.1"].status is Status.UNDECIDED
    assert found["bed-events 1.0.1"].error.rule == "contract-not-judged"
    assert "secret" not in found["bed-events 1.0.1"].error.what
    assert found["meal-orders 1.1.0"].status is Status.PASSED
    assert report.exit_code == 3
    assert len(traces) == 1


def test_a_schema_that_breaks_us_hides_no_contract_beside_it(repo, monkeypatch):
    repo.next("patient-ref", "1.0.1", ("Who a thing is about.", "Whom it is about."))
    repo.next("bed-events", "1.0.1", ("Its number.", "The number."))
    real = ci.contracts.read

    def breaks(folder):
        if "patient-ref/1.0.1" in str(folder.path):
            raise RecursionError
        return real(folder)

    for place in ("ci.tree.read", "ci.users.read"):
        monkeypatch.setattr(place, breaks)
    code, found, _ = told(repo)
    assert (code, found["bed-events 1.0.1"]["status"], found["patient-ref 1.0.1"]["status"]) == (
        3, "passed", "undecided",
    )  # fmt: skip


def test_a_token_that_is_refused_ends_the_run(repo):
    class NotAllowed(InterlockError):
        """No."""

        exit_code = 4

    def get(*path, **query):
        raise NotAllowed("the token is not valid")

    question = Question(repo.home, (repo.home / "contracts",), SETTINGS, Policy(date(2026, 11, 26)))
    with pytest.raises(NotAllowed):
        run_gate(question, ci.bases.RegistryBase(get))


def test_unchanged_contracts_are_not_even_read(repo, monkeypatch):
    def read(*_):
        raise AssertionError("it was read")

    monkeypatch.setattr(ci.contracts, "inline_files", read)
    assert told(repo)[2]["status"] == "unchanged"


def test_the_reports_are_the_same_bytes_wherever_and_however_it_runs(repo, tmp_path):
    repo.next("meal-orders", "1.1.0", NARROWER, ("For the kitchen.", "Für die Küche."))
    repo.next("bed-events", "1.1.0", ("[bed, at]", "[bed]"))
    outputs = []
    for number, (cwd, paths, variables) in enumerate(
        (
            (repo.home, ("contracts",), {"PYTHONHASHSEED": "1", "LC_ALL": "C"}),
            (repo.home / "contracts", (str(repo.home / "contracts"),), {"PYTHONHASHSEED": "77", "LC_ALL": "C.UTF-8", "TZ": "Asia/Tokyo"}),
            (repo.home, ("contracts/meal-orders", "contracts/patient-ref", "contracts/bed-events"), {"PYTHONHASHSEED": "3", "LANG": "de_DE.ISO-8859-1", "PYTHONUTF8": "0"}),
        )
    ):  # fmt: skip
        reports = [f"--report={kind}={tmp_path}-out/{number}/{kind}" for kind in FORMATS]
        environment = {**os.environ, **variables}
        ended = subprocess.run(
            [sys.executable, "-m", "cli", "ci", "gate", *paths, "--against", "git:main", "--as-of", DAY, *reports],
            cwd=cwd, env=environment, capture_output=True, timeout=120, check=False,
        )  # fmt: skip
        assert ended.returncode == 1, ended.stderr
        files = {kind: Path(f"{tmp_path}-out/{number}/{kind}").read_bytes() for kind in FORMATS}
        outputs.append({**files, "stdout": ended.stdout})
    assert outputs[0] == outputs[1] == outputs[2]
    assert outputs[0]["text"] == outputs[0]["stdout"]
    assert str(tmp_path).encode() not in b"".join(outputs[0].values())


def test_the_order_of_files_on_disk_does_not_matter(repo, monkeypatch):
    repo.next("meal-orders", "1.1.0", NARROWER)
    repo.next("bed-events", "1.1.0", ("[bed, at]", "[bed]"))
    before = run(repo.home, *COMMAND)
    real = os.walk

    def backwards(top, **more):
        for place, folders, files in real(top, **more):
            folders.reverse()
            yield place, folders, files[::-1]

    monkeypatch.setattr(os, "walk", backwards)
    assert run(repo.home, *COMMAND) == before


@pytest.mark.parametrize(("arguments", "said"), [
    (["--report", "sarif"], "write KIND=PATH"),
    (["--report", "pdf=x"], "write KIND=PATH"),
    (["--report", "sarif=-", "--format", "json"], "one report can be printed"),
    (["--report", "sarif=-", "--report", "json=-"], "one report can be printed"),
    (["--report", "sarif=a", "--report", "json=a"], "name the same file"),
    (["--against", "nowhere"], "no such file or folder"),
    (["--against", "git:nowhere"], "knows no commit"),
    (["--as-of", "tomorrow"], "is no date"),
    (["nowhere"], "does not exist"),
])  # fmt: skip
def test_wrong_usage_ends_with_2_and_says_why(repo, capsys, arguments, said):
    code, _ = run(repo.home, "ci", "gate", *arguments)
    assert (code, said in capsys.readouterr().err) == (2, True)


def test_a_report_can_be_printed_by_its_kind(repo):
    code, text = run(repo.home, *COMMAND, "--report", "markdown=-")
    assert (code, text.startswith("<!-- interlock-gate -->")) == (0, True)
