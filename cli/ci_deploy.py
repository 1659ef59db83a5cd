"""`interlock ci record-…`, `ci deployments`, `ci environment` and `interlock can-i-deploy`: what runs where."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from cli.errors import Exit
from cli.output import format_option, print_json, print_rows
from cli.registry_client import registry_options

if TYPE_CHECKING:
    from cli.registry_client import Registry

F = TypeVar("F", bound=Callable[..., Any])
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RELEASE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,127}")
_CONTRACT = re.compile(r"([^@:\s]+)@([^@:\s]+)(?::(.+))?")
_SIGNS = {"yes": "✓", "no": "✗", "unknown": "?"}
_ENDS = {"yes": Exit.OK, "no": Exit.GATE_SAYS_NO, "unknown": Exit.UNDECIDED}


def _is_name(_: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    if value is not None and (_NAME.fullmatch(value) is None or len(value) > 64):  # noqa: PLR2004 - as in URNs
        told = (
            "a name is lower-case letters, digits and single hyphens, at most 64; of a consumer it is its id"
        )
        raise click.BadParameter(f"{value[:64]!r}: {told}", param=parameter)
    return value


def _is_release(_: click.Context, parameter: click.Parameter, value: str) -> str:
    if _RELEASE.fullmatch(value) is None:
        told = "a version is letters, digits and . _ + -, at most 128: a semantic version, or a commit"
        raise click.BadParameter(f"{value[:64]!r}: {told}", param=parameter)
    return value


def _version_option(meaning: str) -> Callable[[F], F]:
    return click.option(
        "--version", "version", required=True, metavar="VERSION", callback=_is_release, help=meaning
    )


def _environment_option(flag: str) -> Callable[[F], F]:
    return click.option(
        flag, "environment", required=True, metavar="ENV", callback=_is_name, help="Name of the environment."
    )


@click.command(name="can-i-deploy")
@click.argument("application", callback=_is_name)
@_version_option("Version of the application, as it was recorded.")
@_environment_option("--to")
@format_option
@registry_options("ci")
def can_i_deploy(registry: Registry, application: str, version: str, environment: str, form: str) -> int:
    """Ask whether a version of APPLICATION works with everything else that is deployed in an environment.

    Ends with 0 for yes, 1 for no, 3 for unknown: what is not recorded is not known, and blocks.
    """
    found = registry.get("environments", environment, "deployable", application, version)
    if form == "json":
        print_json(found)
    else:
        click.echo(f"{found['answer']}: {application} {version} to {environment}")
        for reason in found["reasons"]:
            click.echo(f"  {_SIGNS[reason['answer']]} {reason['text']}")
        if not found["reasons"]:
            click.echo("  nothing there relies on what it provides")
    return _ENDS.get(found["answer"], Exit.UNDECIDED)


@click.command(name="record-release")
@click.argument("application", callback=_is_name)
@_version_option("Version of the application: a semantic version, or a commit.")
@click.option(
    "--provides", multiple=True, metavar="NAME@VERSION", help="Contract version it implements; repeatable."
)
@click.option(
    "--needs",
    multiple=True,
    metavar="NAME@VERSION[:OPERATION,…]",
    help="Contract version it was built against, and the operations that it calls (default: all); repeatable.",
)
@click.option(
    "--from",
    "file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="YAML or JSON file with lists `provides` and `needs` of contract, version, operations.",
)
@format_option
@registry_options("ci")
def record_release(
    registry: Registry,
    application: str,
    version: str,
    provides: tuple[str, ...],
    needs: tuple[str, ...],
    file: Path | None,
    form: str,
) -> None:
    """Record which contract versions a version of APPLICATION provides and was built against.

    A pipeline does it once for each build. A release never changes: the same twice is recorded once.
    """
    body: dict[str, Any] = {"provides": [], "needs": []}
    if file is not None:
        from cli.input_files import read_object

        body |= read_object(file)
    body["provides"] = [*body["provides"], *(_named(text, "--provides") for text in provides)]
    body["needs"] = [*body["needs"], *(_named(text, "--needs") for text in needs)]
    found = registry.put("applications", application, "releases", version, body=body)
    if form == "json":
        print_json(found)
        return
    sides = [f"provides {one['contract']}@{one['version']}" for one in found["provides"]]
    sides += [f"needs {one['contract']}@{one['version']}" for one in found["needs"]]
    click.echo(f"recorded {application} {version}: {', '.join(sides)}")


@click.command(name="record-deployment")
@click.argument("application", callback=_is_name)
@_version_option("The release that runs there now.")
@_environment_option("--to")
@format_option
@registry_options("ci")
def record_deployment(
    registry: Registry, application: str, version: str, environment: str, form: str
) -> None:
    """Record that a version of APPLICATION runs in an environment now, in place of the one before.

    Going back is the same with the older version, or `record-undeployment --roll-back`.
    """
    path = ("environments", environment, "deployments", application)
    found = registry.put(*path, body={"version": version})
    if form == "json":
        print_json(found)
    else:
        click.echo(
            f"{application} {found['version']} runs in {environment} since {found['deployed_at'][:19]}Z"
        )


@click.command(name="record-undeployment")
@click.argument("application", callback=_is_name)
@_environment_option("--from")
@click.option("--roll-back", is_flag=True, help="The version before runs there again.")
@format_option
@registry_options("ci")
def record_undeployment(
    registry: Registry, application: str, environment: str, roll_back: bool, form: str
) -> None:
    """Record that APPLICATION runs in an environment no more."""
    query = "true" if roll_back else None
    found = registry.delete("environments", environment, "deployments", application, roll_back=query)
    left = found["deployments"]
    if form == "json":
        print_json(found)
    elif left:
        click.echo(f"{application} {left[0]['version']} runs in {environment} again")
    else:
        click.echo(f"{application} runs in {environment} no more")


@click.command()
@click.argument("environment", callback=_is_name)
@click.option("--application", callback=_is_name, help="Only this application.")
@click.option("--ended", is_flag=True, help="What ever was deployed there, newest first.")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="Most rows.")
@format_option
@registry_options("ci")
def deployments(
    registry: Registry, environment: str, application: str | None, ended: bool, limit: int, form: str
) -> None:
    """List what is deployed in ENVIRONMENT."""
    asked = {"application": application, "ended": "true" if ended else None, "limit": limit}
    found = registry.get("environments", environment, "deployments", **asked)
    if form == "json":
        print_json(found)
        return
    heads = ("application", "version", "since", "by", "until")
    rows = [
        (one["application"], one["version"], one["deployed_at"], one["deployed_by"], one.get("ended_at"))
        for one in found["deployments"]
    ]
    print_rows(heads, rows, empty=f"nothing is recorded in {environment}")


@click.group()
def environment() -> None:
    """Environments that releases are deployed to."""


@environment.command(name="add")
@click.argument("name", callback=_is_name)
@click.option("--note", default="", help="What it is for.")
@format_option
@registry_options("operator")
def add_environment(registry: Registry, name: str, note: str, form: str) -> None:
    """Enter an environment; deployments to any other name are refused."""
    found = registry.put("environments", name, body={"note": note})
    if form == "json":
        print_json(found)
    else:
        click.echo(f"entered the environment {name}")


@environment.command(name="list")
@format_option
@registry_options("ci")
def list_environments(registry: Registry, form: str) -> None:
    """List environments."""
    found = registry.get("environments")
    if form == "json":
        print_json(found)
        return
    rows = [(one["name"], one["note"], one["created_at"], one["created_by"]) for one in found["environments"]]
    print_rows(("name", "note", "entered", "by"), rows, empty="no environment is entered")


def _named(text: str, flag: str) -> dict[str, Any]:
    match = _CONTRACT.fullmatch(text)
    if match is None or (match[3] and flag == "--provides"):
        raise click.UsageError(f"{flag} {text}: write NAME@VERSION, as in lab-orders@1.2.0")
    found: dict[str, Any] = {"contract": match[1], "version": match[2]}
    if match[3]:
        found["operations"] = [one.strip() for one in match[3].split(",") if one.strip()]
    return found


# Added to `interlock ci` by cli/ci.py.
COMMANDS = (record_release, record_deployment, record_undeployment, deployments, environment)
