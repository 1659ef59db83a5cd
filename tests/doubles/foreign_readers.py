"""How other programs read HTTP: nginx, Node and Go as servers and clients that tell what they understood."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.doubles.raw_http import RawClient
from tests.doubles.upstream import Upstream

HERE = Path(__file__).parent / "readers"
Fields = dict[str, list[bytes]]  # name in lower case → values in order


@dataclass(frozen=True)
class Reading:
    """One message as a program understood it; `start` is method and target, or the status."""

    start: tuple[Any, ...]
    headers: Fields
    body: bytes


@dataclass(frozen=True)
class Reader:
    """One program: `port` tells what it reads, and `fetch` what it understands of another port's answer."""

    name: str
    port: int
    fetch: Callable[[int], Reading | None]

    def read(self, raw: bytes) -> Reading | str:
        """Give its reading of one raw request, or why it has none."""
        with RawClient(self.port) as client:
            client.send(raw + raw)  # twice: where it sees the first one end shows in the second
            found = [client.final(), client.final()]
        for got in found:
            if got is None or got.status != 200:
                return f"{self.name}: {'no answer' if got is None else got.status}"
        told = [_reading(got.body) for got in found if got is not None]
        if told[0] is None or told[0] != told[1]:
            return f"{self.name}: two readings of one message"
        return told[0]


def _reading(body: bytes) -> Reading | None:
    told = json.loads(body)
    if "error" in told:
        return None
    headers: Fields = {}
    for name, value in told["headers"]:
        headers.setdefault(name, []).append(base64.b64decode(value or ""))
    start = (told["status"],) if "status" in told else (told["method"], told["target"])
    return Reading(start, headers, base64.b64decode(told["body"] or ""))


@contextlib.contextmanager
def _told_port(command: list[str]) -> Iterator[int]:
    child = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    )
    try:
        assert child.stdout is not None
        yield int(child.stdout.readline())
    finally:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def _fetcher(port: int) -> Callable[[int], Reading | None]:
    def fetch(origin: int) -> Reading | None:
        with RawClient(port) as client:
            client.send(b"GET /-fetch/%d HTTP/1.1\r\nHost: a\r\n\r\n" % origin)
            got = client.answer()
            return None if got is None or got.status != 200 else _reading(got.body)

    return fetch


@contextlib.contextmanager
def node_reader(folder: Path) -> Iterator[Reader | str]:
    """Node's http module, or why there is none."""
    del folder
    node = shutil.which("node")
    if node is None:
        yield "Node is not on this machine"
        return
    with _told_port([node, str(HERE / "reader.js")]) as port:
        yield Reader("node", port, _fetcher(port))


@contextlib.contextmanager
def go_reader(folder: Path) -> Iterator[Reader | str]:
    """Go's net/http, or why there is none."""
    go = shutil.which("go")
    if go is None:
        yield "Go is not on this machine"
        return
    environment = {**os.environ, "GO111MODULE": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    built = subprocess.run(
        [go, "build", "-o", str(folder / "reader"), str(HERE / "reader.go")],
        env=environment, capture_output=True, timeout=300, check=False,
    )  # fmt: skip
    if built.returncode:
        yield f"Go cannot build the reader: {built.stderr.decode()[-200:]}"
        return
    with _told_port([str(folder / "reader")]) as port:
        yield Reader("go", port, _fetcher(port))


NGINX = """\
daemon off; master_process off; worker_processes 1; pid nginx.pid; error_log error.log;
events { worker_connections 256; }
http {
  access_log off; client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  ignore_invalid_headers off; underscores_in_headers on; merge_slashes off;
  large_client_header_buffers 8 64k; client_max_body_size 0; proxy_buffer_size 64k; proxy_buffers 8 64k; proxy_busy_buffers_size 128k;
  proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_set_header Connection ""; proxy_pass_request_headers on;
  proxy_set_header X-Nginx-Path "<$uri>"; proxy_pass_header Server; proxy_pass_header Date;
  server { listen 127.0.0.1:PORT; location / { proxy_pass http://127.0.0.1:RECORDER; } }
  server { listen 127.0.0.1:FETCHES; location / { proxy_pass http://127.0.0.1:$http_x_origin; proxy_set_header X-Origin ""; } }
}
"""


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def _await(child: subprocess.Popen[bytes], *ports: int) -> None:
    """Wait until a program listens on all its ports; a machine that is busy may take its time."""
    until = time.monotonic() + 60
    for port in ports:
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            assert child.poll() is None, "it has ended: somebody else may have taken a port"
            assert time.monotonic() < until, f"nobody listens on port {port}"
            time.sleep(0.05)


@contextlib.contextmanager
def nginx_reader(folder: Path) -> Iterator[Reader | str]:
    """Have nginx forward what it reads to a recorder that tells it, and fetch answers as a proxy does."""
    nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if nginx is None:
        yield "nginx is not on this machine"
        return
    recorder = _Recorder()
    port, fetches = _free_port(), _free_port()
    text = (
        NGINX.replace("PORT", str(port), 1)
        .replace("RECORDER", str(recorder.port))
        .replace("FETCHES", str(fetches))
    )
    (folder / "nginx.conf").write_text(text)
    child = subprocess.Popen(
        [nginx, "-p", str(folder), "-c", "nginx.conf", "-e", "error.log"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _await(child, port, fetches)

        def fetch(origin: int) -> Reading | None:
            with socket.create_connection(("127.0.0.1", fetches), 10) as client:
                client.sendall(b"GET /a/b HTTP/1.0\r\nHost: a\r\nX-Origin: %d\r\n\r\n" % origin)
                raw = b""
                while data := client.recv(65536):
                    raw += data
            return _until_end(raw)

        yield Reader("nginx", port, fetch)
    finally:
        child.kill()
        child.wait()
        recorder.close()


def _until_end(raw: bytes) -> Reading | None:
    """Read an answer of nginx to HTTP/1.0: a length, or the end; cut short is no answer."""
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *rest = head.split(b"\r\n")
    status = re.match(rb"HTTP/1\.1 (\d{3})", first)
    if status is None or status[1] in {b"502", b"504"}:
        return None
    headers: Fields = {}
    for line in rest:
        name, _, value = line.partition(b":")
        headers.setdefault(name.decode().lower(), []).append(value.strip(b" \t"))
    length = headers.get("content-length")
    if length is not None and status[1] != b"304" and int(length[0]) != len(body):
        return None
    return Reading((int(status[1]),), headers, body)


class _Recorder(Upstream):
    """Answers every request with the telling of it."""

    def said(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes) -> bytes:
        lines = [
            [name.lower(), base64.b64encode(value.encode("latin-1")).decode()] for name, value in headers
        ]
        told = {"method": method, "target": target, "headers": lines, "body": base64.b64encode(body).decode()}
        data = json.dumps(told).encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(data) + data


class Origin:
    """A port that answers every request with the same bytes; `closes` says whether it ends the connection after."""

    def __init__(self) -> None:
        self.raw = b""
        self.closes = True
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            held = b""
            while True:
                while b"\r\n\r\n" not in held:
                    data = connection.recv(65536)
                    if not data:
                        return
                    held += data
                held = held.partition(b"\r\n\r\n")[2]
                connection.sendall(self.raw)
                if self.closes:
                    return
