"""`interlock consumer …`: calling systems, their keys, grants, pins and limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.output import format_option, print_facts, print_json, print_rows
from cli.policy import policy_options, show_or_set
from cli.registry_client import Registry, registry_options

_AUDIENCES = click.Choice(["internal", "partner", "public"])


@click.group()
def consumer() -> None:
    """Consumers, their keys, pins and limits."""


@consumer.command()
@click.argument("consumer_id", metavar="ID")
@click.option("--name", help="What people call it (default: the id).")
@click.option("--audience", type=_AUDIENCES, default="internal", show_default=True)
@format_option
@registry_options("operator")
def add(registry: Registry, consumer_id: str, name: str | None, audience: str, form: str) -> None:
    """Enter a calling system; ids are never reused."""
    body = {"id": consumer_id, "name": name or consumer_id, "audience": audience}
    _show(registry.post("consumers", body=body), form)


@consumer.command("list")
@format_option
@registry_options("operator")
def list_(registry: Registry, form: str) -> None:
    """List all consumers."""
    found = registry.get("consumers")["consumers"]
    if form == "json":
        print_json(found)
        return
    rows = [
        (one["id"], one["name"], one["audience"], len(_live(one)), ", ".join(map(_grant_text, one["grants"])))
        for one in found
    ]
    print_rows(("id", "name", "audience", "live keys", "may call"), rows, empty="no consumers yet")


@consumer.command()
@click.argument("consumer_id", metavar="ID")
@format_option
@registry_options("operator")
def show(registry: Registry, consumer_id: str, form: str) -> None:
    """Show one consumer."""
    _show(registry.get("consumers", consumer_id), form)


@consumer.group()
def key() -> None:
    """Make and revoke API keys."""


@key.command("add")
@click.argument("consumer_id", metavar="ID")
@click.option("--expires-at", help="Until when it is valid, RFC 3339 (default: until it is revoked).")
@format_option
@registry_options("operator")
def add_key(registry: Registry, consumer_id: str, expires_at: str | None, form: str) -> None:
    """Make a key and print it, this once; the registry keeps only its SHA-256."""
    found = registry.post("consumers", consumer_id, "keys", body={"expires_at": expires_at})
    if form == "json":
        print_json(found)
        return
    click.echo(found["presented"])
    click.echo(f"key {found['key']['id']} of {consumer_id}: shown this once, kept nowhere", err=True)


@key.command("revoke")
@click.argument("consumer_id", metavar="ID")
@click.argument("key_id")
@format_option
@registry_options("operator")
def revoke_key(registry: Registry, consumer_id: str, key_id: str, form: str) -> None:
    """Revoke a key for good."""
    _show(registry.delete("consumers", consumer_id, "keys", key_id), form)


@consumer.command()
@click.argument("consumer_id", metavar="ID")
@click.argument("contract")
@click.argument("major", type=int)
@click.option("--pin", metavar="VERSION", help="Hold it to this exact version.")
@click.option("--scope", "scopes", multiple=True, help="A scope that its key carries (repeatable).")
@format_option
@registry_options("operator")
def grant(
    registry: Registry,
    consumer_id: str,
    contract: str,
    major: int,
    pin: str | None,
    scopes: tuple[str, ...],
    form: str,
) -> None:
    """Let a consumer call one major of a contract; replaces the grant that stood."""
    body = {"pin": pin, "scopes": list(scopes)}
    _show(registry.put("consumers", consumer_id, "grants", contract, major, body=body), form)


@consumer.command()
@click.argument("consumer_id", metavar="ID")
@click.argument("contract")
@click.argument("version")
@format_option
@registry_options("operator")
def pin(registry: Registry, consumer_id: str, contract: str, version: str, form: str) -> None:
    """Hold a consumer to an exact VERSION within its major; its scopes stay as they are."""
    from kernel.contract.version import Version

    major = Version.parse(version).major
    grants = registry.get("consumers", consumer_id)["grants"]
    scopes: list[str] = next(
        (one["scopes"] for one in grants if one["contract"] == contract and one["major"] == major), []
    )
    body = {"pin": version, "scopes": scopes}
    _show(registry.put("consumers", consumer_id, "grants", contract, major, body=body), form)


@consumer.command()
@click.argument("consumer_id", metavar="ID")
@click.argument("contract")
@click.argument("major", type=int)
@format_option
@registry_options("operator")
def revoke(registry: Registry, consumer_id: str, contract: str, major: int, form: str) -> None:
    """Take a grant away."""
    _show(registry.delete("consumers", consumer_id, "grants", contract, major), form)


@consumer.command()
@click.argument("consumer_id", metavar="ID")
@click.option("--reason", required=True, help="Why, in a sentence; it stands in the audit log.")
@registry_options("operator")
def deny(registry: Registry, consumer_id: str, reason: str) -> None:
    """Close a consumer at once: every proxy refuses it within two seconds, whatever its keys and grants."""
    registry.put("consumers", consumer_id, "denial", body={"reason": reason})
    click.echo(f"{consumer_id} is denied")


@consumer.command()
@click.argument("consumer_id", metavar="ID")
@registry_options("operator")
def allow(registry: Registry, consumer_id: str) -> None:
    """Lift the denial of a consumer."""
    registry.delete("consumers", consumer_id, "denial")
    click.echo(f"{consumer_id} is denied no more")


@consumer.command()
@click.argument("consumer_id", metavar="ID")
@policy_options
@registry_options("operator")
def policy(registry: Registry, consumer_id: str, given: Path | None, *, clear: bool) -> None:
    """Show the policy of a consumer, or set it whole: how it is treated here.

    Fields: docs/reference/policies.md.
    """
    show_or_set(registry, ("consumers", consumer_id, "policy"), given, clear=clear)


@consumer.group()
def limit() -> None:
    """Set and drop limits."""


@limit.command("set")
@click.argument("consumer_id", metavar="ID")
@click.argument("name")
@click.option("--requests", type=int, required=True, help="How many …")
@click.option("--seconds", type=int, required=True, help="… in how many seconds,")
@click.option("--burst", type=int, help="and how many at once (default: as many as --requests).")
@format_option
@registry_options("operator")
def set_limit(
    registry: Registry, consumer_id: str, name: str, requests: int, seconds: int, burst: int | None, form: str
) -> None:
    """Set one named limit; replaces the one of that name."""
    body = {"requests": requests, "seconds": seconds, "burst": burst or requests}
    _show(registry.put("consumers", consumer_id, "limits", name, body=body), form)


@limit.command("drop")
@click.argument("consumer_id", metavar="ID")
@click.argument("name")
@format_option
@registry_options("operator")
def drop_limit(registry: Registry, consumer_id: str, name: str, form: str) -> None:
    """Remove one named limit."""
    _show(registry.delete("consumers", consumer_id, "limits", name), form)


def _show(found: dict[str, Any], form: str) -> None:
    if form == "json":
        print_json(found)
        return
    print_facts([(name, found[name]) for name in ("id", "name", "audience", "created_at", "created_by")])
    for one in found["keys"]:
        state = (
            "revoked"
            if one.get("revoked_at")
            else f"until {one['expires_at']}"
            if one.get("expires_at")
            else "live"
        )
        click.echo(f"key {one['id']}: {state}")
    for one in found["grants"]:
        click.echo(f"may call {_grant_text(one)}")
    for one in found["limits"]:
        click.echo(f"limit {one['name']}: {one['requests']} in {one['seconds']} s, {one['burst']} at once")


def _grant_text(one: dict[str, Any]) -> str:
    text = f"{one['contract']} v{one['major']}"
    return f"{text} (pinned to {one['pin']})" if one.get("pin") else text


def _live(one: dict[str, Any]) -> list[dict[str, Any]]:
    return [key for key in one["keys"] if not key.get("revoked_at")]
