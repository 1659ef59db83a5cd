"""`interlock ci …`: gates for pipelines."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.ci_waive import waive
from cli.errors import Exit

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ci.bases import Base
    from ci.report import GateReport

# Format: module that renders it.
FORMATS = {
    "text": "ci.formats.text",
    "json": "ci.formats.json_report",
    "sarif": "ci.formats.sarif",
    "junit": "ci.formats.junit",
    "github": "ci.formats.github",
    "gitlab": "ci.formats.gitlab",
    "markdown": "ci.formats.markdown",
}


@click.group(name="ci")
def ci() -> None:
    """Gates for pipelines."""


ci.add_command(waive)


@ci.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--against",
    metavar="DIR|git:REF|registry",
    help="What the contracts must be compatible with (default: earlier versions below PATHS).",
)
@click.option("--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True)
@click.option(
    "--report",
    "reports",
    multiple=True,
    metavar="KIND=PATH",
    help="Write a report to a file too; repeatable.",
)
@click.option("--registry", "registry_url", help="URL of the registry, for --against registry.")
@click.option(
    "--token-file", type=click.Path(path_type=Path, dir_okay=False), help="File that holds the token."
)
def gate(
    paths: tuple[Path, ...],
    against: str | None,
    form: str,
    reports: tuple[str, ...],
    registry_url: str | None,
    token_file: Path | None,
) -> int:
    """Judge the contracts below PATHS (default: here): validity, house rules, compatibility, version.

    Ends with 0 when all pass, 1 when one fails, 3 when something could not be decided.
    """
    from ci.contracts import discover
    from ci.gate import run_gate
    from kernel.settings import load

    wanted = list(paths) or [Path()]
    files = [_report(text) for text in reports]
    settings = load({"registry_url": registry_url})
    folders = discover(wanted)
    with _base(against, wanted, settings, token_file) as base:
        result = run_gate(folders, base, settings)
    for kind, path in files:
        _write(path, _rendered(kind, result))
    click.echo(_rendered(form, result), nl=False)
    return {"failed": Exit.GATE_SAYS_NO, "undecided": Exit.UNDECIDED}.get(str(result.status), Exit.OK)


def _base(
    against: str | None, paths: list[Path], settings: Any, token_file: Path | None
) -> AbstractContextManager[Base | None]:
    from ci.bases import FolderBase, RegistryBase, commit

    if against is None:
        return nullcontext(None)
    if against == "registry":
        from cli.registry_client import Registry

        return nullcontext(RegistryBase(Registry(settings, "ci", token_file).get))
    if against.startswith("git:"):
        return commit(against.removeprefix("git:"), paths)
    folder = Path(against)
    if not folder.is_dir():
        raise click.UsageError(f"--against {against}: neither a folder, nor git:REF, nor registry")
    return nullcontext(FolderBase(folder, against))


def _report(text: str) -> tuple[str, Path]:
    kind, equals, path = text.partition("=")
    if kind not in FORMATS or not equals or not path:
        raise click.UsageError(f"--report {text}: write KIND=PATH, KIND one of {', '.join(FORMATS)}")
    return kind, Path(path)


def _rendered(kind: str, report: GateReport) -> str:
    from importlib import import_module

    text: str = import_module(FORMATS[kind]).render(report)
    return text


def _write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"--report: {path} cannot be written: {error.strerror}") from None
