"""A real Redis for tests: in a temporary folder, on a free loopback port, ended at the end."""

from __future__ import annotations

import contextlib
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

DURABLE = ("--appendonly", "yes", "--appendfsync", "always")


@dataclass
class RedisServer:
    """One server that can be killed and started again on the same files."""

    folder: Path
    port: int
    options: tuple[str, ...]
    _child: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which("redis-server")
        assert program, "redis-server is missing: apt-get install redis-server"
        with (self.folder / "output").open("ab") as output:
            self._child = subprocess.Popen(
                [program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
                 "--save", "", *self.options],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
            )  # fmt: skip
        deadline = time.monotonic() + 30
        while True:
            assert self._child.poll() is None, (self.folder / "output").read_text(errors="replace")
            assert time.monotonic() < deadline, "redis-server does not answer"
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1) as one:
                one.sendall(b"PING\r\n")
                if one.recv(64).startswith(b"+PONG"):
                    return
            time.sleep(0.02)

    def kill(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child.wait(30)
            self._child = None

    def freeze(self) -> None:
        """Let it hang: connections stay, answers do not come."""
        assert self._child is not None
        self._child.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._child is not None
        self._child.send_signal(signal.SIGCONT)

    def tell(self, *words: str) -> str:
        command = ["redis-cli", "-p", str(self.port), *words]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=10).stdout


@contextlib.contextmanager
def redis_server(*options: str) -> Iterator[RedisServer]:
    """Run a server; by default it forgets everything when it ends."""
    with (
        tempfile.TemporaryDirectory(prefix="redis-") as folder,
        socket.create_server(("127.0.0.1", 0)) as free,
    ):
        port = free.getsockname()[1]
        free.close()
        server = RedisServer(Path(folder), port, options)
        server.start()
        try:
            yield server
        finally:
            server.kill()


@contextlib.contextmanager
def redis_cluster() -> Iterator[list[RedisServer]]:
    """Run two nodes that share the slots between them."""
    with contextlib.ExitStack() as stack:
        nodes = []
        for slots in (("0", "8191"), ("8192", "16383")):
            with socket.create_server(("127.0.0.1", 0)) as free:
                port = str(free.getsockname()[1])
            options = ("--cluster-enabled", "yes", "--cluster-port", port, "--cluster-node-timeout", "5000")
            node = stack.enter_context(redis_server(*options))
            node.tell("cluster", "addslotsrange", *slots)
            nodes.append((node, port))
        (first, _), (second, port) = nodes
        first.tell("cluster", "meet", "127.0.0.1", str(second.port), port)
        deadline = time.monotonic() + 30
        whole = ("cluster_state:ok", "cluster_slots_ok:16384", "cluster_known_nodes:2")
        while not all(word in node.tell("cluster", "info") for node, _ in nodes for word in whole):
            assert time.monotonic() < deadline, "the nodes do not find each other"
            time.sleep(0.05)
        yield [first, second]
