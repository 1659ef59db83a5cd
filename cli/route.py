"""`interlock route …`: bind contract majors to adapters and make frozen versions active."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.output import format_option, print_json, print_rows
from cli.policy import policy_options, show_or_set
from cli.registry_client import Registry, registry_options


@click.group()
def route() -> None:
    """Bind contract majors to adapters and activate versions."""


@route.command()
@click.argument("contract")
@click.argument("major", type=int)
@click.option("--adapter", required=True, help="Name of a configured adapter.")
@click.option(
    "--timeout",
    "timeout_seconds",
    type=float,
    default=30.0,
    show_default=True,
    help="Seconds a call may take.",
)
@click.option("--upstream-prefix", default="", help="Path put before the operation's path at the provider.")
@click.option(
    "--report-only", is_flag=True, help="Record answers outside the contract instead of refusing them."
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="NAME:REQUESTS/SECONDS[:BURST]",
    help="A limit over all consumers (repeatable).",
)
@format_option
@registry_options("operator")
def add(
    registry: Registry, contract: str, major: int, adapter: str, timeout_seconds: float, upstream_prefix: str,
    report_only: bool, limits: tuple[str, ...], form: str,
) -> None:  # fmt: skip
    """Bind CONTRACT's MAJOR to an adapter; replaces the binding that stood, active versions stay."""
    body = {
        "adapter": adapter, "timeout_seconds": timeout_seconds, "upstream_prefix": upstream_prefix,
        "report_only": report_only, "limits": [read_limit(text) for text in limits],
    }  # fmt: skip
    _show(registry.put("routes", contract, major, body=body), form)


@route.command()
@click.argument("contract")
@click.argument("version")
@format_option
@registry_options("operator")
def activate(registry: Registry, contract: str, version: str, form: str) -> None:
    """Make a frozen VERSION current on its major's route; pinned consumers stay where they are."""
    from kernel.contract.version import Version

    major = Version.parse(version).major
    _show(registry.post("routes", contract, major, "activations", body={"version": version}), form)


@route.command()
@click.argument("contract")
@click.argument("version")
@format_option
@registry_options("operator")
def deactivate(registry: Registry, contract: str, version: str, form: str) -> None:
    """Stop serving a VERSION that is neither current nor pinned."""
    from kernel.contract.version import Version

    major = Version.parse(version).major
    _show(registry.delete("routes", contract, major, "activations", version), form)


@route.command()
@click.argument("contract")
@click.argument("major", type=int)
@registry_options("operator")
def remove(registry: Registry, contract: str, major: int) -> None:
    """Remove the route of CONTRACT's MAJOR with all that is active on it."""
    registry.delete("routes", contract, major)
    click.echo(f"/{contract}/v{major} is routed no more")


@route.command()
@click.argument("contract")
@click.argument("major", type=int)
@click.option("--reason", required=True, help="Why, in a sentence; it stands in the audit log.")
@registry_options("operator")
def deny(registry: Registry, contract: str, major: int, reason: str) -> None:
    """Close the route of CONTRACT's MAJOR at once: every proxy refuses its calls within two seconds."""
    registry.put("routes", contract, major, "denial", body={"reason": reason})
    click.echo(f"/{contract}/v{major} is denied")


@route.command()
@click.argument("contract")
@click.argument("major", type=int)
@registry_options("operator")
def allow(registry: Registry, contract: str, major: int) -> None:
    """Lift the denial of a route."""
    registry.delete("routes", contract, major, "denial")
    click.echo(f"/{contract}/v{major} is denied no more")


@route.command()
@click.argument("contract")
@click.argument("major", type=int)
@policy_options
@registry_options("operator")
def policy(registry: Registry, contract: str, major: int, given: Path | None, *, clear: bool) -> None:
    """Show the policy of CONTRACT's MAJOR, or set it whole: how its route behaves here.

    Fields: docs/reference/policies.md.
    """
    show_or_set(registry, ("routes", contract, major, "policy"), given, clear=clear)


@route.command("list")
@format_option
@registry_options("operator")
def list_(registry: Registry, form: str) -> None:
    """List all routes of this environment."""
    found = registry.get("routes")["routes"]
    if form == "json":
        print_json(found)
        return
    rows = [
        (f"/{one['contract']}/v{one['major']}", one.get("current") or "-", ", ".join(one["versions"]) or "-", one["adapter"],
         "report only" if one["report_only"] else "")
        for one in found
    ]  # fmt: skip
    print_rows(("route", "current", "active", "adapter", ""), rows, empty="no routes yet")


def read_limit(text: str) -> dict[str, Any]:
    """Read `NAME:REQUESTS/SECONDS[:BURST]`; raises a usage error naming the form."""
    parts = text.split(":")
    try:
        requests, seconds = (int(part) for part in parts[1].split("/"))
        burst = int(parts[2]) if len(parts) > 2 else requests  # noqa: PLR2004 - the optional third part
    except (IndexError, ValueError):
        raise click.BadParameter(
            f"{text!r}: write NAME:REQUESTS/SECONDS[:BURST], for example all:100/1:20"
        ) from None
    return {"name": parts[0], "requests": requests, "seconds": seconds, "burst": burst}


def _show(found: dict[str, Any], form: str) -> None:
    if form == "json":
        print_json(found)
        return
    current = found.get("current")
    label = f"/{found['contract']}/v{found['major']} → {found['adapter']}"
    click.echo(
        f"{label}: serves {current}"
        if current
        else f"{label}: nothing active yet (`interlock route activate`)"
    )
    others = [version for version in found["versions"] if version != current]
    if others:
        click.echo(f"still active for pinned consumers: {', '.join(others)}")
