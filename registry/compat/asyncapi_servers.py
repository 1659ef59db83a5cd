"""Compares the servers of two AsyncAPI documents, known again by their address and not by their name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.operation.asyncapi_model import Server
from registry.compat.asyncapi_bindings import Bound, compare_bindings
from registry.compat.asyncapi_security import compare_security
from registry.compat.asyncapi_sides import EventJournal, Holder, rest
from registry.compat.asyncapi_whole import PLACEHOLDER

_KNOWN: Final = frozenset({
    "host", "pathname", "url", "protocol", "protocolVersion", "variables", "security", "bindings", "title", "summary",
    "description", "tags", "externalDocs",
})  # fmt: skip
# Protocols whose major versions do not understand each other (MQTT 3 and 5, AMQP 0-9-1 and 1.0).
_DIVIDED: Final = frozenset({"amqp", "amqps", "mqtt", "mqtts", "secure-mqtt"})

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
    """Identify what one connects to; placeholders count by their place, variables by what they may hold."""
    text = f"{server.host.lower()}{server.pathname.rstrip('/')}"
    held = [server.variables.get(name, {}) for name in PLACEHOLDER.findall(text)]
    # Names of variables are compared as they are written: hosts are lower-cased above, and so are they.
    lowered = {name.lower(): one for name, one in server.variables.items()}
    held = [one or lowered.get(name, {}) for name, one in zip(PLACEHOLDER.findall(text), held, strict=True)]
    values = [[sorted(map(str, one.get("enum", []))), one.get("default")] for one in held]
    return canonical_bytes([server.protocol.lower(), PLACEHOLDER.sub("{}", text), values])


def _where(server: Server) -> str:
    return f"{server.protocol}://{server.host}{server.pathname}"


def _moved(journal: EventJournal, old: Server, new: Server) -> None:
    """Judge a server that kept its name and not its address."""
    spoken = old.protocol.lower() != new.protocol.lower()
    rule, what = (
        ("server-protocol-changed", f"it speaks {new.protocol} now, not {old.protocol}")
        if spoken
        else ("server-changed", "its address or the variables of its address changed")
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
    _version(journal, label, old, new)
    compare_security(journal, label, (f"{at[0]}/security", f"{at[1]}/security"), old.security, new.security)
    compare_bindings(journal, Bound("server", label, at), old.bindings, new.bindings)
    rest(journal, label, Holder(old.declared, at[0]), Holder(new.declared, at[1]), _KNOWN)


def _version(journal: EventJournal, label: str, old: Server, new: Server) -> None:
    before, after = (server.declared.get("protocolVersion") for server in (old, new))
    if before is None or before == after:
        return
    majors = [_major(version) for version in (before, after)]
    divided = new.protocol.lower() in _DIVIDED and None not in majors and majors[0] != majors[1]
    rule = "server-protocol-changed" if divided else "server-protocol-version-changed"
    at = tuple(
        server.pointer + ("/protocolVersion" if "protocolVersion" in server.declared else "")
        for server in (old, new)
    )
    journal.note(
        rule, label, "its version of the protocol changed", at=(at[0], at[1]), before=before, after=after
    )


def _major(version: Any) -> str | None:
    found = re.match(r"v?(\d+)", str(version))
    return found[1] if found else None
