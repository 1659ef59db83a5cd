"""The budget of time that goes along with a call, from the caller to the provider."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adapters.port import Call

HEADER: Final = b"request-timeout"  # seconds, a decimal fraction: how long the sender still waits


def with_time_left(call: Call, seconds: float) -> Call:
    """Give the same call with fewer seconds; where the header goes along, the provider is told too."""
    headers = None
    if hurried(call):
        headers = [(name, written(seconds) if name == HEADER else value) for name, value in call.headers]
    return call.but(headers=headers, seconds=seconds)


def hurried(call: Call) -> bool:
    """Say whether the caller itself has set how long it waits."""
    return any(name == HEADER for name, _ in call.headers)


def written(seconds: float) -> bytes:
    """Write seconds as the header has them, to the millisecond, never more than is left."""
    return b"%d.%03d" % divmod(int(seconds * 1000), 1000)
