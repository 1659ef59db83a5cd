"""The one way in which `interlock route policy` and `interlock consumer policy` show and set a document."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.input_files import read_object
from cli.output import print_json

if TYPE_CHECKING:
    from cli.registry_client import Registry

F = TypeVar("F", bound=Callable[..., Any])


def policy_options(command: F) -> F:
    """Add `--show`, `--set FILE` and `--clear`; the function gets `given` and `clear`."""
    for option in (
        click.option("--clear", is_flag=True, help="Set a policy that asks for nothing."),
        click.option(
            "--set", "given", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False),
            help="Set this policy (YAML or JSON), in place of the one that stood.",
        ),
        click.option("--show", is_flag=True, expose_value=False, help="Show the policy (the default)."),
    ):  # fmt: skip
        command = option(command)
    return command


def show_or_set(registry: Registry, path: tuple[str | int, ...], given: Path | None, *, clear: bool) -> None:
    """Set a policy where one is given, and print the one that stands then as JSON."""
    if given is not None and clear:
        raise click.UsageError("either --set FILE or --clear")
    if given is None and not clear:
        print_json(registry.get(*path))
        return
    print_json(registry.put(*path, body={} if given is None else read_object(given)))
