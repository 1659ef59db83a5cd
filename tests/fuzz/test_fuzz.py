"""No input crashes, hangs or is answered with a fault of ours: inputs grown from our seeds, a minute of them in all."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS, TOKENS, run

ROOT = Path(__file__).resolve().parents[2]
ATHERIS = importlib.util.find_spec("atheris") is not None
EXAMPLES = 400  # of hypothesis for one target, which repeats what it once found
SECONDS, LONG_SECONDS = 3, 120  # of atheris for one target


@st.composite
def inputs(draw: st.DrawFn, name: str) -> bytes:
    """Grow an input from a seed by cutting, doubling, putting tokens in and changing bytes."""
    data = draw(st.sampled_from(SEEDS[name]))
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(data)))
        to = min(len(data), at + draw(st.integers(0, 12)))
        kind = draw(st.integers(0, 4))
        if kind == 0:
            data = data[:at] + data[to:]
        elif kind == 1:
            data = data[:to] + data[at:]
        elif kind == 2:
            data = data[:at] + draw(st.sampled_from(TOKENS)) + data[at:]
        elif kind == 3:
            data = data[:at] + draw(st.sampled_from(TOKENS)) + data[to:]
        else:
            data = data[:at] + draw(st.binary(min_size=1, max_size=2)) + data[at + 1 :]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_seeds(name: str) -> None:
    for seed in SEEDS[name]:
        run(name, seed)
    run(name, b"")


@pytest.mark.parametrize("name", TARGETS)
def test_grown_inputs(name: str) -> None:
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=inputs(name) | st.binary(max_size=200))
    def grown(data: bytes) -> None:
        run(name, data)

    grown()


def guided(name: str, seconds: int) -> None:
    """Let atheris look for inputs that reach new code; libFuzzer ends with another code than 0 on any fault."""
    command = [sys.executable, "-m", "tests.fuzz.run", name, f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=2048", "-verbosity=0"]  # fmt: skip
    done = subprocess.run(command, cwd=ROOT, capture_output=True, timeout=seconds + 120, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr).decode("utf-8", "replace")[-4000:]


@pytest.mark.skipif(not ATHERIS, reason="atheris is not installed; hypothesis alone looks")
@pytest.mark.parametrize("name", ["edge", "answers", "request", "plane"])  # the richest: a minute is for all
def test_guided_inputs(name: str) -> None:
    guided(name, SECONDS)


@pytest.mark.long
@pytest.mark.skipif(not ATHERIS, reason="atheris is not installed; hypothesis alone looks")
@pytest.mark.parametrize("name", TARGETS)
def test_many_guided_inputs(name: str) -> None:
    guided(name, LONG_SECONDS)
