"""Options of `proxy run` that say how its one route behaves, beside whom it trusts (cli/proxy_trust.py)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click
import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.bundle.policy import RoutePolicy

_OPTIONS: Final = (
    click.option(
        "--allow-origin",
        "origins",
        multiple=True,
        metavar="ORIGIN",
        help="Let pages of this origin call (CORS), or of any (*); repeatable.",
    ),
)


def route_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options; their values go to `routed`."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command


def routed(policy: RoutePolicy, *, origins: tuple[str, ...]) -> RoutePolicy:
    """Add to a policy what the options say; raises `UsageError`."""
    from kernel.operation.cors import Cors

    if origins:
        try:
            policy = msgspec.structs.replace(policy, cors=Cors(origins))
        except ValueError as error:
            raise click.UsageError(f"--allow-origin: {error}") from None
    return policy
