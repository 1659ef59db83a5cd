"""`interlock db …`: create and migrate the databases, and enter accounts of the board."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from kernel.settings import Settings

_DATA = click.option(
    "--data", type=click.Path(path_type=Path), help="Data folder (default: INTERLOCK_DATA or .interlock)."
)
_ROLES = click.Choice(["author", "board", "ci", "operator", "auditor"])


@click.group()
def db() -> None:
    """Create and migrate the databases."""


@db.command()
@_DATA
def upgrade(data: Path | None) -> None:
    """Bring registry and canonical schema to the newest revision; an empty data folder is made ready."""
    from cli.wiring import upgrade_databases

    for line in upgrade_databases(_settings(data)):
        click.echo(line)


@db.group()
def account() -> None:
    """Local accounts of the board pages."""


@account.command("add")
@click.argument("name")
@click.option("--role", "roles", type=_ROLES, multiple=True, default=("board",), show_default=True)
@click.option(
    "--password-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="First line is the password (default: stdin, or a prompt on a terminal).",
)
@_DATA
def add_account(name: str, roles: tuple[str, ...], password_file: Path | None, data: Path | None) -> None:
    """Enter an account; the password never stands on the command line."""
    from cli.wiring import add_account as enter

    enter(_settings(data), name, frozenset(roles), _password(password_file))
    click.echo(f"account {name} is entered")


def _password(file: Path | None) -> str:
    if file is not None:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    if sys.stdin.isatty():
        asked: str = click.prompt("password", hide_input=True, confirmation_prompt=True)
        return asked
    return sys.stdin.readline().rstrip("\n")


def _settings(data: Path | None) -> Settings:
    from kernel.settings import load

    return load({"data": str(data) if data else None})
