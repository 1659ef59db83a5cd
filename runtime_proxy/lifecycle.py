"""What every answer of a version says of its life: which one it is, that it is deprecated, and what follows it."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Final

from kernel.contract.version import Version
from kernel.errors import BundleError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.bundle.model import Audience, Bundle, ContractEntry, Route
    from runtime_proxy.plan import Header

# Who sees least of others comes last: a route is for the narrowest audience of its versions.
_WIDTH: Final[dict[Audience, int]] = {"public": 0, "partner": 1, "internal": 2}


def lifecycle_headers(bundle: Bundle, route: Route, entry: ContractEntry) -> tuple[Header, ...]:
    """Name the exact version; say since when it is deprecated (RFC 9745), when it ends (RFC 8594), and what follows."""
    lines = [(b"x-interlock-contract", f"{entry.name}@{entry.version}".encode())]
    since, until = seconds_of(entry.deprecated_at), seconds_of(entry.sunset_at)
    if since is not None:
        lines.append((b"deprecation", b"@%d" % since))
    if until is not None:
        date = format_datetime(datetime.fromtimestamp(until, UTC), usegmt=True)
        lines.append((b"sunset", date.encode()))
    if since is not None or until is not None or entry.state == "deprecated":
        links = route.policy.links
        named = (
            ("successor-version", (links and links.successor) or _successor(bundle, route, entry)),
            ("deprecation", links and links.deprecation),
            ("sunset", links and links.sunset),
        )
        lines += [(b"link", f'<{target}>; rel="{rel}"'.encode()) for rel, target in named if target]
    return tuple(lines)


def audience_of(entries: Iterable[ContractEntry]) -> Audience:
    """Give the narrowest audience among versions: with one internal version, all of it is internal."""
    return max((entry.audience for entry in entries), key=_WIDTH.__getitem__)


def base_of(route: Route) -> str:
    """Give the path under which a route is served: "" or like `/lab-orders/v1`."""
    return route.base_path if route.base_path is not None else f"/{route.contract}/v{route.major}"


def route_audience(bundle: Bundle, route: Route) -> Audience:
    """Give the audience of a route."""
    return audience_of(bundle.entry(route.contract, version) for version in route.versions)


def seconds_of(at: str | None) -> float | None:
    """Read RFC 3339 as seconds since the epoch; raises `BundleError`."""
    if at is None:
        return None
    try:
        when = datetime.fromisoformat(at)
    except ValueError:
        raise BundleError("a time in the bundle is not RFC 3339") from None
    return (when if when.tzinfo is not None else when.replace(tzinfo=UTC)).timestamp()


def _successor(bundle: Bundle, route: Route, entry: ContractEntry) -> str | None:
    """Find where a newer version answers: in this major, else in the next one; never one for another audience."""
    mine = Version.parse(entry.version)
    for version in route.versions:
        if Version.parse(version) > mine and bundle.entry(route.contract, version).state == "frozen":
            return base_of(route) or None
    audience = route_audience(bundle, route)
    later = [
        other
        for other in bundle.routes.routes
        if other.contract == route.contract
        and other.major > route.major
        and route_audience(bundle, other) == audience
    ]
    return base_of(min(later, key=lambda other: other.major)) or None if later else None
