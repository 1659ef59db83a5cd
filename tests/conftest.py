"""Fixtures that every test may use, and the one place that knows where the shared corpus lies."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[1].parent / "shared" / "data"


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real documents; absent on machines without it, and then the test is skipped."""
    if not SHARED.is_dir():
        pytest.skip("../shared/data is absent: real documents are not part of the repository")
    return SHARED
