"""Options of `proxy run` that say how its one route behaves, beside whom it trusts (cli/proxy_trust.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.bundle.policy import RoutePolicy

NOBODY: Final = "http://127.0.0.1:9"  # the discard port
_OPTIONS: Final = (
    click.option(
        "--allow-origin",
        "origins",
        multiple=True,
        metavar="ORIGIN",
        help="Let pages of this origin call (CORS), or of any (*); repeatable.",
    ),
    click.option(
        "--mock",
        is_flag=True,
        help="Answer out of the file: its examples, else values made from its schemas.",
    ),
    click.option(
        "--seed", type=click.IntRange(0, 2**32 - 1), help="With --mock: make other values (default 0)."
    ),
)


def route_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; their values go to `routed`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def routed(policy: RoutePolicy, *, origins: tuple[str, ...], mock: bool, seed: int | None) -> RoutePolicy:
    """Add to a policy what the options say; raises `UsageError`."""
    from kernel.bundle.introducing import Mock
    from kernel.operation.cors import Cors

    if origins:
        try:
            policy = msgspec.structs.replace(policy, cors=Cors(origins))
        except ValueError as error:
            raise click.UsageError(f"--allow-origin: {error}") from None
    if mock:
        policy = msgspec.structs.replace(policy, mock=Mock(seed or 0))
    elif seed is not None:
        raise click.UsageError("--seed needs --mock")
    return policy


def provider_of(upstream: str | None, *, mock: bool, report_only: bool) -> str:
    """Give the provider's URL; with a mock, one that is never asked. Raises `UsageError`."""
    if not mock:
        if upstream is None:
            raise click.UsageError("say who answers: --upstream URL, or --mock")
        return upstream
    if upstream is not None or report_only:
        raise click.UsageError("--mock answers by itself: leave out --upstream and --report-only")
    return NOBODY
