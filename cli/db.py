"""`interlock db …`: create and migrate the databases; accounts and tokens of this data folder."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from cli.output import format_option, print_json, print_rows
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
@click.option(
    "--replace", is_flag=True, help="Give a known account these roles and this password; its sessions end."
)
@_DATA
def add_account(
    name: str, roles: tuple[str, ...], password_file: Path | None, replace: bool, data: Path | None
) -> None:
    """Enter an account; the password never stands on the command line."""
    from cli.wiring import add_account as enter

    enter(_settings(data), name, frozenset(roles), _password(password_file), replace_known=replace)
    click.echo(f"account {name} is entered")


@account.command("list")
@format_option
@_DATA
def list_accounts(data: Path | None, form: str) -> None:
    """List all accounts."""
    from cli.wiring import list_accounts as accounts

    found: list[dict[str, Any]] = [
        {
            "name": one.name,
            "roles": sorted(map(str, one.roles)),
            "created_at": one.created_at.isoformat(),
            "disabled_at": one.disabled_at.isoformat() if one.disabled_at else None,
        }
        for one in accounts(_settings(data))
    ]
    if form == "json":
        print_json(found)
        return
    rows = [
        (one["name"], ", ".join(one["roles"]), one["created_at"], "disabled" if one["disabled_at"] else "")
        for one in found
    ]
    print_rows(("name", "roles", "since", "state"), rows, empty="no accounts")


@account.command("disable")
@click.argument("name")
@_DATA
def disable_account(name: str, data: Path | None) -> None:
    """End an account and its sessions; its name stays taken, since approvals were given under it."""
    from cli.wiring import disable_account as end

    end(_settings(data), name)
    click.echo(f"account {name} is disabled")


@db.group()
def token() -> None:
    """Tokens of the registry's API."""


@token.command("add")
@click.argument("subject")
@click.option("--role", "roles", type=_ROLES, multiple=True, required=True)
@click.option(
    "--expires-at", type=click.DateTime(["%Y-%m-%d"]), help="Day from which it is not valid, in UTC."
)
@_DATA
def add_token(subject: str, roles: tuple[str, ...], expires_at: datetime | None, data: Path | None) -> None:
    """Make a token that acts as SUBJECT and print it, this once; only its SHA-256 is kept.

    A person's token carries the name of the person's account: approvals are counted by name.
    """
    from cli.wiring import issue_token

    until = expires_at.replace(tzinfo=UTC) if expires_at else None
    issued = issue_token(_settings(data), subject, frozenset(roles), until)
    click.echo(issued.presented)
    click.echo(f"token {issued.token.id} of {subject}: shown this once, kept nowhere", err=True)


@token.command("list")
@format_option
@_DATA
def list_tokens(data: Path | None, form: str) -> None:
    """List all tokens, without their secrets."""
    from cli.wiring import tokens

    found: list[dict[str, Any]] = [
        {
            "id": one.id,
            "subject": one.subject,
            "roles": sorted(map(str, one.roles)),
            "created_at": one.created_at.isoformat(),
            "expires_at": one.expires_at.isoformat() if one.expires_at else None,
            "revoked_at": one.revoked_at.isoformat() if one.revoked_at else None,
        }
        for one in tokens(_settings(data))
    ]
    if form == "json":
        print_json(found)
        return
    rows = [
        (
            one["id"],
            one["subject"],
            ", ".join(one["roles"]),
            one["created_at"],
            "revoked" if one["revoked_at"] else one["expires_at"],
        )
        for one in found
    ]
    print_rows(("id", "subject", "roles", "since", "until"), rows, empty="no tokens")


@token.command("revoke")
@click.argument("token_id", metavar="ID")
@_DATA
def revoke_token(token_id: str, data: Path | None) -> None:
    """Revoke a token for good."""
    from cli.wiring import revoke_token as revoke

    revoke(_settings(data), token_id)
    click.echo(f"token {token_id} is revoked")


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
