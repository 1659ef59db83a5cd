"""Names of cookies as lenient servers read them: what stands around a name does not make another of it.

A cookie-name is a token (RFC 6265 section 4.1.1), but many servers take off blanks, and some any white
space that Unicode knows, before they look it up (RFC 6265bis section 5.6): `role =admin` is `role` to them.
"""

from __future__ import annotations

from typing import Final

_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_OTHERS: Final = bytes(set(range(256)) - set(_TOKEN))


def bare_name(name: bytes) -> bytes:
    """Give a name without the bytes that no token holds."""
    return name.translate(None, _OTHERS)


def is_cookie(name: bytes, wanted: bytes) -> bool:
    """Whether some server may take `name` for the cookie `wanted`."""
    return wanted in {name, bare_name(name)}
