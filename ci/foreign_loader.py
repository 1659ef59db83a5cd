"""Imports an application and writes its OpenAPI document; run by the application's own interpreter, alone.

    PYTHON -I -B foreign_loader.py ORDER.json OUTPUT.json

Standard library only, and nothing of Interlock's: it shares an interpreter with code that is not ours.
OUTPUT is `{"document": …}` or `{"error": {"kind", "message", "place"}}`; nothing in it is trusted.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import json
import os
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_REFUSED = frozenset({"socket.connect", "socket.sendto", "socket.bind", "subprocess.Popen", "os.system"})


class NoDocument(Exception):
    """The object was imported, and nothing of it gives an OpenAPI document."""


def main(order_file: str, output_file: str) -> None:
    """Load, and write what came of it; never raises."""
    order = json.loads(Path(order_file).read_text(encoding="utf-8"))
    sys.path.insert(0, order["folder"])
    os.chdir(order["folder"])
    sys.addaudithook(_no_network)
    try:
        answer: dict[str, Any] = {"document": load(order)}
        text = json.dumps(answer, default=str, allow_nan=False)
    except BaseException as error:  # noqa: BLE001 - an application may raise anything, SystemExit too
        text = json.dumps({"error": _told(error, order["folder"])})
    Path(output_file).write_text(text, encoding="utf-8")


def load(order: Mapping[str, Any]) -> Any:
    """Import what the order names and ask it for its document."""
    if order["django_settings"]:
        importlib.import_module("django").setup()
    if order["target"] == "drf-spectacular":
        generators = importlib.import_module("drf_spectacular.generators")
        return _plain(generators.SchemaGenerator().get_schema(request=None, public=True))
    module, _, path = order["target"].partition(":")
    found: Any = importlib.import_module(module)
    factory = path.endswith("()")
    for name in path.removesuffix("()").split("."):
        found = getattr(found, name)
    if factory:
        found = found()
    return _plain(document_of(found, order["openapi_path"]))


def document_of(found: Any, openapi_path: str) -> Any:
    """Ask an object in the ways that frameworks have: methods first, then the path that it serves."""
    if isinstance(found, Mapping):
        return found
    if callable(getattr(found, "get_openapi_schema", None)):  # django-ninja
        return found.get_openapi_schema()
    if callable(getattr(found, "openapi", None)):  # FastAPI, and what follows it
        return found.openapi()
    for name in ("openapi_schema", "spec"):  # Litestar; flask-smorest, apispec
        inner = getattr(found, name, None)
        for way in ("to_schema", "to_dict"):
            if callable(getattr(inner, way, None)):
                return getattr(inner, way)()
    if callable(found):
        return json.loads(_served(found, openapi_path))
    raise NoDocument(f"{type(found).__name__} gives no OpenAPI document")


def _served(application: Any, path: str) -> bytes:
    """GET a path from an ASGI or WSGI application within this process."""
    if len(inspect.signature(application).parameters) == 3:  # noqa: PLR2004 - scope, receive, send
        return asyncio.run(_from_asgi(application, path))
    return _from_wsgi(application, path)


async def _from_asgi(application: Any, path: str) -> bytes:
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET", "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "",
        "headers": [(b"host", b"localhost"), (b"accept", b"application/json")],
        "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80),
    }  # fmt: skip
    status, pieces = 0, []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)
        pieces.append(message.get("body", b""))

    await application(scope, receive, send)
    return _good(status, b"".join(pieces), path)


def _from_wsgi(application: Any, path: str) -> bytes:
    from io import BytesIO  # noqa: PLC0415 - only here
    from wsgiref.util import setup_testing_defaults  # noqa: PLC0415 - as above

    environ: dict[str, Any] = {"PATH_INFO": path, "HTTP_HOST": "localhost", "wsgi.input": BytesIO()}
    setup_testing_defaults(environ)
    told: list[str] = []
    body = application(environ, lambda status, *_: told.append(status))
    return _good(int(told[0].split()[0]), b"".join(body), path)


def _good(status: int, body: bytes, path: str) -> bytes:
    if status != 200:  # noqa: PLR2004 - HTTP
        raise NoDocument(f"GET {path} answered {status}, not 200")
    return body


def _plain(document: Any) -> Any:
    if not isinstance(document, Mapping):
        raise NoDocument(f"the document is a {type(document).__name__}, not a mapping")
    return document


def _no_network(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuse what an import has no business with; a namespace without network stands behind this."""
    if event in _REFUSED and not (event.startswith("socket") and _is_local(arguments)):
        raise PermissionError(f"{event} is refused: the application is only imported, not run")


def _is_local(arguments: tuple[Any, ...]) -> bool:
    # asyncio.run makes a pair of Unix sockets for itself.
    return len(arguments) > 1 and isinstance(arguments[1], str | bytes)


def _told(error: BaseException, folder: str) -> dict[str, str]:
    """Say what failed and where in the application's own files."""
    place = ""
    for frame in traceback.extract_tb(error.__traceback__):
        if frame.filename.startswith(folder):
            place = f"{os.path.relpath(frame.filename, folder)}:{frame.lineno}"
    return {"kind": type(error).__name__, "message": str(error)[:500], "place": place}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
