"""The compiled form of the hot modules passes the tests of the data plane, as the pure form does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TESTS = (
    "tests/kernel/test_promise.py",
    "tests/kernel/audit/test_journal.py",
    "tests/kernel/schema/test_skim.py",
    "tests/kernel/operation/test_bodies.py",
    "tests/kernel/operation/test_parameters.py",
    "tests/kernel/operation/test_answers.py",
    "tests/runtime_proxy/test_edge.py",
    "tests/runtime_proxy/test_pipeline.py",
    "tests/runtime_proxy/test_serving.py",
    "tests/runtime_proxy/test_streams.py",
    "tests/runtime_proxy/test_unknown_fields.py",
    "tests/runtime_proxy/test_versions.py",
    "tests/adapters/wire/test_http.py",
)


@pytest.mark.house
def test_the_compiled_form_passes_the_same_tests(tmp_path: Path) -> None:
    copy = tmp_path / "interlock"
    left_out = shutil.ignore_patterns(
        ".git", ".venv", ".tools", "*.so", "__pycache__", ".*_cache", ".hypothesis", ".interlock*"
    )
    shutil.copytree(ROOT, copy, ignore=left_out)
    (copy / ".tools").mkdir()
    kept = ROOT / ".tools" / "compiled"
    kept.mkdir(parents=True, exist_ok=True)
    (copy / ".tools" / "compiled").symlink_to(kept)  # a build is used again while the source stays as it is
    library = tmp_path / "library"
    library.mkdir()
    environment = {
        **os.environ,
        "INTERLOCK_COMPILED_LIBRARY": str(library),
        "PYTHONPATH": f"{copy}:{library}",
    }
    _run(["scripts/compile.py", "build"], copy, environment)
    if not list(library.iterdir()):
        pytest.skip("nothing was compiled: no C compiler with Python.h here")
    said = _run(
        ["-c", "import kernel.promise, runtime_proxy.pipeline as p; print(p.__file__)"], copy, environment
    )
    assert said.strip().endswith(".so")
    assert str(copy) in said
    choice = ["-m", "not long and not corpus and not pure"]
    told = _run(["-m", "pytest", "-q", "-p", "no:cacheprovider", *choice, *TESTS], copy, environment)
    assert " passed" in told.splitlines()[-1]


def _run(arguments: list[str], folder: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-6000:]}\n{done.stderr[-3000:]}"
    return done.stdout
