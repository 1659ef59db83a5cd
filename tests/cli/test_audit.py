"""`interlock audit`: exit codes, and what is printed, in text and JSON."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner, Result

from cli.audit import audit
from kernel.audit.journal import Journal
from kernel.audit.record import act_record, exchange_record, operation_fields
from kernel.errors import InterlockError
from kernel.sealing.keys import KeyFolder

if TYPE_CHECKING:
    from pathlib import Path

CREATE = operation_fields(
    contract="lab-orders", version="1.1.0", digest=f"sha256:{'ab' * 32}", operation="createOrder", method="POST",
    route="/orders", adapter="laboratory",
)  # fmt: skip


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    key = KeyFolder(folder / "keys").ensure("audit", "audit-heads")
    proxy = Journal.open(folder / "audit", "proxy-0", key)
    for number in range(3):
        record = exchange_record(
            CREATE, "completed", request_id=f"r-{number}", client="192.0.2.7", consumer="ward-7", status=201,
            outcome="success",
        )  # fmt: skip
        proxy.append_and_wait(record)
    proxy.close()
    registry = Journal.open(folder / "audit", "registry", key)
    registry.append_and_wait(act_record(actor="amara", act="approved", subject="lab-orders 1.1.0"))
    registry.close()
    return folder


def _run(*words: object) -> Result:
    return CliRunner().invoke(audit, [str(word) for word in words], standalone_mode=False)


def test_a_whole_log_verifies(data: Path) -> None:
    done = _run("verify", "--data", data)
    assert done.return_value == 0
    assert done.output.splitlines()[-1] == "ok: 8 records of 2 writers stand as written and signed"
    body = json.loads(_run("verify", data, "--format", "json").output)
    assert (body["ok"], body["records"]) == (True, 8)


def test_one_changed_byte_of_a_copy_names_the_record(data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(data, copy)
    path = copy / "audit" / "proxy-0" / "00000001.jsonl"
    before = path.read_bytes()
    offset = before.index(b"r-1")
    path.write_bytes(before[:offset] + b"x" + before[offset + 1 :])
    done = _run("verify", copy)
    assert done.return_value == 1
    assert "BAD altered in 00000001.jsonl at byte" in done.output
    assert "record 3 was altered" in done.output
    body = json.loads(_run("verify", copy, "--format", "json").output)
    problem = body["writers"][0]["problem"]
    line = before[:offset].count(b"\n")
    assert (problem["reason"], problem["record"], problem["segment"]) == ("altered", line, "00000001.jsonl")
    assert _run("verify", data).return_value == 0


def test_heads_and_keys_may_be_kept_elsewhere(data: Path, tmp_path: Path) -> None:
    shutil.move(data / "audit-heads", tmp_path / "safe")
    shutil.copy(data / "keys" / "trust.json", tmp_path / "trust.json")
    shutil.move(data / "audit", tmp_path / "alone" / "logs")
    done = _run(
        "verify",
        tmp_path / "alone" / "logs",
        "--heads",
        tmp_path / "safe",
        "--trust",
        tmp_path / "trust.json",
    )
    assert done.return_value == 0


def test_what_cannot_be_decided_is_neither_yes_nor_no(data: Path, tmp_path: Path) -> None:
    done = _run("verify", data, "--trust", tmp_path / "none.json")
    assert isinstance(done.exception, InterlockError)
    assert done.exception.exit_code == 3


def test_search_filters_and_prints(data: Path) -> None:
    lines = _run("search", "--data", data, "--consumer", "ward-7").output.splitlines()
    assert len(lines) == 3
    assert "lab-orders@1.1.0 createOrder ward-7 201 success r-0" in lines[0]
    (act,) = json.loads(_run("search", "--data", data, "--actor", "amara", "--format", "json").output)
    assert act["subject"] == "lab-orders 1.1.0"
    assert json.loads(_run("search", "--data", data, "--contract", "none", "--format", "json").output) == []


def test_search_says_when_there_is_more(data: Path) -> None:
    done = _run("search", "--data", data, "--limit", 2, "--format", "json")
    assert len(json.loads(done.stdout)) == 2
    assert "there are more" in done.stderr


def test_a_time_that_is_none_is_refused(data: Path) -> None:
    done = _run("search", "--data", data, "--since", "yesterday")
    assert "--since wants a UTC time" in str(done.exception)
    for words, count in (
        (("--since", "2001-01-01T00:00:00Z", "--until", "2999-01-01"), 8),
        (("--since", "2999-01-01"), 0),
        (("--until", "2001-01-01T00:00Z"), 0),
    ):
        assert len(_run("search", "--data", data, *words).stdout.splitlines()) == count


def test_show_by_record_and_by_request(data: Path) -> None:
    (one,) = json.loads(_run("show", "r-2", "--data", data, "--format", "json").output)
    assert one["request_id"] == "r-2"
    text = _run("show", one["id"], "--data", data).output
    assert dict(line.split(maxsplit=1) for line in text.splitlines() if line)["id"] == one["id"]
    assert "no record and no request" in str(_run("show", "nobody", "--data", data).exception)


def test_a_folder_without_a_log_is_said_to_have_none(tmp_path: Path) -> None:
    done = _run("verify", tmp_path)
    assert isinstance(done.exception, InterlockError)
    assert (done.exception.message, done.exception.exit_code) == (f"there is no audit log in {tmp_path}", 2)


def test_a_log_that_was_taken_away_is_not_called_none(data: Path) -> None:
    shutil.rmtree(data / "audit")
    (data / "audit").mkdir()
    done = _run("verify", "--data", data)
    assert (done.exception, done.return_value) == (None, 1)


@pytest.mark.parametrize(("name", "listed"), [("--stage", "series-opened"), ("--outcome", "unknown")])
def test_a_filter_that_can_match_nothing_lists_its_values(data: Path, name: str, listed: str) -> None:
    done = _run("search", "--data", data, name, "nonsense")
    assert isinstance(done.exception, click.UsageError)
    assert done.exception.message.startswith(f"{name} is one of ")
    assert listed in done.exception.message
