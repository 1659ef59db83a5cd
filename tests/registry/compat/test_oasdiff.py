"""oasdiff is confined and never trusted to be well: whatever goes wrong makes the verdict undecided."""

import stat

import pytest

from kernel.offline import offline_works
from kernel.settings import load
from registry.compat.oasdiff import PINNED, ask, program
from registry.compat.policy import compare

OLD = {
    "openapi": "3.0.3",
    "info": {"title": "A", "version": "1"},
    "paths": {"/a": {"get": {"responses": {}}}},
}
NEW = {**OLD, "info": {"title": "A", "version": "1", "description": "Words"}}


@pytest.fixture
def fake(tmp_path):
    """Write a program that answers `--version` rightly and else does as told."""

    def write(body, version=PINNED):
        path = tmp_path / "oasdiff"
        path.write_text(
            f'#!/bin/sh\n[ "$1" = --version ] && echo "oasdiff version {version}" && exit 0\n{body}\n'
        )
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return load({"oasdiff": str(path), "oasdiff_timeout": 1.0}, environ={})

    return write


def test_the_pinned_program_is_found_and_answers():
    settings = load(environ={})
    assert program(settings)
    opinion = ask(OLD, {**OLD, "paths": {}}, settings, upgrade=False)
    assert (opinion.version, opinion.trouble) == (PINNED, "")
    assert [row["id"] for row in opinion.findings] == ["api-path-removed-without-deprecation"]


@pytest.mark.parametrize(("body", "trouble"), [
    ("exit 7", "ended with 7"), ("echo '{'", "cannot be read"), ("echo '{}'", "cannot be read"),
    ("echo '[1]'", "cannot be read"), ("exec sleep 60", "took longer than 1 s"), ("kill -9 $$", "ended with -9"),
])  # fmt: skip
def test_whatever_goes_wrong_is_undecided(fake, body, trouble):
    settings = fake(body)
    opinion = ask(OLD, NEW, settings, upgrade=False)
    assert opinion.trouble == "engine-failed"
    assert trouble in opinion.detail
    verdict = compare(OLD, NEW, "openapi", settings=settings)
    assert str(verdict.outcome) == "undecided"


def test_it_says_when_it_runs_and_nobody_waits_for_what_does_not(fake):
    begun = []
    settings = fake("echo '[]'")
    assert ask(OLD, NEW, settings, upgrade=False, begun=lambda: begun.append(1)).findings == ()
    assert begun == [1]
    missing = fake("echo '[]'", version="1.28.0")
    assert ask(OLD, NEW, missing, upgrade=False, begun=lambda: begun.append(2)).trouble == "engine-missing"
    assert begun == [1]
    assert str(compare(OLD, NEW, "openapi", settings=missing).outcome) == "undecided"


def test_another_version_is_not_asked(fake):
    settings = fake("echo '[]'", version="1.28.0")
    assert ask(OLD, NEW, settings, upgrade=False).trouble == "engine-missing"
    assert str(compare(OLD, NEW, "openapi", settings=settings).outcome) == "undecided"


def test_it_runs_in_an_empty_folder_without_our_environment(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("OASDIFF_CONFIG", "/elsewhere")
    seen = tmp_path / "seen"
    settings = fake(f'(env; pwd; ls -A; ulimit -v; echo "$@") > {seen}\necho "[]"')
    assert ask(OLD, NEW, settings, upgrade=True).findings == ()
    text = seen.read_text()
    assert "OASDIFF_CONFIG" not in text
    assert "--allow-external-refs=false" in text
    assert "--auto-upgrade" in text
    assert {"GOGC=400", "GOMEMLIMIT=512MiB"} <= set(text.splitlines())
    folder = next(line for line in text.splitlines() if line.startswith("/"))
    lines = text.splitlines()
    assert folder.endswith("/work")
    assert lines[
        lines.index(folder) + 1
    ].isdigit()  # nothing was listed between the folder and its memory limit
    assert int(lines[lines.index(folder) + 1]) >= 2 * 1024 * 1024  # KiB


def test_it_has_no_network(fake, tmp_path):
    if not offline_works():
        pytest.skip("this system lets nobody make a network namespace")
    seen = tmp_path / "seen"
    settings = fake(f'tail -n +3 /proc/net/dev | cut -d: -f1 > {seen}\necho "[]"')
    assert ask(OLD, NEW, settings, upgrade=False).trouble == ""
    assert [line.strip() for line in seen.read_text().splitlines()] == ["lo"]


def test_a_crash_does_not_hide_a_break_that_we_prove(fake):
    settings = fake("exit 2")
    verdict = compare(OLD, {**OLD, "paths": {}}, "openapi", settings=settings)
    assert str(verdict.outcome) == "breaking"
    assert {f.rule for f in verdict.findings} == {"engine-failed", "operation-removed"}
