"""What stands before connexion: a bound on bodies, and no body without a media type."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.datastructures import Headers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

MOST_BYTES: Final = 40 * 1024 * 1024  # a document of 16 MiB, its quotes and line ends escaped
_SECURITY_HEADERS: Final = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


class Front:
    """An ASGI application around another: 413 and 415 before anything is parsed, and safe headers after."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > MOST_BYTES:
            await _refuse(send, 413, "body-too-large", f"a body has at most {MOST_BYTES} bytes")
            return
        if "transfer-encoding" in headers:
            # connexion takes a chunked body for none at all; nobody who sends JSON needs it.
            await _refuse(send, 413, "body-too-large", "send the body with its Content-Length")
            return
        if int(length) and "content-type" not in headers:
            # connexion would guess a media type here.
            await _refuse(send, 415, "media-type-unsupported", "the body has no Content-Type")
            return
        await self._app(scope, receive, _with_headers(send))


def _with_headers(send: Send) -> Send:
    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            known = {name.lower() for name, _ in message.get("headers", ())}
            added = [pair for pair in _SECURITY_HEADERS if pair[0] not in known]
            message = {**message, "headers": [*message.get("headers", ()), *added]}
        await send(message)

    return guarded


async def _refuse(send: Send, status: int, code: str, detail: str) -> None:
    titles = {413: "Request Entity Too Large", 415: "Unsupported Media Type"}
    body: dict[str, Any] = {
        "type": f"urn:interlock:error:{code}",
        "title": titles[status],
        "status": status,
        "detail": detail,
        "code": code,
    }
    data = json.dumps(body).encode()
    headers = [
        (b"content-type", b"application/problem+json"),
        (b"content-length", str(len(data)).encode()),
        (b"connection", b"close"),  # the body was not read
        *_SECURITY_HEADERS,
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": data})
