"""The rules of RFC 9111 for one answer: whether it may be kept, how long it is fresh, what a condition gets."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.port import Answer, Headers

_STORABLE: Final = frozenset(
    (200, 203, 204, 300, 301, 308, 404, 410)
)  # and explicitly fresh, or to be asked for again
_PART: Final = re.compile(rb'\s*([!#$%&\'*+.^_`|~0-9A-Za-z-]+)(?:=("(?:[^"\\]|\\.)*"|[^\s,;"]*))?\s*(?:,|$)')
_TAG: Final = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_LONGEST: Final = 2**31  # seconds (RFC 9111 section 1.2.2)
# Answered or asked for a part, or against loss: the provider's own business.
BYPASSING: Final = frozenset((b"range", b"if-range", b"if-match", b"if-unmodified-since", b"cookie"))
CONDITIONS: Final = frozenset((b"if-none-match", b"if-modified-since"))

Directives = dict[bytes, bytes]


def directives_of(headers: Headers, name: bytes = b"cache-control") -> Directives | None:
    """Read Cache-Control, names in lower case; None: it cannot be read. Of two that differ, none counts (§4.2.1)."""
    found: Directives = {}
    for line in [value for known, value in headers if known == name]:
        at = 0
        while at < len(line):
            part = _PART.match(line, at)
            if part is None:
                return None
            at = part.end()
            key, value = part[1].lower(), (part[2] or b"").strip(b'"')
            if found.setdefault(key, value) != value:
                return None
    return found


def seconds_in(directives: Mapping[bytes, bytes], name: bytes) -> int | None:
    """Give the seconds of a directive, None where it is not there; what is no number is 0: stale."""
    value = directives.get(name)
    if value is None:
        return None
    return min(int(value), _LONGEST) if value.isdigit() else 0


def may_keep(answer: Answer, asked: Directives, told: Directives | None, *, authorized: bool) -> bool:
    """Say whether a shared cache may keep an answer (section 3); `authorized`: the call showed Authorization."""
    if told is None or answer.status not in _STORABLE or answer.stream is not None:
        return False
    if b"no-store" in asked or b"no-store" in told or b"private" in told:
        return False
    names = {name for name, _ in answer.headers}
    if b"set-cookie" in names or b"*" in vary_of(answer.headers):
        return False
    return not authorized or bool(told.keys() & {b"public", b"s-maxage", b"must-revalidate"})  # section 3.5


def fresh_seconds(headers: Headers, told: Directives, wall: float) -> int:
    """Give how long an answer is fresh from its making (section 4.2.1); there is no guessing: 0 if nothing is said."""
    if b"no-cache" in told:
        return 0
    for name in (b"s-maxage", b"max-age"):
        seconds = seconds_in(told, name)
        if seconds is not None:
            return seconds
    expires = [value for name, value in headers if name == b"expires"]
    until = moment_of(expires[0]) if len(expires) == 1 else None
    if until is None:
        return 0
    made = moment_of(dict(headers).get(b"date", b""))
    return max(int(until - (made if made is not None else wall)), 0)


def age_of(answer: Answer, wall: float) -> float:
    """Give how old an answer is when it comes (section 4.2.3), in seconds; `wall` since the epoch."""
    fields = dict(answer.headers)
    told = fields.get(b"age", b"0")
    made = moment_of(fields.get(b"date", b""))
    apparent = max(wall - made, 0.0) if made is not None else 0.0
    return max(apparent, (int(told) if told.isdigit() else 0) + answer.upstream_seconds)


def vary_of(headers: Headers) -> tuple[bytes, ...]:
    """Name the request headers that the answer depends on, in lower case, sorted."""
    lines = b",".join(value for name, value in headers if name == b"vary")
    return tuple(sorted({name.strip().lower() for name in lines.split(b",") if name.strip()}))


def is_met(conditions: Headers, held: Mapping[bytes, bytes]) -> bool:
    """Say whether the caller has the answer already (RFC 9110 section 13.2.2); `held` are the kept answer's fields."""
    tags = b",".join(value for name, value in conditions if name == b"if-none-match")
    if tags:
        mine = held.get(b"etag")
        listed = {tag.removeprefix(b"W/") for tag in _TAG.findall(tags)}
        return tags.strip() == b"*" or (mine is not None and mine.removeprefix(b"W/") in listed)
    since = [value for name, value in conditions if name == b"if-modified-since"]
    changed, known = (
        moment_of(held.get(b"last-modified", b"")),
        moment_of(since[0]) if len(since) == 1 else None,
    )
    return changed is not None and known is not None and changed <= known


def moment_of(value: bytes) -> float | None:
    """Read an HTTP date as seconds since the epoch; None: it is none."""
    try:
        return parsedate_to_datetime(value.decode("ascii")).timestamp() if value else None
    except (ValueError, OverflowError):
        return None
