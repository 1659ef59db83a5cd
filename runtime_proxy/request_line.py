"""What a request line may be, and what is wrong with any other."""

from __future__ import annotations

import re
from typing import Final

# RFC 9112 §3: one space each, origin form. The target may hold what RFC 3986 allows in path and query, and
# the `[`, `]` and `|` that common clients leave bare in queries.
REQUEST_LINE: Final = re.compile(rb"([A-Z][A-Z-]{0,31}) (/[!$-;=?-\[\]_a-z|~]*) HTTP/1\.([01])\r\n")
# RFC 9112 §3.2.2: a server takes it; which authority it may name, runtime_proxy/authority.py says.
ABSOLUTE_LINE: Final = re.compile(
    rb"([A-Z][A-Z-]{0,31}) ([A-Za-z]{4}://[!$-;=?-\[\]_a-z|~]+) HTTP/1\.([01])\r\n"
)
# llhttp reads what follows the request line alike for all of these.
COMMON: Final = frozenset((b"DELETE", b"GET", b"HEAD", b"OPTIONS", b"PATCH", b"POST", b"PUT"))
_TOKEN: Final = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_VERSION: Final = re.compile(rb"HTTP/[0-9]\.[0-9]")
_ORIGIN_FORM: Final = re.compile(rb"/[!$-;=?-\[\]_a-z|~]*")


def line_slug(line: bytes, max_target: int) -> str:
    """Say what is wrong with a request line, as a row of refusals_edge.py."""
    parts = line.split(b" ")
    if len(parts) != 3 or not all(parts) or line.find(b"\n") >= 0 or line.find(b"\r") >= 0:  # noqa: PLR2004 - RFC 9112 §3
        return "request-malformed"
    method, target, version = parts
    if _TOKEN.fullmatch(method) is None:
        return "request-malformed"
    if version not in (b"HTTP/1.1", b"HTTP/1.0"):
        return "http-version-unsupported" if _VERSION.fullmatch(version) else "request-malformed"
    if len(target) > max_target:
        return "target-too-long"
    if method == b"CONNECT" or _ORIGIN_FORM.fullmatch(target) is not None:
        return "method-unknown"
    return "target-invalid"
