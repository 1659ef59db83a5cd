"""Fields that `Connection` must never name: they belong to the whole way of a message, not to one hop.

Whoever names them has an intermediary drop what another relies on: credentials, framing, the caller's
address (RFC 9110 section 7.6.1; CVE-2022-31813 and its kin).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adapters.port import Headers

NOTHING: Final[frozenset[bytes]] = frozenset()
END_TO_END: Final = frozenset(
    {
        b"accept",
        b"accept-encoding",
        b"accept-language",
        b"authorization",
        b"cache-control",
        b"content-disposition",
        b"content-encoding",
        b"content-language",
        b"content-length",
        b"content-location",
        b"content-range",
        b"content-type",
        b"cookie",
        b"date",
        b"etag",
        b"expect",
        b"expires",
        b"forwarded",
        b"host",
        b"idempotency-key",
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"last-modified",
        b"location",
        b"origin",
        b"pragma",
        b"range",
        b"referer",
        b"retry-after",
        b"set-cookie",
        b"traceparent",
        b"tracestate",
        b"user-agent",
        b"vary",
        b"via",
        b"www-authenticate",
        b"x-forwarded-for",
        b"x-forwarded-host",
        b"x-forwarded-port",
        b"x-forwarded-proto",
        b"x-real-ip",
        b"x-request-id",
    }
)


def end_to_end(headers: Headers) -> Headers:
    """Leave out what an answer's `Connection` names: it ends here, and is no part of what the contract promises.

    What belongs to the whole way stays, whatever the provider says of it.
    """
    named = NOTHING
    for name, value in headers:
        if name == b"connection":
            more = named_by(value)
            named = named | more if more else named
    if not named:
        return headers
    return [line for line in headers if line[0] not in named or line[0] in END_TO_END]


def named_by(value: bytes) -> frozenset[bytes]:
    """Give the fields that one `Connection` line names; the words about the connection itself name none."""
    return NOTHING if value in {b"keep-alive", b"close"} else frozenset(options_of([value]))


def options_of(values: list[bytes]) -> list[bytes]:
    """Give the options of all `Connection` lines of a message, in lower case."""
    return [option.strip(b" \t") for option in b",".join(values).lower().split(b",")]
