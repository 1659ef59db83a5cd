"""Options of every command that judges a change, and the one place where a command reads the calendar."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from ci.project import Project
    from registry.compat.policy_judge import Policy

F = TypeVar("F", bound=Callable[..., Any])
PROFILES = ("strict", "standard", "lenient")


def day_option(*names: str, **more: Any) -> Callable[[F], F]:
    """Add an option that takes a date such as 2026-11-26; the function gets a `date`."""

    def read(ctx: click.Context, param: click.Parameter, value: str | None) -> date | None:
        try:
            return None if value is None else date.fromisoformat(value)
        except ValueError:
            raise click.BadParameter(f"{value!r} is no date such as 2026-11-26", ctx, param) from None

    return click.option(*names, metavar="DATE", callback=read, **more)


def judging_options(command: F) -> F:
    """Add `--profile`, `--fail-on`, `--as-of` and `--config`; each wins over interlock.toml."""
    for option in (
        click.option(
            "--config", "config", type=click.Path(path_type=Path), metavar="FILE",
            help="The interlock.toml to judge by (default: the nearest one above the contract).",
        ),
        day_option(
            "--as-of", "as_of",
            help="The day on which sunsets and waivers are judged (default: today, in UTC).",
        ),
        click.option(
            "--fail-on", "fail_on", type=click.Choice(["breaking", "risky"]),
            help="Whether risky findings fail too (default: as the profile says). Undecided always fails.",
        ),
        click.option(
            "--profile", "profile", type=click.Choice(PROFILES),
            help="How strictly to judge (default: standard).",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


def project_for(path: Path, config: Path | None) -> Project:
    """Read the interlock.toml that was named, or the nearest one above a path."""
    from ci.project import project_of, read_project

    return project_of(path) if config is None else read_project(config)


def day_of(as_of: date | None, project: Project) -> date:
    """Give the day to judge on: as given, as the file says, else today."""
    return as_of or project.compat.as_of or datetime.now(UTC).date()


def policy_for(project: Project, profile: str | None, fail_on: Any, as_of: date | None) -> Policy:
    """Make the policy of a project, with what was given on the command line."""
    from registry.compat.policy_judge import policy_of

    return policy_of(
        project.compat, day_of(as_of, project), project.waivers, profile=profile, fail_on=fail_on
    )


def ruling_lines(severity: str, ruling: Mapping[str, Any] | None) -> list[str]:
    """Say what the policy made of a finding that counts as `severity`, in lines to print below it."""
    if not ruling:
        return []
    if ruling.get("by") == "waiver":
        return [f"waived until {ruling['expires']} by {ruling['owner']}: {ruling['reason']}"]
    who = f" ({ruling['owner']})" if ruling.get("owner") else ""
    return [f"counts as {severity} instead of {ruling['severity']}: {ruling['reason']}{who}"]
