"""The nouns of the registry, typed as a user would, against a real registry with engines that say what they are told."""

from __future__ import annotations

import importlib.util
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from click.testing import CliRunner, Result

from cli.errors import run_guarded
from cli.main import interlock
from kernel.contract.document import parse

ROOT = Path(__file__).resolve().parents[2]


def _double(name: str) -> Any:
    full = f"tests_doubles_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, ROOT / "tests" / "doubles" / f"{name}.py")
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


class House:
    """A registry in a thread, and the command line beside it."""

    def __init__(self, data: Path, services: Any) -> None:
        self.data = data
        self.services = services
        self.output = ""
        self.talk = ""

    def run(self, *words: str, code: int = 0, stdin: str | None = None) -> str:
        held: list[Result] = []

        def call() -> Any:
            result = CliRunner().invoke(
                interlock,
                list(words),
                input=stdin,
                env={"INTERLOCK_DATA": str(self.data)},
                standalone_mode=False,
            )
            held.append(result)
            if result.exception is not None:
                raise result.exception
            return result.return_value

        ended = run_guarded(call)
        self.output, self.talk = held[0].stdout, held[0].stderr
        assert ended == code, (ended, held[0].output, held[0].exception)
        return self.output

    def json(self, *words: str, code: int = 0) -> Any:
        return json.loads(self.run(*words, "--format", "json", code=code))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from registry.store.engine import sqlite_engine
    from registry.store.upgrade import upgrade

    file = tmp_path_factory.mktemp("template") / "registry.db"
    engine = sqlite_engine(file)
    upgrade(engine)
    engine.dispose()
    return file


@pytest.fixture
def house(tmp_path: Path, template: Path) -> Iterator[House]:
    from cli.local_access import ensure_local_tokens
    from cli.wiring import build_registry_app
    from registry.review.publication import publish_first
    from registry.store.engine import sqlite_engine

    data = tmp_path / "data"
    (data / "run").mkdir(parents=True)
    (data / "registry.db").write_bytes(template.read_bytes())
    engine = sqlite_engine(data / "registry.db")
    services = _double("registry").make_services(engine, data)
    ensure_local_tokens(services, data / "tokens")
    publish_first(services)
    config = uvicorn.Config(build_registry_app(services), port=0, lifespan="off", log_config=None)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 30
    while not server.started:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    (data / "run" / "registry.json").write_text(json.dumps({"host": "127.0.0.1", "port": port}))
    yield House(data, services)
    server.should_exit = True
    thread.join()
    engine.dispose()


@pytest.fixture
def folder(tmp_path: Path) -> Callable[..., str]:
    """Make a folder with a contract and its meta.yaml."""

    def make(**more: Any) -> str:
        draft = _double("registry").openapi(**more)
        made = tmp_path / f"contract-{len(list(tmp_path.iterdir()))}"
        made.mkdir()
        (made / "openapi.json").write_bytes(draft.document)
        (made / "meta.yaml").write_bytes(draft.metadata)
        return str(made)

    return make


def freeze(house: House, path: str) -> dict[str, Any]:
    from cli.local_access import local_principal
    from registry.review import accounts
    from registry.review.principal import Role

    done = house.json("contract", "submit", path)
    second = house.data / "tokens" / "second.token"
    if not second.exists():
        issued = accounts.issue_token(
            house.services, local_principal(), subject="cy", roles=frozenset({Role.BOARD})
        )
        second.write_text(issued.presented)
    words = ("review", "approve", str(done["review_id"]), "--digest", done["digest"], "--reason", "reviewed")
    assert "1 more approvals" in house.run(*words, code=8)
    house.run("review", "wait", str(done["review_id"]), code=8)
    found: dict[str, Any] = house.json(*words, "--as", "second")
    assert found["state"] == "frozen"
    house.run("review", "wait", str(done["review_id"]))
    return found


def test_submit_review_and_pull(house: House, folder: Callable[..., str]) -> None:
    path = folder()
    text = house.run("contract", "submit", path)
    assert "lab-orders@1.0.0 is in review 1: 2 approvals are missing" in text
    assert house.run("review", "list").split("\t")[:4] == ["1", "lab-orders@1.0.0", "open", "compatible"]
    assert "to approve: interlock review approve 1 --digest sha256:" in house.run("review", "show", "1")
    freeze(house, path)
    assert house.run("review", "list") == ""
    assert "nothing waits" in house.talk
    assert house.run("contract", "list").split("\t")[:4] == ["lab-orders", "openapi", "1.0.0", "-"]
    assert "frozen" in house.run("contract", "show", "lab-orders")
    assert "lab-integration" in house.run("contract", "show", "lab-orders@1.0.0")
    assert house.run("contract", "pull", "lab-orders@1.0.0") == (Path(path) / "openapi.json").read_text()
    out = house.data / "pulled.json"
    house.run("contract", "pull", "lab-orders@1.0.0", "--form", "canonical", "--out", str(out))
    assert parse(out.read_bytes(), name="x.json").root["openapi"] == "3.1.0"


def test_planning_keeps_nothing(house: House, folder: Callable[..., str]) -> None:
    assert "planned; nothing was kept" in house.run("contract", "submit", folder(), "--plan")
    assert house.run("contract", "list") == ""


@pytest.mark.parametrize(("told", "code"), [("breaking", 1), ("undecided", 3), ("patch", 0)])
def test_exit_codes_of_a_submission(house: House, folder: Callable[..., str], told: str, code: int) -> None:
    freeze(house, folder())
    text = house.run("contract", "submit", folder(version="1.1.0", **{"x-verdict": told}), code=code)
    assert f"against 1.0.0: {'compatible' if told == 'patch' else told}" in text


def test_a_refused_document_ends_with_1_and_says_where(house: House, folder: Callable[..., str]) -> None:
    path = folder()
    (Path(path) / "meta.yaml").write_text("name: lab-orders\n")
    text = house.run("contract", "submit", path, code=1)
    assert "meta-owner-missing" in text
    assert "meta.yaml" in text


def test_a_broken_file_never_reaches_the_registry(house: House, tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "openapi.json").write_text('{"openapi": ')
    (tmp_path / "broken" / "meta.yaml").write_text("name: x\n")
    house.run("contract", "submit", str(tmp_path / "broken"), code=2)
    (tmp_path / "empty").mkdir()
    house.run("contract", "submit", str(tmp_path / "empty"), code=2)


def test_the_gate_and_wrong_digests_end_with_1(house: House, folder: Callable[..., str]) -> None:
    freeze(house, folder())
    done = house.json("contract", "submit", folder(version="1.1.0", **{"x-verdict": "breaking"}), code=1)
    words = ("review", "approve", str(done["review_id"]), "--reason", "x", "--digest")
    house.run(*words, done["digest"], code=1)
    house.run(*words, "sha256:" + "0" * 64, code=1)
    house.run("review", "reject", str(done["review_id"]), "--reason", "x", "--digest", done["digest"])
    house.run("review", "wait", str(done["review_id"]), code=1)
    assert house.run("review", "list", "--state", "rejected").split("\t")[2] == "rejected"
    other = house.json("contract", "submit", folder(version="1.2.0"))
    house.run("review", "withdraw", str(other["review_id"]), "--reason", "a slip")
    house.run("review", "show", "99", code=2)


def test_the_board_waives_what_stands_in_the_way(house: House, folder: Callable[..., str]) -> None:
    freeze(house, folder())
    done = house.json("contract", "submit", folder(version="1.1.0", **{"x-verdict": "breaking"}), code=1)
    number = str(done["review_id"])
    text = house.run("review", "show", number)
    assert "judged by profile standard, fail on risky, as of 2026-11-20" in text
    (fingerprint,) = [line.split()[1] for line in text.splitlines() if "fingerprint:" in line]
    told = ("--owner", "Ada Berg", "--reason", "agreed", "--expires")
    house.run("review", "waive", number, fingerprint, *told, "2020-01-01", code=2)
    house.run("review", "waive", number, fingerprint, *told, "soon", code=2)
    house.run("review", "waive", number, fingerprint, *told, "2026-12-31", "--as", "author", code=4)
    text = house.run("review", "waive", number, fingerprint.upper(), *told, "2026-12-31")
    assert "waiver 1: fake-rule of lab-orders is accepted until 2026-12-31" in text
    assert f"nothing stands in the way of review {number} any more" in text
    text = house.run("review", "show", number)
    assert "breaking, waived fake-rule at /paths" in text
    assert "waived until 2026-12-31 by Ada Berg: agreed" in text
    assert f"waiver 1 (holds): {fingerprint} fake-rule until 2026-12-31, Ada Berg: agreed" in text
    assert "to approve: interlock review approve" in text
    house.run("review", "revoke-waiver", "1", "--reason", "the caller is still there")
    assert "stands in the way: it breaks" in house.run("review", "show", number)
    assert house.json("review", "show", number)["judgement"]["waivers"][0]["revoked_by"]


def test_tokens_decide_what_may_be_done(house: House, folder: Callable[..., str], tmp_path: Path) -> None:
    house.run("contract", "submit", folder(), "--as", "auditor", code=4)
    house.run("contract", "list", "--as", "nobody", code=4)
    stolen = tmp_path / "stolen"
    stolen.write_text("ilt_00_00\n")
    house.run("contract", "list", "--token-file", str(stolen), code=4)
    house.run("contract", "list", "--registry", "http://127.0.0.1:9", code=3)


def test_consumers_keys_grants_and_limits(house: House, folder: Callable[..., str]) -> None:
    freeze(house, folder())
    freeze(house, folder(version="1.1.0"))
    house.run("consumer", "add", "ehr", "--name", "Health record")
    key = house.run("consumer", "key", "add", "ehr").strip()
    assert key.startswith("ilk_")
    assert key not in house.talk
    house.run("consumer", "grant", "ehr", "lab-orders", "1", "--scope", "orders")
    pinned = house.json("consumer", "pin", "ehr", "lab-orders", "1.0.0")
    assert pinned["grants"] == [{"contract": "lab-orders", "major": 1, "pin": "1.0.0", "scopes": ["orders"]}]
    house.run("consumer", "limit", "set", "ehr", "calls", "--requests", "10", "--seconds", "60")
    shown = house.run("consumer", "show", "ehr")
    assert "limit calls: 10 in 60 s, 10 at once" in shown
    assert "lab-orders v1 (pinned to 1.0.0)" in shown
    assert house.run("consumer", "list").split("\t")[:4] == ["ehr", "Health record", "internal", "1"]
    house.run("consumer", "key", "revoke", "ehr", key.split("_")[1])
    house.run("consumer", "limit", "drop", "ehr", "calls")
    bare = house.json("consumer", "revoke", "ehr", "lab-orders", "1")
    assert (bare["grants"], bare["limits"], bare["keys"][0]["revoked_at"] is None) == ([], [], False)
    house.run("consumer", "add", "ehr", code=2)
    house.run("consumer", "show", "nobody", code=2)
    house.run("consumer", "deny", "ehr", "--reason", "sends what it should not")
    house.run("consumer", "allow", "ehr")
    house.run("consumer", "allow", "ehr", code=2)


def test_adapters_and_routes(house: House, folder: Callable[..., str]) -> None:
    freeze(house, folder())
    house.run("adapter", "add", "laboratory", "--kind", "http", "--set", "base_url=http://127.0.0.1:9")
    house.run("adapter", "add", "pigeon", "--kind", "pigeon", code=2)
    assert house.run("adapter", "list").split("\t")[:2] == ["laboratory", "http"]
    words = (
        "route",
        "add",
        "lab-orders",
        "1",
        "--adapter",
        "laboratory",
        "--limit",
        "all:100/1:20",
        "--upstream-prefix",
        "/lab",
    )
    assert "nothing active yet" in house.run(*words)
    assert "serves 1.0.0" in house.run("route", "activate", "lab-orders", "1.0.0")
    (route,) = house.json("route", "list")
    assert route["limits"] == [{"name": "all", "requests": 100, "seconds": 1, "burst": 20}]
    assert (route["upstream_prefix"], route["current"]) == ("/lab", "1.0.0")
    house.run("adapter", "remove", "laboratory", code=2)
    wanted = house.data / "policy.yaml"
    wanted.write_text("address: {hosts: [orders.example]}\n")
    house.run("route", "policy", "lab-orders", "1", "--set", str(wanted))
    assert json.loads(house.run("route", "policy", "lab-orders", "1"))["address"]["hosts"] == [
        "orders.example"
    ]
    wanted.write_text("address: {hosts: [Orders]}\n")
    house.run("route", "policy", "lab-orders", "1", "--set", str(wanted), code=2)
    assert json.loads(house.run("route", "policy", "lab-orders", "1", "--clear")) == {}
    assert "is denied" in house.run("route", "deny", "lab-orders", "1", "--reason", "repair")
    house.run("route", "deny", "lab-orders", "1", "--reason", "repair", code=2)
    assert "no more" in house.run("route", "allow", "lab-orders", "1")
    house.run("route", "deactivate", "lab-orders", "1.0.0")
    house.run("route", "remove", "lab-orders", "1")
    house.run("adapter", "remove", "laboratory")
    assert house.run("adapter", "list") == ""


def test_deprecate_and_retire(house: House, folder: Callable[..., str]) -> None:
    freeze(house, folder())
    words = ("contract", "deprecate", "lab-orders@1.0.0", "--reason", "replaced", "--sunset")
    house.run(*words, "next summer", code=2)
    assert "is deprecated" in house.run(*words, "2027-06-30T00:00:00Z")
    assert "is retired" in house.run("contract", "retire", "lab-orders@1.0.0", "--reason", "unused")
    house.run("contract", "retire", "lab-orders", "--reason", "x", code=2)


def test_what_runs_where_and_whether_a_version_may_follow(
    house: House, folder: Callable[..., str], capsys: pytest.CaptureFixture[str]
) -> None:
    freeze(house, folder())
    freeze(house, folder(version="1.1.0", **{"x-verdict": "minor"}))
    assert "no environment is entered" in (house.run("ci", "environment", "list"), house.talk)[1]
    house.run("can-i-deploy", "lis", "--version", "7", "--to", "production", code=2)
    assert "there is no environment 'production' (known: none yet)" in capsys.readouterr().err
    assert (
        house.run("ci", "environment", "add", "production", "--note", "the wards")
        == "entered the environment production\n"
    )
    assert house.run("ci", "environment", "list").split("\t")[:2] == ["production", "the wards"]
    said = house.run("can-i-deploy", "lis", "--version", "7", "--to", "production", code=3)
    assert said.splitlines()[0] == "unknown: lis 7 to production"
    house.run("ci", "record-deployment", "lis", "--version", "7", "--to", "production", code=2)
    assert "interlock ci record-release lis --version 7" in capsys.readouterr().err
    assert "provides lab-orders@1.1.0" in house.run(
        "ci", "record-release", "lis", "--version", "7", "--provides", "lab-orders@1.1.0"
    )
    sides = house.data / "ehr.yaml"
    sides.write_text("needs: [{contract: lab-orders, version: 1.0.0}]\n")
    house.run("ci", "record-release", "ehr", "--version", "3", "--from", str(sides))
    assert "lis 7 runs in production since" in house.run(
        "ci", "record-deployment", "lis", "--version", "7", "--to", "production"
    )
    answer = house.json("can-i-deploy", "ehr", "--version", "3", "--to", "production")
    assert (answer["answer"], [one["contract"] for one in answer["reasons"]]) == ("yes", ["lab-orders"])
    house.run("ci", "record-deployment", "ehr", "--version", "3", "--to", "production")
    house.run("ci", "record-release", "lis", "--version", "8", "--needs", "lab-orders@1.1.0")
    told = house.run("can-i-deploy", "lis", "--version", "8", "--to", "production", code=1)
    assert (
        "✗ ehr 3, deployed in production, relies on lab-orders 1.0.0, and lis 8 provides no 1.x of it" in told
    )
    assert [line.split("\t")[:2] for line in house.run("ci", "deployments", "production").splitlines()] == [
        ["ehr", "3"],
        ["lis", "7"],
    ]
    house.run("ci", "record-deployment", "lis", "--version", "8", "--to", "production")
    assert (
        house.run("ci", "record-undeployment", "lis", "--from", "production", "--roll-back")
        == "lis 7 runs in production again\n"
    )
    assert (
        house.run("ci", "record-undeployment", "lis", "--from", "production")
        == "lis runs in production no more\n"
    )
    ended = house.json("ci", "deployments", "production", "--ended", "--application", "lis")["deployments"]
    assert [one["version"] for one in ended] == ["7", "8", "7"]
    house.run("ci", "record-release", "x", "--version", "1", "--provides", "lab-orders", code=2)
    house.run(
        "ci", "record-release", "x", "--version", "1", "--provides", "lab-orders@1.0.0:createOrder", code=2
    )
    house.run("ci", "environment", "add", "ward", "--as", "ci", code=4)
    capsys.readouterr()
    for words, told in (
        (("lis", "--version", "a b", "--to", "production"), "a version is letters, digits"),
        (("LIS", "--version", "1", "--to", "production"), "a name is lower-case letters"),
        (("lis", "--version", "1", "--to", "the moon"), "a name is lower-case letters"),
    ):
        house.run("can-i-deploy", *words, code=2)
        assert told in capsys.readouterr().err


def test_a_conformance_run_is_recorded_under_the_digest_of_the_registry(
    house: House, folder: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation = {"operationId": "findOrders", "responses": {"204": {"description": "none"}}}
    found = freeze(house, folder(paths={"/orders": {"get": operation}}))
    program = tmp_path / "st"
    case = '{"value": {"method": "GET", "path": "/orders"}}'
    reply = '{"a": {"request": {"method": "GET"}, "response": {"status_code": 204, "headers": {}, "content": null}}}'
    scenario = f'{{"ScenarioFinished": {{"phase": "coverage", "recorder": {{"cases": {{"a": {case}}}, "checks": {{}}, "interactions": {reply}}}}}}}'
    program.write_text(
        f"#!/bin/sh\n[ $1 = --version ] && echo st, version 4.40.0 && exit\necho '{scenario}' > events.ndjson\necho '{{\"EngineFinished\": {{}}}}' >> events.ndjson\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("INTERLOCK_SCHEMATHESIS", str(program))
    words = ("ci", "conformance", "http://127.0.0.1:9/api", "--contract", "lab-orders@1.0.0")
    said = house.run(*words, "--record")
    assert said.splitlines()[0] == "PASSED: http://127.0.0.1:9/api keeps lab-orders 1.0.0"
    assert "recorded as run 1 of lab-orders@1.0.0: passed" in house.talk
    with house.services.store.reading() as ledger:
        [kept] = ledger.evidence.find("lab-orders", "1.0.0", 10)
    assert (kept.digest, kept.complete, kept.calls, kept.provider) == (
        found["digest"],
        True,
        1,
        "http://127.0.0.1:9/api",
    )
    assert dict(kept.tools)["schemathesis"] == "4.40.0"
    report = house.json(*words)
    assert (report["status"], report["contracts"][0]["judged"][0]["findings"]) == ("passed", [])
    program.write_text(program.read_text().replace('"status_code": 204', '"status_code": 500'))
    assert "FAILED: http://127.0.0.1:9/api does not keep lab-orders 1.0.0" in house.run(
        *words, "--record", code=1
    )
    house.run("ci", "conformance", "http://127.0.0.1:9", "--contract", folder(), "--record", code=2)
    house.run(*words, "--phases", "positive,sideways", code=2)
    house.run(*words, "--auth-file", str(program), code=2)
