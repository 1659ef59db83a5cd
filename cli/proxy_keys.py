"""`interlock proxy unresolved | resolve`: settle calls under an idempotency key whose outcome is not known."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from cli.errors import Exit
from kernel.errors import InterlockError

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
    from runtime_proxy.key_rooms import open_ledger

    with open_ledger(settings_of(data)) as ledger:
        found = ledger.unresolved() if ledger is not None else []
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
    from runtime_proxy.key_rooms import open_ledger

    settings = settings_of(data)
    with open_ledger(settings) as ledger:
        if ledger is None or not any(one.request_id == request_id for one in ledger.unresolved()):
            raise NoSuchCall(
                f"no call {request_id[:64]!r} is unresolved", hint="`interlock proxy unresolved` lists them"
            )
        what = "done" if done else "not-done"
        record = act_record(
            actor=actor(), act="call-resolved", subject=request_id, note=note[:500], detail={"outcome": what}
        )
        with open_journal(settings) as journal:
            journal.append_and_wait(record)
        ledger.resolve(request_id, done=done)
    click.echo(f"{request_id}: {what}")
    return Exit.OK
