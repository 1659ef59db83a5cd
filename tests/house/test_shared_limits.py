"""Four worker processes and one Redis: what arrives is counted here, against a bound that is computed here.

The bound of an interval is burst + rate * length. Where Redis was lost it may be passed by what the workers
held at that moment, by what their own shares had saved up, and by a tenth of a second of the rate.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.doubles.redis_server import DURABLE, redis_server
from tests.house.running import ask, proxy_run

pytestmark = [pytest.mark.house, pytest.mark.redis]
HERE = Path(__file__).resolve().parent
WORKERS = 4
RATE, BURST = 400, 200
SECOND = 10**9
PATIENCE = (
    0.5  # seconds; ten times the real one, so that a machine with too much to do loses no healthy Redis
)


class Run:
    """What the workers said, together."""

    def __init__(self, said: list[dict[str, Any]], begin: int) -> None:
        self.admitted = sorted(at for one in said for at in one["admitted"])
        self.refused = sum(sum(one["refused"].values()) for one in said)
        self.slugs = {slug for one in said for slug in one["refused"]}
        self.held = sum(one["held"] for one in said)
        self.acts = [one["acts"] for one in said]
        self.store_calls = sum(one["store_calls"] for one in said)
        self.alone = sum(one["alone"] for one in said)
        self.longest = max(one["longest_ms"] for one in said)
        self.begin = begin

    def excess(self) -> float:
        """Of all intervals: what was admitted beyond burst + rate * length, at most (negative: never)."""
        most = -float(BURST)
        debt = 0.0
        last = self.begin
        for moment in self.admitted:
            debt = max(debt - RATE * (moment - last) / SECOND, 0) + 1
            most, last = max(most, debt - BURST), moment
        return most

    def between(self, first: float, last: float) -> int:
        """How many were admitted in this part of the run (seconds)."""
        return sum(first * SECOND <= at - self.begin < last * SECOND for at in self.admitted)

    def told(self, name: str, seconds: float) -> str:
        possible = BURST + RATE * seconds
        return (
            f"{name}: admitted {len(self.admitted)} (one limiter could: {possible:.0f}), refused {self.refused}, "
            f"beyond the bound {self.excess():.1f}, held at the loss {self.held}, out of own shares {self.alone}, "
            f"{self.store_calls} requests to Redis, longest decision {self.longest:.1f} ms"
        )


def run(url: str, seconds: float, gap: float, bunch: int, during: Callable[[int], None] | None = None, **more: Any) -> Run:  # fmt: skip
    how = {"seconds": seconds, "gap": gap, "bunch": bunch, "workers": WORKERS,
           "limit": [RATE, 1, BURST], "patience": PATIENCE, **more}  # fmt: skip
    children = [
        subprocess.Popen(
            [sys.executable, str(HERE.parent / "doubles" / "limit_worker.py"), url, json.dumps(how)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )
        for _ in range(WORKERS)
    ]  # fmt: skip
    try:
        for child in children:
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
        begin = time.monotonic_ns() + SECOND // 5
        for child in children:
            assert child.stdin is not None
            child.stdin.write(b"%d\n" % begin)
            child.stdin.flush()
        if during is not None:
            during(begin)
        said = [json.loads(child.communicate(timeout=60)[0]) for child in children]
    finally:
        for child in children:
            child.kill()
            child.wait()
    return Run(said, begin)


def sleep_until(begin: int, seconds: float) -> None:
    time.sleep(max(begin + seconds * SECOND - time.monotonic_ns(), 0) / SECOND)


SHARES = WORKERS * max(BURST // (2 * WORKERS), 1)
MOMENT = RATE // 10


def test_steady_calls_are_admitted_and_redis_is_seldom_asked() -> None:
    with redis_server() as server:
        got = run(server.url, 6, 0.02, 1)  # 200 a second of 400
    print(got.told("steady", 6))
    assert got.excess() <= 0
    assert got.refused == 0
    assert got.store_calls * 10 < len(got.admitted)


@pytest.mark.parametrize("bunch", [1, 40])
def test_more_than_the_limit_is_held_to_it_over_all_workers(bunch: int) -> None:
    with redis_server() as server:
        got = run(server.url, 5, 0.005 * bunch, bunch)  # 800 a second, evenly or in bunches
    print(got.told(f"bunches of {bunch}", 5))
    assert got.excess() <= 0
    assert len(got.admitted) > 0.5 * (BURST + 5 * RATE)


def test_steps_of_the_clock_of_redis_open_nothing() -> None:
    steps = [(1.0, 3_600_000_000), (2.0, -7_200_000_000), (3.0, 60_000_000)]
    with redis_server() as server:
        got = run(server.url, 5, 0.005, 1, steps=steps)
    print(got.told("clock steps", 5))
    assert got.excess() <= len(steps) * RATE * 0.05 + 1
    assert len(got.admitted) > 0.5 * (BURST + 5 * RATE)


@pytest.mark.parametrize("options", [(), DURABLE], ids=["forgetting", "append-only file"])
def test_a_restart_of_redis_forgives_nothing(options: tuple[str, ...]) -> None:
    with redis_server(*options) as server:

        def restart(begin: int) -> None:
            sleep_until(begin, 1.5)
            server.kill()
            sleep_until(begin, 3.0)
            server.start()

        got = run(server.url, 7, 0.005, 1, restart)
    print(got.told(f"restart {options}", 7))
    assert got.excess() <= got.held + SHARES + MOMENT
    assert all((acts[0], acts[-1]) == ("limits-store-lost", "limits-store-back") for acts in got.acts)
    assert got.alone > 0
    assert got.between(5.0, 7.0) > 0.3 * 2 * RATE


def test_a_redis_that_hangs_is_left_at_once_and_found_again() -> None:
    with redis_server() as server:

        def hang(begin: int) -> None:
            sleep_until(begin, 1.5)
            server.freeze()
            sleep_until(begin, 3.0)
            server.thaw()

        got = run(server.url, 7, 0.005, 1, hang)
    print(got.told("hang", 7))
    assert got.excess() <= got.held + SHARES + MOMENT
    assert all((acts[0], acts[-1]) == ("limits-store-lost", "limits-store-back") for acts in got.acts)
    assert got.between(5.0, 7.0) > 0.3 * 2 * RATE


def test_closed_means_that_nothing_passes_without_redis() -> None:
    with redis_server() as server:

        def kill(begin: int) -> None:
            sleep_until(begin, 1.0)
            server.kill()

        got = run(server.url, 4, 0.005, 1, kill, lost="closed")
    print(got.told("closed", 4))
    assert got.excess() <= 0
    assert got.between(3.2, 4.0) == 0, "leases have ended"
    assert "limits-unavailable" in got.slugs
    assert got.alone == 0


def test_one_file_alone_shares_limits_too(tmp_path: Path) -> None:
    document = {
        "openapi": "3.1.0",
        "info": {"title": "Ward", "version": "1.0.0"},
        "paths": {"/beds": {"get": {"responses": {"204": {"description": "none"}}}}},
    }
    (tmp_path / "ward.json").write_text(json.dumps(document))
    with redis_server() as server:
        (tmp_path / "interlock.toml").write_text(f'[interlock]\nredis_url = "{server.url}"\n')
        with proxy_run(tmp_path / "ward.json", "http://127.0.0.1:1", cwd=tmp_path) as (port, _):
            told = ask(port, "GET", "/-/metrics").body.decode()
    assert "interlock_limit_store_up 1" in told
