"""`interlock proxy unresolved | resolve`: settle calls under an idempotency key whose outcome is not known."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.errors import Exit
from kernel.errors import InterlockError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.settings import Settings

_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder (default: INTERLOCK_DATA or .interlock).",
)
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)


class NoSuchCall(InterlockError):
    """No call of this request id is unresolved."""

    code = "call-not-unresolved"
    exit_code = 1


@click.command()
@_DATA
@_FORMAT
def unresolved(data: Path | None, form: str) -> int:
    """List calls under an idempotency key that went out and whose outcome is not known.

    Their repeats get 409 until `interlock proxy resolve` says what became of them. Ends with 1 when there
    are any.
    """
    from cli.adapter_house import settings_of
    from runtime_proxy.idempotency_rows import unresolved as listed

    with _rows(settings_of(data)) as rows:
        found = listed(rows) if rows is not None else []
    told = [
        {
            "request_id": one.request_id,
            "since": datetime.fromtimestamp(one.since, UTC).isoformat(timespec="seconds"),
            "route": one.contract,
            "operation": one.operation,
            "consumer": one.consumer,
        }
        for one in found
    ]
    if form == "json":
        click.echo(json.dumps(told, indent=2))
    else:
        for line in told:
            click.echo("  ".join(value or "-" for value in line.values()))
        if not told:
            click.echo("every call under an idempotency key has a known outcome")
    return Exit.GATE_SAYS_NO if told else Exit.OK


@click.command()
@click.argument("request_id")
@click.option("--done/--not-done", "done", required=True, default=None,
              help="The provider has carried the call out, or it has not and may be asked again.")  # fmt: skip
@click.option("--note", default="", help="How that was found out; stands in the audit log.")
@_DATA
def resolve(*, request_id: str, done: bool, note: str, data: Path | None) -> int:
    """Say what became of the call with this X-Request-Id, after asking the provider.

    With --not-done the key is free again, and a repeat is forwarded. With --done repeats get 409
    `idempotency-answer-lost` for a year. The act is in the audit log before anything changes.
    """
    from cli.adapter_house import actor, open_journal, settings_of
    from kernel.audit.record import act_record
    from runtime_proxy.idempotency_rows import resolve as settle
    from runtime_proxy.idempotency_rows import unresolved as listed

    settings = settings_of(data)
    with _rows(settings) as rows:
        if rows is None or not any(one.request_id == request_id for one in listed(rows)):
            raise NoSuchCall(
                f"no call {request_id[:64]!r} is unresolved", hint="`interlock proxy unresolved` lists them"
            )
        what = "done" if done else "not-done"
        record = act_record(
            actor=actor(), act="call-resolved", subject=request_id, note=note[:500], detail={"outcome": what}
        )
        with open_journal(settings) as journal:
            journal.append_and_wait(record)
        settle(rows, request_id, done=done)
    click.echo(f"{request_id}: {what}")
    return Exit.OK


@contextlib.contextmanager
def _rows(settings: Settings) -> Iterator[sqlite3.Connection | None]:
    """Open the file of keys, also while the proxy runs; None: there is none."""
    from runtime_proxy.errors import KeysUnavailable
    from runtime_proxy.idempotency_owners import Owners
    from runtime_proxy.idempotency_rows import mark_unknown, open_rows

    folder = settings.path / "idempotency"
    file = folder / "keys.sqlite"
    if not file.is_file():
        yield None
        return
    try:
        owners = Owners(folder / "owners")
        with contextlib.closing(open_rows(file, settings["idempotency_max_bytes"])) as rows:
            mark_unknown(rows, owners)
            yield rows
        owners.close()
    except (sqlite3.Error, OSError) as error:
        raise KeysUnavailable(f"idempotency keys cannot be read: {error}", place=Place(str(file))) from error
