"""How the `adapter` commands print: tables, one dead letter, one trial."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from cli.output import print_json, print_rows

if TYPE_CHECKING:
    from adapters.canonical.reading import DeadLetter
    from adapters.trial import Trial


def print_trial(place: int, trial: Trial, *, documents: bool = True) -> None:
    """Say what a message would become; its canonical documents below, where asked for."""
    from adapters.reasons import reason

    answer = trial.answers or "no answer asked for"
    what = f"{len(trial.documents)} canonical" if trial.mapped else "stored only, this type is not mapped"
    if not trial.reason:
        click.echo(f"message {place}: {trial.type or '?'} would be taken ({answer}): {what}")
    else:
        row = reason(trial.reason)
        click.echo(f"message {place}: {trial.type or '?'} would be refused ({answer}): {row.slug}")
        click.echo(f"  {row.summary}" + (f", at {trial.location}" if trial.location else ""))
        click.echo(f"  {row.fix}")
    for pointer, keyword in trial.violations:
        click.echo(f"  {pointer or '/'}: {keyword}")
    if documents:
        for document in trial.documents:
            click.echo(json.dumps(document, indent=2, ensure_ascii=False))


def print_letter(letter: DeadLetter) -> None:
    """Say everything about a dead letter but its content."""
    from adapters.reasons import reason

    row = reason(letter.reason)
    facts: dict[str, Any] = {
        "id": letter.id,
        "connection": letter.connection,
        "received": letter.received_at,
        "bytes": letter.bytes,
        "digest": letter.digest,
        "state": letter.state + (f" by message {letter.replayed_by}" if letter.replayed_by else ""),
        "handed back": "yes: its sender was told no"
        if letter.handed_back
        else "no: its sender was told nothing",
        "reason": f"{row.slug}: {row.summary}",
        "place": letter.location or "-",
        "what to do": row.fix,
    }
    for name, value in facts.items():
        click.echo(f"{name:<12} {value}")
    for pointer, keyword in letter.violations:
        click.echo(f"  {pointer or '/'}: {keyword}")


def show_rows(rows: list[dict[str, Any]], form: str, *, empty: str) -> None:
    """Print rows as a table whose columns are the keys of the first, or as JSON."""
    if form == "json":
        print_json(rows)
        return
    heads = list(rows[0]) if rows else []
    print_rows(heads, [[_cell(row[name]) for name in heads] for row in rows], empty=empty)


def _cell(value: Any) -> Any:
    return {True: "yes", False: "no"}[value] if isinstance(value, bool) else value
