"""Turns every way a command can end into one documented exit code and one readable message."""

from __future__ import annotations

import errno
import json
import os
import traceback
from collections.abc import Callable
from enum import IntEnum
from typing import Any

import click

from kernel.errors import InterlockError


class Exit(IntEnum):
    """Exit codes; a crash of ours is UNDECIDED, never GATE_SAYS_NO."""

    OK = 0
    GATE_SAYS_NO = 1
    USAGE = 2
    UNDECIDED = 3
    NOT_ALLOWED = 4
    PENDING = 8
    INTERRUPTED = 130


class FileUnusable(InterlockError):
    """A file or folder that was named cannot be read, made or written."""

    code = "file-unusable"
    exit_code = 2


def run_guarded(command: Callable[[], Any], *, in_json: bool = False) -> int:  # noqa: PLR0911 - one return per way to end
    """Run a command and return its exit code; errors are told on stderr with what to do next.

    `in_json`: an error is also printed on stdout as one JSON object, so that a pipe always gets JSON.
    """
    try:
        result = command()
    except InterlockError as error:
        return _ended_by(error, in_json=in_json)
    except click.exceptions.Exit as ended:
        return ended.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except KeyboardInterrupt:
        click.echo("interrupted", err=True)
        return Exit.INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last border: a crash must not look like a verdict
        if isinstance(error, OSError) and error.filename is not None and error.strerror:
            return _ended_by(_unusable(error), in_json=in_json)
        if wants_traceback():
            traceback.print_exc()
        click.echo(f"error[crash]: {type(error).__name__} in Interlock itself; nothing was decided", err=True)
        click.echo("  hint: run again with INTERLOCK_TRACEBACK=1 and report what it prints", err=True)
        return Exit.UNDECIDED
    return int(result) if isinstance(result, int) else Exit.OK


def wants_traceback() -> bool:
    """Whether whoever runs us asks for tracebacks of our own faults."""
    return bool(os.environ.get("INTERLOCK_TRACEBACK"))


def _ended_by(error: InterlockError, *, in_json: bool) -> int:
    tell(error)
    if in_json:
        place = str(error.place) if error.place is not None else ""
        said = {"code": error.code, "message": error.message, "hint": error.hint, "place": place}
        click.echo(json.dumps({"error": said}, ensure_ascii=False))
    return error.exit_code


def _unusable(error: OSError) -> FileUnusable:
    name = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else str(error.filename)
    hints = {
        errno.ENOENT: "make the folder first, or correct the path",
        errno.EEXIST: "name a folder, not a file",
        errno.ENOTDIR: "name a folder, not a file",
        errno.EISDIR: "name a file, not a folder",
        errno.ENOSPC: "make room on the disk",
    }
    hint = hints.get(error.errno or 0, "choose a path that this user may read and write")
    return FileUnusable(f"{name}: {error.strerror}", hint=hint)


def tell(error: InterlockError) -> None:
    """Print an error in its one form: code, message, place, hint, where to read on."""
    click.echo(f"error[{error.code}]: {error.message}", err=True)
    if error.place is not None and str(error.place):
        click.echo(f"  --> {error.place}", err=True)
    if error.hint:
        click.echo(f"  hint: {error.hint}", err=True)
    click.echo(f"  docs: interlock explain {error.code}", err=True)
