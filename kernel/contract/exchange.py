"""The whole request, response or message in which a witness travels: what one could send to see it break.

Plain JSON values, so that reports, stored reviews and pages hold the same form (docs/reference/findings.md).
`body` and `payload` are JSON values where `content_type` says JSON, else the text as it is sent; a key that
is absent means that there is none. Header names are lower-case, `headers` leaves `content-type` out.
"""

from __future__ import annotations

from typing import Any, Literal, TypedDict


class RequestExchange(TypedDict, total=False):
    """An HTTP request: `path` with its parameters filled in and percent-encoded, `query` without its `?`.

    `operation` is "METHOD template"; `called`: we send it (a callback or webhook).
    """

    kind: Literal["request"]
    operation: str
    method: str
    path: str
    query: str
    headers: dict[str, str]
    content_type: str
    body: Any
    called: bool


class ResponseExchange(TypedDict, total=False):
    """The answer to a call of `operation` ("METHOD template")."""

    kind: Literal["response"]
    operation: str
    status: int
    headers: dict[str, str]
    content_type: str
    body: Any
    called: bool


class MessageExchange(TypedDict, total=False):
    """A message of AsyncAPI at its channel's address; `action` is what the application does with it."""

    kind: Literal["message"]
    action: Literal["send", "receive"]
    address: str
    headers: dict[str, Any]
    content_type: str
    payload: Any


Exchange = RequestExchange | ResponseExchange | MessageExchange
