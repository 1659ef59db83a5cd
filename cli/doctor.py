"""`interlock doctor`: which tools are wanted, what was found, and how to get what is missing."""

from __future__ import annotations

import json
import re
import shutil
import stat
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

import click

from cli.errors import Exit

OASDIFF_VERSION = "1.33.0"
_NUMBER = re.compile(r"\d+\.\d+(?:\.\d+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `needed` says for what, and `state` is ok, missing, wrong or note."""

    tool: str
    needed: str
    wanted: str
    found: str
    state: str
    how: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A program that is looked for on the PATH (and in a few folders where Debian puts servers)."""

    program: str
    needed: str
    wanted: str
    package: str
    version_flag: str = "--version"


TOOLS: tuple[Tool, ...] = (
    Tool("postgres", "make test (store tests)", "15 or newer", "postgresql"),
    Tool("redis-server", "make test", "7 or newer", "redis-server"),
    Tool("chromium", "make test (board pages)", "any", "chromium"),
    Tool("nginx", "make test, make bench", "any", "nginx-light", "-v"),
    Tool("strace", "make test (order of write and answer)", "any", "strace"),
    Tool("openssl", "make test (TLS listeners)", "3", "openssl", "version"),
    Tool("wrk", "make bench", "4", "wrk", "-v"),
    Tool("npm", "make bench (Prism)", "any", "npm"),
)


@click.command()
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Data folder to look into (default: INTERLOCK_DATA or .interlock).",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def doctor(data: Path | None, form: str) -> int:
    """Print a table: tool, wanted, found, how to get it. Ends with 3 when the main job cannot run."""
    rows = [
        _python(),
        _compiled(),
        _oasdiff(),
        _schemathesis(),
        *_data_folder(data),
        *(_tool(tool) for tool in TOOLS),
    ]
    if form == "json":
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
    else:
        _print_table(rows)
    broken = any(row.needed == "everything" and row.state in {"missing", "wrong"} for row in rows)
    return Exit.UNDECIDED if broken else Exit.OK


def _schemathesis() -> Row:
    from ci.conformance_engine import OLDEST, find_program, version_of
    from kernel.errors import InterlockError
    from kernel.settings import load

    wanted, how = f"{'.'.join(map(str, OLDEST))} or newer", "pip install 'interlock[conformance]'"
    try:
        found = version_of(find_program(str(load()["schemathesis"])))
    except InterlockError as error:
        state = "missing" if "not installed" in error.message else "wrong"
        return Row("schemathesis", "interlock ci conformance", wanted, "", state, how)
    return Row("schemathesis", "interlock ci conformance", wanted, found, "ok")


def _python() -> Row:
    found = ".".join(map(str, sys.version_info[:3]))
    state = "ok" if sys.version_info >= (3, 11) else "wrong"
    return Row("python", "everything", "3.11 or newer", found, state, "apt-get install python3 python3-venv")


def _compiled() -> Row:
    try:
        import runtime_proxy.pipeline
    except ImportError:  # installed for a pipeline, without the server
        return Row("compiled modules", "speed of the proxy", "a C compiler", "no server here", "note")
    source = Path(__file__).resolve().parents[1] / "runtime_proxy" / "pipeline.py"
    loaded = Path(runtime_proxy.pipeline.__file__)
    how = "apt-get install gcc python3-dev, then make setup"
    if loaded.suffix == ".py":
        return Row("compiled modules", "speed of the proxy", "a C compiler", "pure Python", "note", how)
    if source.exists() and source.stat().st_mtime > loaded.stat().st_mtime:
        return Row("compiled modules", "speed of the proxy", "as the source", "older", "wrong", "make setup")
    return Row("compiled modules", "speed of the proxy", "a C compiler", "compiled", "ok")


def _oasdiff() -> Row:
    from kernel.settings import load

    configured = load()["oasdiff"]
    local = Path(__file__).resolve().parents[1] / ".tools" / "bin" / "oasdiff"
    program = configured or (str(local) if local.exists() else shutil.which("oasdiff"))
    how = "make setup (builds it with Go 1.26 or newer)"
    if not program:
        return Row("oasdiff", "everything", OASDIFF_VERSION, "-", "missing", how)
    found = _version(program, "--version")
    return Row(
        "oasdiff", "everything", OASDIFF_VERSION, found, "ok" if found == OASDIFF_VERSION else "wrong", how
    )


def _data_folder(data: Path | None) -> list[Row]:
    from kernel.settings import load

    folder = load({"data": str(data)} if data else None).path
    if not folder.exists():
        return [
            Row(
                "data folder",
                "interlock up",
                "writable",
                f"{folder.name}/ (not yet made)",
                "note",
                "interlock up makes it",
            )
        ]
    rows = [
        Row(
            "data folder",
            "interlock up",
            "writable",
            str(folder),
            "ok" if _writable(folder) else "wrong",
            "chown or chmod it",
        )
    ]
    keys = folder / "keys"
    if keys.is_dir():
        loose = [
            path.name
            for path in keys.iterdir()
            if path.is_file()
            and not path.name.endswith((".json", ".pub"))
            and stat.S_IMODE(path.stat().st_mode) & 0o077
        ]
        state = "wrong" if loose else "ok"
        found = f"readable by others: {', '.join(loose)}" if loose else "files with mode 0600"
        rows.append(
            Row(
                "keys",
                "sealing and signing",
                "mode 0600, backed up",
                found,
                state,
                "chmod 600; back up keys/ apart from the data (docs/guide/operator.md)",
            )
        )
    return rows


def _tool(tool: Tool) -> Row:
    program = shutil.which(tool.program) or _debian_server(tool.program)
    how = f"apt-get install {tool.package}"
    if program is None:
        return Row(tool.program, tool.needed, tool.wanted, "-", "missing", how)
    return Row(tool.program, tool.needed, tool.wanted, _version(program, tool.version_flag), "ok", how)


def _debian_server(program: str) -> str | None:
    for folder in (*sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True), Path("/usr/sbin")):
        if (folder / program).exists():
            return str(folder / program)
    return None


def _version(program: str, flag: str) -> str:
    try:
        run = subprocess.run([program, flag], capture_output=True, text=True, timeout=20, check=False)  # noqa: S603 - fixed table
    except (OSError, subprocess.TimeoutExpired):
        return "does not run"
    match = _NUMBER.search(run.stdout + run.stderr)
    return match[0] if match else "found"


def _writable(folder: Path) -> bool:
    try:
        probe = folder / ".doctor-probe"
        probe.touch()
        probe.unlink()
    except OSError:
        return False
    return True


def _print_table(rows: list[Row]) -> None:
    heads = ("tool", "needed for", "wanted", "found", "", "how to get it")
    cells = [(r.tool, r.needed, r.wanted, r.found, r.state, "" if r.state == "ok" else r.how) for r in rows]
    widths = [max(len(line[i]) for line in (heads, *cells)) for i in range(len(heads))]
    for line in (heads, *cells):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
