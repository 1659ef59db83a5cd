"""`interlock ci drift`: a code-first application, or a deployed service, beside its frozen contract."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.ci_conformance import auth_option, credentials, held_of
from cli.ci_reports import report_options, wanted_reports, write_reports
from cli.registry_client import registry_options

if TYPE_CHECKING:
    from cli.registry_client import Registry
    from kernel.contract.document import Document


@click.command()
@click.argument("application", required=False)
@click.option(
    "--contract",
    required=True,
    metavar="FILE|NAME@VERSION",
    help="The contract that the application must keep: a file, or a version of the registry.",
)
@click.option(
    "--python",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Interpreter in which the application runs (default: this one).",
)
@click.option(
    "--app-dir",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    default=Path(),
    show_default=True,
    help="Folder from which the application is imported.",
)
@click.option(
    "--django-settings", default="", metavar="MODULE", help="Settings of Django, set up before the import."
)
@click.option(
    "--openapi-path",
    default="/openapi.json",
    show_default=True,
    help="Where an application serves its document that has no method for it.",
)
@click.option(
    "--env",
    "variables",
    multiple=True,
    metavar="NAME=VALUE",
    help="A variable that the application needs; it sees no other. Repeatable.",
)
@click.option(
    "--prefix",
    default="",
    metavar="/PATH",
    help="What stands before the contract's paths in the application.",
)
@click.option(
    "--probe",
    metavar="URL",
    help="Ask the deployed service at URL too whether its operations answer, changing nothing.",
)
@auth_option
@click.option(
    "--seconds",
    type=click.FloatRange(1, 3600),
    default=60.0,
    show_default=True,
    help="Most seconds for the import.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["breaking", "additive"]),
    default="breaking",
    show_default=True,
    help="The least that fails.",
)
@report_options
@registry_options("ci")
def drift(registry: Registry, application: str | None, **options: Any) -> int:
    """Compare an application with its contract.

    APPLICATION is `package.module:app`, `package.module:make_app()`, `drf-spectacular`, or the address of an
    OpenAPI document; with --probe alone only the deployed service is asked. It is imported by its own
    interpreter, confined: no network, none of our environment.

    Ends with 0 when it keeps the contract (drift none or additive), 1 when a promise is broken, 3 when undecided.
    """
    from ci.drift import Drift, DriftFound, find_drift
    from kernel.settings import load

    wanted = wanted_reports(options["reports"], options["form"])
    settings = load()
    held = held_of(registry, options["contract"])
    headers = credentials(options["auth_file"], settings["provider_auth"])
    if application is None and not options["probe"]:
        raise click.UsageError("name an application, an address, or a service with --probe URL")
    if application is None:
        found = DriftFound(held, "", Drift.NONE, (), (), {})
    else:
        document, source = _document(application, options, headers)
        found = find_drift(held, document, source, settings, prefix=options["prefix"].rstrip("/"))
    if options["probe"]:
        from ci.probing import probe

        found = probe(found, options["probe"], headers)
    report = found.report(options["fail_on"])
    write_reports(wanted, report)
    return report.exit_code


def _document(application: str, options: dict[str, Any], headers: dict[str, str]) -> tuple[Document, str]:
    from ci.application import Import, from_address, from_import

    if application.startswith(("http://", "https://")):
        return from_address(application, headers), application.partition("?")[0]
    variables = {}
    for text in options["variables"]:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise click.UsageError(f"--env {text}: write NAME=VALUE")
        variables[name] = value
    wanted = Import(
        application,
        options["app_dir"],
        options["python"] or Path(sys.executable),
        options["openapi_path"],
        options["django_settings"],
        variables,
        options["seconds"],
    )
    return from_import(wanted), application
