"""A worker as its supervisor sees it, the seat that it is given, and the words that the two exchange.

Words go over a socket pair, one JSON object each. Worker to supervisor: `ready`, `beat` (with the state of
the worker), `rested` (its device listeners are closed). Supervisor to worker: `drain`, `listen` (open the
device listeners), `adopt` and `release` (also accept from the socket of a worker that is down).
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime_proxy.listening import Sockets

LARGEST_WORD: Final = 64 * 1024
SIGNALS: Final = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGUSR2,
    signal.SIGCHLD,
)  # a supervisor's
State = Literal["starting", "ready", "draining"]


@dataclass(frozen=True, slots=True)
class Seat:
    """What one worker is given: its number of so many, its journal's name, the sockets, the channel."""

    slot: int  # from 0
    workers: int
    writer: str
    sockets: tuple[Sockets, ...]  # of all slots; its own are `sockets[slot]`
    channel: socket.socket


@dataclass(slots=True, eq=False)
class Worker:
    """A running worker process, from the supervisor's side; times are of time.monotonic()."""

    slot: int
    pid: int
    writer: str
    channel: socket.socket
    since: float
    heard: float
    state: State = "starting"
    listens: bool = False  # the device listeners are here
    mute: bool = False  # its end of the channel is closed
    told: dict[str, Any] = field(default_factory=dict)  # its last beat

    def tell(self, word: str, **more: Any) -> None:
        """Say one word; a worker that is gone or does not listen is found by other means."""
        with contextlib.suppress(OSError):
            self.channel.send(orjson.dumps({"word": word, **more}))

    def words(self) -> list[dict[str, Any]]:
        """Take what it has said since; nothing more once it is mute."""
        return [] if self.mute else hear(self.channel)

    def kill(self) -> None:
        """End it at once; its journal tells at the next start what was open."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)


def hear(channel: socket.socket) -> list[dict[str, Any]]:
    """Read all whole words that are here; what is no word of ours is dropped."""
    found: list[dict[str, Any]] = []
    while True:
        try:
            data = channel.recv(LARGEST_WORD)
        except BlockingIOError:
            return found
        except OSError:
            data = b""
        if not data:
            found.append({"word": "gone"})
            return found
        with contextlib.suppress(orjson.JSONDecodeError):
            word = orjson.loads(data)
            if isinstance(word, dict):
                found.append(word)


def channel_pair() -> tuple[socket.socket, socket.socket]:
    """Make the two ends; both keep the borders between words and never block."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def fork_worker(seat: Seat, body: Callable[[Seat], int], forget: Callable[[], None]) -> int:
    """Begin a worker in a process of its own and give its id; the process ends with what `body` returns.

    `forget` runs first in the child and lets go of what is the supervisor's alone.
    """
    pid = os.fork()
    if pid:
        return pid
    code = 70  # EX_SOFTWARE: `body` itself failed
    try:
        forget()
        code = body(seat)
    finally:
        # Never back into the supervisor's code: whatever happened, this process ends here.
        os._exit(code)
