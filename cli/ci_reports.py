"""The options `--format` and `--report KIND=PATH`, and the writing of reports to files and standard output."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ci.report import GateReport

# Kind: module that renders it.
FORMATS = {
    "text": "ci.formats.text",
    "json": "ci.formats.json_report",
    "sarif": "ci.formats.sarif",
    "junit": "ci.formats.junit",
    "github": "ci.formats.github",
    "gitlab": "ci.formats.gitlab",
    "markdown": "ci.formats.markdown",
    "html": "ci.formats.html",
}
STDOUT = "-"
F = TypeVar("F", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Wanted:
    """One report to write; `path` None is standard output."""

    kind: str
    path: Path | None


def report_options(command: F) -> F:
    """Add `--format` (as `form`) and `--report` (as `reports`), which `wanted_reports` reads."""
    for option in (
        click.option(
            "--report", "reports", multiple=True, metavar="KIND=PATH",
            help=f"Write a report; repeatable. KIND: {', '.join(FORMATS)}. PATH `-` is standard output.",
        ),
        click.option("--format", "form", type=click.Choice(list(FORMATS)), help="What is printed (default: text)."),
    ):  # fmt: skip
        command = option(command)
    return command


def wanted_reports(reports: tuple[str, ...], form: str | None) -> list[Wanted]:
    """Read the options before anything is judged; raises a usage error for what cannot be written."""
    wanted = [_wanted(text) for text in reports]
    printed = [one for one in wanted if one.path is None]
    if len(printed) + (form is not None) > 1:
        raise click.UsageError("one report can be printed: give one of --format and --report KIND=- once")
    places = [one.path for one in wanted if one.path is not None]
    if len(set(places)) < len(places):
        raise click.UsageError("--report: two reports name the same file")
    return wanted if printed else [*wanted, Wanted(form or "text", None)]


def _wanted(text: str) -> Wanted:
    kind, equals, path = text.partition("=")
    if kind not in FORMATS or not equals or not path:
        raise click.UsageError(f"--report {text}: write KIND=PATH, KIND one of {', '.join(FORMATS)}")
    return Wanted(kind, None if path == STDOUT else Path(path))


def write_reports(wanted: list[Wanted], report: GateReport) -> None:
    """Write every report: files first, so that what is printed last is never of a run whose files are missing."""
    for one in sorted(wanted, key=lambda row: row.path is None):
        text: str = import_module(FORMATS[one.kind]).render(report)
        if one.path is None:
            printed(text)
        else:
            write(one.path, text)


def printed(text: str) -> None:
    """Print text as UTF-8, whatever the locale says: a report has the same bytes everywhere."""
    click.echo(text.encode("utf-8"), nl=False)


def write(path: Path, text: str) -> None:
    """Write a file, its folder too; raises a usage error where that cannot be done."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise click.UsageError(f"--report: {path} cannot be written: {error.strerror}") from None
