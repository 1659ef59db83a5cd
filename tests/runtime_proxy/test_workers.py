"""One worker as a process: signals drain it, a second one ends it."""

import signal
import subprocess
import sys

import pytest

WORKER = """
import asyncio, sys
from runtime_proxy.workers import run_worker, settle_memory, stop_event

async def main():
    settle_memory()
    stop = stop_event()
    print(type(asyncio.get_running_loop()).__module__, flush=True)
    await stop.wait()
    print("draining", flush=True)
    await asyncio.sleep(float(sys.argv[1]))
    print("drained", flush=True)

run_worker(main())
"""


def worker(drain: float) -> subprocess.Popen[str]:
    child = subprocess.Popen([sys.executable, "-c", WORKER, str(drain)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "uvloop\n"
    return child


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_worker_finish(number: signal.Signals) -> None:
    child = worker(0)
    child.send_signal(number)
    said, _ = child.communicate(timeout=20)
    assert (said, child.returncode) == ("draining\ndrained\n", 0)


def test_a_second_signal_ends_it_at_once() -> None:
    child = worker(600)
    child.send_signal(signal.SIGTERM)
    assert child.stdout is not None
    assert child.stdout.readline() == "draining\n"
    child.send_signal(signal.SIGTERM)
    said, _ = child.communicate(timeout=20)
    assert (said, child.returncode) == ("", 130)
