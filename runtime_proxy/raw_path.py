"""A raw request target, split into its segments; what two servers could read differently is refused."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote_to_bytes

# RFC 3986 §3.3: pchar without its escapes, and the slash between segments.
_PATH_BYTES: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%"
_BROKEN_ESCAPE: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_DOTS: Final = (b".", b"..")
# A control byte splits lines wherever a path is written decoded; a backslash is a slash to some servers.
_ENCODED_ODDITY: Final = re.compile(rb"[\x00-\x1f\x7f\\]")


def split_path(raw_path: bytes) -> tuple[bytes, ...] | None:
    """Split a raw path into raw segments; None when it must not be served (see the module's words).

    `/` is one empty segment, a trailing slash leaves an empty last one.
    """
    # `find`, not `in`: on bytes, `in` first tries its argument as a number, and fails slowly.
    if raw_path[:1] != b"/" or raw_path.find(b"//") >= 0 or raw_path.translate(None, _PATH_BYTES):
        return None
    segments = tuple(raw_path[1:].split(b"/"))
    if raw_path.find(b"%") >= 0:
        decoded = unquote_to_bytes(raw_path)
        if _BROKEN_ESCAPE.search(raw_path) or _ENCODED_ODDITY.search(decoded) or not _is_utf8(decoded):
            return None
        # An encoded slash is data, but `..%2F` would climb wherever it is decoded too early.
        if any(_is_dots(part) for part in decoded.split(b"/")):
            return None
    elif raw_path.find(b"/.") >= 0 and any(_is_dots(segment) for segment in segments):
        return None
    return segments


def _is_dots(segment: bytes) -> bool:
    """Whether it is a dot segment (RFC 3986 §5.2.4), also to servers that cut `;parameters` off first."""
    return segment.partition(b";")[0] in _DOTS


def _is_utf8(decoded: bytes) -> bool:
    """Whether it is UTF-8 and no overlong form, which hides dots and slashes (RFC 3629 §3, §10)."""
    try:
        decoded.decode()
    except UnicodeDecodeError:
        return False
    return True


def split_target(target: bytes) -> tuple[bytes, bytes]:
    """Part a request target in origin form (RFC 9112 §3.2.1) into raw path and raw query, without "?"."""
    path, _, query = target.partition(b"?")
    return path, query
