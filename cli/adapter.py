"""`interlock adapter …`: configured adapters, dead letters and their replay, trials, and reading back."""

from __future__ import annotations

import asyncio
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli import adapter_instances
from cli.adapter_instances import add, list_, remove
from cli.adapter_output import print_letter, print_trial, show_rows
from cli.errors import Exit
from cli.input_files import read_file, read_object
from cli.output import format_option, print_json

if TYPE_CHECKING:
    from adapters.replay import Replayed
    from kernel.settings import Settings

_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder (default: INTERLOCK_DATA or .interlock).",
)
_LIMIT = click.option(
    "--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Most rows."
)
_REVEAL = click.option("--reveal", is_flag=True, help="Print health data too; this is put in the audit log.")


@click.group()
def adapter() -> None:
    """Adapters, dead letters and replay."""


for _command in (adapter_instances.add, adapter_instances.list_, adapter_instances.remove):
    adapter.add_command(_command)


adapter.add_command(add)
adapter.add_command(list_)
adapter.add_command(remove)


@adapter.command()
@format_option
def kinds(form: str) -> None:
    """List the kinds of adapters and their settings."""
    from adapters.catalog import all_kinds, settings_of

    rows = [
        {
            "kind": row.kind.kind,
            "listens": row.kind.listens,
            "summary": row.kind.summary,
            "settings": ", ".join(settings_of(row.kind)),
        }
        for row in all_kinds()
    ]
    show_rows(rows, form, empty="no kinds")


@adapter.command(name="try")
@click.argument("kind")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--settings",
    "settings_file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON file of the adapter's settings.",
)
@_DATA
@format_option
def try_(kind: str, file: Path, settings_file: Path | None, data: Path | None, form: str) -> int:
    """Show what the messages of FILE would become; nothing is kept or sent.

    Checked against the frozen schemas of the data folder's bundle, where there is one. Ends with 1 when
    a message would be refused.
    """
    from adapters.catalog import build_device
    from adapters.formats.hl7v2.batch import split_messages
    from adapters.frozen_schemas import FrozenSchemas
    from adapters.trial import try_message
    from cli.adapter_house import bundle_or_none, settings_of
    from kernel.bundle.model import AdapterInstance

    chosen = {"port": 0} if settings_file is None else read_object(settings_file)
    device = build_device(AdapterInstance("trial", kind, chosen))
    bundle = bundle_or_none(settings_of(data))
    schemas = FrozenSchemas(lambda: bundle) if bundle is not None else None
    raw = read_file(file)
    trials = [try_message(message, device, schemas) for message in split_messages(raw) or [raw]]
    if form == "json":
        print_json([asdict(trial) for trial in trials])
    else:
        for place, trial in enumerate(trials, 1):
            print_trial(place, trial)
    if schemas is None:
        click.echo("not checked against a schema: the data folder holds no bundle", err=True)
    return Exit.GATE_SAYS_NO if any(trial.reason for trial in trials) else Exit.OK


@adapter.group(name="dead-letters", invoke_without_command=True)
@click.pass_context
def dead_letters(context: click.Context) -> None:
    """Messages that could not become what they claim to be; without a word, list them."""
    if context.invoked_subcommand is None:
        context.invoke(list_letters, state="", limit=100, data=None, form="text")


@dead_letters.command(name="list")
@click.option(
    "--state", type=click.Choice(["open", "replayed", "superseded"]), default=None, help="Only these."
)
@_LIMIT
@_DATA
@format_option
def list_letters(state: str | None, limit: int, data: Path | None, form: str) -> None:
    """List dead letters, newest first, without their content."""
    from cli.adapter_house import open_reading, settings_of

    with open_reading(settings_of(data)) as reading:
        letters = reading.letters(state=state or "", limit=limit)
    names = ("id", "connection", "reason", "location", "handed_back", "state", "received_at", "bytes")
    rows = [asdict(letter) for letter in letters]
    show_rows(
        rows if form == "json" else [{name: row[name] for name in names} for row in rows],
        form,
        empty="no dead letters",
    )


@dead_letters.command(name="show")
@click.argument("letter_id", metavar="ID")
@_REVEAL
@_DATA
@format_option
def show_letter(letter_id: str, reveal: bool, data: Path | None, form: str) -> None:
    """Show one dead letter: why, where, what to do; with --reveal its bytes as they arrived."""
    from cli.adapter_house import open_reading, record_reveal, settings_of

    settings = settings_of(data)
    with open_reading(settings) as reading:
        letter = reading.letter(letter_id)
        raw = None
        if reveal:
            record_reveal(settings, letter_id, "dead letter")
            raw = reading.raw(letter_id)
    if form == "json":
        shown = asdict(letter) | ({"raw": raw.decode("iso8859-1")} if raw is not None else {})
        print_json(shown)
        return
    print_letter(letter)
    if raw is not None:
        click.echo(raw.decode("utf-8", "replace").replace("\r\n", "\n").replace("\r", "\n"))


@adapter.command()
@click.argument("letter_id", metavar="ID")
@click.option(
    "--with",
    "corrected",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="File with the corrected message.",
)
@click.option("--dry-run", is_flag=True, help="Say what would happen; keep and send nothing.")
@_DATA
@format_option
def replay(letter_id: str, corrected: Path | None, dry_run: bool, data: Path | None, form: str) -> int:
    """Take dead letter ID through the intake again: as it arrived, or corrected by --with FILE.

    Succeeds once. Refused when its sender sent the message again and it was taken. Ends with 1 when the
    message is refused again.
    """
    from cli.adapter_house import settings_of

    settings = settings_of(data)
    if dry_run:
        return _dry_run(settings, letter_id, corrected, form)
    done = asyncio.run(_replay(settings, letter_id, corrected))
    found = {
        "letter": done.letter,
        "message": done.message,
        "state": done.settled.state,
        "resources": list(done.settled.resource_ids),
        "events": list(done.settled.event_ids),
    }
    if form == "json":
        print_json(found)
    else:
        click.echo(f"replayed {done.letter}: {done.settled.state} as message {done.message}")
        for event in done.settled.event_ids:
            click.echo(f"  event {event}")
    return Exit.OK


@adapter.command()
@click.argument("event_id", metavar="[ID]", required=False)
@click.option("--after", type=click.IntRange(0), default=0, help="Only events after this sequence number.")
@_REVEAL
@_LIMIT
@_DATA
@format_option
def events(event_id: str | None, after: int, reveal: bool, limit: int, data: Path | None, form: str) -> None:
    """List canonical events in order; ID with --reveal prints one with its data."""
    from cli.adapter_house import open_reading, record_reveal, settings_of

    settings = settings_of(data)
    with open_reading(settings) as reading:
        if event_id is None:
            show_rows(reading.events(after=after, limit=limit), form, empty="no events")
            return
        opened = reading.event(event_id)
    if reveal:
        record_reveal(settings, event_id, "event")
    else:
        opened["data"] = "(hidden: --reveal shows it, and is put in the audit log)"
    print_json(opened)


@adapter.command()
@click.argument("resource_id", metavar="[ID]", required=False)
@_REVEAL
@_LIMIT
@_DATA
@format_option
def resources(resource_id: str | None, reveal: bool, limit: int, data: Path | None, form: str) -> None:
    """List canonical resources, last changed first; ID with --reveal prints its current state."""
    from cli.adapter_house import open_reading, record_reveal, settings_of

    settings = settings_of(data)
    if resource_id is not None and not reveal:
        raise click.UsageError("a resource is health data: add --reveal, which is put in the audit log")
    with open_reading(settings) as reading:
        if resource_id is None:
            show_rows(reading.resources(limit=limit), form, empty="no resources")
            return
        opened = reading.resource(resource_id)
        record_reveal(settings, resource_id, "resource")
    print_json(opened)


async def _replay(settings: Settings, letter_id: str, corrected: Path | None) -> Replayed:
    from adapters.canonical.reading import Reading
    from adapters.frozen_schemas import FrozenSchemas
    from adapters.intake import Intake
    from adapters.replay import replay as run_replay
    from adapters.replay import replayable
    from cli.adapter_house import actor, bundle_of, device_of, open_journal, open_store

    bundle = bundle_of(settings)
    with open_store(settings) as store, open_journal(settings) as journal:
        letter = replayable(Reading(store.engine, store.sealer), letter_id)
        device = device_of(bundle, letter.connection)
        intake = Intake(store, FrozenSchemas(lambda: bundle), journal)
        try:
            return await run_replay(
                intake, device, letter, audit=journal, actor=actor(),
                corrected=read_file(corrected) if corrected else None,
            )  # fmt: skip
        finally:
            await intake.stop()


def _dry_run(settings: Settings, letter_id: str, corrected: Path | None, form: str) -> int:
    """Try a dead letter; its canonical form is not printed, for it was not asked to be revealed."""
    from adapters.frozen_schemas import FrozenSchemas
    from adapters.replay import replayable
    from adapters.trial import try_message
    from cli.adapter_house import bundle_of, device_of, open_reading

    bundle = bundle_of(settings)
    with open_reading(settings) as reading:
        letter = replayable(reading, letter_id)
        raw = read_file(corrected) if corrected else reading.raw(letter_id)
    trial = try_message(raw, device_of(bundle, letter.connection), FrozenSchemas(lambda: bundle))
    found = {
        "letter": letter_id,
        "would_be": trial.reason or "taken",
        "location": trial.location,
        "violations": [list(pair) for pair in trial.violations],
        "resources": len(trial.documents),
    }
    if form == "json":
        print_json(found)
    else:
        print_trial(1, trial, documents=False)
    return Exit.GATE_SAYS_NO if trial.reason else Exit.OK
