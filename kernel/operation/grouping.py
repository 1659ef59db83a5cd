"""The fields of a query and of cookies, gathered by name; what carries a key is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kernel.operation.cookies import bare_name
from kernel.operation.fields import Groups
from kernel.operation.styles import PERCENT, PLUS, pairs_of, text_of
from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from kernel.operation.fields import Fields
    from kernel.operation.limits import OperationLimits
    from kernel.operation.message import Headers

# What RFC 3986 §3.4 has in a query, and the characters that real clients send as they are: []|{}"<>^`\
_QUERY_BYTES: Final = bytes(byte for byte in range(0x21, 0x7F) if byte != ord("#"))


def groups_of(query: bytes, limits: OperationLimits) -> Groups:
    """Gather the fields of a query; raises `Undecodable` for one that is none, or too large."""
    if len(query) > limits.query_bytes:
        raise Undecodable("limit")
    if query.translate(None, _QUERY_BYTES):
        raise Undecodable("query")
    groups: Groups = {}
    plain = PERCENT not in query and PLUS not in query
    for raw_name, value in pairs_of(query, limits.query_pairs):
        name = raw_name.decode() if plain else text_of(raw_name, plus=True)
        if name in groups:
            groups[name].append(value)
        else:
            groups[name] = [value]
    return groups


def cookies_of(headers: Headers, declared: Fields, limits: OperationLimits) -> Groups:
    """Gather cookies under the names that are declared; raises `Undecodable` where there are too many."""
    groups: Groups = {}
    for value in (value for name, value in headers if name == b"cookie"):
        if value.count(b";") >= limits.cookie_pairs:
            raise Undecodable("limit")
        for pair in value.split(b";"):
            name, _, raw = pair.strip(b" \t").partition(b"=")
            if name or raw:
                text, bare = name.decode("latin-1"), bare_name(name).decode()
                known = text if declared.knows(text) else bare
                groups.setdefault(known if declared.knows(known) else text, []).append(raw)
    return groups


def without(groups: Groups, names: frozenset[str]) -> Groups:
    """Leave out the fields that carry a key, which are no unknown fields."""
    for name in names.intersection(groups):
        del groups[name]
    return groups


def without_keys(query: bytes, names: frozenset[str]) -> bytes:
    """Cut the fields out that carry a key: they belong to security, not to the value."""
    if not names:
        return query
    return b"&".join(
        piece for piece in query.split(b"&") if text_of(piece.partition(b"=")[0], plus=True) not in names
    )
