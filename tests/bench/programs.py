"""The programs under test, each started on the same core in front of the same provider."""

from __future__ import annotations

import contextlib
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.bench import interlock, nginx
from tests.bench.cases import Case
from tests.bench.interlock import Credentials
from tests.bench.machine import Program, free_port, running, wait_for_port
from tests.bench.peers import kin, prism, wallarm

UNDER_TEST, LOAD = 0, 1  # cores
UNAUDITED = "no-audit"


@dataclass(frozen=True)
class Peer:
    """A program that is up; `prefix` is the base path of the contract there."""

    program: Program
    port: int
    prefix: str

    def url(self, case: Case) -> str:
        """Where to send the load."""
        limited = "/limited" if case.credential == "spent" and self.program.name == "nginx" else ""
        return f"http://127.0.0.1:{self.port}{limited}{case.target_of(self.prefix)}"


class Programs:
    """Starts programs by name; whatever was started ends with `stack`."""

    def __init__(self, stack: contextlib.ExitStack, folder: Path) -> None:
        self._stack = stack
        self._folder = folder
        self._upstream_port = free_port()
        self._start("upstream", nginx.upstream(folder, self._upstream_port), self._upstream_port, core=LOAD)
        self._data = folder / "data"
        shutil.rmtree(self._data, ignore_errors=True)
        self.credentials: Credentials = interlock.prepare(self._data, self._upstream_port)
        self._starts: dict[str, Callable[[], Peer]] = {
            "nginx": self._nginx,
            "interlock": self._interlock,
            UNAUDITED: self._unaudited,
            "kin-openapi": self._kin,
            "wallarm": self._wallarm,
            "prism": self._prism,
            "connexion": self._connexion,
        }

    def start(self, name: str) -> Peer:
        """Start one; raises `BenchError` with the reason why it cannot be."""
        return self._starts[name]()

    def _nginx(self) -> Peer:
        port = free_port()
        command = nginx.pass_through(self._folder, port, self._upstream_port)
        return Peer(self._start("nginx", command, port), port, interlock.PREFIX)

    def _interlock(self) -> Peer:
        return self._proxy("interlock", self._data, audit=True)

    def _unaudited(self) -> Peer:
        data = self._folder / "data-unaudited"
        shutil.rmtree(data, ignore_errors=True)
        shutil.copytree(self._data, data, ignore=shutil.ignore_patterns("run", "audit*"))
        return self._proxy("interlock-unaudited", data, audit=False)

    def _proxy(self, name: str, data: Path, *, audit: bool) -> Peer:
        program = self._stack.enter_context(
            running(
                name, interlock.command(data, audit=audit), core=UNDER_TEST, folder=self._folder,
                environment={**interlock.ENVIRONMENT, "PYTHONPATH": str(interlock.ROOT)},
            )
        )  # fmt: skip
        return Peer(program, interlock.port_of(program, data), interlock.PREFIX)

    def _kin(self) -> Peer:
        port = free_port()
        program = kin.build(self._folder / "kin")
        command = kin.command(program, interlock.CONTRACT, port, self._upstream_port)
        return Peer(self._start("kin-openapi", command, port, self._known()), port, "")

    def _wallarm(self) -> Peer:
        port = free_port()
        environment = wallarm.environment(interlock.CONTRACT, port, free_port(), self._upstream_port)
        return Peer(self._start("wallarm", [wallarm.program()], port, environment), port, "")

    def _prism(self) -> Peer:
        port = free_port()
        program = prism.install(self._folder / "prism")
        command = prism.command(program, interlock.CONTRACT, port, self._upstream_port)
        return Peer(self._start("prism", command, port), port, "")

    def _connexion(self) -> Peer:
        port = free_port()
        command = [
            sys.executable, "-m", "uvicorn", "tests.bench.peers.connexion_app:app", "--host", "127.0.0.1",
            "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log",
            "--log-level", "warning",
        ]  # fmt: skip
        environment = {
            **self._known(),
            "BENCH_PROVIDER": f"http://127.0.0.1:{self._upstream_port}",
            "PYTHONPATH": str(interlock.ROOT),
        }
        return Peer(self._start("connexion", command, port, environment), port, interlock.PREFIX)

    def _known(self) -> dict[str, str]:
        return {"BENCH_KEY": self.credentials.key, "BENCH_TOKEN": self.credentials.token}

    def _start(
        self, name: str, command: list[str | Path] | list[str] | list[Path], port: int,
        environment: dict[str, str] | None = None, *, core: int = UNDER_TEST,
    ) -> Program:  # fmt: skip
        program = self._stack.enter_context(
            running(name, command, core=core, folder=self._folder, environment=environment)
        )
        wait_for_port(program, port)
        return program
