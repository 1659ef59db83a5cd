"""Which contracts each address of the proxy serves: one audience is neither reachable nor named on another's.

The settings `proxy_listen_internal`, `…_partner` and `…_public` give an audience an address of its own; two may
share one. `proxy_host` and `proxy_port` serve whoever has none, and everything where none is set. `ops_listen` is
that of the operator's console, which serves no contract.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, get_args

from kernel.bundle.model import Audience
from kernel.errors import SettingsError
from runtime_proxy.addressing import addresses_of
from runtime_proxy.match import Router
from runtime_proxy.published import published_documents

if TYPE_CHECKING:
    from kernel.settings import Settings
    from runtime_proxy.plan import Plan

ALL: Final[frozenset[Audience]] = frozenset(get_args(Audience))
_FIRST: Final = "proxy"
_OPS: Final = "ops"
_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Front:
    """One address, and the audiences whose contracts it serves; `name` is "proxy" or the audiences'."""

    name: str
    host: str
    port: int
    audiences: frozenset[Audience]

    @property
    def tells(self) -> bool:
        """Whether what the proxy says about itself may name contracts and bundles here.

        On an address for partners or the public alone it says whether it lives, and no more.
        """
        return self.name == _FIRST or "internal" in self.audiences

    @property
    def is_console(self) -> bool:
        """Whether it is the operator's console, which serves no contract."""
        return self.name == _OPS


def fronts_of(settings: Settings) -> tuple[Front, ...]:
    """Read the addresses, the one of `proxy_host` and `proxy_port` first; raises `SettingsError`."""
    own: dict[tuple[str, int], list[Audience]] = {}
    left = set(ALL)
    audience: Audience
    for audience in get_args(Audience):
        address = str(settings[f"proxy_listen_{audience}"])
        if address:
            own.setdefault(_address(address, f"proxy_listen_{audience}"), []).append(audience)
            left.discard(audience)
    first = Front(_FIRST, settings["proxy_host"], settings["proxy_port"], frozenset(left))
    if first.port and (first.host, first.port) in own:
        raise SettingsError(
            "an audience has the address of proxy_host and proxy_port",
            hint="leave proxy_listen_* of that audience empty: who has no address is served there",
        )
    fronts = (first, *(Front("-".join(names), *at, frozenset(names)) for at, names in own.items()))
    return (*fronts, *_console(settings, fronts))


def seen_from(plan: Plan, front: Front) -> Plan:
    """Give the plan as one address has it: routes of its audiences, and nothing that names another."""
    if front.audiences == ALL:
        return plan
    mounts = tuple(mount for mount in plan.mounts if mount.audience in front.audiences)
    routes = tuple(route for route in plan.routes if route.audience in front.audiences)
    return replace(
        plan,
        router=Router(mounts),
        routes=routes,
        mounts=mounts,
        addresses=addresses_of(routes, mounts),
        published=published_documents(routes),
    )


def _console(settings: Settings, others: tuple[Front, ...]) -> tuple[Front, ...]:
    """Read the console's address: deny by default, and its token never goes over a wire in the clear."""
    if not settings["ops_listen"]:
        return ()
    front = Front(_OPS, *_address(settings["ops_listen"], "ops_listen"), frozenset())
    if front.port and any((front.host, front.port) == (one.host, one.port) for one in others):
        raise SettingsError(
            "ops_listen is an address of the proxy", hint="give the console a port of its own"
        )
    if not _is_loopback(front.host) and not settings["proxy_tls_certificate"]:
        raise SettingsError(
            "ops_listen beyond loopback needs TLS",
            hint="name 127.0.0.1, or set proxy_tls_certificate and proxy_tls_key",
        )
    return (front,)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _address(text: str, setting: str) -> tuple[str, int]:
    host, separator, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not separator or not host or not port.isascii() or not port.isdigit() or int(port) > _HIGHEST_PORT:
        raise SettingsError(f"{setting}: HOST:PORT expected", hint="for example 10.0.0.5:8702 or [::1]:8702")
    return host, int(port)
