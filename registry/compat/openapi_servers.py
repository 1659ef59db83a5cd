"""Compares the addresses at which an operation is found, templates filled in with what they list."""

from __future__ import annotations

import itertools
import re
from typing import Any
from urllib.parse import urlsplit

from kernel.contract.digest import canonical_bytes
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_places import Scope
from registry.compat.openapi_sides import Part
from registry.compat.schema_view import Unreadable

MOST_ADDRESSES = 500  # of one server, its variables filled in
_VARIABLE = re.compile(r"\{([^{}]*)\}")
_PORTS = {"http": ":80", "https": ":443"}


def compare_servers(
    journal: Journal, scope: Scope, items: tuple[Part, Part], ends: tuple[Part, Part]
) -> None:
    """Judge the addresses that hold for an operation: its own, else its path's, else the document's."""
    listed, pointers = [], []
    for api, item, operation in zip((journal.old, journal.new), items, ends, strict=True):
        owner = next((part for part in (operation, item) if "servers" in part.value), Part(api.root, ""))
        servers = owner.value.get("servers") or [{"url": "/"}]
        if not isinstance(servers, list):
            raise Unreadable(f"a list was expected at #{owner.pointer}/servers")
        listed.append({_plain(address): address for server in servers for address in _addresses(server)})
        pointers.append(f"{owner.pointer}/servers" if "servers" in owner.value else owner.pointer)
    gone = [address for plain, address in listed[0].items() if plain not in listed[1]]
    added = [address for plain, address in listed[1].items() if plain not in listed[0]]
    at = (pointers[0], pointers[1])
    if gone:
        what = "An address of the server changed or is gone"
        journal.note("server-changed", scope, what, at=at, before=gone, after=added)
    elif added:
        journal.note("server-added", scope, "A server was added", at=at, after=added)


def _addresses(server: Any) -> list[str]:
    """Give every address of a Server Object; a variable without a list stays as it is, beside its default."""
    if not isinstance(server, dict) or not isinstance(server.get("url"), str):
        raise Unreadable("a server is an object with a url")
    url, variables = server["url"], server.get("variables")
    variables = variables if isinstance(variables, dict) else {}
    names = list(dict.fromkeys(_VARIABLE.findall(url)))
    choices = [_values(name, variables.get(name)) for name in names]
    found = []
    for values in itertools.islice(itertools.product(*choices), MOST_ADDRESSES + 1):
        filled = dict(zip(names, values, strict=True))
        pieces = _VARIABLE.split(url)  # text and names in turn
        found.append("".join(filled[piece] if index % 2 else piece for index, piece in enumerate(pieces)))
    if len(found) > MOST_ADDRESSES:
        return [canonical_bytes([url, variables]).decode()]  # too many: compared by their text
    return found


def _plain(address: str) -> str:
    """Give one writing to addresses that are the same (RFC 3986 §6.2.2.1, §6.2.3): scheme, host, default port.

    What a variable is called never travels.
    """
    address = _VARIABLE.sub("{}", address)
    try:
        parts = urlsplit(address)
    except ValueError:  # brackets that hold no IPv6 address
        return address
    user, at, host = parts.netloc.rpartition("@")
    host = host.lower().removesuffix(_PORTS.get(parts.scheme, ":")) if "{" not in host else host
    return parts._replace(netloc=user + at + host, path=parts.path or ("/" if host else "")).geturl()


def _values(name: str, variable: Any) -> list[str]:
    if not isinstance(variable, dict):
        return ["{" + name + "}"]
    if isinstance(variable.get("enum"), list):
        return [str(value) for value in variable["enum"]]
    return ["{" + name + "}", str(variable.get("default"))]
