"""What lies under deploy/: valid for who reads it, and run in scratch repositories with real git and real pre-commit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
TOOLS = ROOT / ".tools" / "packaging"
INTERLOCK = Path(sys.executable).parent / "interlock"
ACTIONS = sorted((DEPLOY / "github").rglob("action.yml"))
BEDS = {
    "openapi": "3.1.0",
    "info": {"title": "Beds", "version": "1.0.0", "description": "Beds of the wards.", "contact": {"email": "a@b.example"}},
    "servers": [{"url": "https://beds.example"}],
    "paths": {
        "/beds": {
            "get": {
                "operationId": "findBeds",
                "responses": {
                    "200": {"description": "Beds.", "content": {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}}
                },
            }
        }
    },
}  # fmt: skip
META = """\
name: beds
version: {version}
kind: openapi
title: Beds
owner: ward-systems
domain: wards
audience: internal
description: The beds of the wards.
systems: {{provider: bed-board, consumers: [ehr], source_of_truth: bed-board}}
sensitivity: none
urgency: routine
retry: {{policy: idempotent-only, max_attempts: 3}}
objectives: {{latency_p99_ms: 800, availability: "99.9"}}
"""


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=ada", "-c", "user.email=ada@hospital.example", "-c", "init.defaultBranch=main",
               "-c", "protocol.file.allow=always", *words]  # fmt: skip
    return subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, timeout=120
    ).stdout.strip()


def write(folder: Path, version: str, *, breaks: bool = False) -> None:
    home = folder / "contracts" / "beds" / version
    home.mkdir(parents=True, exist_ok=True)
    root = json.loads(json.dumps(BEDS))
    root["info"]["version"] = version
    if breaks:
        root["paths"]["/bunks"] = root["paths"].pop("/beds")
    (home / "openapi.yaml").write_text(yaml.safe_dump(root, sort_keys=False))
    (home / "meta.yaml").write_text(META.format(version=version))


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository whose first commit holds beds 1.0.0; beds 1.1.0 lies there, breaks it, and is committed."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q")
    write(folder, "1.0.0")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "beds 1.0.0")
    write(folder, "1.1.0", breaks=True)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "beds 1.1.0")
    return folder


def shell(script: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    path = f"{INTERLOCK.parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, capture_output=True, text=True, timeout=180, check=False,
        env={"PATH": path, "HOME": str(folder), "LANG": "C.UTF-8", **variables},
    )  # fmt: skip


# GitHub


def run_action(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the step of the action as the runner does: its expressions answered, everything in the environment."""
    [step] = [
        one
        for one in yaml.safe_load((DEPLOY / "github/action.yml").read_text())["runs"]["steps"]
        if one.get("id") == "gate"
    ]
    base = {"github.event.pull_request.base.sha": inputs.pop("base", "")}
    variables = {
        name: _answered(text, {**base, **{f"inputs.{key}": value for key, value in inputs.items()}})
        for name, text in step["env"].items()
    }
    files = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    action = {"GITHUB_ACTION_PATH": str(DEPLOY / "github"), "GATE_INTERLOCK": str(INTERLOCK)}
    return shell(step["run"], folder, **variables, **files, **action)


def _answered(text: str, known: dict[str, str]) -> str:
    names = re.fullmatch(r"\$\{\{ (.+) \}\}", text)
    assert names is not None
    return next((known[name] for name in names[1].split(" || ") if known.get(name)), "")


def test_the_action_fails_where_somebody_would_break_and_says_where(repository: Path) -> None:
    base = git(repository, "rev-parse", "HEAD~1")
    done = run_action(repository, base=base, paths="contracts\n", reports="out")
    assert done.returncode == 1, done.stderr
    assert "::error file=contracts/beds/1.1.0/openapi.yaml,line=" in done.stdout
    assert (repository / "output").read_text() == "status=failed\nsarif=out/gate.sarif\n"
    assert "beds 1.1.0" in (repository / "summary").read_text()
    assert {one.name for one in (repository / "out").iterdir()} == {
        "gate.sarif",
        "gate.xml",
        "gate.json",
        "gate.md",
    }
    assert json.loads((repository / "out/gate.json").read_text())["against"] == f"git:{base}"


def test_the_action_passes_what_breaks_nobody(repository: Path) -> None:
    write(repository, "1.1.0")
    done = run_action(repository, base=git(repository, "rev-parse", "HEAD~1"), profile="lenient")
    assert (done.returncode, (repository / "output").read_text().splitlines()[0]) == (0, "status=passed"), (
        done.stdout
    )


@pytest.mark.parametrize("base", ["", "0" * 40, "$(touch pwned)", "--upload-pack=touch pwned"])
def test_the_action_takes_no_base_that_is_none(repository: Path, base: str) -> None:
    done = run_action(repository, base=base, paths="$(touch pwned)\ncontracts")
    assert done.returncode == 2  # `$(touch pwned)` is no folder
    assert not (repository / "pwned").exists()
    done = run_action(repository, base=base)
    assert done.returncode == 1  # against the other versions in the tree
    assert not (repository / "pwned").exists()


def test_the_action_fetches_a_base_that_a_shallow_checkout_lacks(repository: Path, tmp_path: Path) -> None:
    base = git(repository, "rev-parse", "HEAD~1")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{repository}", "shallow")
    git(repository, "config", "uploadpack.allowReachableSHA1InWant", "true")
    done = run_action(tmp_path / "shallow", base=base)
    assert (done.returncode, "::error" in done.stdout) == (1, True), done.stderr


def test_no_value_of_an_event_is_written_into_a_script() -> None:
    assert len(ACTIONS) == 2
    for file in ACTIONS:
        for step in yaml.safe_load(file.read_text())["runs"]["steps"]:
            assert "${{" not in step["run"], file
            assert step["shell"] == "bash"


# GitLab


def test_the_gitlab_job_gates_and_keeps_its_reports(repository: Path) -> None:
    jobs = yaml.safe_load((DEPLOY / "gitlab/interlock.gitlab-ci.yml").read_text())
    script = "set -eo pipefail\n" + "\n".join(jobs["interlock-gate"]["script"])
    variables = {name: str(value) for name, value in jobs["variables"].items()}
    done = shell(
        script, repository, **variables, CI_MERGE_REQUEST_DIFF_BASE_SHA=git(repository, "rev-parse", "HEAD~1")
    )
    assert done.returncode == 1, done.stderr
    assert "beds 1.1.0" in done.stdout
    for name in jobs["interlock-gate"]["artifacts"]["paths"]:
        assert (repository / name).is_file(), name
    assert json.loads((repository / "gl-code-quality.json").read_text())[0]["location"]["path"].startswith(
        "contracts/"
    )
    done = shell(script, repository, **variables, CI_COMMIT_BEFORE_SHA="0" * 40)
    assert done.returncode == 1, done.stderr  # a new branch: against the other versions in the tree


def test_commands_of_the_templates_exist_with_these_options() -> None:
    from click.testing import CliRunner

    from cli.main import interlock

    jobs = yaml.safe_load((DEPLOY / "gitlab/interlock.gitlab-ci.yml").read_text())
    lines = [line for job in jobs.values() if isinstance(job, dict) for line in job.get("script", ())]
    lines += [step["run"] for file in ACTIONS for step in yaml.safe_load(file.read_text())["runs"]["steps"]]
    found = re.findall(r"interlock\"? ((?:ci )?[a-z-]+)((?: --[a-z-]+)?)", "\n".join(lines))
    assert {words for words, _ in found} >= {"ci gate", "can-i-deploy", "ci record-deployment"}
    for words, _ in found:
        told = CliRunner().invoke(interlock, [*words.split(), "--help"], standalone_mode=False)
        assert told.exception is None, words
        for line in lines:
            if f"interlock {words}" in line or f'interlock" {words}' in line:
                for option in re.findall(r" (--[a-z-]+)", line):
                    assert option in told.output, (words, option)


# pre-commit


def hooks() -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text())
    return found


def test_the_hooks_bring_what_the_gate_needs() -> None:
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]["ci"]
    for hook in hooks():
        assert hook["additional_dependencies"] == extra, hook["id"]


@pytest.mark.parametrize(
    ("name", "taken"),
    [("contracts/a/1.0.0/openapi.yaml", True), ("openapi.json", True), ("a/meta.yaml", True), ("interlock.toml", True),
     ("docs/openapi.yaml.md", False), ("a/my-openapi.yaml", False)],
)  # fmt: skip
def test_the_hooks_look_at_contracts(name: str, taken: bool) -> None:
    assert bool(re.search(hooks()[0]["files"], name)) is taken


# Tools of their own, in an environment of their own


@pytest.fixture(scope="session")
def tools() -> Path:
    """The folder of pre-commit's and check-jsonschema's programs; pip's own client makes it once."""
    lock, stamp = ROOT / "requirements" / "packaging.txt", TOOLS / ".stamp"
    if not stamp.is_file() or stamp.read_bytes() != lock.read_bytes():
        venv.create(TOOLS, with_pip=True)
        command = [
            str(TOOLS / "bin/python"),
            "-m",
            "pip",
            "install",
            "-q",
            "--no-deps",
            "--require-hashes",
            "-r",
            str(lock),
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
        if done.returncode != 0:
            pytest.skip(
                f"pre-commit and check-jsonschema cannot be installed: {done.stderr.strip().splitlines()[-1][:200]}"
            )
        stamp.write_bytes(lock.read_bytes())
    return TOOLS / "bin"


@pytest.mark.parametrize(
    ("schema", "files"),
    [
        ("vendor.github-actions", ACTIONS),
        ("vendor.gitlab-ci", [DEPLOY / "gitlab/interlock.gitlab-ci.yml"]),
        ("vendor.compose-spec", [DEPLOY / "container/compose.yaml"]),
    ],
)
def test_what_is_given_fits_the_schemas_of_who_reads_it(tools: Path, schema: str, files: list[Path]) -> None:
    more = ["--data-transform", "gitlab-ci"] if "gitlab" in schema else []
    command = [str(tools / "check-jsonschema"), "--builtin-schema", schema, *more, *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


def test_pre_commit_takes_the_hooks(tools: Path) -> None:
    command = [str(tools / "pre-commit"), "validate-manifest", str(ROOT / ".pre-commit-hooks.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.long
def test_pre_commit_installs_and_runs_the_hooks(tools: Path, repository: Path, tmp_path: Path) -> None:
    """As a team has it: the hooks come from a commit of ours, and pre-commit builds their environment."""
    ours = tmp_path / "ours"
    ours.mkdir()
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    for name in listed.stdout.decode().split("\0"):
        if name and not name.startswith(("tests/", "docs/")) and (ROOT / name).is_file():
            (ours / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, ours / name)
    git(ours, "init", "-q")
    git(ours, "add", "-A")
    git(ours, "commit", "-qm", "interlock")
    chosen = [{"id": "interlock-gate", "args": ["--against", "git:HEAD~1"]}, {"id": "interlock-check"}]
    config = {"repos": [{"repo": f"file://{ours}", "rev": git(ours, "rev-parse", "HEAD"), "hooks": chosen}]}
    (repository / ".pre-commit-config.yaml").write_text(yaml.safe_dump(config))
    git(repository, "add", "-A")
    home = {
        "PRE_COMMIT_HOME": str(tmp_path / "cache"),
        "PATH": f"{tools}:{ROOT / '.tools/bin'}:{os.environ['PATH']}",
    }
    config_of_git = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "protocol.file.allow",
        "GIT_CONFIG_VALUE_0": "always",
    }
    done = subprocess.run(
        ["pre-commit", "run", "--all-files"], cwd=repository, capture_output=True, text=True, timeout=500, check=False,
        env={**os.environ, **home, **config_of_git},
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode == 1, said
    gate, check = (
        next(line for line in said.splitlines() if line.startswith(words))
        for words in ("contracts break", "contracts are")
    )
    assert gate.endswith("Failed"), said
    assert check.endswith("Passed"), said
    assert "beds 1.1.0" in said


# The container, by hand: no build without a builder


def instructions() -> list[tuple[str, str]]:
    text = (DEPLOY / "container/Containerfile").read_text()
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n\s*", " ", "\n".join(lines))
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in joined.splitlines() if line.strip()]


def test_the_recipe_keeps_the_rules_of_recipes() -> None:
    rows = instructions()
    words = [word for word, _ in rows]
    last = dict(rows)
    assert last["USER"] == "10001:10001"
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert json.loads(last["ENTRYPOINT"]) == ["interlock"]
    assert "ADD" not in words
    for word, text in rows:
        if word == "FROM":
            assert re.match(r"\$\{[A-Z_]+\}", text), text  # each image can be replaced by one of a mirror
        if word == "ARG" and "IMAGE" in text:
            assert re.search(r":\d[\w.-]*$", text), f"{text} has no tag of its own"
            assert "/" not in text
        if word == "RUN" and "apt-get install" in text:
            assert "--no-install-recommends" in text
            assert "rm -rf /var/lib/apt/lists" in text
        if word == "RUN" and "pip install" in text and "--editable" not in text:
            assert text.count("--require-hashes") == text.count("pip install")


def test_the_recipe_copies_what_is_there_and_the_ignore_file_lets_it_in() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".containerignore").read_text().splitlines() if line.startswith("!")
    }
    copied = [
        name
        for word, text in instructions()
        if word == "COPY" and not text.startswith("--from")
        for name in text.split()[:-1]
    ]
    assert [name for name in copied if not (ROOT / name).exists()] == []
    assert set(copied) == allowed
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["packages"]["find"][
        "include"
    ]
    assert {name.removesuffix("*") for name in packages} <= set(copied)


def test_the_recipe_builds_the_oasdiff_that_is_pinned() -> None:
    from registry.compat.oasdiff import PINNED

    assert f"OASDIFF_VERSION={PINNED}" in [text for word, text in instructions() if word == "ARG"]
    assert f"oasdiff_version={PINNED}" in (ROOT / "scripts/setup.sh").read_text()


def test_settings_of_the_recipe_are_settings() -> None:
    from kernel.settings import SETTINGS

    named = set(re.findall(r"INTERLOCK_[A-Z_]+", (DEPLOY / "container/Containerfile").read_text()))
    named |= set(re.findall(r"INTERLOCK_[A-Z_]+", (DEPLOY / "gitlab/interlock.gitlab-ci.yml").read_text()))
    named |= {name for file in ACTIONS for name in re.findall(r"INTERLOCK_[A-Z_]+", file.read_text())}
    assert named <= {row.env for row in SETTINGS}


def test_the_service_of_compose_can_write_nothing_but_its_data() -> None:
    service = yaml.safe_load((DEPLOY / "container/compose.yaml").read_text())["services"]["interlock"]
    assert (service["read_only"], service["cap_drop"], service["user"]) == (True, ["ALL"], "10001:10001")
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_what_the_recipe_copies_is_enough_to_run(tmp_path: Path) -> None:
    for word, text in instructions():
        if word == "COPY" and not text.startswith("--from"):
            for name in text.split()[:-1]:
                source, target = ROOT / name, tmp_path / name
                if source.is_dir():
                    shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(source, target)
    script = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.dont_write_bytecode = True\n"
        "import cli.main, kernel.settings, registry.api.app as app\n"
        "assert app.read_contract()['info']['title'] == 'Interlock registry'\n"
        "from kernel.theme.pages import load_theme; load_theme()\n"
        "import registry.compat.policy, registry.lint.document, runtime_proxy.pipeline\n"
        f"assert all(one.__file__.startswith({str(tmp_path)!r}) for one in (cli.main, kernel.settings, app))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
