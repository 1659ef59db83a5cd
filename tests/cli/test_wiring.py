"""The control plane of a data folder, started as a user would start it."""

from __future__ import annotations

import importlib.util
import json
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli import wiring
from cli.local_access import local_principal
from kernel.audit.search import Query, search
from kernel.bundle.read import read_bundle
from kernel.errors import AuditError
from kernel.sealing.keys import KeyFolder
from kernel.settings import Settings, load
from registry.errors import Conflict, NotSignedIn, StoreFailed
from registry.review import accounts

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "correct horse battery"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load({"data": str(tmp_path / "data"), "registry_port": 0}, environ={})


def test_the_first_start_makes_everything_and_the_second_nothing(settings: Settings) -> None:
    first = wiring.upgrade_databases(settings)
    assert first[2] == "tokens: author, board, ci, operator, auditor made in tokens/"
    data = settings.path
    assert read_bundle(data / "bundle", KeyFolder(data / "keys").trust()).contracts.contracts == ()
    for path in [*(data / "tokens").glob("*.token"), *(data / "keys").glob("*.pem"), data / "registry.db"]:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    before = {path: path.read_bytes() for path in data.rglob("*.token")}
    assert wiring.upgrade_databases(settings)[2] == "tokens: all there"
    assert {path: path.read_bytes() for path in data.rglob("*.token")} == before


def test_a_lost_local_token_is_replaced_and_revoked(settings: Settings) -> None:
    wiring.upgrade_databases(settings)
    file = settings.path / "tokens" / "board.token"
    lost = file.read_text().strip()
    file.unlink()
    assert "board made" in wiring.upgrade_databases(settings)[2]
    with wiring.open_services(settings) as services:
        assert accounts.principal_of_token(services, file.read_text().strip()).name == "local-board"
        with pytest.raises(NotSignedIn):
            accounts.principal_of_token(services, lost)


def test_an_old_schema_is_not_served(settings: Settings) -> None:
    settings.path.mkdir()
    with pytest.raises(StoreFailed, match="revision"), wiring.open_services(settings):
        pass


def test_two_registries_cannot_share_a_data_folder(settings: Settings) -> None:
    wiring.upgrade_databases(settings)
    with wiring.run_services(settings), pytest.raises(AuditError), wiring.run_services(settings):
        pass


def _postgres_server() -> Any:
    spec = importlib.util.spec_from_file_location(
        "tests_doubles_postgres", ROOT / "tests/doubles/postgres.py"
    )
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module.postgres_server()


class Served:
    def __init__(self, data: Path, child: subprocess.Popen[bytes], url: str) -> None:
        self.data, self.child, self.url = data, child, url

    def token(self, role: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {(self.data / 'tokens' / f'{role}.token').read_text().strip()}"}


def start(data: Path) -> Served:
    ready = data / "run" / "registry.json"
    ready.unlink(missing_ok=True)
    command = [sys.executable, "-m", "cli", "registry-serve", "--data", str(data), "--registry-port", "0"]
    child = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not ready.exists():
        assert child.poll() is None, child.stderr.read() if child.stderr else b""
        assert time.monotonic() < deadline
        time.sleep(0.05)
    table: dict[str, Any] = json.loads(ready.read_text())
    assert table["pid"] == child.pid
    return Served(data, child, f"http://{table['host']}:{table['port']}")


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    one = start(tmp_path / "data")
    yield one
    if one.child.returncode is None:
        one.child.kill()
        one.child.communicate()


def stop(served: Served) -> None:
    served.child.send_signal(signal.SIGTERM)
    served.child.communicate(timeout=30)
    assert served.child.returncode == 0
    assert not (served.data / "run" / "registry.json").exists()


def test_api_pages_and_health_on_one_port_and_a_clean_end(served: Served) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        assert client.get("/healthz").json()["status"] == "ok"
        assert client.get("/api/v1/contracts", headers=served.token("auditor")).json() == {"contracts": []}
        assert client.get("/api/v1/contracts").status_code == 401
        assert client.get("/", follow_redirects=True).headers["content-type"].startswith("text/html")
        assert "server" not in client.get("/healthz").headers
        body = {"id": "ehr", "name": "EHR", "audience": "internal"}
        assert (
            client.post("/api/v1/consumers", json=body, headers=served.token("operator")).status_code == 201
        )
    stop(served)
    acts = [row["act"] for row in search(served.data / "audit", Query(writer="registry", stage="act"))]
    assert acts == ["token-add"] * 5 + ["consumer-add"]


def test_killed_at_any_moment_the_next_start_has_every_act_once(served: Served) -> None:
    with httpx.Client(base_url=served.url, trust_env=False) as client:
        for number in range(10):
            body = {"id": f"ward-{number}", "name": "x", "audience": "internal"}
            client.post("/api/v1/consumers", json=body, headers=served.token("operator"))
    served.child.kill()
    served.child.communicate()
    again = start(served.data)
    stop(again)
    rows = search(served.data / "audit", Query(writer="registry", act="consumer-add"))
    assert [row["subject"] for row in rows] == [f"consumer/ward-{number}" for number in range(10)]


def test_accounts_and_tokens_by_command(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from cli.main import interlock

    def run(*words: str, stdin: str | None = None, refused: type[Exception] | None = None) -> str:
        env = {"INTERLOCK_DATA": str(tmp_path / "data")}
        result = CliRunner().invoke(interlock, list(words), input=stdin, env=env)
        if refused is not None:
            assert isinstance(result.exception, refused), result.output
        else:
            assert result.exit_code == 0, result.output
        return result.stdout

    assert "registry: schema at revision" in run("db", "upgrade")
    run("db", "account", "add", "ines", "--role", "board", stdin=f"{PASSWORD}\n")
    again = ("db", "account", "add", "ines", "--role", "board", "--role", "author")
    run(*again, stdin="another good password\n", refused=Conflict)
    (known,) = json.loads(run("db", "account", "list", "--format", "json"))
    assert (known["name"], known["roles"], known["disabled_at"]) == ("ines", ["board"], None)
    run(*again, "--replace", stdin=f"{PASSWORD}\n")
    assert run("db", "account", "list").split("\t")[:2] == ["ines", "author, board"]
    settings = load({"data": str(tmp_path / "data")}, environ={})
    presented = run("db", "token", "add", "ines", "--role", "board", "--expires-at", "2099-01-01").strip()
    with wiring.open_services(settings) as services:
        assert accounts.sign_in(services, "ines", PASSWORD, source="test").principal.name == "ines"
        assert accounts.principal_of_token(services, presented).name == "ines"
    listed = json.loads(run("db", "token", "list", "--format", "json"))
    mine = next(one for one in listed if one["subject"] == "ines")
    assert (mine["roles"], mine["expires_at"][:10], mine["id"]) == (
        ["board"],
        "2099-01-01",
        presented.split("_")[1],
    )
    assert presented not in run("db", "token", "list")
    run("db", "token", "revoke", mine["id"])
    run("db", "account", "disable", "ines")
    with wiring.open_services(settings) as services:
        with pytest.raises(NotSignedIn):
            accounts.sign_in(services, "ines", PASSWORD, source="test")
        with pytest.raises(NotSignedIn):
            accounts.principal_of_token(services, presented)


@pytest.mark.postgres
def test_the_whole_control_plane_over_postgresql(tmp_path: Path) -> None:
    from registry.review import access, publication

    with _postgres_server() as server:
        settings = load({"data": str(tmp_path / "data"), "database": server.url()}, environ={})
        wiring.upgrade_databases(settings)
        with wiring.run_services(settings) as running:
            services = running.services
            operator = local_principal()
            access.add_consumer(services, operator, consumer_id="ehr", name="EHR", audience="internal")
            key = access.issue_key(services, operator, "ehr")
            assert publication.publish(services) == ()
        held = read_bundle(settings.path / "bundle", KeyFolder(settings.path / "keys").trust())
        assert held.access.consumers[0].keys[0].id == key.key.id
        acts = [row["act"] for row in search(settings.path / "audit", Query(writer="registry", stage="act"))]
        assert acts == ["token-add"] * 5 + ["consumer-add", "key-add"]
        assert not (settings.path / "registry.db").exists()
