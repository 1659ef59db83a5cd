"""`interlock adapter …` as an operator types it, over a data folder with a signed bundle and real messages."""

import asyncio
import importlib.util
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.adapter import adapter
from cli.errors import run_guarded
from kernel.bundle.model import AccessPart, AdapterInstance, RoutesPart
from kernel.bundle.write import write_blob, write_part
from kernel.sealing.keys import KeyFolder

spec = importlib.util.spec_from_file_location(
    "lab_house", Path(__file__).resolve().parents[1] / "adapters" / "conftest.py"
)
lab_house = importlib.util.module_from_spec(spec)
spec.loader.exec_module(lab_house)


class Ran:
    def __init__(self, result, code):
        self.out, self.err, self.code = result.stdout, result.stderr, code

    def json(self):
        return json.loads(self.out)


@pytest.fixture
def data(tmp_path):
    """A data folder whose analyzer sent a good, a refused and a broken message."""
    folder = tmp_path / "data"
    bundle = lab_house.bundle_of(*lab_house.NAMES)
    key = KeyFolder(folder / "keys").ensure("registry", "contracts", "access", "routes")
    for blob in bundle.blobs.values():
        write_blob(folder / "bundle", blob)
    instance = AdapterInstance("analyzer", "lab_hl7v2", {"port": 0})
    for part in (bundle.contracts, AccessPart(1, ()), RoutesPart(1, "test", (instance,), ())):
        write_part(folder / "bundle", part, key)

    async def talk():
        house = lab_house.LabHouse(folder, bundle)
        listener = await house.listen()
        frames = [
            lab_house.frame(message)
            for message in (lab_house.oru("A1"), lab_house.oru("A2", status="QQ", filler="F2^LAB"), b"MSH|")
        ]
        answers = await lab_house.converse(listener, *frames)
        await house.stop()
        return lab_house.codes(answers)

    assert asyncio.run(talk()) == "AA AE AR"
    return folder


def run(*arguments, data=None):
    """Run a command as `main` does: errors become exit codes and a message on stderr."""
    command = [str(argument) for argument in arguments] + (["--data", str(data)] if data else [])
    box = {}

    def invoke():
        result = box["result"] = CliRunner().invoke(adapter, command, standalone_mode=False)
        if result.exception is not None:
            raise result.exception
        return result.return_value

    code = run_guarded(invoke)
    return Ran(box["result"], code)


def letters(data):
    return run("dead-letters", "list", "--format", "json", data=data).json()


def audit_acts(data):
    found = []
    for file in sorted((data / "audit" / "operator").glob("*.jsonl")):
        records = (json.loads(line).get("record", {}) for line in file.read_text().rstrip().splitlines())
        found += [record for record in records if record.get("stage") == "act"]
    return found


def test_dead_letters_are_listed_and_shown_without_content(data):
    found = letters(data)
    assert [letter["reason"] for letter in found] == ["header-unreadable", "status-unknown"]
    assert [letter["handed_back"] for letter in found] == [True, True]
    listed = run("dead-letters", "list", "--state", "replayed", data=data)
    assert (listed.out, listed.err) == ("", "no dead letters\n")
    shown = run("dead-letters", "show", found[1]["id"], data=data)
    assert "status-unknown: a result status is in no HL7 table" in shown.out
    assert "OBR[1]-25" in shown.out
    assert "Zelenka" not in shown.out
    assert not (data / "audit" / "operator").exists()


def test_content_is_shown_only_when_asked_for_and_that_is_recorded(data):
    letter = letters(data)[1]
    shown = run("dead-letters", "show", letter["id"], "--reveal", data=data)
    assert "Zelenka" in shown.out
    [act] = audit_acts(data)
    assert (act["act"], act["subject"], act["data_category"]) == ("payload-revealed", letter["id"], "health")
    assert act["actor"].startswith("os:")


def test_events_and_resources_are_read_back(data):
    [event] = run("events", "--format", "json", data=data).json()
    assert event["type"] == "result.final.v1"
    hidden = run("events", event["id"], data=data)
    assert "Zelenka" not in hidden.out
    opened = run("events", event["id"], "--reveal", data=data).json()
    assert opened["data"]["patient"]["name"]["family"] == "Zelenka"
    [resource] = run("resources", "--format", "json", data=data).json()
    assert run("resources", resource["id"], data=data).code == 2
    assert run("resources", resource["id"], "--reveal", data=data).json()["revision"] == 1
    assert [act["subject"] for act in audit_acts(data)] == [event["id"], resource["id"]]
    assert run("events", "--after", "1", data=data).out == ""


def test_replay_succeeds_once_after_the_fix(data, tmp_path):
    letter = letters(data)[1]["id"]
    again = run("replay", letter, data=data)
    assert again.code == 1
    dry = run("replay", letter, "--dry-run", "--format", "json", data=data)
    assert (dry.code, dry.json()["would_be"], dry.json()["location"]) == (1, "status-unknown", "OBR[1]-25")
    fixed = tmp_path / "fixed.hl7"
    fixed.write_bytes(lab_house.oru("A2", filler="F2^LAB"))
    assert run("replay", letter, "--with", fixed, "--dry-run", data=data).code == 0
    done = run("replay", letter, "--with", fixed, "--format", "json", data=data)
    assert (done.code, done.json()["state"], len(done.json()["events"])) == (0, "published", 1)
    assert run("replay", letter, "--with", fixed, data=data).code == 1
    assert len(run("events", "--format", "json", data=data).json()) == 2
    assert [letter["state"] for letter in letters(data)] == ["open", "replayed"]
    assert [act["act"] for act in audit_acts(data)] == ["dead-letter-replayed"] * 2


def test_try_shows_what_a_file_would_become(data, tmp_path):
    file = tmp_path / "capture.hl7"
    file.write_bytes(lab_house.oru("A1") + lab_house.oru("A2", status="QQ"))
    ran = run("try", "lab_hl7v2", file, data=data)
    assert ran.code == 1
    assert "message 1: ORU^R01 would be taken (AA): 1 canonical" in ran.out
    assert "message 2: ORU^R01 would be refused (AE): status-unknown" in ran.out
    [first, second] = run("try", "lab_hl7v2", file, "--format", "json", data=data).json()
    assert (first["checked"], first["documents"][0]["status"]) == (True, "final")
    assert second["location"] == "OBR[1]-25"


def test_try_works_alone_and_says_so(tmp_path):
    file = tmp_path / "capture.hl7"
    file.write_bytes(lab_house.oru("A1"))
    settings = tmp_path / "settings.json"
    settings.write_text('{"port": 0, "unmapped": "refuse"}')
    ran = run("try", "lab_hl7v2", file, "--settings", settings, data=tmp_path / "nothing")
    assert ran.code == 0
    assert "not checked against a schema" in ran.err
    settings.write_text('{"port": 0, "colour": "blue"}')
    assert run("try", "lab_hl7v2", file, "--settings", settings, data=tmp_path / "nothing").code == 2


def test_kinds_are_listed():
    kinds = run("kinds", "--format", "json").json()
    assert [row["kind"] for row in kinds] == ["http", "lab_hl7v2"]


@pytest.mark.parametrize("command", [("events",), ("resources",), ("dead-letters", "list")])
def test_a_folder_without_a_store_is_left_as_it_is(tmp_path, command):
    assert run(*command, data=tmp_path / "empty").code == 2
    assert not (tmp_path / "empty").exists()


def test_unknown_ids_are_refused(data):
    for command in (
        ("dead-letters", "show", "x"),
        ("replay", "x"),
        ("events", "x", "--reveal"),
        ("resources", "x", "--reveal"),
    ):
        assert run(*command, data=data).code == 3
    assert not (data / "audit" / "operator").exists() or audit_acts(data) == []
