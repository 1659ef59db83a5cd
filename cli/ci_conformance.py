"""`interlock ci conformance`: does a provider keep a contract? Called, judged, told, and recorded where asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.ci_reports import report_options, wanted_reports, write_reports
from cli.registry_client import registry_options

if TYPE_CHECKING:
    from ci.conformance import Held, Run
    from cli.registry_client import Registry

_AUTH = "INTERLOCK_PROVIDER_AUTH"
_LARGEST_AUTH = 16 * 1024  # bytes

auth_option = click.option(
    "--auth-file",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help=f"File of header lines `NAME: VALUE` for every call (or {_AUTH}: the value of Authorization).",
)


def _words(text: str, flag: str, known: tuple[str, ...] | None = None) -> tuple[str, ...]:
    found = tuple(word.strip() for word in text.split(",") if word.strip())
    wrong = [word for word in found if known is not None and word not in known]
    if wrong or not found:
        raise click.UsageError(f"{flag} {text}: write some of {', '.join(known or ('GET', 'POST', '…'))}")
    return found


@click.command()
@click.argument("url")
@click.option(
    "--contract",
    required=True,
    metavar="FILE|NAME@VERSION",
    help="The contract that the provider must keep: a file, or a version of the registry.",
)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed makes up the same calls.")
@click.option(
    "--examples",
    type=int,
    default=25,
    show_default=True,
    help="Most calls that are made up for each operation and phase.",
)
@click.option(
    "--seconds",
    type=int,
    default=120,
    show_default=True,
    help="Most seconds; a run that is cut off is undecided.",
)
@click.option(
    "--phases",
    default="positive,negative,stateful",
    show_default=True,
    help="Calls that the contract allows, that it forbids, and sequences along its links.",
)
@click.option("--methods", default="", metavar="GET,HEAD,…", help="Call only operations of these methods.")
@click.option(
    "--exclude",
    multiple=True,
    metavar="OPERATION",
    help="Leave out an operationId, or METHOD /path; repeatable.",
)
@click.option(
    "--allow-writes",
    is_flag=True,
    help="Call operations that may change something, on another host than this one too.",
)
@auth_option
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "risky"]),
    default="breaking",
    show_default=True,
    help="The least that fails.",
)
@click.option(
    "--record", is_flag=True, help="Record the run in the registry, as evidence for this very digest."
)
@report_options
@registry_options("ci")
def conformance(registry: Registry, url: str, **options: Any) -> int:
    """Call the provider at URL with made-up data, and hold every answer to a contract.

    Ends with 0 when it passed, 1 when it failed, 3 when something could not be looked at. Where URL is not this
    machine, operations that may change something are left out unless --allow-writes is given.
    """  # fmt: skip
    from ci.conformance import try_provider
    from ci.conformance_engine import PHASES
    from ci.conformance_plan import Plan
    from kernel.settings import load

    wanted = wanted_reports(options["reports"], options["form"])
    phases: Any = _words(options["phases"], "--phases", PHASES)
    methods = frozenset(_words(options["methods"].upper(), "--methods") if options["methods"] else ())
    held = held_of(registry, options["contract"], record=options["record"])
    settings = load()
    plan = Plan(
        url=url.rstrip("/"),
        seed=options["seed"],
        examples=options["examples"],
        seconds=options["seconds"],
        phases=phases,
        methods=methods,
        exclude=frozenset(options["exclude"]),
        allow_writes=options["allow_writes"],
        fail_on=options["fail_on"],
        headers=credentials(options["auth_file"], settings["provider_auth"]),
        program=str(settings["schemathesis"]),
    )
    run = try_provider(held, plan)
    for warning in run.warnings:
        click.echo(f"warning: {warning}", err=True)
    if options["record"]:
        _record(registry, run)
    report = run.report()
    write_reports(wanted, report)
    return report.exit_code


def held_of(registry: Registry, text: str, *, record: bool = False) -> Held:
    """Read the contract: from a file, with name and version of its meta.yaml, or from the registry."""
    from ci.conformance import Held
    from kernel.contract.document import parse

    name, at, version = text.partition("@")
    if at and not Path(text).exists():
        answer = registry.get("contracts", name, "versions", version, "document", form="embedded")
        document = parse(answer["document"].encode(), name=text, media=answer["media"])
        return Held(name, version, document.root, answer["digest"])
    if record:
        raise click.UsageError("--record takes a version of the registry: --contract NAME@VERSION")
    return _from_file(Path(text))


def _from_file(path: Path) -> Held:
    from ci.conformance import Held
    from ci.errors import ConformanceUnusable
    from kernel.contract.digest import digest
    from kernel.contract.document import kind_of
    from kernel.contract.local_files import inline_files
    from kernel.contract.metadata import read_metadata
    from registry.compat.inputs import read_self_contained, unresolved
    from registry.lint.checking import METADATA, document_of

    file = document_of(path) if path.is_dir() else path
    document = read_self_contained(file)
    if unresolved(document.root):
        raise ConformanceUnusable(
            f"{path} refers to a canonical schema that is not known here, so nothing could be held to it",
            hint="run beside the canonical schemas, or name the version of the registry: NAME@VERSION",
        )
    if kind_of(document.root) != "openapi":
        raise click.UsageError(f"--contract {path}: only openapi contracts are called")
    beside = file.parent / METADATA
    metadata = read_metadata(beside.read_bytes(), str(beside))[0] if beside.is_file() else None
    name = (metadata.name if metadata else None) or file.stem
    version = (metadata.version if metadata else None) or str(
        document.root.get("info", {}).get("version", "")
    )
    return Held(name, version, document.root, digest(inline_files(file).root), document, str(file))


def credentials(file: Path | None, provider_auth: str) -> dict[str, str]:
    """Give the headers of every call: lines of a file, or Authorization from the setting `provider_auth`."""
    if file is None:
        value = provider_auth.strip()
        return {"Authorization": value} if value else {}
    data = file.read_bytes()
    if len(data) > _LARGEST_AUTH:
        raise click.UsageError(f"--auth-file {file} has more than {_LARGEST_AUTH} bytes")
    found = {}
    for number, line in enumerate(data.decode("utf-8", "replace").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            name, colon, value = line.partition(":")
            if not colon or not name.strip() or not value.strip():
                raise click.UsageError(f"--auth-file {file}:{number}: write NAME: VALUE")
            found[name.strip()] = value.strip()
    return found


def _record(registry: Registry, run: Run) -> None:
    path = ("contracts", run.held.name, "versions", run.held.version, "conformance")
    kept = registry.post(*path, body=run.evidence())
    part = (
        ""
        if kept["complete"]
        else "; not every operation or phase was called, so it does not count for approval"
    )
    click.echo(
        f"recorded as run {kept['id']} of {run.held.name}@{run.held.version}: {kept['outcome']}{part}",
        err=True,
    )
