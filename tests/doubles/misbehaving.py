"""Providers that misbehave in one way each: they hang, flood, reset or drip."""

from __future__ import annotations

import contextlib
import selectors
import socket
import struct
import threading
import time

WAYS = ("hang", "flood", "reset", "drip")
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
_CHUNK = b"10000\r\n" + b" " * 65536 + b"\r\n"


class Misbehaving:
    """Listens on loopback; one thread serves all connections in the one way."""

    def __init__(self, way: str) -> None:
        assert way in WAYS
        self.way = way
        self.taken = 0  # connections
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self._listener.setblocking(False)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._ended = False
        self._open: dict[socket.socket, bytes] = {}  # what is still to be said
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._ended = True
        self._thread.join(10)
        for one in (*self._open, self._listener):
            one.close()

    def _serve(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            next_drip = 0.0
            while not self._ended:
                for key, _ in selector.select(0.01):
                    if key.fileobj is self._listener:
                        with contextlib.suppress(OSError):
                            connection, _ = self._listener.accept()
                            connection.setblocking(False)
                            self.taken += 1
                            self._open[connection] = b""
                            selector.register(connection, selectors.EVENT_READ)
                    else:
                        self._read(selector, key.fileobj)
                if self.way == "flood" or (self.way == "drip" and time.monotonic() > next_drip):
                    next_drip = time.monotonic() + 0.1
                    for connection in tuple(self._open):
                        self._say(selector, connection)

    def _read(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        try:
            data = connection.recv(65536)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data or self.way == "reset":
            if data:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self._drop(selector, connection)
        elif not self._open[connection]:
            self._open[connection] = _HEAD

    def _say(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        left = self._open[connection]
        if not left:
            return
        try:
            if self.way == "drip":
                connection.send(left[:1])
                self._open[connection] = left[1:] or b"1\r\n \r\n"
            else:
                sent = connection.send(left)
                self._open[connection] = left[sent:] or _CHUNK
        except BlockingIOError:
            pass
        except OSError:
            self._drop(selector, connection)

    def _drop(self, selector: selectors.BaseSelector, connection: socket.socket) -> None:
        selector.unregister(connection)
        self._open.pop(connection, None)
        connection.close()
