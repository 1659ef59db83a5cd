"""Ways to a route beside its base path: by the Host name, and by a header below `/<contract>`.

Only a bundle whose policies ask for them has any. A Host name is of one route, and then nothing else answers
under it; a header decides only where no base path lies over the path, so that `/<contract>/v<major>` always
means what it says. No version ever resolves into another: what names two of them, or none, is 404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_proxy.match import Miss
from runtime_proxy.raw_path import split_path

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.bundle.policy import Address
    from runtime_proxy.exchange import Exchange
    from runtime_proxy.match import Match, Mount
    from runtime_proxy.plan import ServedRoute


def addresses_of(routes: Iterable[ServedRoute], mounts: Iterable[Mount]) -> Addresses | None:
    """Gather the further addresses of some routes; None where there are none."""
    addressed = [(route, address) for route in routes if (address := route.policy.address) is not None]
    retired = [mount.major for mount in mounts if mount.major is not None]
    return Addresses(addressed, retired) if addressed else None


class Addresses:
    """The further addresses of all routes of one plan; `retired` are majors that answer 410."""

    __slots__ = ("_fields", "_hosts", "_retired")

    def __init__(
        self, addressed: Iterable[tuple[ServedRoute, Address]], retired: Iterable[tuple[str, int]]
    ) -> None:
        self._hosts: dict[bytes, ServedRoute] = {}
        self._fields: dict[bytes, dict[bytes, dict[bytes, ServedRoute]]] = {}  # contract → field → major
        for route, address in addressed:
            for host in address.hosts:
                self._hosts[host.encode()] = route
            if address.header is not None:
                fields = self._fields.setdefault(route.contract.encode(), {})
                fields.setdefault(address.header.lower().encode(), {})[b"%d" % route.major] = route
        self._retired = {(contract.encode(), b"%d" % major) for contract, major in retired}

    def choose(self, exchange: Exchange, path: bytes, found: Match | Miss) -> Match | Miss:
        """Give what the Host or a header says, else what was `found` by the path."""
        if self._hosts:
            route = self._hosts.get(_host_of(exchange))
            if route is not None:
                segments = split_path(path)
                if segments is None:
                    return Miss(400, "target-invalid")
                return route.current.trie.match(exchange.method, segments, route)
        if self._fields and isinstance(found, Miss) and found.target is None and found.slug == "not-found":
            return self._by_field(exchange, path, found)
        return found

    def _by_field(self, exchange: Exchange, path: bytes, missed: Miss) -> Match | Miss:
        segments = split_path(path)
        fields = self._fields.get(segments[0]) if segments else None
        if segments is None or not fields:
            return missed
        chosen: set[ServedRoute | None] = set()
        for name, majors in fields.items():
            values = [value for field, value in exchange.headers if field == name]
            for value in values:
                major = value.strip().lower().removeprefix(b"v")
                chosen.add(majors.get(major))
                if (segments[0], major) in self._retired:
                    missed = Miss(410, "retired")
            exchange.reply_headers.append((b"vary", name))
        route = chosen.pop() if len(chosen) == 1 else None
        if route is None:
            return missed
        return route.current.trie.match(exchange.method, segments[1:], route)


def _host_of(exchange: Exchange) -> bytes:
    """Give the name in Host (the edge has seen to there being one) without port, as policies write it."""
    for name, value in exchange.headers:
        if name == b"host":
            return value.partition(b":")[0].lower().rstrip(b".")
    return b""
