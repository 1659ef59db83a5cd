"""`interlock ci changelog`: release notes of contracts, from what really changed."""

from __future__ import annotations

from datetime import date
from importlib import import_module
from pathlib import Path

import click

from cli.ci_gate import AGAINST, asking, chosen_paths, opened
from cli.ci_reports import printed, write
from cli.errors import Exit
from cli.judging import judging_options, policy_for

NOTES = {"markdown": "ci.notes.markdown", "html": "ci.notes.html", "json": "ci.notes.json_notes"}


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--against",
    metavar=AGAINST,
    help="What was released before (default: each version is told against the one before it in this tree).",
)
@judging_options
@click.option(
    "--format",
    "form",
    type=click.Choice(list(NOTES)),
    default="markdown",
    show_default=True,
    help="The form.",
)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file instead of printing."
)
@click.option("--registry", "registry_url", help="URL of the registry, for --against registry.")
@click.option(
    "--token-file", type=click.Path(path_type=Path, dir_okay=False), help="File that holds the token."
)
def changelog(
    paths: tuple[Path, ...],
    against: str | None,
    profile: str | None,
    fail_on: str | None,
    as_of: date | None,
    config: Path | None,
    form: str,
    output: Path | None,
    registry_url: str | None,
    token_file: Path | None,
) -> int:
    """Write release notes: what each new version brings since the one before it, by operation, in words.

    It judges nobody: it ends with 0 also where something breaks, and with 3 where a version could not be read or
    compared, so that the notes are not complete.
    """
    from ci.changelog import write_changelog
    from ci.contracts import home_of
    from ci.gate import Question
    from kernel.settings import load

    settings = load({"registry_url": registry_url})
    chosen, project = chosen_paths(paths, config)
    home = home_of(chosen)
    get = asking(settings, token_file) if against == "registry" else None
    policy = policy_for(project, profile, fail_on, as_of)
    scope = () if paths else (home,)
    question = Question(home, tuple(chosen), settings, policy, house=project.houses, scope=scope)
    with opened(against, home, chosen, get) as base:
        log = write_changelog(question, base)
    text: str = import_module(NOTES[form]).render(log)
    if output is None:
        printed(text)
    else:
        write(output, text)
    return Exit.OK if log.complete else Exit.UNDECIDED
