"""Hosts and absolute targets of requests: one name that every program behind us reads alike, or a refusal."""

from __future__ import annotations

import re
from ipaddress import AddressValueError, IPv6Address
from typing import Final

_LONGEST_NAME: Final = 255
_HIGHEST_PORT: Final = 65_535
# RFC 9112 §3.2, RFC 3986 §3.2.2: no user, no list, no percent-encoding, no empty label but the last one.
_HOST: Final = re.compile(
    rb"(?:([A-Za-z0-9_~-]+(?:\.[A-Za-z0-9_~-]+)*\.?)|\[([0-9A-Fa-f:.]{2,45})\])(?::([0-9]{0,5}))?"
)
# RFC 9112 §3.2.2. `https` never comes over a connection in this form: clients of TLS proxies say CONNECT.
_ABSOLUTE: Final = re.compile(rb"[hH][tT][tT][pP]://([^/?]+)(/[!$-;=?-\[\]_a-z|~]*)")


def is_host(value: bytes) -> bool:
    """Whether a Host field holds one host and at most a port (RFC 9110 §7.2)."""
    found = _HOST.fullmatch(value)
    if found is None:
        return False
    name, address, port = found.groups()
    if port and int(port) > _HIGHEST_PORT:
        return False
    return len(name) <= _LONGEST_NAME if name is not None else _is_address(address)


def origin_form(target: bytes, hosts: list[bytes]) -> bytes | None:
    """Give the path and query of an absolute target (RFC 9112 §3.2.2) whose authority is the only Host.

    None where it is none, or names another host: then one of the two would have to be ignored.
    """
    found = _ABSOLUTE.fullmatch(target)
    if found is None or [_without_default_port(host) for host in hosts] != [_without_default_port(found[1])]:
        return None
    return found[2]


def _without_default_port(authority: bytes) -> bytes:
    """Write an authority of `http` in its normal form (RFC 9110 §4.2.3): `h`, `H:` and `h:80` are one."""
    return authority.lower().removesuffix(b":80").removesuffix(b":")


def _is_address(text: bytes) -> bool:
    try:
        IPv6Address(text.decode("ascii"))
    except AddressValueError:
        return False
    return True
