"""Take serialized parameters apart as OpenAPI's `style` and `explode` say (RFC 6570), on raw bytes.

Delimiters are looked for before percent-decoding and values are decoded once afterwards, so that an
encoded delimiter is data. Everything here raises `Undecodable` for bytes that do not fit the style.
"""

from __future__ import annotations

import re
from typing import Final

from kernel.operation.violation import Undecodable

# Octets and not bytes objects: `b"%" in raw` raises and drops an exception within CPython 3.11 each time.
PERCENT: Final = ord("%")
PLUS: Final = ord("+")
_HEX: Final = "0123456789ABCDEFabcdef"
_ESCAPED: Final = {f"{high}{low}".encode(): bytes.fromhex(high + low) for high in _HEX for low in _HEX}
_SPACE: Final = re.compile(rb"%20|\+")
_PIPE: Final = re.compile(rb"\||%7[cC]")


def text_of(raw: bytes, *, plus: bool = False) -> str:
    """Percent-decode once and read as UTF-8; with `plus`, "+" is a space (query and form data)."""
    if plus and PLUS in raw:
        raw = raw.replace(b"+", b" ")
    if PERCENT in raw:
        raw = _unescaped(raw)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Undecodable("utf-8") from None


def _unescaped(raw: bytes) -> bytes:
    """Take the escapes off, all of which must be whole (RFC 3986 section 2.1)."""
    pieces = raw.split(b"%")
    found = [pieces[0]]
    for piece in pieces[1:]:
        octet = _ESCAPED.get(piece[:2])
        if octet is None:
            raise Undecodable("percent-encoding")
        found.append(octet)
        found.append(piece[2:])
    return b"".join(found)


def bare(style: str, name: bytes, raw: bytes) -> bytes:
    """Take the prefix of `label` (".") and of `matrix` (";name=") off a primitive value."""
    if style == "label":
        return _after(raw, b".")
    if style == "matrix":
        value = _after(raw, b";" + name)
        return value[1:] if value[:1] == b"=" else _nothing(value)
    return raw


def elements(style: str, name: bytes, raw: bytes, limit: int, *, explode: bool) -> list[bytes]:
    """Split an array, still encoded; a value of no bytes is one empty element."""
    if style == "label":
        return _split(_after(raw, b"."), b"." if explode else b",", limit)
    if style == "matrix" and explode:
        pieces = _split(_after(raw, b";"), b";", limit)
        return [bare("matrix", name, b";" + piece) for piece in pieces]
    if style == "matrix":
        return _split(bare("matrix", name, raw), b",", limit)
    if style == "spaceDelimited":
        return _split(_SPACE.sub(b" ", raw), b" ", limit)
    if style == "pipeDelimited":
        return _split(_PIPE.sub(b"|", raw), b"|", limit)
    return _split(raw, b",", limit)


def members(style: str, name: bytes, raw: bytes, limit: int, *, explode: bool) -> list[tuple[bytes, bytes]]:
    """Split an object into names and values, still encoded."""
    if explode:
        separator = {"label": b".", "matrix": b";"}.get(style, b",")
        raw = _after(raw, separator) if style in {"label", "matrix"} else raw
        return [_member(piece) for piece in _split(raw, separator, limit)] if raw else []
    if style == "label":
        flat = _split(_after(raw, b"."), b",", 2 * limit)
    else:
        flat = elements(style, name, raw, 2 * limit, explode=False)
    if flat == [b""]:
        return []
    if len(flat) % 2:
        raise Undecodable("style")
    return list(zip(flat[::2], flat[1::2], strict=True))


def pairs_of(raw: bytes, limit: int) -> list[tuple[bytes, bytes]]:
    """Split `a=1&b=2` into raw names and values; a name without "=" has an empty value.

    Empty pieces (`&&`) carry nothing and are passed over, as WHATWG URL §5.1 does.
    """
    if raw.count(b"&") >= limit:
        raise Undecodable("limit")
    pieces = [piece.partition(b"=") for piece in raw.split(b"&") if piece]
    return [(name, value) for name, _, value in pieces]


def _member(piece: bytes) -> tuple[bytes, bytes]:
    name, equals, value = piece.partition(b"=")
    if not equals:
        raise Undecodable("style")
    return name, value


def _split(raw: bytes, separator: bytes, limit: int) -> list[bytes]:
    """Split after counting, so that nothing is built from a bomb of delimiters."""
    if raw.count(separator) >= limit:
        raise Undecodable("limit")
    return raw.split(separator)


def _after(raw: bytes, prefix: bytes) -> bytes:
    if not raw.startswith(prefix):
        raise Undecodable("style")
    return raw[len(prefix) :]


def _nothing(rest: bytes) -> bytes:
    if rest:
        raise Undecodable("style")
    return rest
