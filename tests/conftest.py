"""Fixtures that every test may use, and the one place that knows where the shared corpus lies."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared" / "data"


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to test compiled modules that are older than their source (scripts/compile.py)."""
    if hasattr(config, "workerinput"):
        return
    told = subprocess.run(
        [sys.executable, ROOT / "scripts/compile.py", "check"], capture_output=True, text=True, check=False
    )
    if told.returncode:
        raise pytest.UsageError(told.stderr.strip())


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real documents; absent on machines without it, and then the test is skipped."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is absent: real documents are not part of the repository")
    return SHARED
