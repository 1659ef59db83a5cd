"""The supervisor with real processes: replaced, renewed, drained, and no connection lost."""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


class Site:
    """A supervised program and what it says of itself."""

    def __init__(self, folder: Path, workers: int, mode: str) -> None:
        self.folder = folder
        with (folder / "log").open("ab") as log:
            self.child = subprocess.Popen(
                [sys.executable, "-m", "tests.doubles.supervised", str(folder), str(workers), mode],
                cwd=ROOT, stdin=subprocess.DEVNULL, stderr=log,
            )  # fmt: skip

    def until(self, condition: Callable[[], Any], what: str = "") -> Any:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"{what or 'never'}: {self.workers()}\n{self.log()}")

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def workers(self) -> list[dict[str, Any]]:
        try:
            return json.loads((self.folder / "told.json").read_text())["workers"]
        except FileNotFoundError:
            return []

    def ready(self, count: int, *, without: tuple[int, ...] = ()) -> list[dict[str, Any]]:
        """Wait until so many workers are ready, and nobody else is there."""

        def look() -> list[dict[str, Any]]:
            rows = self.workers()
            good = [row for row in rows if row["state"] == "ready" and row["pid"] not in without]
            return good if len(good) == len(rows) == count else []

        return self.until(look, "ready")

    def words(self) -> list[tuple[int, int, str]]:
        try:
            lines = (self.folder / "words").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [(int(slot), int(pid), word) for slot, pid, word in (line.split() for line in lines)]

    def began(self) -> int:
        return sum(word == "began" for _, _, word in self.words())

    def connect(self) -> socket.socket:
        port = int(self.until((self.folder / "port").read_text))
        made = socket.create_connection(("127.0.0.1", port), timeout=30)
        made.sendall(b"?")
        return made

    def ask(self) -> tuple[int, int]:
        """Give slot and pid of whoever answers."""
        with self.connect() as made:
            slot, pid = made.recv(64).split()
            return int(slot), int(pid)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Callable[..., Site]]:
    made: list[Site] = []

    def start(workers: int = 2, mode: str = "serve") -> Site:
        made.append(Site(tmp_path, workers, mode))
        return made[-1]

    yield start
    for one in made:
        if one.child.poll() is None:
            one.child.kill()
            one.child.wait()
        for (
            _,
            pid,
            _,
        ) in one.words():  # its workers are told by the end of their channel; the deaf ones are not
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_all_workers_serve_one_port(site) -> None:
    made = site(3)
    rows = made.ready(3)
    assert [(row["slot"], row["writer"]) for row in rows] == [
        (1, "double-1a"),
        (2, "double-2a"),
        (3, "double-3a"),
    ]
    assert {made.ask() for _ in range(60)} == {(row["slot"] - 1, row["pid"]) for row in rows}


def test_what_waits_in_the_queue_of_a_killed_worker_is_answered_by_the_next(site) -> None:
    made = site(1, "deaf")
    (made.folder / "deaf").touch()
    (former,) = made.ready(1)
    waiting = [made.connect() for _ in range(20)]
    os.kill(former["pid"], signal.SIGKILL)
    (now,) = made.ready(1, without=(former["pid"],))
    (made.folder / "deaf").unlink()
    assert {one.recv(64) for one in waiting} == {b"0 %d" % now["pid"]}
    for one in waiting:
        one.close()
    assert now["writer"] == former["writer"], "its journal is taken up where it broke off"
    assert now["restarts"] == 1


def test_a_worker_that_crashes_again_and_again_is_no_storm(site) -> None:
    begun = time.monotonic()
    made = site(1, "crash")
    made.until(lambda: made.began() >= 4)
    assert time.monotonic() - begun >= 1.5, "the first at once, then after 0.5 and 1 s"
    log = made.log()
    assert [f"replaced in {seconds} s" in log for seconds in ("0.0", "0.5", "1.0")] == [True] * 3
    assert made.child.poll() is None


def test_while_a_slot_is_empty_its_neighbour_takes_its_connections(site) -> None:
    made = site(2)
    rows = made.ready(2)
    for _ in range(3):  # the second crash is not replaced at once
        victim = next((row for row in made.ready(2) if row["slot"] == 2), None)
        assert victim is not None
        os.kill(victim["pid"], signal.SIGKILL)
        made.until(lambda pid=victim["pid"]: pid not in {row["pid"] for row in made.workers()})
        assert {slot for slot, _ in (made.ask() for _ in range(40))} <= {0, 1}
    made.until(lambda: (0, rows[0]["pid"], "adopt") in made.words())
    made.ready(2)
    made.until(lambda: (0, rows[0]["pid"], "release") in made.words())
    assert {slot for slot, _ in (made.ask() for _ in range(60))} == {0, 1}


def test_what_cannot_begin_is_told_to_whoever_started_it(site) -> None:
    made = site(4, "unable")
    assert made.child.wait(60) == 5
    assert made.began() == 1, "the others were not even tried"


def test_a_worker_that_hangs_is_replaced(site) -> None:
    made = site(2)
    victim = made.ready(2)[0]
    os.kill(victim["pid"], signal.SIGSTOP)
    made.ready(2, without=(victim["pid"],))
    assert gone(victim["pid"])


def test_device_listeners_are_in_one_worker_and_move_when_it_ends(site) -> None:
    made = site(3)
    rows = made.ready(3)
    made.until(lambda: any(word == "listen" for _, _, word in made.words()))
    listening = [(slot, pid) for slot, pid, word in made.words() if word == "listen"]
    assert listening == [(0, rows[0]["pid"])]
    os.kill(rows[0]["pid"], signal.SIGKILL)
    made.until(lambda: sum(word == "listen" for _, _, word in made.words()) == 2)
    assert made.words()[-1][1] != rows[0]["pid"]


def test_one_signal_drains_and_a_second_ends(site) -> None:
    made = site(2)
    rows = made.ready(2)
    made.child.send_signal(signal.SIGTERM)
    assert made.child.wait(30) == 0
    assert [(slot, word) for slot, _, word in made.words() if word == "drain"].count((0, "drain")) == 1
    assert all(gone(row["pid"]) for row in rows)


def test_a_second_signal_does_not_wait_for_the_workers(site) -> None:
    made = site(2, "stay")
    rows = made.ready(2)
    made.child.send_signal(signal.SIGINT)
    made.until(lambda: sum(word == "drain" for _, _, word in made.words()) == 2)
    assert made.child.poll() is None
    made.child.send_signal(signal.SIGINT)
    assert made.child.wait(30) == 130
    assert all(gone(row["pid"]) for row in rows)


def test_workers_end_when_their_supervisor_is_killed(site) -> None:
    made = site(2)
    rows = made.ready(2)
    made.child.kill()
    made.child.wait()
    made.until(lambda: all(gone(row["pid"]) for row in rows))


def test_the_program_renews_itself_without_refusing_anybody(site) -> None:
    made = site(2)
    former = made.ready(2)
    supervisor = made.child.pid
    asked: list[tuple[int, int]] = []
    for _ in range(2):
        made.child.send_signal(signal.SIGHUP)
        old = tuple(row["pid"] for row in made.workers())

        def renewed(old: tuple[int, ...] = old) -> bool:
            asked.extend(made.ask() for _ in range(5))  # a refused or lost connection raises here
            rows = made.workers()
            return len(rows) == 2 and not {row["pid"] for row in rows} & set(old)

        made.until(renewed, "renewed")
    assert made.child.poll() is None
    assert json.loads((made.folder / "told.json").read_text())["supervisor"] == supervisor
    assert all(gone(row["pid"]) for row in former)
    assert [row["writer"] for row in made.ready(2)] == ["double-1a", "double-2a"], "the two journals by turns"
    assert len({pid for _, pid in asked}) >= 4
    made.child.send_signal(signal.SIGTERM)
    assert made.child.wait(30) == 0


def test_a_program_that_cannot_begin_replaces_nothing(site) -> None:
    made = site(2)
    rows = made.ready(2)
    (made.folder / "broken").touch()
    made.child.send_signal(signal.SIGHUP)
    made.until(lambda: "cannot begin (code 3)" in made.log())
    assert made.ready(2) == rows
    (made.folder / "broken").unlink()
    made.child.send_signal(signal.SIGUSR2)
    made.ready(2, without=tuple(row["pid"] for row in rows))
