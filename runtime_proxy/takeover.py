"""Renew the program itself: the supervisor becomes its new version in place, with sockets and workers in hand.

The process keeps its id (what supervises it sees nothing), and its workers stay its children. The new
program is tried out first in a process that only loads it; one that cannot begin replaces nothing.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from runtime_proxy.errors import StartFailed
from runtime_proxy.listening import Sockets, adopted
from runtime_proxy.seat import SIGNALS, Worker

if TYPE_CHECKING:
    from collections.abc import Sequence

log = logging.getLogger("interlock.supervisor")
VARIABLE: Final = "INTERLOCK_TAKEOVER"
_FORM: Final = 1  # of the table below: a program that reads another one fails its try-out
_TRY_OUT: Final = f"try-out {_FORM}"
_TRY_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Inherited:
    """What the former program left: sockets by slot, running workers, and descriptors that stay open."""

    sockets: tuple[Sockets, ...]
    workers: tuple[Worker, ...]
    kept: tuple[int, ...]


class Renewal:
    """How this program is run again; `kept` are descriptors that must stay open, such as that of a lock."""

    def __init__(self, kept: Sequence[int], command: Sequence[str] | None = None) -> None:
        self._kept = tuple(kept)
        self._command = tuple(command or (sys.executable, *sys.orig_argv[1:]))
        self._trial: subprocess.Popen[bytes] | None = None
        self._until = 0.0

    def try_out(self) -> None:
        """Begin to load the new program in a process of its own; `tried_out` says how it went."""
        if self._trial is None:
            log.info("renewing: the new program is tried out")
            self._trial = subprocess.Popen(  # noqa: S603 - our own command line once more
                self._command, stdin=subprocess.DEVNULL, env={**os.environ, VARIABLE: _TRY_OUT}
            )
            self._until = time.monotonic() + _TRY_SECONDS

    def tried_out(self) -> bool:
        """Whether a try-out has ended well since the last call."""
        trial = self._trial
        if trial is None:
            return False
        code = trial.poll()
        if code is None:
            if time.monotonic() >= self._until:
                trial.kill()
            return False
        self._trial = None
        if code:
            log.critical("the new program cannot begin (code %d): nothing was changed", code)
        return code == 0

    def become(self, sockets: Sequence[Sockets], workers: Sequence[Worker]) -> None:
        """Become the new program; returns only where the system refuses."""
        table = {
            "form": _FORM,
            "sockets": [[one.fileno() for one in group] for group in sockets],
            "workers": [
                {"slot": one.slot, "pid": one.pid, "writer": one.writer, "channel": one.channel.fileno(),
                 "state": one.state, "listens": one.listens}
                for one in workers
            ],
            "kept": list(self._kept),
        }  # fmt: skip
        numbers = [*self._kept, *(number for group in table["sockets"] for number in group)]  # type: ignore[attr-defined]
        numbers += [one.channel.fileno() for one in workers]
        log.info("renewing: the supervisor becomes the new program, pid %d", os.getpid())
        # A signal between the two programs would end us; blocked, it waits for the new one.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            for number in numbers:
                os.set_inheritable(number, True)
            os.execve(self._command[0], self._command, {**os.environ, VARIABLE: json.dumps(table)})  # noqa: S606
        except OSError as error:
            log.critical("the new program cannot be run: %s; nothing was changed", error)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def only_tried_out() -> bool:
    """Whether this process is to load everything, and end; raises `StartFailed` for a form it cannot read."""
    text = os.environ.get(VARIABLE, "")
    if text.startswith("try-out") and text != _TRY_OUT:
        raise StartFailed("the running proxy hands over in another form", hint="end it and start it again")
    return text == _TRY_OUT


def inherited() -> Inherited | None:
    """Take what a former program left to this process; None: it begins anew."""
    text = os.environ.pop(VARIABLE, "")
    if not text.startswith("{"):
        return None
    table = json.loads(text)
    now = time.monotonic()
    workers = tuple(
        Worker(
            row["slot"],
            row["pid"],
            row["writer"],
            _channel(row["channel"]),
            now,
            now,
            row["state"],
            row["listens"],
        )
        for row in table["workers"]
    )
    for number in (*table["kept"], *(number for group in table["sockets"] for number in group)):
        os.set_inheritable(number, False)
    return Inherited(adopted(table["sockets"]), workers, tuple(table["kept"]))


def _channel(number: int) -> socket.socket:
    os.set_inheritable(number, False)
    made = socket.socket(fileno=number)
    made.setblocking(False)
    return made
