"""`interlock proxy serve | run | check | plan`: run the data plane, and ask it what it would do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.errors import Exit
from cli.output import counted
from cli.proxy_deny import deny
from cli.proxy_keys import resolve, unresolved
from cli.proxy_route import provider_of, route_options, routed
from cli.proxy_trust import trust_options, trusting

if TYPE_CHECKING:
    from kernel.bundle.model import Bundle
    from kernel.settings import Settings
    from runtime_proxy.inspection import Trial
    from runtime_proxy.throwaway import Way

_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder (default: INTERLOCK_DATA or .interlock).",
)


_WORKERS = click.option(
    "--workers", type=click.IntRange(0, 256), help="Worker processes (default 1; 0: one for each core)."
)


@click.group()
def proxy() -> None:
    """Run, check and question the data plane."""


proxy.add_command(unresolved)
proxy.add_command(resolve)
proxy.add_command(deny)


@proxy.command()
@_DATA
@click.option("--proxy-port", "port", type=int, help="Port (default 8701; 0 takes any free one).")
@click.option("--proxy-host", "host", help="Address to listen on (default 127.0.0.1).")
@_WORKERS
def serve(data: Path | None, port: int | None, host: str | None, workers: int | None) -> int:
    """Serve the bundle of a data folder until SIGTERM or SIGINT, then drain.

    Needs no registry: newer bundles are taken up as they appear, and one that does not verify or cannot
    be served is left where it is. With two workers or more, SIGHUP replaces program and workers one after
    the other, without a refused connection.
    """
    settings = _settings(data, proxy_port=port, proxy_host=host, proxy_workers=workers)
    from cli.proxy_workers import serve_folder, workers_of

    return serve_folder(settings, workers_of(settings))


@proxy.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--upstream", metavar="URL", help="The provider; its path is put before every path.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port (default: any free one).")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--prefix", default="", metavar="PATH", help="Serve the file's paths below this one.")
@click.option(
    "--report-only", is_flag=True, help="Refuse nothing; log violations and count them in a header."
)
@click.option("--timeout", type=click.FloatRange(0.05, 3600), default=30.0, show_default=True,
              help="Seconds in which the provider must answer.")  # fmt: skip
@trust_options
@route_options
@click.option(
    "--keep-going", is_flag=True, help="Start although some operations cannot be checked (they get 501)."
)
@_WORKERS
def run(
    *,
    file: Path,
    upstream: str | None,
    port: int,
    host: str,
    prefix: str,
    report_only: bool,
    timeout: float,
    origins: tuple[str, ...],
    mock: bool,
    seed: int | None,
    keep_going: bool,
    workers: int | None,
    **trust: Any,
) -> int:
    """Validate every request and answer of one OpenAPI or AsyncAPI FILE before a provider, or in its place.

    The file's own paths are served (`servers` is ignored). Where the file declares security, a throw-away
    key is made and printed; else no key is asked for. With --issuer, --jwks and --audience, tokens of that
    issuer open what asks for a bearer token. One line on stderr says the URL once it is ready.
    """
    from cli.proxy_process import Local
    from cli.proxy_workers import serve_file, workers_of
    from runtime_proxy.throwaway import Way

    told = trusting(**trust)
    prefix = _checked_prefix(prefix)
    policy = routed(told.policy, origins=origins, mock=mock, seed=seed)
    upstream = provider_of(upstream, mock=mock, report_only=report_only)
    way = Way(upstream, prefix, report_only, timeout, policy, told.pins, told.secure)
    settings = _settings(
        None,
        proxy_port=port,
        proxy_host=host,
        proxy_guard_requests=10_000_000,
        proxy_drain_timeout=5.0,
        proxy_listen_internal="",  # one file, one address
        proxy_listen_partner="",
        proxy_listen_public="",
        proxy_workers=workers,
        audit_fsync=False,
        idempotency_store="file",
        **told.settings,
    )
    return serve_file(Local(file, way, keep_going), settings, workers_of(settings))


@proxy.command()
@_DATA
@_FORMAT
def check(data: Path | None, form: str) -> int:
    """Verify and compile bundle, deny lists and every operation, and print the effective configuration.

    Secrets are masked. Ends with 1 when something is wrong that the proxy would serve around.
    """
    from cli.proxy_report import report_of
    from runtime_proxy.inspection import trial_of

    settings = _settings(data)
    bundle = _bundle_of(settings)
    trial = trial_of(bundle, settings["proxy_max_body_bytes"])
    plan = trial.plan
    report = report_of(settings, bundle, trial)
    ends = Exit.GATE_SAYS_NO if report["faults"] else Exit.OK
    if form == "json":
        click.echo(json.dumps(report, indent=2))
        return ends
    for name, value in report["settings"].items():
        click.echo(f"{name} = {value!r}")
    for name in ("addresses", "trusted", "deny_lists", "adapters"):
        click.echo(f"\n{name.replace('_', ' ')}:")
        for row in report[name]:
            click.echo(f"  {_line(row)}")
    click.echo(f"\nbundle: {plan.serials} ({plan.environment})")
    for route in report["bundle"]["routes"]:
        click.echo(
            f"  {route['base'] or '/'}  {route['contract']} {', '.join(route['versions'])} "
            f"(current {route['current']}, {counted(route['operations'], 'operation')}) -> {route['adapter']}"
        )
        if route["policy"]:
            click.echo(f"    policy: {json.dumps(route['policy'])}")
    for fault in report["faults"]:
        click.echo(f"fault: {fault}", err=True)
    return ends


@proxy.command()
@click.argument("method")
@click.argument("url")
@_DATA
@click.option(
    "--file", type=click.Path(path_type=Path, dir_okay=False), help="Ask of this OpenAPI file instead."
)
@click.option(
    "--upstream", default="http://127.0.0.1:9", help="With --file: the provider, as `proxy run` has it."
)
@click.option(
    "--prefix", default="", metavar="PATH", help="With --file: serve the file's paths below this one."
)
@click.option("--consumer", help="Ask as this consumer: its pin and its limits.")
@click.option(
    "-H", "--header", "headers", multiple=True, metavar="NAME:VALUE", help="Send this header (repeatable)."
)
@click.option("--on", "audience", type=click.Choice(["internal", "partner", "public"]),
              help="Ask on the address of this audience (default: the one that URL names, else all contracts).")  # fmt: skip
@_FORMAT
def plan(
    *, method: str, url: str, data: Path | None, file: Path | None, upstream: str, prefix: str,
    consumer: str | None, headers: tuple[str, ...], audience: str | None, form: str,
) -> int:  # fmt: skip
    """Say what would serve METHOD URL: contract, version, operation, decoders, security, limits, adapter.

    Deny lists count. Ends with 1 when nothing would serve it, and says which refusal the caller would get.
    """
    from cli.proxy_report import asked_of
    from runtime_proxy.inspection import explain_call
    from runtime_proxy.throwaway import Way

    settings = _settings(data)
    trial = _trial(settings, file, Way(upstream, _checked_prefix(prefix)))
    asked = asked_of(settings, url, consumer, headers, audience, alone=file is not None)
    found = explain_call(trial, method.upper(), url, asked)
    if form == "json":
        click.echo(json.dumps(found, indent=2))
    else:
        for name, value in found.items():
            click.echo(f"{name + ':':<14}{_line(value)}")
    return Exit.GATE_SAYS_NO if "refusal" in found else Exit.OK


def _trial(settings: Settings, file: Path | None, way: Way) -> Trial:
    import tempfile

    from kernel.bundle.read import read_bundle
    from runtime_proxy.inspection import trial_of
    from runtime_proxy.throwaway import make_bundle

    if file is None:
        bundle = _bundle_of(settings)
    else:
        with tempfile.TemporaryDirectory(prefix="interlock-plan-") as folder:
            made = make_bundle(file, way, Path(folder))
            bundle = read_bundle(made.folder, made.trust)
    return trial_of(bundle, settings["proxy_max_body_bytes"])


def _bundle_of(settings: Settings) -> Bundle:
    """Read and verify the bundle of a data folder; raises `BundleMissing` where nothing was published."""
    from kernel.bundle.read import read_bundle
    from kernel.errors import BundleMissing, Place
    from kernel.sealing.keys import KeyFolder

    folder = settings.path / "bundle"
    if not folder.is_dir():
        hint = "start the registry on this data folder (`interlock up`), or name another with --data"
        raise BundleMissing("there is no bundle yet", hint=hint, place=Place(str(folder)))
    return read_bundle(folder, KeyFolder(settings.path / "keys").trust())


def _settings(data: Path | None, **flags: Any) -> Settings:
    from kernel.settings import load

    return load({"data": str(data) if data else None, **flags})


def _checked_prefix(prefix: str) -> str:
    prefix = prefix.rstrip("/")
    if prefix and not prefix.startswith("/"):
        prefix = f"/{prefix}"
    return prefix


def _line(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_line, value)) or "none"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_line(inner)}" for name, inner in value.items()) or "none"
    return "none" if value in (None, "") else str(value)
