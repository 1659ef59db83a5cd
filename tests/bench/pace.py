"""Load at a given rate, whatever the answers take: what callers feel below capacity.

    python -m tests.bench.pace URL FILE --rate 5000 --seconds 4 --status 201

Arrivals are a Poisson process of one seed, the same for every program. FILE holds the bytes of one request. A
time is taken from the moment a request was due and this program turned to it, so a request that waits for
one of the connections counts from then; how late this program itself was is printed beside.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import gc
import json
import random
import re
import select
import socket
import statistics
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

_LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)\r\n", re.IGNORECASE)
_MOST_ANSWER = 262_144
_PATIENCE = 10.0  # seconds that the last answers may take


@dataclass(frozen=True)
class Paced:
    """One run: milliseconds from due to answered; `late` is how late 99 % of the sends were at most."""

    rate: float  # answers per second
    p50: float
    p99: float
    late: float


class Pace:
    """Connections to one program, and a schedule; `begin` is when counting starts, for warming up."""

    def __init__(self, address: tuple[str, int], request: bytes, status: int, connections: int) -> None:
        self._request = request
        self._wanted = b"HTTP/1.1 %d " % status
        self._poll = select.epoll()
        self._sockets: dict[int, socket.socket] = {}
        self._parts: dict[int, bytes] = {}
        self._due: dict[int, float] = {}
        for _ in range(connections):
            made = socket.create_connection(address, 5)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets[made.fileno()] = made
            self._poll.register(made.fileno(), select.EPOLLIN)
        self._free = list(self._sockets)
        self._waiting: collections.deque[float] = collections.deque()
        self.times: list[tuple[float, float]] = []  # when due, seconds until answered
        self.late: list[float] = []

    def run(self, rate: float, seconds: float) -> None:
        """Send for so long, then wait for what is under way; raises ValueError at a wrong answer."""
        draw = random.Random(7).expovariate
        now = time.perf_counter()
        end, due = now + seconds, now + draw(rate)
        while due < end or self._due:
            now = time.perf_counter()
            while due <= now and due < end:
                self.late.append(now - due)
                self._begin(now)
                due += draw(rate)
                now = time.perf_counter()
            if now > end + _PATIENCE:
                raise ValueError(f"{len(self._due)} answers did not come")
            ready = self._poll.poll(0)
            if not ready:
                wait = min(due - time.perf_counter(), 0.5) if due < end else 0.05
                if wait > 0:  # epoll counts milliseconds, select microseconds
                    select.select([self._poll.fileno()], [], [], wait)
                continue
            for number, _ in ready:
                self._read(number)

    def close(self) -> None:
        """End all connections."""
        for one in self._sockets.values():
            one.close()
        self._poll.close()

    def _begin(self, due: float) -> None:
        if not self._free:
            self._waiting.append(due)
            return
        number = self._free.pop()
        self._due[number] = due
        self._sockets[number].sendall(self._request)

    def _read(self, number: int) -> None:
        data = self._parts.pop(number, b"") + self._sockets[number].recv(65536)
        at = data.find(b"\r\n\r\n")
        found = _LENGTH.search(data, 0, at + 2) if at >= 0 else None
        if at < 0 or (found is not None and len(data) < at + 4 + int(found[1])):
            if not data or len(data) > _MOST_ANSWER:
                raise ValueError("the connection ended, or the answer has no end")
            self._parts[number] = data
            return
        if found is None or not data.startswith(self._wanted):
            raise ValueError(f"a wrong answer: {data[:200]!r}")
        due = self._due.pop(number)
        self.times.append((due, time.perf_counter() - due))
        self._free.append(number)
        if self._waiting:
            self._begin(self._waiting.popleft())


def measure(
    url: str, request: bytes, *, status: int, rate: float, seconds: float, warm_up: float = 1.0,
    connections: int = 64,
) -> Paced:  # fmt: skip
    """Send at this rate; the first `warm_up` seconds do not count."""
    parts = urlsplit(url)
    pace = Pace((parts.hostname or "", parts.port or 80), request, status, connections)
    gc.collect()
    gc.disable()
    begun = time.perf_counter()
    with contextlib.closing(pace):
        pace.run(rate, warm_up + seconds)
    spent = [took * 1e3 for due, took in pace.times if due >= begun + warm_up]
    if len(spent) < 100:
        raise ValueError("too few answers for a percentile")
    hundredths = statistics.quantiles(spent, n=100)
    late = statistics.quantiles(pace.late, n=100)[98] * 1e3
    return Paced(len(spent) / seconds, hundredths[49], hundredths[98], late)


def main() -> int:
    """Measure once, print one line of JSON."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.pace")
    parser.add_argument("url")
    parser.add_argument("file", type=Path, help="the bytes of one request")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--status", type=int, default=201)
    parser.add_argument("--connections", type=int, default=64)
    chosen = parser.parse_args()
    paced = measure(
        chosen.url, chosen.file.read_bytes(), status=chosen.status, rate=chosen.rate,
        seconds=chosen.seconds, connections=chosen.connections,
    )  # fmt: skip
    sys.stdout.write(json.dumps(asdict(paced)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
