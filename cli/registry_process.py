"""The registry's process: uvicorn, what it says about itself in run/registry.json, and its quiet chores."""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING, Any

import uvicorn

from kernel.errors import InterlockError
from kernel.sealing.private_files import replace_file
from registry.review.publication import publish

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.types import ASGIApp

    from registry.review.services import Services

_MOST_CONNECTIONS = 512
_GRACEFUL_SECONDS = 15
_PUBLISH_EVERY = 2.0  # seconds; only what an act could not publish by itself is left for this
log = logging.getLogger("interlock.registry")


class ListenRefused(InterlockError):
    """The registry's address cannot be bound."""

    code = "registry-listen-failed"


def serve(app: ASGIApp, services: Services) -> None:
    """Serve until SIGTERM or SIGINT; run/registry.json stands while requests are answered."""
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s", level=logging.INFO)
    for noisy in ("connexion", "uvicorn", "alembic"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    # uvicorn raises the signal again when it is done; it shall end what stands around it, not the process.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: None)
    ready = services.settings.path / "run" / "registry.json"
    ready.unlink(missing_ok=True)  # of a process that was killed
    listener = _bind(services.settings["registry_host"], services.settings["registry_port"])
    config = uvicorn.Config(
        app,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        limit_concurrency=_MOST_CONNECTIONS,
        timeout_graceful_shutdown=_GRACEFUL_SECONDS,
        forwarded_allow_ips="127.0.0.1",
    )
    ended = threading.Event()
    chores = threading.Thread(
        target=_publish_late, args=(services, ended), name="late-publisher", daemon=True
    )
    chores.start()
    try:
        _Announcing(config, ready, listener).run([listener])
    finally:
        ended.set()
        chores.join()
        listener.close()


class _Announcing(uvicorn.Server):
    """A server that writes a file once it answers, and removes it when it does not any more."""

    def __init__(self, config: uvicorn.Config, file: Path, listener: socket.socket) -> None:
        super().__init__(config)
        self._file = file
        self._listener = listener

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        host, port = self._listener.getsockname()[:2]
        self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        table = {"host": host, "port": port, "pid": os.getpid()}
        replace_file(self._file, json.dumps(table).encode() + b"\n", 0o644)
        log.info("board and API at http://%s:%d", host, port)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._file.unlink(missing_ok=True)
        await super().shutdown(sockets)


def _bind(host: str, port: int) -> socket.socket:
    try:
        family, kind, proto, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, proto)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_MOST_CONNECTIONS)
    except OSError as error:
        raise ListenRefused(
            f"{host} port {port} cannot be bound: {error.strerror}",
            hint="is another registry running? `--registry-port 0` takes any free port",
        ) from error
    return listener


def _publish_late(services: Services, ended: threading.Event) -> None:
    """Publish what an act recorded and could not write; says so once, not every two seconds."""
    told: Any = None
    while not ended.wait(_PUBLISH_EVERY):
        try:
            publish(services)
            told = None
        except InterlockError as error:
            if error.message != told:
                log.error("the bundle waits: %s", error.message)  # noqa: TRY400 - expected, no trace
                told = error.message
