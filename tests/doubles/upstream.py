"""A provider that answers what the test tells it, and keeps the raw bytes of what it was sent."""

from __future__ import annotations

import contextlib
import socket
import threading
from dataclasses import dataclass, field


@dataclass
class Seen:
    """One request as it arrived: the raw head, split, and the exact body."""

    method: str
    target: str
    headers: list[tuple[str, str]]
    body: bytes
    raw: bytes = b""

    def header(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]


@dataclass
class Upstream:
    """Listens on loopback; `answers` maps "METHOD /target" to raw response bytes, else 200 {}.

    Keys in `closing` end the connection after their answer, keys in `early` are answered before the body is
    read, and keys in `gates` wait for their event.
    """

    answers: dict[str, bytes] = field(default_factory=dict)
    closing: set[str] = field(default_factory=set)
    early: set[str] = field(default_factory=set)
    gates: dict[str, threading.Event] = field(default_factory=dict)
    seen: list[Seen] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._ended = False
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self._ended = True
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # else the thread in accept() takes one more
        self._listener.close()

    def said(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
        """Give the answer where none was told."""
        del method, target, headers, body
        return answer(200, b"{}")

    def _accept(self) -> None:
        while not self._ended:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(30)
            held = b""
            try:
                while True:
                    while b"\r\n\r\n" not in held:
                        data = connection.recv(65536)
                        if not data:
                            return
                        held += data
                    head, _, held = held.partition(b"\r\n\r\n")
                    lines = head.decode("latin-1").split("\r\n")
                    method, target, _ = lines[0].split(" ", 2)
                    headers = [tuple(line.split(": ", 1)) for line in lines[1:]]
                    length = int(next((v for k, v in headers if k.lower() == "content-length"), "0"))
                    key = f"{method} {target}"
                    path = f"{method} {target.split('?')[0]}"
                    said = self.answers.get(key) or self.answers.get(path)
                    if key in self.early and said:
                        connection.sendall(said)
                    while len(held) < length:
                        data = connection.recv(65536)
                        if not data:
                            return
                        held += data
                    body, held = held[:length], held[length:]
                    raw = head + b"\r\n\r\n" + body
                    self.seen.append(Seen(method, target, headers, body, raw))
                    if key in self.gates:
                        self.gates[key].wait(30)
                    if key not in self.early:
                        connection.sendall(said or self.said(method, target, headers, body))
                    if key in self.closing:
                        return
            except OSError:
                return


def answer(status: int, body: bytes = b"", kind: str = "application/json", *more: str) -> bytes:
    """Write a whole HTTP/1.1 answer."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", *more]
    if body or kind:
        lines.append(f"Content-Type: {kind}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
