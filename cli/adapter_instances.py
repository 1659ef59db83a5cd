"""`interlock adapter add|list|remove`: the adapters that this environment has, kept by the registry."""

from __future__ import annotations

import json
from typing import Any

import click

from cli.output import format_option, print_json, print_rows
from cli.registry_client import Registry, registry_options


@click.command()
@click.argument("name")
@click.option("--kind", required=True, help="What it is (`interlock adapter kinds` lists them).")
@click.option(
    "--set",
    "pairs",
    multiple=True,
    metavar="KEY=VALUE",
    help="One setting; numbers, true, false and JSON are read as such.",
)
@format_option
@registry_options("operator")
def add(registry: Registry, name: str, kind: str, pairs: tuple[str, ...], form: str) -> None:
    """Configure an adapter; its settings must fit the kind."""
    body = {"name": name, "kind": kind, "settings": dict(_pair(text) for text in pairs)}
    found = registry.post("adapters", body=body)
    if form == "json":
        print_json(found)
    else:
        click.echo(f"adapter {found['name']} ({found['kind']}) is configured")


@click.command("list")
@format_option
@registry_options("operator")
def list_(registry: Registry, form: str) -> None:
    """List the configured adapters."""
    found = registry.get("adapters")["adapters"]
    if form == "json":
        print_json(found)
        return
    rows = [(one["name"], one["kind"], one["created_at"], one["created_by"]) for one in found]
    print_rows(("name", "kind", "since", "by"), rows, empty="no adapters yet")


@click.command()
@click.argument("name")
@registry_options("operator")
def remove(registry: Registry, name: str) -> None:
    """Remove an adapter that no route uses."""
    registry.delete("adapters", name)
    click.echo(f"adapter {name} is removed")


def _pair(text: str) -> tuple[str, Any]:
    name, mark, value = text.partition("=")
    if not mark or not name:
        raise click.BadParameter(f"{text!r}: write KEY=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
