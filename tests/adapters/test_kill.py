"""kill -9 in the middle of messages: whatever was acknowledged is held, nothing is applied twice."""

import asyncio
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from adapters.errors import UpstreamError
from adapters.formats.hl7v2.acknowledge import answered
from adapters.wire.mllp.client import MllpClient

SERVE = Path(__file__).with_name("serve_lab.py")


class Served:
    """One process after another over the same data folder."""

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self.run_file = folder / "address"
        self.log = (folder / "log").open("wb")
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> tuple[str, int]:
        self.run_file.unlink(missing_ok=True)
        command = [sys.executable, str(SERVE), str(self.data), str(self.run_file)]
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + 60
        while not self.run_file.exists():
            assert self.process.poll() is None, (self.run_file.parent / "log").read_text()
            assert time.monotonic() < deadline, "the listener did not come up"
            time.sleep(0.02)
        host, port = self.run_file.read_text().split()
        return host, int(port)

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)


@pytest.fixture
def served(tmp_path):
    house = Served(tmp_path)
    yield house
    if house.process is not None and house.process.poll() is None:
        house.kill()
    house.log.close()


async def send_until_killed(served, address, waiting, acknowledged, moments, talk):
    """Send what waits, in order; kill the process after `moments` seconds of it."""
    loop = asyncio.get_running_loop()
    killer = loop.run_in_executor(None, kill_after, served, moments)
    try:
        async with MllpClient(*address, seconds=20) as line:
            while waiting:
                control = waiting[0]
                await line.send(talk.oru(control, filler=f"{control}^LAB", accept="AL", application="AL"))
                for expected in ("CA", "AA"):
                    code, named = answered(await line.receive())
                    assert (code, named) == (expected, control)
                    acknowledged[control, code] += 1
                waiting.pop(0)
    except (UpstreamError, OSError):
        pass
    await killer


def kill_after(served, seconds):
    time.sleep(seconds)
    served.kill()


@pytest.mark.parametrize("rounds", [3, pytest.param(50, marks=pytest.mark.long)])
async def test_nothing_acknowledged_is_lost_and_nothing_is_applied_twice(served, frozen, talk, rounds):
    chance = random.Random(rounds)
    waiting = [f"K{number}" for number in range(rounds * 200)]
    everything = list(waiting)
    acknowledged: Counter[tuple[str, str]] = Counter()
    for _ in range(rounds):
        address = served.start()
        await send_until_killed(served, address, waiting, acknowledged, chance.uniform(0.05, 0.6), talk)
    sent = everything[: len(everything) - len(waiting) + 1]
    promised = {control for control, code in acknowledged if code == "CA"}
    done = {control for control, code in acknowledged if code == "AA"}
    assert len(done) > rounds, "the rounds were too short to show anything"

    house = talk.house(served.data, frozen)
    try:
        await house.listen()  # recovers
        store = house.house.intake().store
        states = Counter(state for (state,) in talk.rows(house, "SELECT state FROM inbox"))
        assert set(states) <= {"published", "duplicate"}
        revisions = talk.rows(house, "SELECT resource_id, revision FROM revisions")
        assert {revision for _, revision in revisions} == {1}, "no result was applied twice"
        keys = {store.key_of("analyzer", "ANALYZER", "WARD7", control): control for control in sent}
        held = {keys[key] for (key,) in talk.rows(house, "SELECT key FROM dedup")}
        assert promised <= held, "CA promises that the bytes are durable, and recovery finishes them"
        assert len(revisions) == len(held)
        logged = Counter(
            record["message_id"] for record in talk.audited(house) if record["detail"]["state"] == "published"
        )
        assert done <= set(logged), "an AA without its audit record"
        assert set(logged) == held
    finally:
        await house.stop()
