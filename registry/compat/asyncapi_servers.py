"""Compares the servers of two AsyncAPI documents, known again by their address and not by their name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.contract.positions import token
from kernel.operation.asyncapi_model import Server
from registry.compat.asyncapi_bindings import Bound, compare_bindings
from registry.compat.asyncapi_security import compare_security
from registry.compat.asyncapi_sides import EventJournal, Holder, rest, turned
from registry.compat.asyncapi_whole import PLACEHOLDER

_KNOWN: Final = frozenset({
    "host", "pathname", "url", "protocol", "protocolVersion", "variables", "security", "bindings", "title", "summary",
    "description", "tags", "externalDocs",
})  # fmt: skip
# Protocols whose major versions do not understand each other (MQTT 3 and 5, AMQP 0-9-1 and 1.0).
_DIVIDED: Final = frozenset({"amqp", "amqps", "mqtt", "mqtts", "secure-mqtt"})
_PATHS: Final = frozenset({"http", "https", "ws", "wss"})  # where a slash at the end makes no other place

_VARIABLE: Final = frozenset({"enum", "default", "description", "examples"})

Renamed = Mapping[str, str]  # name of a server in the old document -> its name in the new one


def compare_servers(journal: EventJournal) -> Renamed:
    """Note what became of each server; gives the name that each one of the old document has now."""
    old, new = journal.old.read.servers, journal.new.read.servers
    pairs = _by_address(old, new)
    for name, other in pairs.items():
        _server(journal, old[name], new[other])
    for name, server in old.items():
        if name in pairs:
            continue
        if name in new and name not in pairs.values():
            pairs[name] = name
            _moved(journal, server, new[name])
            _server(journal, server, new[name])
        else:
            label = f"server {name!r}"
            journal.note(
                "server-changed", label, "it is gone", at=(server.pointer, None), before=_where(server)
            )
    for name, server in new.items():
        if name not in pairs.values():
            journal.note("server-added", f"server {name!r}", "it is new", at=(None, server.pointer))
    return pairs


def _by_address(old: Mapping[str, Server], new: Mapping[str, Server]) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for name, server in old.items():
        same = [other for other, there in new.items() if _address(there) == _address(server)]
        free = [other for other in same if other not in pairs.values()]
        if free:
            pairs[name] = name if name in free else free[0]
    return pairs


def _address(server: Server) -> bytes:
    """Identify what one connects to; placeholders count by their place."""
    path = server.pathname.rstrip("/") if server.protocol.lower() in _PATHS else server.pathname
    host = PLACEHOLDER.sub("{}", server.host).lower()
    return canonical_bytes([server.protocol.lower(), host, PLACEHOLDER.sub("{}", path)])


def _variables(journal: EventJournal, old: Server, new: Server) -> None:
    """Judge what may stand in the address: the old values and the default must stay."""
    names = [PLACEHOLDER.findall(one.host + one.pathname) for one in (old, new)]
    for name, other in zip(*names, strict=True):
        before, after = old.variables.get(name, {}), new.variables.get(other, {})
        at = f"{old.pointer}/variables{token(name)}", f"{new.pointer}/variables{token(other)}"
        label = f"server {new.name!r}"
        rest(journal, label, Holder(before, at[0]), Holder(after, at[1]), _VARIABLE)
        ends = [(one.get("enum"), one.get("default")) for one in (before, after)]
        if ends[0] == ends[1]:
            continue
        kept = ends[0][1] == ends[1][1] and _holds(ends[1][0], ends[0][0])
        rule, what = (
            ("server-added", "may have more values")
            if kept
            else ("server-changed", "has another default, or fewer values")
        )
        journal.note(rule, label, f"variable {other!r} {what}", at=at, before=before, after=after)


def _holds(outer: Any, inner: Any) -> bool:
    """Whether a list of values holds another; without a list, any value will do."""
    if not isinstance(outer, list):
        return outer is None
    return isinstance(inner, list) and {canonical_bytes(one) for one in inner} <= {
        canonical_bytes(one) for one in outer
    }


def _where(server: Server) -> str:
    return f"{server.protocol}://{server.host}{server.pathname}"


def _moved(journal: EventJournal, old: Server, new: Server) -> None:
    """Judge a server that kept its name and not its address."""
    spoken = old.protocol.lower() != new.protocol.lower()
    rule, what = (
        ("server-protocol-changed", f"it speaks {new.protocol} now, not {old.protocol}")
        if spoken
        else ("server-changed", f"its address {turned(_where(old), _where(new))}")
    )
    journal.note(
        rule,
        f"server {new.name!r}",
        what,
        at=(old.pointer, new.pointer),
        before=_where(old),
        after=_where(new),
    )


def _server(journal: EventJournal, old: Server, new: Server) -> None:
    label, at = f"server {new.name!r}", (old.pointer, new.pointer)
    if len(PLACEHOLDER.findall(old.host + old.pathname)) == len(PLACEHOLDER.findall(new.host + new.pathname)):
        _variables(journal, old, new)
    _version(journal, label, old, new)
    compare_security(journal, label, (f"{at[0]}/security", f"{at[1]}/security"), old.security, new.security)
    compare_bindings(journal, Bound("server", label, at), old.bindings, new.bindings)
    rest(journal, label, Holder(old.declared, at[0]), Holder(new.declared, at[1]), _KNOWN)


def _version(journal: EventJournal, label: str, old: Server, new: Server) -> None:
    before, after = (server.declared.get("protocolVersion") for server in (old, new))
    if before == after:
        return
    majors = [_major(version) for version in (before, after)]
    divided = new.protocol.lower() in _DIVIDED and None not in majors and majors[0] != majors[1]
    rule = "server-protocol-changed" if divided else "server-protocol-version-changed"
    at = tuple(
        server.pointer + ("/protocolVersion" if "protocolVersion" in server.declared else "")
        for server in (old, new)
    )
    journal.note(
        rule,
        label,
        f"its version of the protocol {turned(before, after)}",
        at=(at[0], at[1]),
        before=before,
        after=after,
    )


def _major(version: Any) -> str | None:
    found = re.match(r"v?(\d+)", str(version))
    return found[1] if found else None
