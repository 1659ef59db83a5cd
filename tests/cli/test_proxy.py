"""`interlock proxy …` as it is typed: what it prints, and how it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.errors import run_guarded
from cli.proxy import proxy
from kernel.bundle.deny import Denial, Denied, DenyList, registry_list, write_list
from kernel.bundle.model import (
    AccessPart,
    AdapterInstance,
    Consumer,
    ContractEntry,
    ContractsPart,
    Grant,
    Limit,
    Route,
    RoutesPart,
)
from kernel.bundle.policy import Address, RoutePolicy
from kernel.bundle.write import write_blob, write_part
from kernel.contract.digest import canonical_bytes
from kernel.sealing.keys import KeyFolder

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Ward", "version": "1.0.0"},
    "paths": {"/beds/{id}": {
        "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}],
        "get": {"operationId": "readBed", "responses": {"200": {"description": "ok"}}},
    }},
}  # fmt: skip


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder with one routed contract."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "data"
    signer = KeyFolder(folder / "keys").ensure("publisher", "contracts", "access", "routes")
    bundle = folder / "bundle"
    digest = write_blob(bundle, canonical_bytes(DOCUMENT))
    ward = Consumer("ward", "Ward", "internal", (), (Grant("ward", 1),), (Limit("calls", 60, 60, 5),))
    adapter = AdapterInstance("beds", "http", {"base_url": "http://127.0.0.1:9"})
    write_part(
        bundle,
        ContractsPart(3, (ContractEntry("ward", "1.0.0", "openapi", "frozen", "internal", digest),)),
        signer,
    )
    write_part(bundle, AccessPart(4, (ward,)), signer)
    write_part(
        bundle, RoutesPart(5, "test", (adapter,), (Route("ward", 1, "1.0.0", ("1.0.0",), "beds"),)), signer
    )
    return folder


def invoke(*arguments: str) -> tuple[int, str]:
    runner = CliRunner()
    kept: list[str] = []

    def command():
        result = runner.invoke(proxy, arguments, standalone_mode=False)
        kept.append(result.output)
        if result.exception is not None:
            raise result.exception
        return result.return_value

    return run_guarded(command), "".join(kept)


def test_check_prints_the_effective_configuration(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_DATABASE", "postgresql://interlock:s3cret@db.example/interlock")
    monkeypatch.setenv("INTERLOCK_TOKEN", "t0p-secret")
    code, said = invoke("check", "--data", str(data), "--format", "json")
    assert code == 0
    report = json.loads(said)
    assert report["settings"]["database"] == "postgresql://interlock:***@db.example/interlock"
    assert report["settings"]["token"] == "***"
    assert report["bundle"]["serials"] == {"contracts": 3, "access": 4, "routes": 5}
    assert [route["base"] for route in report["bundle"]["routes"]] == ["/ward/v1"]
    code, said = invoke("check", "--data", str(data))
    assert code == 0
    assert "s3cret" not in said
    assert "t0p-secret" not in said
    assert "/ward/v1  ward 1.0.0 (current 1.0.0, 1 operation) -> beds (http)" in said


def test_check_refuses_a_bundle_that_does_not_verify(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = data / "bundle" / "access.dsse.json"
    path.write_bytes(path.read_bytes().replace(b'"payload":"', b'"payload":"AAAA'))
    code, _ = invoke("check", "--data", str(data))
    assert code == 3
    assert "error[bundle-refused]" in capsys.readouterr().err


def test_before_anything_was_published_check_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for command in (("check",), ("plan", "GET", "/ward/v1/beds/7")):
        code, _ = invoke(*command, "--data", str(tmp_path))
        assert code == 3
        assert "error[bundle-missing]" in capsys.readouterr().err


def test_plan_says_what_would_serve_a_call(data: Path) -> None:
    code, said = invoke(
        "plan",
        "get",
        "http://proxy.example/ward/v1/beds/7",
        "--data",
        str(data),
        "--consumer",
        "ward",
        "--format",
        "json",
    )
    assert code == 0
    found = json.loads(said)
    assert (found["operation"], found["template"], found["forwarded_to"]) == (
        "readBed",
        "/beds/{id}",
        "/beds/7",
    )
    assert found["limits"] == ["calls: 60 in 60 s, burst 5"]
    code, said = invoke("plan", "GET", "/ward/v1/wards", "--data", str(data))
    assert code == 1
    assert "not-found" in said


def test_plan_works_on_a_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ward.json").write_text(json.dumps(DOCUMENT))
    code, said = invoke("plan", "GET", "/beds/7", "--file", "ward.json")
    assert code == 0
    assert "readBed" in said
    assert [path.name for path in tmp_path.iterdir()] == ["ward.json"]


_TLS = ("--tls-key", "ward.json", "--tls-certificate", "ward.json")
_ISSUER = ("--issuer", "i", "--audience", "a")


def test_run_is_called_wrongly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ward.json").write_text(json.dumps(DOCUMENT))
    for arguments, code in (
        (("run", "ward.json"), 2),
        (("run", "ward.json", "--upstream", "ftp://x"), 2),
        (("run", "ward.json", "--upstream", "http://x?y"), 2),
        (("run", "nowhere.json", "--upstream", "http://x"), 2),
        (("run", "ward.json", "--upstream", "http://x", "--port", "70000"), 2),
        (("run", "ward.json", "--upstream", "http://x", "--issuer", "i"), 2),
        (("run", "ward.json", "--upstream", "http://x", *_ISSUER, "--jwks", "nowhere.json"), 2),
        (("run", "ward.json", "--upstream", "http://x", *_ISSUER, "--jwks", "http://login.example/"), 2),
        (("run", "ward.json", "--upstream", "http://x", "--purpose", "a b"), 2),
        (("run", "ward.json", "--upstream", "http://x", "--allow-origin", "https://x/"), 2),
        (("run", "ward.json", "--upstream", "http://x", "--tls-key", "ward.json"), 2),
        (("run", "ward.json", "--upstream", "http://x", "--client-certificate", "ward.json"), 2),
        (("run", "ward.json", "--upstream", "http://x", *_TLS, "--client-certificate", "ward.json"), 2),
    ):
        assert invoke(*arguments)[0] == code, arguments
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["foo", "ftp://x", "http://x?y", "http://user@x", "http://x:99999"])
def test_a_wrong_upstream_is_told_by_the_name_of_its_option(
    typed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ward.json").write_text(json.dumps(DOCUMENT))
    assert invoke("run", "ward.json", "--upstream", typed)[0] == 2
    said = capsys.readouterr().err
    assert "--upstream must be http(s)://HOST[:PORT][/PATH] (ws(s):// for channels)\n" in said
    assert "base_url" not in said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_busy_port_is_told_by_the_name_of_its_option(
    workers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ward.json").write_text(json.dumps(DOCUMENT))
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        code, _ = invoke("run", "ward.json", "--mock", "--port", port, "--workers", workers)
    said = capsys.readouterr().err
    assert (code, "error[listen-failed]" in said) == (3, True), said
    assert "hint: choose another --port (0: any free one) or --host" in said
    assert "proxy_port" not in said


def test_serve_says_where_it_is_and_goes_when_told(data: Path) -> None:
    child = subprocess.Popen(
        [sys.executable, "-m", "cli", "proxy", "serve", "--data", str(data), "--proxy-port", "0"],
        cwd=Path(__file__).resolve().parents[2], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env={**os.environ, "INTERLOCK_PROXY_DRAIN_TIMEOUT": "2"},
    )  # fmt: skip
    ready = data / "run" / "proxy.json"
    try:
        until = time.monotonic() + 30
        while not ready.exists() and time.monotonic() < until and child.poll() is None:
            time.sleep(0.02)
        table = json.loads(ready.read_text())
        assert table["pid"] == child.pid
        assert table["listeners"] == {}
        code, _ = invoke("check", "--data", str(data))
        assert code == 0
    finally:
        child.send_signal(signal.SIGTERM)
        said = child.communicate(timeout=30)[0].decode()
    assert child.returncode == 0, said
    assert "serving bundle contracts 3, access 4, routes 5: ward v1" in said
    assert not ready.exists()


def signed(data: Path, **more) -> None:
    """Publish the routes part again, with a policy or other settings."""
    signer = KeyFolder(data / "keys").signing_key("publisher")
    adapter = AdapterInstance(
        "beds", more.pop("kind", "http"), more.pop("settings", {"base_url": "http://127.0.0.1:9"})
    )
    route = Route("ward", 1, "1.0.0", ("1.0.0",), "beds", **more)
    write_part(data / "bundle", RoutesPart(6, "test", (adapter,), (route,)), signer)


def asked(*words: str) -> tuple[int, dict]:
    code, said = invoke("plan", *words, "--format", "json")
    return code, json.loads(said)


def test_plan_follows_hosts_headers_and_addresses(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(data, policy=RoutePolicy(address=Address(("ward.example",), "Api-Version")))
    where = ("--data", str(data))
    code, found = asked("GET", "http://ward.example/beds/7", *where)
    assert (code, found["forwarded_to"], found["served_for"]) == (0, "/beds/7", "internal")
    assert found["policy"]["address"]["hosts"] == ["ward.example"]
    assert asked("GET", "/ward/beds/7", "-H", "Api-Version: 1", *where)[1]["operation"] == "readBed"
    assert asked("GET", "/ward/beds/7", *where) == (1, {"refusal": "not-found", "status": 404})
    monkeypatch.setenv("INTERLOCK_PROXY_LISTEN_PUBLIC", "127.0.0.1:8702")
    assert asked("GET", "/ward/v1/beds/7", "--on", "internal", *where)[0] == 0
    for words in (("/ward/v1/beds/7", "--on", "public"), ("http://127.0.0.1:8702/ward/v1/beds/7",)):
        assert asked("GET", *words, *where) == (1, {"refusal": "not-found", "status": 404})
    assert invoke("plan", "GET", "/x", "-H", "nothing", *where)[0] == 2


def test_plan_and_check_know_what_is_denied(data: Path) -> None:
    signer = KeyFolder(data / "keys").ensure("deny", "deny-list")
    for serial, what, consumer in (
        (1, Denied("route", "ward/v1"), None),
        (2, Denied("consumer", "ward"), "ward"),
    ):
        denial = Denial(what, "2026-11-26T12:00:00Z", "olga", "why")
        write_list(registry_list(data / "bundle"), DenyList(serial, "registry", (denial,)), signer)
        words = ("--consumer", consumer) if consumer else ()
        code, found = asked("GET", "/ward/v1/beds/7", "--data", str(data), *words)
        assert (code, found["refusal"], found["status"]) == (1, "denied", 403)
    report = json.loads(invoke("check", "--data", str(data), "--format", "json")[1])
    assert report["deny_lists"] == [{"origin": "registry", "serial": 2, "denied": ["consumer/ward"]}]
    assert report["faults"] == []
    registry_list(data / "bundle").write_bytes(b"spoilt")
    code, said = invoke("check", "--data", str(data), "--format", "json")
    assert code == 1
    assert "deny list (registry)" in json.loads(said)["faults"][0]


def test_check_tells_what_the_proxy_would_serve_around(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    signed(data, kind="lab_hl7v9", settings={"password": "s3cret", "url": "http://u:s3cret@lab.example"})
    code, said = invoke("check", "--data", str(data), "--format", "json")
    assert code == 1
    report = json.loads(said)
    assert "no adapter kind" in report["faults"][0]
    assert report["adapters"][0]["settings"] == {"password": "***", "url": "http://u:***@lab.example"}
    assert report["addresses"] == [
        {"name": "proxy", "at": "127.0.0.1:8701", "audiences": ["internal", "partner", "public"]}
    ]
    assert {tuple(row["may_sign"]) for row in report["trusted"]} == {("access", "contracts", "routes")}
    assert "s3cret" not in invoke("check", "--data", str(data))[1]
    monkeypatch.setenv("INTERLOCK_PROXY_LISTEN_PUBLIC", "nowhere")
    assert invoke("check", "--data", str(data))[0] == 2


def test_plan_says_how_each_media_type_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    document = json.loads(json.dumps(DOCUMENT))
    document["paths"]["/beds/{id}"]["put"] = {
        "requestBody": {"content": {
            "application/json": {"schema": {"type": "object"}},
            "text/csv": {"schema": {"type": "string"}},
            "image/png": {},
            "application/pdf": {"schema": {"type": "object"}, "x-interlock-unchecked": True},
        }},
        "responses": {"200": {"description": "ok", "content": {"application/json": {}}}},
    }  # fmt: skip
    (tmp_path / "ward.json").write_text(json.dumps(document))
    words = ("--file", "ward.json", "--prefix", "api", "--upstream", "http://p.example/v7")
    code, found = asked("PUT", "/api/beds/7", *words)
    assert code == 0
    assert found["decoders"] == {
        "application/json": "strict JSON, then its schema",
        "text/csv": "text in its charset, then its schema",
        "image/png": "only that it is declared: no schema says more",
        "application/pdf": "passed on unread, as the contract says",
    }
    assert found["answer_decoders"] == {"200": {"application/json": "strict JSON, any value"}}
    assert found["unservable"] == ""


def test_plan_says_who_may_call_from_a_browser_and_what_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    document = json.loads(json.dumps(DOCUMENT))
    (tmp_path / "ward.json").write_text(json.dumps(document))
    found = asked("GET", "/beds/7", "--file", "ward.json")[1]
    assert (found["browsers"], found["answers_kept"], found["requests"]) == ([], "never", "enforced")
    document["x-interlock-cors"] = {"origins": ["https://ward.example"]}
    document["paths"]["/beds/{id}"]["get"]["x-interlock-cache"] = {"max-age": 60}
    (tmp_path / "ward.json").write_text(json.dumps(document))
    found = asked("GET", "/beds/7", "--file", "ward.json")[1]
    assert found["browsers"] == ["https://ward.example"]
    assert found["answers_kept"] == "as the provider's Cache-Control says, for 60 s at most"
