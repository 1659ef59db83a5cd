"""A supervised program that is no proxy: each worker answers with its pid, and does what the test asks.

Run as `python -m tests.doubles.supervised FOLDER WORKERS [MODE]`. It writes FOLDER/told.json at every change
and FOLDER/words with a line `slot pid word` for whatever a worker does or is told. Modes of the workers:
`serve` answers; `deaf` never accepts while FOLDER/deaf exists; `crash` is ready and ends; `unable` ends with
code 5 at once; `stay` is ready and does not drain.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path

import orjson

from runtime_proxy.listening import address_of, open_sockets
from runtime_proxy.seat import Seat, hear
from runtime_proxy.slots import Terms
from runtime_proxy.supervisor import Supervisor
from runtime_proxy.takeover import Renewal, inherited, only_tried_out


class Worker:
    """One worker without event loop: blocking sockets, one connection at a time."""

    def __init__(self, folder: Path, mode: str, seat: Seat) -> None:
        self.folder, self.mode, self.seat = folder, mode, seat
        self.accepting = {seat.slot}
        self.beaten = 0.0

    def note(self, word: str) -> None:
        with (self.folder / "words").open("a") as file:
            file.write(f"{self.seat.slot} {os.getpid()} {word}\n")

    def say(self, word: str) -> None:
        with contextlib.suppress(OSError):
            self.seat.channel.send(orjson.dumps({"word": word}))

    def run(self) -> int:
        self.note("began")
        if self.mode == "unable":
            return 5
        self.say("ready")
        if self.mode == "crash":
            time.sleep(0.05)
            return 9
        while True:
            self.say("beat")
            deaf = self.mode == "deaf" and (self.folder / "deaf").exists()
            sockets = [] if deaf else [one for slot in self.accepting for one in self.seat.sockets[slot]]
            found = select.select([self.seat.channel, *sockets], [], [], 0.1)[0]
            for one in found:
                if one is self.seat.channel:
                    if self.told():
                        return 0
                else:
                    self.serve(one)

    def told(self) -> bool:
        for word in hear(self.seat.channel):
            self.note(word["word"])
            if word["word"] == "adopt":
                self.accepting.add(word["slot"])
            elif word["word"] == "release":
                self.accepting.discard(word["slot"])
            elif word["word"] in {"drain", "gone"} and self.mode != "stay":
                return True
            elif word["word"] == "gone":
                time.sleep(0.1)
        return False

    def serve(self, listener: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            connection, _ = listener.accept()
            connection.setblocking(True)
            with connection:
                connection.recv(64)
                connection.sendall(b"%d %d" % (self.seat.slot, os.getpid()))


def main() -> int:
    """Run the supervisor; HUP runs `FOLDER/next` (arguments, one a line) instead, where there is one."""
    folder, workers, mode = Path(sys.argv[1]), int(sys.argv[2]), (*sys.argv[3:], "serve")[0]
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if only_tried_out():
        return 3 if (folder / "broken").exists() else 0
    former = inherited()
    sockets = former.sockets if former is not None else open_sockets("127.0.0.1", 0, workers)
    (folder / "port").write_text(str(address_of(sockets[0])[1]))

    def announce(told: dict[str, object]) -> None:
        new = folder / "told.new"
        new.write_text(json.dumps({"supervisor": os.getpid(), **told}))
        new.replace(folder / "told.json")

    supervisor = Supervisor(
        lambda seat: Worker(folder, mode, seat).run(),
        sockets,
        name="double",
        terms=Terms(start=20, silence=1.5, stop=3600),
        announce=announce,
        renewal=Renewal(()),
    )
    return supervisor.run(former.workers if former is not None else ())


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    sys.exit(main())
