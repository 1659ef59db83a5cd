"""The form in which a message comes to an operation, off the wire and with nothing decoded."""

from __future__ import annotations

from typing import Any, Final, Protocol

Headers = list[tuple[bytes, bytes]]  # names in lower case, order kept, values as sent
# OpenAPI 3.x, "Parameter Object": declared as header parameters these "SHALL be ignored".
IGNORED_HEADERS: Final = frozenset({"accept", "content-type", "authorization"})


class Remembered(Protocol):
    """What is kept with field lines that came before, Content-Length apart, and goes when they are forgotten."""

    made: dict[Any, Any]

    def keep(self, reason: Any, made: Any) -> None:
        """Keep what was derived from those lines alone."""


def about_body(headers: Headers) -> tuple[bytes | None, bool]:
    """Give Content-Type (None: there is none, or of two neither counts), and whether the body is coded."""
    content_type: bytes | None = None
    many = coded = False
    for name, value in headers:
        if name == b"content-type":
            many = content_type is not None
            content_type = value
        elif name == b"content-encoding":
            coded = True
    return None if many else content_type, coded
