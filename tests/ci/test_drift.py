"""Applications beside their contract: what they keep, what they add, what they break, and how loading them fails."""

from __future__ import annotations

import http.server
import json
import os
import subprocess
import sys
import threading
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ci.application import LARGEST, Import, from_address, from_import
from ci.conformance import Held
from ci.drift import Drift, DriftFound, find_drift
from ci.errors import ApplicationUnusable
from ci.probing import probe
from cli.main import interlock
from kernel.contract.digest import digest
from kernel.contract.finding import Bump, Outcome, Verdict
from kernel.offline import offline_works
from kernel.settings import load
from registry.compat.inputs import read_self_contained

ROOT = Path(__file__).resolve().parents[2]
APPS = Path(__file__).parent / "applications"
FRAMEWORKS = ROOT / ".tools" / "frameworks"


def held(file: Path = APPS / "wards.yaml") -> Held:
    document = read_self_contained(file)
    return Held("wards", "1.0.0", document.root, digest(document.root), document, file.name)


def loaded(target: str, python: str = sys.executable, **more: Any) -> Any:
    return from_import(
        Import(target, APPS, Path(python), **{"openapi_path": "/schema.json", "seconds": 60.0, **more})
    )


def drift_of(target: str, python: str = sys.executable, *, prefix: str = "", **more: Any) -> DriftFound:
    return find_drift(held(), loaded(target, python, **more), target, load(), prefix=prefix)


@pytest.mark.parametrize(
    ("target", "drift", "rules"),
    [
        ("plain_apps:same", "none", set()),
        ("plain_apps:framework", "none", set()),
        ("plain_apps:make()", "none", set()),
        ("plain_apps:sees()", "none", set()),
        ("plain_apps:prints()", "none", set()),
        ("plain_apps:asgi", "none", set()),
        ("plain_apps:wsgi", "none", set()),
        ("plain_apps:noisy", "none", set()),
        ("plain_apps:adds", "additive", {"operation-added"}),
        ("plain_apps:breaks", "breaking", {"value-no-longer-accepted"}),
        ("plain_apps:lacks", "breaking", {"operation-removed"}),
        ("plain_apps:invalid", "undecided", {"kinds-differ"}),
    ],
)
def test_what_an_application_says_is_compared_both_ways(target: str, drift: str, rules: set[str]) -> None:
    found = drift_of(target)
    told = {one.rule for one in (*found.broken, *found.added)}
    assert (str(found.drift), rules <= told) == (drift, True), told
    code = {"none": 0, "additive": 0, "breaking": 1, "undecided": 3}[drift]
    assert found.report("breaking").exit_code == code
    assert found.report("additive").exit_code == (1 if drift == "additive" else code)


def test_a_prefix_is_taken_off(tmp_path: Path) -> None:
    assert drift_of("plain_apps:mounted").drift is Drift.BREAKING
    assert drift_of("plain_apps:mounted", prefix="/api/v1").drift is Drift.NONE
    hidden = drift_of("plain_apps:beside", prefix="/api")
    assert (hidden.drift, [one.rule for one in hidden.broken if "/" not in one.rule]) == (
        Drift.BREAKING,
        ["operation-removed"],
    )


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (
            "broken_app:app",
            r"ModuleNotFoundError: No module named 'a_package_that_nobody_has' \(broken_app.py:3\)",
        ),
        ("plain_apps:nothing", "has no attribute 'nothing'"),
        ("plain_apps:number", "int gives no OpenAPI document"),
        ("plain_apps:shapeless", "list gives no OpenAPI document"),
        ("plain_apps:leaves()", "SystemExit"),
        ("plain_apps:dies()", "its interpreter ended with 3"),
        ("plain_apps:talks()", "PermissionError"),
        ("plain_apps:starts()", "subprocess.Popen is refused"),
        ("plain_apps:wants()", "KeyError: 'WANTED'"),
        ("plain_apps", "names no application"),
        ("plain_apps:x; import os", "names no application"),
    ],
)
def test_what_cannot_be_loaded_is_told_clearly(target: str, said: str) -> None:
    with pytest.raises(ApplicationUnusable, match=said):
        loaded(target)


def test_only_variables_that_are_given_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INTERLOCK_TOKEN", "ours")
    assert loaded("plain_apps:wants()", environment={"WANTED": "1"}).root["info"]["title"] == "Wards"
    assert loaded("plain_apps:sees()").root["info"]["title"] == "Wards"


def test_an_import_without_end_is_ended() -> None:
    with pytest.raises(ApplicationUnusable, match="longer than 2 s"):
        loaded("plain_apps:sleeps()", seconds=2.0)


def test_an_interpreter_that_is_none_is_told(tmp_path: Path) -> None:
    fake = tmp_path / "python"
    fake.write_text("#!/bin/sh\necho '[1]' > \"$5\"\n")
    fake.chmod(0o755)
    with pytest.raises(ApplicationUnusable, match="cannot be read"):
        loaded("plain_apps:same", str(fake))
    fake.write_text('#!/bin/sh\necho \'{"document": {"openapi": "3.1.0", "a": 1, "a": 2}}\' > "$5"\n')
    assert (
        loaded("plain_apps:same", str(fake)).root["a"] == 2
    )  # written by json.dumps again: one key, one value
    fake.write_text('#!/bin/sh\necho \'{"document": [1]}\' > "$5"\n')
    with pytest.raises(ApplicationUnusable, match="no OpenAPI document"):
        loaded("plain_apps:same", str(fake))


@pytest.mark.skipif(not offline_works(), reason="this system lets no user make a namespace without network")
def test_an_interpreter_has_no_network_at_all(tmp_path: Path) -> None:
    """Beneath the hook, which native code would go around."""
    fake = tmp_path / "python"
    fake.write_text(
        '#!/bin/sh\nls /sys/class/net > "$5.seen" 2>/dev/null; cat /proc/net/dev | tail -n +3 | cut -d: -f1 >&2; exit 5\n'
    )
    fake.chmod(0o755)
    with pytest.raises(ApplicationUnusable, match=r"ended with 5: *lo$"):
        loaded("plain_apps:same", str(fake))


# From an address, and asked while it runs


@contextmanager
def serving(answers: dict[str, tuple[int, bytes, str]]) -> Iterator[tuple[str, list[str]]]:
    seen: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None: ...

        def do_GET(self) -> None:
            seen.append(f"{self.command} {self.path}")
            status, body, kind = answers.get(self.path, (404, b"", "text/plain"))
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            if status == 302:
                self.send_header("Location", "/openapi.json")
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_DELETE = do_HEAD = do_GET  # noqa: N815 - names of http.server

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", seen
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


WARDS = json.dumps(read_self_contained(APPS / "wards.yaml").root).encode()
JSON = "application/json"


@pytest.mark.enable_socket
def test_a_document_is_fetched_within_bounds() -> None:
    answers = {
        "/openapi.json": (200, WARDS, JSON),
        "/moved": (302, b"", JSON),
        "/page": (200, b"<html>", "text/html"),
        "/large": (200, b" " * (LARGEST + 1), JSON),
        "/events": (200, b'{"asyncapi": "3.0.0"}', JSON),
    }
    with serving(answers) as (url, _):
        assert from_address(f"{url}/openapi.json", {}).root["info"]["title"] == "Wards"
        for path, said in (
            ("/moved", "answered 302"),
            ("/none?key=secret", "/none answered 404"),
            ("/page", "no OpenAPI document"),
            ("/large", "larger than"),
            ("/events", "of kind asyncapi"),
        ):
            with pytest.raises(ApplicationUnusable, match=said) as caught:
                from_address(url + path, {})
            assert "secret" not in str(caught.value)
    with pytest.raises(ApplicationUnusable, match="cannot be fetched: ConnectError"):
        from_address(f"{url}/openapi.json", {})


def probed(answers: dict[str, tuple[int, bytes, str]]) -> tuple[DriftFound, list[str]]:
    with serving(answers) as (url, seen):
        return probe(drift_of("plain_apps:same"), url, {}), seen


@pytest.mark.enable_socket
def test_a_deployed_service_is_asked_without_changing_anything() -> None:
    found, seen = probed({"/wards": (200, b'[{"name":"A","beds":3}]', JSON)})
    assert (found.drift, [one.rule for one in found.probed]) == (Drift.NONE, ["drift/not-probed"])
    assert seen == ["GET /wards", "GET /wards"]  # for the operation, and for the path of the POST


@pytest.mark.enable_socket
@pytest.mark.parametrize(
    ("answer", "drift", "rule", "said"),
    [
        ((200, b'[{"name":"A"}]', JSON), Drift.BREAKING, "drift/answer-wrong", "/0/beds: required"),
        ((200, b"<p>", "text/html"), Drift.BREAKING, "drift/answer-wrong", "media-type"),
        ((500, b"", JSON), Drift.BREAKING, "drift/answer-wrong", "answered 500"),
        ((401, b"", JSON), Drift.UNDECIDED, "drift/not-let-in", "answered 401"),
        ((404, b"", JSON), Drift.UNDECIDED, "drift/path-unknown", "404"),
    ],
)
def test_what_a_deployed_service_answers_is_judged(answer: Any, drift: Drift, rule: str, said: str) -> None:
    found, _ = probed({"/wards": answer})
    first = next(one for one in found.probed if one.rule == rule)
    assert (found.drift, said in first.what, first.line) == (drift, True, 5)


@pytest.mark.enable_socket
def test_a_service_that_does_not_answer_is_undecided() -> None:
    with serving({}) as (url, _):
        pass
    found = probe(drift_of("plain_apps:same"), url, {})
    assert (found.drift, {one.rule for one in found.probed}) == (Drift.UNDECIDED, {"drift/no-answer"})


def test_the_command_tells_verdict_and_exit_code() -> None:
    words = ["ci", "drift", "--contract", str(APPS / "wards.yaml"), "--app-dir", str(APPS)]
    for target, code, said in (
        ("plain_apps:same", 0, "PASSED: plain_apps:same is what wards 1.0.0 says"),
        ("plain_apps:adds", 0, "PASSED: plain_apps:adds keeps wards 1.0.0, and does more than it says"),
        ("plain_apps:lacks", 1, "FAILED: plain_apps:lacks does not keep wards 1.0.0"),
    ):
        result = CliRunner().invoke(interlock, [*words, target], standalone_mode=False)
        assert (result.return_value, result.stdout.splitlines()[0]) == (code, said)
    result = CliRunner().invoke(
        interlock,
        [*words, "plain_apps:adds", "--fail-on", "additive", "--format", "json"],
        standalone_mode=False,
    )
    assert (result.return_value, json.loads(result.stdout)["status"]) == (1, "failed")


# Real frameworks


@pytest.fixture(scope="session")
def frameworks() -> str:
    """An environment with FastAPI, Django, django-ninja and the REST framework; pip's own client makes it once."""
    lock = ROOT / "requirements" / "frameworks.txt"
    python, stamp = FRAMEWORKS / "bin" / "python", FRAMEWORKS / ".stamp"
    if not stamp.is_file() or stamp.read_bytes() != lock.read_bytes():
        venv.create(FRAMEWORKS, with_pip=True)
        command = [
            str(python),
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--require-hashes",
            "-r",
            str(lock),
        ]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=600, check=False, env=dict(os.environ)
        )
        if done.returncode != 0:
            pytest.skip(f"the frameworks cannot be installed: {done.stderr.strip().splitlines()[-1][:200]}")
        stamp.write_bytes(lock.read_bytes())
    return str(python)


@pytest.mark.long
@pytest.mark.parametrize(
    ("target", "more", "drift"),
    [
        ("fast_app:app", {}, Drift.ADDITIVE),  # FastAPI adds its 422 by itself
        ("fast_app:strict", {}, Drift.BREAKING),
        ("django_urls:api", {"django_settings": "django_app", "prefix": "/api"}, Drift.NONE),
        (
            "drf-spectacular",
            {"django_settings": "django_app"},
            Drift.ADDITIVE,
        ),  # its forms, and ways to sign in
    ],
)
def test_real_applications(frameworks: str, target: str, more: dict[str, Any], drift: Drift) -> None:
    found = drift_of(target, frameworks, **more)
    assert found.drift is drift, [one.what for one in (*found.broken, *found.added)]
    if target == "fast_app:app":
        assert [one.what for one in found.added] == ["POST /wards: the 422 response was added"]
    if target == "fast_app:strict":
        assert any(one.has_witness and one.rule == "value-no-longer-accepted" for one in found.broken)


@pytest.mark.long
def test_settings_of_django_that_are_missing_are_told(frameworks: str) -> None:
    with pytest.raises(ApplicationUnusable, match="ImproperlyConfigured") as caught:
        loaded("django_urls:api", frameworks)
    assert "--django-settings" in caught.value.hint


def test_reports_say_what_was_judged_and_nothing_else() -> None:
    from ci.formats import junit

    found = drift_of("plain_apps:adds")
    told = junit.render(found.report("additive"))
    assert "<failure message=" in told
    assert "deployed service" not in told
    assert "<failure" not in junit.render(found.report("breaking"))
    asked = drift_of("plain_apps:breaks").report("breaking").contracts[0]
    assert {one.direction for _, rows in asked.judged for one in rows} <= {
        "application-accepts",
        "application-emits",
        "application-other",
    }


def test_what_cannot_be_excluded_is_told_as_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other direction is undecided: nothing says that the application does no more."""
    verdicts = iter([Verdict(Outcome.COMPATIBLE, Bump.NONE, ()), Verdict(Outcome.UNDECIDED, Bump.NONE, ())])
    monkeypatch.setattr("ci.drift.compare", lambda *_, **__: next(verdicts))
    found = drift_of("plain_apps:same")
    assert (found.drift, [one.rule for one in found.added]) == (Drift.ADDITIVE, ["drift/does-more"])


@pytest.mark.enable_socket
def test_a_deployed_service_can_be_asked_alone() -> None:
    words = ["ci", "drift", "--contract", str(APPS / "wards.yaml")]
    with serving({"/wards": (200, b"[]", JSON)}) as (url, _):
        result = CliRunner().invoke(
            interlock, [*words, "--probe", url, "--format", "json"], standalone_mode=False
        )
        assert result.return_value == 0
        [judged] = json.loads(result.stdout)["contracts"][0]["judged"]
        assert (judged["title"], [one["rule"] for one in judged["findings"]]) == (
            "the deployed service answers as the contract declares",
            ["drift/not-probed"],
        )
    with serving({"/wards": (200, b"{}", JSON)}) as (url, _):
        result = CliRunner().invoke(interlock, [*words, "--probe", url], standalone_mode=False)
        assert (result.return_value, result.stdout.splitlines()[0]) == (
            1,
            f"FAILED: {url} does not keep wards 1.0.0",
        )
    result = CliRunner().invoke(interlock, words, standalone_mode=False)
    assert "name an application" in str(result.exception)
