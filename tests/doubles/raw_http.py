"""A raw client: bytes out over a socket, whole answers in, strictly framed, nothing repaired."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass
from typing import Self

_STATUS = re.compile(rb"HTTP/1\.1 (\d\d\d) [A-Za-z -]*")
_SIZE = re.compile(rb"0|[1-9a-f][0-9a-f]*")


@dataclass(frozen=True)
class Got:
    """One answer, as its bytes say it."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def header(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]

    @property
    def slug(self) -> str:
        """The refusal's slug, "" for any other answer."""
        found = re.search(rb'"urn:interlock:refusal:([a-z-]+)"', self.body)
        return found[1].decode() if found else ""


class RawClient:
    """One connection to a port of this machine; use it as a context."""

    def __init__(self, port: int, *, receive_buffer: int = 0) -> None:
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(20)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._held = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes, *, piecewise: bool = False) -> None:
        """Send, in one go or as a packet a byte; a server that has had enough is no fault of the test's."""
        try:
            for piece in [data[i : i + 1] for i in range(len(data))] if piecewise else [data]:
                self.socket.sendall(piece)
        except (BrokenPipeError, ConnectionResetError):
            return

    def half_close(self) -> None:
        self.socket.shutdown(socket.SHUT_WR)

    def answer(self, *, to_head: bool = False) -> Got | None:
        """Read one answer; None at the end of the stream."""
        while b"\r\n\r\n" not in self._held:
            if not self._more():
                assert self._held == b"", self._held
                return None
        head, _, self._held = self._held.partition(b"\r\n\r\n")
        line, *lines = head.split(b"\r\n")
        status = _STATUS.fullmatch(line)
        assert status is not None, line
        fields = tuple(
            (name.lower(), value.strip()) for name, _, value in (one.partition(b":") for one in lines)
        )
        code = int(status[1])
        bodiless = to_head or code < 200 or code in (204, 304)
        return Got(code, fields, b"" if bodiless else self._body(fields))

    def final(self) -> Got | None:
        """Read one answer, passing over `100 Continue`, which the client may get or not."""
        while (got := self.answer()) is not None and got.status == 100:
            pass
        return got

    def answers(self) -> list[Got]:
        """Read all answers to the end of the stream."""
        found = []
        while (got := self.answer()) is not None:
            found.append(got)
        return found

    def ended(self) -> bool:
        """Wait for the end: True when nothing came before it."""
        return self._held == b"" and not self._more()

    def silent(self, seconds: float = 0.2) -> bool:
        """Say whether nothing arrives for a while, and the connection stays open."""
        self.socket.settimeout(seconds)
        try:
            self._more()
        except TimeoutError:
            return self._held == b""
        finally:
            self.socket.settimeout(20)
        return False

    def _body(self, fields: tuple[tuple[bytes, bytes], ...]) -> bytes:
        """Read what is framed by one length, or by chunks alone (RFC 9112 section 6.3)."""
        framing = [field for field in fields if field[0] in (b"content-length", b"transfer-encoding")]
        assert len(framing) == 1, fields
        ((name, value),) = framing
        if name == b"content-length":
            return self._exactly(int(value))
        assert value == b"chunked", value
        body = b""
        while True:
            while b"\r\n" not in self._held:
                assert self._more(), "the answer is cut short"
            line, _, self._held = self._held.partition(b"\r\n")
            assert _SIZE.fullmatch(line), line  # we write no extension and no leading zero
            piece = self._exactly(int(line, 16))
            assert self._exactly(2) == b"\r\n"  # of the chunk, or of the trailers, of which we write none
            if not piece:
                return body
            body += piece

    def _exactly(self, length: int) -> bytes:
        while len(self._held) < length:
            assert self._more(), "the answer is cut short"
        taken, self._held = self._held[:length], self._held[length:]
        return taken

    def _more(self) -> bool:
        try:
            data = self.socket.recv(65536)
        except ConnectionResetError:
            return False
        self._held += data
        return bool(data)
