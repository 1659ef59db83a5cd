"""How the `adapter` commands print: tables, one dead letter, one trial."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

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


def show_rows(rows: list[dict[str, Any]], form: str) -> None:
    """Print rows as an aligned table, or as JSON."""
    if form == "json":
        click.echo(json.dumps(rows, indent=2))
        return
    for line in Table(rows).lines():
        click.echo(line)
    if not rows:
        click.echo("none", err=True)


@dataclass(frozen=True, slots=True)
class Table:
    """Rows for a terminal: the keys of the first row are the columns."""

    rows: list[dict[str, Any]]

    def lines(self) -> Iterator[str]:
        """Give aligned lines, a header first; nothing for no rows."""
        if not self.rows:
            return
        names = list(self.rows[0])
        cells = [names, *([_cell(row[name]) for name in names] for row in self.rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(names))]
        for line in cells:
            yield "  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip()


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value in ("", None) else str(value)
