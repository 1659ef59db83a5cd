"""A provider is held to a contract: real ones that keep it and do not, and a program that fails in every way."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ci.conformance import Held, try_provider
from ci.conformance_choosing import pruned
from ci.conformance_engine import PHASES, Call, Order, Record, call_provider, find_program
from ci.conformance_judging import judge
from ci.conformance_plan import Plan, without_secrets
from ci.conformance_rules import CHECKS, RULES
from ci.errors import ConformanceUnusable
from ci.formats import json_report, junit, markdown, sarif, text
from kernel.contract.digest import digest
from kernel.operation.compile import compile_contract
from registry.compat.inputs import read_self_contained

HERE = Path(__file__).parent
PROVIDER = HERE.parent / "doubles" / "bed_board.py"
AUTH = {"Authorization": "Bearer let-me-in"}


def contract() -> Held:
    document = read_self_contained(HERE / "bed_board.yaml")
    return Held("bed-board", "1.0.0", document.root, digest(document.root), document, "bed_board.yaml")


@contextmanager
def provider(*faults: str) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, str(PROVIDER), "0", *faults], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture(scope="session")
def schemathesis() -> str:
    try:
        return find_program("")
    except ConformanceUnusable as error:
        pytest.skip(f"{error}; scripts/setup.sh test builds it")


def found(run: Any) -> set[tuple[str, str]]:
    return {
        (one.rule.removeprefix("conformance/"), one.pointer.removeprefix("/paths/")) for one in run.findings
    }


ITEM, ALL = "~1beds~1{id}", "~1beds"


@pytest.mark.enable_socket
@pytest.mark.usefixtures("schemathesis")
def test_a_provider_that_keeps_its_contract_passes() -> None:
    with provider() as url:
        run = try_provider(contract(), Plan(url, examples=8, headers=AUTH))
    assert (run.outcome, run.findings, run.called, run.operations) == ("passed", (), 4, 4)
    assert set(run.counts) == {"coverage", "fuzzing", "stateful"}
    body = run.evidence()
    assert (body["outcome"], body["provider"], body["rules"], body["operations"]) == ("passed", url, [], 4)
    assert body["calls"] == sum(run.counts.values()) > 50
    assert body["tools"]["schemathesis"].startswith("4.")
    assert "let-me-in" not in str(body) + text.render(run.report())
    assert run.report().exit_code == 0


@pytest.mark.enable_socket
@pytest.mark.usefixtures("schemathesis")
def test_what_a_provider_does_against_its_contract_is_found() -> None:
    with provider("body", "header", "accepts", "undeletes") as url:
        run = try_provider(contract(), Plan(url, examples=8, headers=AUTH))
    assert run.outcome == "failed"
    assert {
        ("response-body", f"{ALL}/get"),
        ("response-header", f"{ITEM}/get"),
        ("invalid-input-accepted", f"{ALL}/post"),
        ("used-after-deletion", f"{ITEM}/get"),
    } <= found(run)
    both = next(one for one in run.findings if one.pointer == "/paths/~1beds/get")
    assert (both.engine, both.witness, both.line) == (
        "interlock, schemathesis",
        {"method": "GET", "path": "/beds", "status": 200},
        6,
    )
    assert "/0/ward: type" in both.what
    report = run.report()
    assert report.exit_code == 1
    for form in (text, json_report, sarif, junit, markdown):
        told = form.render(report)
        assert "conformance/response-body" in told
        assert "merged" not in told
        assert "first version" not in told


@pytest.mark.long
@pytest.mark.enable_socket
@pytest.mark.usefixtures("schemathesis")
@pytest.mark.parametrize(
    ("fault", "rules"),
    [
        ("status", {("status-undeclared", f"{ALL}/get")}),
        ("crash", {("server-error", f"{ALL}/post"), ("status-undeclared", f"{ALL}/post")}),
        ("forgets", {("created-but-missing", f"{ITEM}/delete")}),
        ("open", {("auth-ignored", f"{ALL}/get"), ("auth-ignored", f"{ALL}/post")}),
        ("refuses", {("valid-input-refused", f"{ALL}/post"), ("no-success-seen", f"{ALL}/post")}),
        ("flaky", {("no-answer", f"{ALL}/get")}),
    ],
)
def test_each_fault_has_its_rule(fault: str, rules: set[tuple[str, str]]) -> None:
    with provider(fault) as url:
        run = try_provider(contract(), Plan(url, examples=8, headers=AUTH))
    assert rules <= found(run)
    assert run.outcome == ("undecided" if fault in {"refuses", "flaky"} else "failed")


@pytest.mark.long
@pytest.mark.enable_socket
@pytest.mark.usefixtures("schemathesis")
def test_the_same_seed_makes_up_the_same_calls() -> None:
    def sent(seed: int) -> list[tuple[str, str, str]]:
        with provider() as url:
            record = call_provider(Order(contract().root, url, seed, 8, 120, PHASES, AUTH))
        return [
            (one.phase, one.method, json.dumps([one.template, one.request], sort_keys=True))
            for one in record.calls
        ]

    first = sent(1)
    assert len(first) > 50
    assert first == sent(1)
    assert first != sent(2)


@pytest.mark.enable_socket
@pytest.mark.usefixtures("schemathesis")
def test_methods_that_are_left_out_never_reach_the_provider() -> None:
    import httpx

    with provider() as url:
        run = try_provider(contract(), Plan(url, examples=4, methods=frozenset({"GET"}), headers=AUTH))
        assert httpx.get(f"{url}/seen", headers=AUTH, trust_env=False).json() == []  # every POST that came
    assert ("left-out", f"{ALL}/post") in found(run)
    assert run.called == 2


# A program in place of schemathesis


def engine(tmp_path: Path, script: str) -> str:
    program = tmp_path / "st"
    head = 'import json, os, sys, time\nif "--version" in sys.argv:\n    print("st, version 4.99.0"); sys.exit()\n'
    where = 'events = open("events.ndjson", "w")\ndef say(**event):\n    events.write(json.dumps(event) + "\\n"); events.flush()\n'
    program.write_text(f"#!{sys.executable}\n{head}{where}{textwrap.dedent(script)}")
    program.chmod(0o755)
    return str(program)


SCENARIO = """
case = {"value": {"method": "GET", "path": "/beds", "meta": {"generation": {"mode": "positive"}}}}
reply = {"status_code": 200, "headers": {"content-type": ["application/json"]}, "content": {"$base64": "W10="}}
say(ScenarioFinished={"phase": "fuzzing", "recorder": {"cases": {"a": case}, "checks": {}, "interactions": {
    "a": {"request": {"method": "GET"}, "response": reply}}}})
"""


def run_with(tmp_path: Path, script: str, **plan: Any) -> Any:
    program = engine(tmp_path, script)
    return try_provider(
        contract(), Plan(**{"url": "http://127.0.0.1:9", "seconds": 20, **plan}, program=program)
    )


@pytest.mark.parametrize(
    ("script", "rule", "said"),
    [
        (SCENARIO, "engine-failed", "its report has no end"),
        (
            SCENARIO + 'events.write("{nonsense\\n"); say(EngineFinished={})',
            "engine-failed",
            "cannot be read",
        ),
        (SCENARIO + "say(EngineFinished={}); sys.exit(7)", "engine-failed", "it ended with 7"),
        (
            SCENARIO
            + 'say(NonFatalError={"label": "GET /beds", "value": {"type": "InvalidSchema", "message": "secret"}});'
            "say(EngineFinished={})",
            "engine-failed",
            "GET /beds: InvalidSchema",
        ),
        (
            'os.unlink("events.ndjson"); print("no good", file=sys.stderr); sys.exit(2)',
            "engine-failed",
            "no report: no good",
        ),
        ("say(EngineFinished={})", "unreachable", "did not answer"),
    ],
)
def test_a_run_that_did_not_end_well_is_never_passed(
    tmp_path: Path, script: str, rule: str, said: str
) -> None:
    run = run_with(tmp_path, script)
    assert run.outcome == "undecided"
    [one] = [finding for finding in run.findings if finding.rule == f"conformance/{rule}"]
    assert said in one.what
    assert "secret" not in str(run.findings)


def test_a_run_that_is_too_long_is_cut_off_with_all_it_started(tmp_path: Path) -> None:
    began = time.monotonic()
    run = run_with(tmp_path, SCENARIO + 'os.system("sleep 600 &"); time.sleep(600)', seconds=2)
    assert time.monotonic() - began < 60
    assert run.outcome == "undecided"
    assert any("longer than 2 s" in one.what for one in run.findings)


def test_credentials_reach_the_program_by_its_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INTERLOCK_TOKEN", "ours")
    look = f"""
    seen = " ".join(sys.argv) + open("schemathesis.toml").read() + open("contract.json").read()
    told = sorted(os.environ)
    json.dump([seen, told, [v for k, v in os.environ.items() if k.startswith("INTERLOCK")]], open({str(tmp_path / "seen")!r}, "w"))
    """
    run_with(tmp_path, look, headers={"X-Api-Key": "hush"})
    seen, names, values = json.loads((tmp_path / "seen").read_text())
    assert ("hush" in seen, "ours" in values, values) == (False, False, ["hush"])
    assert '"X-Api-Key" = "${INTERLOCK_HEADER_0}"' in seen
    assert "PATH" in names


# What may be called


def test_operations_that_may_change_something_are_left_out_elsewhere(tmp_path: Path) -> None:
    keep = f'import shutil; shutil.copy("contract.json", {str(tmp_path / "sent.json")!r})'
    run = run_with(tmp_path, keep, url="http://lis.example:8080/api")
    sent = (tmp_path / "sent.json").read_text()
    assert ("addBed" in sent, "removeBed" in sent, "readBed" in sent) == (False, False, True)
    [warning] = run.warnings
    assert warning.startswith("2 operations that may change something are left out")
    assert run.provider == "http://lis.example:8080/api"
    run = run_with(tmp_path, keep, url="http://lis.example:8080/api", allow_writes=True)
    assert ("addBed" in (tmp_path / "sent.json").read_text(), run.warnings) == (True, ())


def test_links_to_what_is_left_out_are_gone_and_the_contract_is_not_changed() -> None:
    root = contract().root
    compiled = compile_contract(root)
    kept = pruned(root, [one for one in compiled.operations if one.id != "removeBed"])
    assert set(kept["paths"]["/beds/{id}"]) == {"parameters", "get"}
    assert set(kept["paths"]["/beds"]["post"]["responses"]["201"]["links"]) == {"read"}
    assert "delete" in root["paths"]["/beds/{id}"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"url": "http://user:pw@host/"}, "user or password"),
        ({"url": "ftp://host/"}, "no address"),
        ({"url": "http://host/?token=1"}, "no address"),
        ({"url": "http://[::1/"}, "no address"),
        ({"exclude": frozenset({"dropBed"})}, "no such operation"),
        ({"methods": frozenset({"PATCH"})}, "no operation is left"),
        ({"seed": -1}, "--seed -1"),
        ({"examples": 0}, "--examples 0"),
        ({"seconds": 10**6}, "--seconds 1000000"),
        ({"headers": {"X-Key": "a\nHost: b"}}, "cannot be sent"),
        ({"headers": {"X Key": "a"}}, "cannot be sent"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_an_error(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConformanceUnusable, match=said):
        run_with(tmp_path, "", **changes)


def test_another_program_or_version_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConformanceUnusable, match="is no program"):
        try_provider(contract(), Plan("http://127.0.0.1:9", program=str(tmp_path / "none")))
    old = tmp_path / "st"
    old.write_text("#!/bin/sh\necho st, version 3.39.1\n")
    old.chmod(0o755)
    with pytest.raises(ConformanceUnusable, match=r"3\.39\.1 is not 4\.32 or later"):
        try_provider(contract(), Plan("http://127.0.0.1:9", program=str(old)))


def test_an_address_is_told_without_secrets() -> None:
    from urllib.parse import urlsplit

    assert without_secrets(urlsplit("https://u:p@[::1]:8443/api?x=1#y")) == "https://[::1]:8443/api"


# What is judged


def call(method: str, path: str, status: int | None, body: bytes = b"", **more: Any) -> Call:
    headers = ((b"content-type", b"application/json"),) if body else ()
    return replace(Call("1", "fuzzing", method, path, "positive", {}, status, headers, body), **more)


def judged(*calls: Call, left_out: tuple[str, ...] = (), **record: Any) -> set[tuple[str, str]]:
    rows = judge(compile_contract(contract().root), Record(calls, {}, **record), left_out)
    return {(one.rule.removeprefix("conformance/"), one.pointer.removeprefix("/paths/")) for one in rows}


GOOD = (
    call("GET", "/beds", 200, b"[]"),
    call("POST", "/beds", 201, b'{"id":"a1","ward":"A1"}'),
    call("GET", "/beds/{id}", 200, b'{"id":"a1","ward":"A1"}', headers=((b"content-type", b"application/json"), (b"etag", b'"1"'))),
    call("DELETE", "/beds/{id}", 204),
)  # fmt: skip


def test_our_own_validators_judge_where_schemathesis_says_nothing() -> None:
    assert judged(*GOOD) == set()
    assert judged(*GOOD, call("GET", "/beds", 200, b'[{"id":1,"ward":"A1"}]')) == {
        ("response-body", f"{ALL}/get")
    }
    assert judged(*GOOD, call("GET", "/beds", 200, b'[{"id":"a","id":"b","ward":"A1"}]')) == {
        ("response-body", f"{ALL}/get")
    }
    assert judged(*GOOD, call("DELETE", "/beds/{id}", 204, b"x")) == {("response-body", f"{ITEM}/delete")}
    assert judged(*GOOD, call("GET", "/beds", 302)) == {("status-undeclared", f"{ALL}/get")}
    assert judged(*GOOD, call("GET", "/beds", 503)) == {
        ("status-undeclared", f"{ALL}/get"),
        ("server-error", f"{ALL}/get"),
    }


def test_what_was_not_seen_is_said() -> None:
    assert judged(*GOOD[1:]) == {("not-called", f"{ALL}/get")}
    assert judged(*GOOD[1:], left_out=("findBeds",)) == {("left-out", f"{ALL}/get")}
    assert judged(*GOOD[:3], call("DELETE", "/beds/{id}", 404, b'{"status":404}')) >= {
        ("no-success-seen", f"{ITEM}/delete")
    }
    assert ("never-let-in", f"{ITEM}/delete") in judged(*GOOD[:3], call("DELETE", "/beds/{id}", 401))
    assert ("no-answer", f"{ALL}/get") in judged(*GOOD, call("GET", "/beds", None))
    assert judged() == {("unreachable", "/paths")}
    assert judged(call("GET", "/elsewhere", 200)) == {("unreachable", "/paths")}


def test_values_of_answers_stand_in_no_finding() -> None:
    secret = b'[{"id":"Doe-John","ward":12345}]'
    rows = judge(
        compile_contract(contract().root),
        Record(
            (
                *GOOD,
                call(
                    "GET",
                    "/beds",
                    200,
                    secret,
                    phase="stateful",
                    request={"path_parameters": {"id": "Doe-John"}},
                ),
            ),
            {},
        ),
        (),
    )
    assert [one.rule for one in rows] == ["conformance/response-body"]
    assert "Doe" not in str(rows)
    assert "12345" not in str(rows)


def test_every_check_of_schemathesis_has_a_rule_and_an_unknown_one_is_told() -> None:
    known = {rule.id for rule in RULES}
    assert set(CHECKS.values()) <= known
    assert judged(*GOOD, call("GET", "/beds", 200, b"[]", failed=("brand_new_check",))) == {
        ("other", f"{ALL}/get")
    }


ELSEWHERE = {
    "openapi": "3.2.0",
    "info": {"title": "x", "version": "1"},
    "paths": {
        "/a": {"$ref": "#/components/pathItems/Both"},
        "/b": {"$ref": "#/components/pathItems/Both", "put": {"responses": {"204": {"description": "d"}}}},
        "/c": {"get": {}, "additionalOperations": {"PURGE": {"responses": {"204": {"description": "d"}}}}},
        "/d": {"delete": {}},
    },
    "components": {
        "pathItems": {
            "Both": {
                "get": {"responses": {"200": {"description": "d"}}},
                "post": {"responses": {"200": {"description": "d"}}},
            }
        }
    },
}


def test_what_may_not_be_called_is_gone_wherever_it_stands() -> None:
    """Path items elsewhere, methods of OpenAPI 3.2, operations without answers."""
    compiled = compile_contract(ELSEWHERE)
    assert len(compiled.operations) == 8
    kept = pruned(ELSEWHERE, [one for one in compiled.operations if one.method == b"GET"])
    assert {path: sorted(item) for path, item in kept["paths"].items()} == {
        "/a": ["get"], "/b": ["get"], "/c": ["additionalOperations", "get"], "/d": [],
    }  # fmt: skip
    assert kept["paths"]["/c"]["additionalOperations"] == {}
    assert "pathItems" not in kept["components"]
    only = pruned(
        ELSEWHERE, [one for one in compiled.operations if (one.method, one.template) == (b"POST", "/b")]
    )
    assert {path: sorted(item) for path, item in only["paths"].items() if item} == {
        "/b": ["post"],
        "/c": ["additionalOperations"],
    }


def test_a_contract_with_an_unknown_canonical_schema_is_not_held_to_anything(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from cli.errors import run_guarded
    from cli.main import interlock

    urn = "urn:interlock:schema:patient:1.0.0:sha256-" + "0" * 64
    text = (
        (HERE / "bed_board.yaml")
        .read_text()
        .replace("maxItems: 100, items: {$ref: '#/components/schemas/Bed'}", f"items: {{$ref: '{urn}'}}")
    )
    assert urn in text
    file = tmp_path / "openapi.yaml"
    file.write_text(text)
    words = ["ci", "conformance", "http://127.0.0.1:9", "--contract", str(file)]
    with pytest.raises(ConformanceUnusable, match="canonical schema that is not known"):
        CliRunner().invoke(interlock, words, standalone_mode=False, catch_exceptions=False)
    assert run_guarded(lambda: interlock.main(args=words, standalone_mode=False)) == 2
