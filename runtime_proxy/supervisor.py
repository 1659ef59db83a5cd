"""Keeps the workers of one proxy running: starts, watches, replaces and ends them; serves nothing itself.

One thread, no event loop, nothing but forks and waits: what could fail here would take everything down.
Signals: TERM and INT drain all workers, a second one ends them; HUP renews the program (takeover.py).
"""

from __future__ import annotations

import logging
import os
import select
import signal
import socket
import time
from typing import TYPE_CHECKING, Any, Final

from runtime_proxy.seat import SIGNALS, Seat, Worker, channel_pair, fork_worker
from runtime_proxy.slots import Slot, choose_listening, report

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime_proxy.listening import Sockets
    from runtime_proxy.slots import Terms
    from runtime_proxy.takeover import Renewal

log = logging.getLogger("interlock.supervisor")
_LONGEST_SLEEP: Final = 1.0
_INTERRUPTED: Final = 130


class Supervisor:
    """Runs `body` in `len(sockets)` processes until told to stop; `announce` hears of every change."""

    def __init__(
        self,
        body: Callable[[Seat], int],
        sockets: Sequence[Sockets],
        *,
        name: str,
        terms: Terms,
        announce: Callable[[dict[str, Any]], None],
        renewal: Renewal | None = None,
    ) -> None:
        self.sockets = tuple(sockets)
        self.workers: list[Worker] = []
        self._body = body
        self._name = name
        self._terms = terms
        self._announce = announce
        self._renewal = renewal
        self._slots = [Slot() for _ in self.sockets]
        self._proven = False  # some worker has been ready: from now on failures are replaced, not final
        self._stopping = 0.0  # when those that still drain are killed
        self._code = 0
        self._renew: list[int] = []  # slots whose worker is still of the former program
        self._told: dict[str, Any] = {}

    # -- the loop -------------------------------------------------------------------------------------

    def run(self, inherited: Sequence[Worker] = ()) -> int:
        """Supervise until the end; returns the exit code. `inherited` workers are renewed one by one."""
        wake, alarm = socket.socketpair()
        for end in (wake, alarm):
            end.setblocking(False)
        former = {number: signal.signal(number, lambda *_: None) for number in SIGNALS}
        signal.set_wakeup_fd(alarm.fileno(), warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)  # a takeover came here with them blocked
        self._alarm = (wake, alarm)
        try:
            self.workers.extend(inherited)
            self._proven = bool(inherited)
            self._renew = sorted({one.slot for one in inherited if one.state == "ready"})
            while self._step(wake):
                pass
        finally:
            signal.set_wakeup_fd(-1)
            for number, handler in former.items():
                signal.signal(number, handler)
            wake.close()
            alarm.close()
        return self._code

    def _step(self, wake: socket.socket) -> bool:
        self._reap()
        for worker in self.workers:
            self._hear(worker)
        if self._stopping:
            if not self.workers:
                return False
            if time.monotonic() >= self._stopping:
                self._kill_all("did not drain in time")
        else:
            self._keep_running()
        self._tell()
        ends = [wake, *(one.channel for one in self.workers if not one.mute)]
        if wake in select.select(ends, [], [], self._patience())[0]:
            for number in wake.recv(4096):
                self._signalled(number)
        return True

    def _patience(self) -> float:
        now = time.monotonic()
        due = [place.due - now for slot, place in enumerate(self._slots) if self._serving(slot) is None]
        return min([_LONGEST_SLEEP, *(max(one, 0.01) for one in due)])

    def _signalled(self, number: int) -> None:
        if number in (signal.SIGTERM, signal.SIGINT):
            if self._stopping:
                self._code = _INTERRUPTED
                self._kill_all("ended by a second signal")
            self.stop()
        elif number in (signal.SIGHUP, signal.SIGUSR2) and not self._stopping:
            if self._renewal is None:
                log.warning("this proxy is not renewed in place; start it again")
            elif self._renew or any(one.state == "draining" for one in self.workers):
                log.warning("a renewal is still under way, this one is not begun")
            else:
                self._renewal.try_out()

    def stop(self) -> None:
        """Let all workers drain, and end."""
        if not self._stopping:
            self._stopping = time.monotonic() + self._terms.stop
            for worker in self.workers:
                worker.state = "draining"
                worker.tell("drain", patient=False)

    # -- workers --------------------------------------------------------------------------------------

    def _start(self, slot: int) -> Worker:
        ours, theirs = channel_pair()
        writer = self._writer(slot)
        seat = Seat(slot, len(self.sockets), writer, self.sockets, theirs)
        pid = fork_worker(seat, self._body, lambda: self._forget(ours))
        theirs.close()
        now = time.monotonic()
        worker = Worker(slot, pid, writer, ours, now, now)
        self.workers.append(worker)
        log.info("worker %d started, pid %d", slot + 1, pid)
        return worker

    def _writer(self, slot: int) -> str:
        """Name the journal: two by turns for each slot, so that a renewed worker need not wait for the old."""
        used = {one.writer for one in self.workers}
        last = self._slots[slot].writer
        names = [last] if last else []
        names += [f"{self._name}-{slot + 1}{half}" for half in "ab"]
        return next(name for name in names if name not in used)

    def _forget(self, channel: socket.socket) -> None:
        """In the child: only its own channel stays open, and signals mean what they mean to a worker."""
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):  # of the whole terminal: ours to judge
            signal.signal(number, signal.SIG_IGN)
        for end in (channel, *self._alarm, *(one.channel for one in self.workers)):
            end.close()

    def _reap(self) -> None:
        for worker in tuple(self.workers):
            pid, status = os.waitpid(worker.pid, os.WNOHANG)
            if pid:
                self._hear(worker)
                self.workers.remove(worker)
                worker.channel.close()
                self._ended(worker, os.waitstatus_to_exitcode(status))

    def _ended(self, worker: Worker, code: int) -> None:
        for other in self._slots:
            if other.adopted_by is worker:
                other.adopted_by = None
        if worker.state == "draining":
            log.info("worker %d has drained, pid %d", worker.slot + 1, worker.pid)
            return
        if not self._proven:  # it cannot begin at all: whoever started us wants to know
            self._code = code if code > 0 else 70
            self.stop()
            return
        if (
            worker.state == "starting"
            and worker.slot in self._renew
            and self._serving(worker.slot) is not None
        ):
            self._not_renewed(worker)
            return
        wait = self._slots[worker.slot].crashed(worker)
        self._slots[worker.slot].writer = worker.writer
        log.error(
            "worker %d ended (%s, pid %d); replaced in %.1f s",
            worker.slot + 1, f"code {code}" if code >= 0 else signal.Signals(-code).name, worker.pid, wait,
        )  # fmt: skip

    def _kill_all(self, why: str) -> None:
        for worker in self.workers:
            log.error("worker %d is killed, pid %d: %s", worker.slot + 1, worker.pid, why)
            worker.kill()

    def _serving(self, slot: int) -> Worker | None:
        return next((one for one in self.workers if one.slot == slot and one.state != "draining"), None)

    # -- what they say --------------------------------------------------------------------------------

    def _hear(self, worker: Worker) -> None:
        for word in worker.words():
            kind = word.get("word")
            if kind == "gone":
                worker.mute = True  # it ends; what is left is to wait for that
                return
            worker.heard = time.monotonic()
            if kind == "beat":
                worker.told = word
            elif kind == "rested":
                worker.listens = False
            elif kind == "ready" and worker.state == "starting":
                self._ready(worker)

    def _ready(self, worker: Worker) -> None:
        worker.state = "ready"
        self._proven = True
        self._slots[worker.slot].release(worker.slot)
        for other in self.workers:
            if other.slot == worker.slot and other is not worker and other.state == "ready":
                other.state = "draining"
                other.since = time.monotonic()  # from now on it has the time that draining may take
                other.tell("drain", patient=True)
        if worker.slot in self._renew:
            self._renew.remove(worker.slot)

    # -- keeping them running -------------------------------------------------------------------------

    def _keep_running(self) -> None:
        now = time.monotonic()
        for worker in self.workers:
            self._judge(worker, now)
        for slot, place in enumerate(self._slots):
            if self._serving(slot) is None:
                if not self._proven and self.workers:
                    continue  # the first one shows whether a worker can begin at all
                if now >= place.due:
                    self._start(slot)
                else:
                    place.adopt(slot, self.workers)
        self._renew_next()
        choose_listening(self.workers, self._renew)
        if self._renewal is not None and self._renewal.tried_out() and not self._renew:
            self._renewal.become(self.sockets, self.workers)

    def _judge(self, worker: Worker, now: float) -> None:
        """Kill what hangs: no sign of life, not ready for too long, or not drained."""
        if worker.state == "starting":
            late = now - worker.since > self._terms.start
        elif worker.state == "draining":
            late = now - worker.since > self._terms.stop
        else:
            late = now - worker.heard > self._terms.silence
        if late:
            log.error("worker %d hangs while %s, pid %d is killed", worker.slot + 1, worker.state, worker.pid)
            worker.kill()

    def _renew_next(self) -> None:
        """Start one worker of the new program beside an old one; the next when it is ready."""
        if self._renew and not any(one.state == "starting" for one in self.workers):
            slot = self._renew[0]
            if any(one.slot == slot and one.state == "draining" for one in self.workers):
                return  # both journals of the slot are in use
            self._start(slot)

    def _not_renewed(self, worker: Worker) -> None:
        log.critical(
            "a worker of the new program could not begin (pid %d): the former workers keep serving",
            worker.pid,
        )
        self._renew.clear()

    def _tell(self) -> None:
        """Announce who runs, when that has changed and the first worker is ready."""
        if not self._proven or self._stopping:
            return
        told = report(self.workers, self._slots)
        if told != self._told:
            self._told = told
            self._announce(told)
