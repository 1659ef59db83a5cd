"""What the proxy says of itself when it is ready: where it is, and what opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from cli.output import counted
from runtime_proxy.console.tokens import ops_token

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.settings import Settings
    from runtime_proxy.throwaway import Throwaway, Way


def say_console(settings: Settings, at: tuple[str, int] | None, folder: Path | None = None) -> None:
    """Tell where the operator's pages are, where there are any, and by which password or where that lies."""
    if at is None:
        return
    scheme = "https" if settings["proxy_tls_certificate"] else "http"
    host = f"[{at[0]}]" if ":" in at[0] else at[0]
    token = f"password {ops_token(folder)}" if folder is not None else "password in tokens/ops.token"
    click.echo(f"console {scheme}://{host}:{at[1]}/ops (any user, {token})", err=True)


def say_ready(made: Throwaway, way: Way, address: tuple[str, int]) -> None:
    """Tell the user the URL, and the key where one is asked for."""
    host, port = address
    at = f"[{host}]" if ":" in host else host
    if made.key:
        click.echo(_key_opens(made), err=True)
        for place in made.places:
            click.echo(f"  {place.replace('KEY', made.key)}", err=True)
        for issuer in way.policy.tokens.issuers if way.policy.tokens is not None else ():
            click.echo(f"  header Authorization: Bearer a token of {issuer.issuer}", err=True)
    mode = ", report only: nothing is refused" if way.report_only else ""
    provider = "a mock" if way.policy.mock is not None else way.upstream
    click.echo(
        f"interlock proxy {'https' if way.secure else 'http'}://{at}:{port}{way.prefix} "
        f"({made.contract} {made.version}, {counted(made.operations, 'operation')}{mode}) -> {provider}",
        err=True,
    )


def _key_opens(made: Throwaway) -> str:
    """Say what the key opens: there is none for what asks for a client certificate."""
    rest = "a client certificate (mutualTLS), or what is not verified here"
    if not made.places:
        return f"no key opens what this file secures: it asks for {rest}"
    if not made.beyond:
        return "this file asks for a key; until the proxy ends, this one opens every operation:"
    opened = f"{made.operations - made.beyond} of {counted(made.operations, 'operation')}"
    return f"until the proxy ends, this key alone opens {opened}; the rest ask for {rest}:"
