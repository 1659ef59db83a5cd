"""What `interlock proxy check` finds (configuration, secrets masked, and what is wrong), and what `plan` asks."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
import msgspec

from cli.masking import masked
from kernel.errors import InterlockError

if TYPE_CHECKING:
    from kernel.bundle.deny import Denied
    from kernel.bundle.model import Bundle
    from kernel.settings import Settings
    from runtime_proxy.fronts import Front
    from runtime_proxy.inspection import Asked, Trial


def report_of(settings: Settings, bundle: Bundle, trial: Trial) -> dict[str, Any]:
    """Give settings, addresses, trusted keys, deny lists, adapters and the bundle; `faults` lists what is wrong.

    Raises `SettingsError` for addresses that contradict each other.
    """
    from runtime_proxy.fronts import fronts_of
    from runtime_proxy.inspection import describe_bundle, unservable

    faults: list[str] = []
    report: dict[str, Any] = {
        "settings": masked(dict(settings.values)),
        "addresses": [
            {"name": one.name, "at": f"{one.host}:{one.port}", "audiences": sorted(one.audiences)}
            for one in fronts_of(settings)
        ],
        "trusted": _trusted(settings),
        "deny_lists": _deny_lists(settings, faults),
        "adapters": _adapters(bundle, faults),
        "bundle": describe_bundle(trial.plan),
    }
    policies = {(one.contract, one.major): masked(_policy(one)) for one in bundle.routes.routes}
    for told, route in zip(report["bundle"]["routes"], trial.plan.routes, strict=True):
        told["audience"] = route.audience
        told["policy"] = policies[route.contract, route.major]
    report["bundle"]["consumer_policies"] = {
        one.id: masked(_policy(one)) for one in bundle.access.consumers if _policy(one)
    }
    faults += unservable(trial.plan)
    report["faults"] = faults
    return report


def asked_of(
    settings: Settings,
    url: str,
    consumer: str | None,
    headers: tuple[str, ...],
    audience: str | None,
    *,
    alone: bool,
) -> Asked:
    """Say where and as whom `proxy plan` asks; `alone`: of one file, for which no address or list counts."""
    from runtime_proxy.inspection import Asked

    lines = tuple(_header(text) for text in headers)
    if alone:
        return Asked(consumer, lines)
    return Asked(consumer, lines, _front(settings, url, audience), _denied(settings))


def _header(text: str) -> tuple[str, str]:
    name, separator, value = text.partition(":")
    if not separator or not name.strip():
        raise click.BadParameter("write -H NAME:VALUE", param_hint="-H")
    return name.strip(), value.strip()


def _front(settings: Settings, url: str, audience: str | None) -> Front | None:
    """Find the address of an audience, else the one that the URL names."""
    from runtime_proxy.fronts import fronts_of

    fronts = fronts_of(settings)
    if audience is not None:
        return next(one for one in fronts if audience in one.audiences)
    parts = urlsplit(url)
    return next((one for one in fronts if (parts.hostname, parts.port) == (one.host, one.port)), None)


def _denied(settings: Settings) -> frozenset[Denied]:
    from cli.proxy_process import deny_sources

    denied: frozenset[Denied] = frozenset()
    for source in deny_sources(settings, keeps=False):
        with contextlib.suppress(
            InterlockError
        ):  # the last good one counts, as in the proxy; `check` tells it
            source.read()
        denied |= source.last.whats() if source.last is not None else frozenset()
    return denied


def _trusted(settings: Settings) -> list[dict[str, Any]]:
    from kernel.sealing.keys import KeyFolder

    rows = KeyFolder(settings.path / "keys").trust().keys
    return [{"name": row.name, "key": key_id, "may_sign": list(row.may_sign)} for key_id, row in rows.items()]


def _deny_lists(settings: Settings, faults: list[str]) -> list[dict[str, Any]]:
    from cli.proxy_process import deny_sources

    told = []
    for source in deny_sources(settings, keeps=False):
        try:
            source.read()
        except InterlockError as error:
            faults.append(f"deny list ({source.origin}): {error}")
        found = source.last
        if found is not None:
            told.append(
                {"origin": source.origin, "serial": found.serial, "denied": sorted(map(str, found.whats()))}
            )
    return told


def _adapters(bundle: Bundle, faults: list[str]) -> list[dict[str, Any]]:
    from adapters.catalog import check_settings, find

    told = []
    for one in bundle.routes.adapters:
        try:
            check_settings(find(one.kind).kind, one.settings, name=one.name)
        except InterlockError as error:
            faults.append(f"adapter {one.name}: {error}")
        told.append({"name": one.name, "kind": one.kind, "settings": masked(dict(one.settings))})
    return told


def _policy(one: Any) -> dict[str, Any]:
    from kernel.bundle.policy_document import policy_document

    written: dict[str, Any] = msgspec.to_builtins(policy_document(one.policy))
    return written
