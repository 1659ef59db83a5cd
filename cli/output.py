"""How answers are printed: an aligned table on a terminal, tab-separated when piped, or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])


def format_option(command: F) -> F:
    """Add `--format text|json`; the function gets it as `form`."""
    return click.option(
        "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="How to print the answer.",
    )(command)  # fmt: skip


def counted(number: int, noun: str) -> str:
    """Write a number with its noun: 1 finding, 2 findings."""
    return f"{number} {noun if number == 1 else noun + 's'}"


def print_json(value: Any) -> None:
    """Print one JSON document on stdout."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def print_rows(heads: Sequence[str], rows: Sequence[Sequence[Any]], *, empty: str) -> None:
    """Print a table; with nothing to print, say so on stderr so that a pipe stays empty."""
    if not rows:
        click.echo(empty, err=True)
        return
    cells = [["" if cell is None else str(cell) for cell in row] for row in rows]
    if not sys.stdout.isatty():
        for row in cells:
            click.echo("\t".join(cell.replace("\t", " ").replace("\n", " ") for cell in row))
        return
    lines = [list(heads), *cells]
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.echo(click.style(text, bold=number == 0))


def print_facts(facts: Sequence[tuple[str, Any]]) -> None:
    """Print names and values, one below the other; empty values are left out."""
    shown = [(name, value) for name, value in facts if value not in (None, "", [], ())]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{name.ljust(width)}  {value}")
