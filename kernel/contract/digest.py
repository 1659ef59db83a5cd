"""Canonical bytes and the digest over them: what the architecture board approves and signs.

The form is RFC 8785 (keys by UTF-16 code units, its escapes, its number layout) with one widening:
numbers that a double cannot hold keep their exact digits instead of being rounded or refused. So
equal JSON values have equal bytes, and unequal ones never do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

from kernel.contract.errors import DocumentEncoding, LimitPassed, NotJson
from kernel.contract.numbers import canonical_number

MAX_DEPTH = 400  # above what a document may have (200), below what Python's stack holds

_quoted: Callable[[str], str] = encode_basestring  # escapes `"`, `\` and controls as RFC 8785 §3.2.2.2 does


def canonical_bytes(value: Any) -> bytes:
    """Write a JSON value (None, bool, int, float, Decimal, str, list, tuple, dict) in its one form.

    Raises `NotJson` for anything else, `DocumentEncoding` for a lone surrogate, `NumberRefused` for NaN
    and infinities, `LimitPassed` for nesting beyond `MAX_DEPTH`.
    """
    out: list[str] = []
    _write(value, out.append, MAX_DEPTH)
    try:
        return "".join(out).encode("utf-8")
    except UnicodeEncodeError:
        raise DocumentEncoding(
            "a string holds a lone surrogate", hint="surrogate escapes (\\ud800 to \\udfff) come in pairs"
        ) from None


def canonical_object(members: Mapping[str, bytes]) -> bytes:
    """Give the canonical bytes of an object, of whose members the canonical bytes are known."""
    keys = sorted(members, key=_utf16)
    return b"{" + b",".join(canonical_bytes(key) + b":" + members[key] for key in keys) + b"}"


def digest(value: Any) -> str:
    """Give `sha256:<64 hex digits>` of the canonical bytes."""
    return digest_of_bytes(canonical_bytes(value))


def digest_of_bytes(data: bytes) -> str:
    """Give `sha256:<64 hex digits>` of bytes that are canonical already (a blob)."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _write(value: Any, put: Callable[[str], None], depth: int) -> None:
    # One function for all types: a call per node is what canonical bytes of a large document cost.
    if isinstance(value, str):
        put(_quoted(value))
    elif value is None:
        put("null")
    elif value is True:
        put("true")
    elif value is False:
        put("false")
    elif isinstance(value, int | float | Decimal):
        put(canonical_number(value))
    elif isinstance(value, Mapping | list | tuple):
        if depth == 0:
            raise LimitPassed(f"a value is nested deeper than {MAX_DEPTH} levels", hint="nest less deeply")
        if isinstance(value, Mapping):
            _write_object(value, put, depth - 1)
        else:
            _write_array(value, put, depth - 1)
    else:
        raise NotJson(f"a {type(value).__name__} has no JSON form", hint="use what JSON can carry")


def _write_object(value: Mapping[Any, Any], put: Callable[[str], None], depth: int) -> None:
    try:
        # Without characters beyond ASCII, code points and UTF-16 code units sort alike.
        keys = sorted(value) if all(map(str.isascii, value)) else sorted(value, key=_utf16)
    except TypeError:
        raise NotJson("an object has a key that is no string", hint="JSON keys are strings") from None
    separator = "{"
    for key in keys:
        put(separator + _quoted(key) + ":")
        _write(value[key], put, depth)
        separator = ","
    put("}" if keys else "{}")


def _write_array(value: list[Any] | tuple[Any, ...], put: Callable[[str], None], depth: int) -> None:
    separator = "["
    for item in value:
        put(separator)
        _write(item, put, depth)
        separator = ","
    put("]" if value else "[]")


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be", "surrogatepass")
