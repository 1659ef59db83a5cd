"""`interlock ci gate`: judges the contracts of a repository, and writes reports."""

from __future__ import annotations

from contextlib import nullcontext
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.ci_reports import report_options, wanted_reports, write_reports
from cli.judging import judging_options, policy_for, project_for

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from ci.bases import Base, Get
    from ci.project import Project
    from kernel.settings import Settings

AGAINST = "registry|git:REF|DIR|FILE"


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--against",
    metavar=AGAINST,
    help="What the contracts must be compatible with (default: the other versions in this tree).",
)
@judging_options
@report_options
@click.option(
    "--registry",
    "registry_url",
    help="URL of the registry: for --against registry, and to ask whom a break hits.",
)
@click.option(
    "--token-file", type=click.Path(path_type=Path, dir_okay=False), help="File that holds the token."
)
def gate(
    paths: tuple[Path, ...],
    against: str | None,
    profile: str | None,
    fail_on: str | None,
    as_of: date | None,
    config: Path | None,
    form: str | None,
    reports: tuple[str, ...],
    registry_url: str | None,
    token_file: Path | None,
) -> int:
    """Judge the contracts below PATHS: frozen versions, validity, house rules, compatibility, version.

    PATHS default to what interlock.toml names, else to `contracts`, else to this folder. Ends with 0 when all
    pass, 1 when one fails, 3 when none fails and something could not be decided, 2 when nothing was judged.
    """
    from ci.contracts import home_of
    from ci.gate import Question, run_gate
    from kernel.settings import load

    wanted = wanted_reports(reports, form)
    settings = load({"registry_url": registry_url})
    chosen, project = chosen_paths(paths, config)
    policy = policy_for(project, profile, fail_on, as_of)
    home = home_of(chosen)
    get = asking(settings, token_file) if against == "registry" or settings["registry_url"] else None
    scope = tuple(chosen) if paths else (home,)
    question = Question(
        home, tuple(chosen), settings, policy, project.places, project.houses, scope, get, _trace, project
    )
    with opened(against, home, chosen, get) as base:
        result = run_gate(question, base)
    write_reports(wanted, result)
    return result.exit_code


def chosen_paths(paths: tuple[Path, ...], config: Path | None) -> tuple[list[Path], Project]:
    """Give what is judged, and what interlock.toml says; its paths hold where none are given."""
    project = project_for(paths[0] if paths else Path(), config)
    if paths:
        return list(paths), project
    if project.file is not None:
        return [path for path in project.paths if path.exists()] or list(project.paths), project
    return [Path("contracts") if Path("contracts").is_dir() else Path()], project


def opened(
    against: str | None, home: Path, paths: list[Path], get: Get | None
) -> AbstractContextManager[Base | None]:
    """Open what is compared against; raises `BaseUnusable`, or a usage error for what is none of the forms."""
    from ci.bases import FileBase, FolderBase, RegistryBase
    from ci.commit_base import commit
    from ci.errors import BaseUnusable

    if against is None:
        return nullcontext(None)
    if against == "registry" and get is not None:
        return nullcontext(RegistryBase(get))
    if against.startswith("git:"):
        return commit(against.removeprefix("git:"), home, paths)
    place = Path(against)
    if place.is_dir():
        base = FolderBase(place, against)
        if not base.kept:  # a checkout that failed must not make everything a first version
            raise BaseUnusable(
                f"there is no contract below {against}, so there is nothing to compare with",
                hint="check out there what is released; leave --against out while nothing is",
            )
        return nullcontext(base)
    if place.is_file():
        return nullcontext(FileBase(place))
    raise click.UsageError(f"--against {against}: there is no such file or folder; the forms are {AGAINST}")


def asking(settings: Settings, token_file: Path | None) -> Get:
    """Give the way to ask the registry."""
    from cli.registry_client import Registry
    from kernel.errors import InterlockError

    registry = Registry(settings, "ci", token_file)
    try:
        _ = registry.url
    except InterlockError as error:
        raise click.UsageError(f"--against registry: {error.message} ({error.hint})") from None
    return registry.get


def _trace(text: str) -> None:
    from cli.errors import wants_traceback

    if wants_traceback():
        click.echo(text, err=True)
