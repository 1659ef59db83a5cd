"""A real PostgreSQL for tests: initialised in a temporary folder, on a free loopback port, ended at the end."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HINT = "apt-get install postgresql-15 (the tests start their own server and use none that runs)"


@dataclass(frozen=True)
class PostgresServer:
    port: int
    user: str

    def url(self, database: str = "postgres", user: str | None = None) -> str:
        """A SQLAlchemy URL; the server trusts loopback, so there is no password."""
        return f"postgresql://{user or self.user}@127.0.0.1:{self.port}/{database}"


def programs() -> Path:
    """The folder of initdb and postgres; fails with what to install, never skips."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    if found:
        return found[-1]
    on_path = shutil.which("initdb")
    assert on_path, f"PostgreSQL is missing: {HINT}"
    return Path(on_path).resolve().parent


def _unprivileged() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            row = pwd.getpwnam(name)
            return {"user": row.pw_uid, "group": row.pw_gid, "extra_groups": []}
    raise AssertionError(f"initdb refuses root, and there is neither user postgres nor nobody: {HINT}")


def _run(folder: Path, *command: str) -> None:
    # Output goes to a file: a server that inherits a pipe would hold it open for ever.
    with (folder / "output").open("ab") as output:
        done = subprocess.run(
            command, check=False, stdout=output, stderr=output, timeout=120, cwd=folder, **_unprivileged()
        )
    assert done.returncode == 0, (folder / "output").read_text(errors="replace")[-2000:]


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server and yield it; its folder and processes are gone afterwards."""
    binaries, identity = programs(), _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="interlock-pg-"))
    try:
        if identity:
            os.chown(folder, identity["user"], identity["group"])
        data = str(folder / "data")
        initdb = [str(binaries / "initdb"), "-D", data, "-U", "interlock_admin", "-A", "trust", "-E", "UTF8"]
        _run(folder, *initdb, "--locale=C", "--no-sync")
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        options = f"-p {port} -c listen_addresses=127.0.0.1 -k {folder} -c shared_buffers=16MB"
        control = [str(binaries / "pg_ctl"), "-D", data, "-w", "-t", "60"]
        _run(folder, *control, "-l", str(folder / "log"), "-o", options, "start")
        try:
            yield PostgresServer(port, "interlock_admin")
        finally:
            _run(folder, *control, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
