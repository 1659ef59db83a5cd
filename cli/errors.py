"""Turns every way a command can end into one documented exit code and one readable message."""

from __future__ import annotations

import os
import sys
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


def run_guarded(command: Callable[[], Any]) -> int:  # noqa: PLR0911 - one return per way to end
    """Run a command and return its exit code; errors are told on stderr with what to do next."""
    try:
        result = command()
    except InterlockError as error:
        tell(error)
        return error.exit_code
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
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115, PTH123 - the reader went away; nothing more to say
        return Exit.OK
    except Exception as error:  # noqa: BLE001 - the last border: a crash must not look like a verdict
        if os.environ.get("INTERLOCK_TRACEBACK"):
            traceback.print_exc()
        click.echo(f"error[crash]: {type(error).__name__} in Interlock itself; nothing was decided", err=True)
        click.echo("  hint: run again with INTERLOCK_TRACEBACK=1 and report what it prints", err=True)
        return Exit.UNDECIDED
    return int(result) if isinstance(result, int) else Exit.OK


def tell(error: InterlockError) -> None:
    """Print an error in its one form: code, message, place, hint, where to read on."""
    click.echo(f"error[{error.code}]: {error.message}", err=True)
    if error.place is not None and str(error.place):
        click.echo(f"  --> {error.place}", err=True)
    if error.hint:
        click.echo(f"  hint: {error.hint}", err=True)
    click.echo(f"  docs: interlock explain {error.code}", err=True)
