"""Gets the OpenAPI document of a code-first application: by importing it confined, or from an address."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ci.confined import Bounds, Ended, clean_environment, run_confined
from ci.errors import ApplicationUnusable
from kernel.contract.document import Document, kind_of, parse
from kernel.errors import InterlockError

LOADER: Final = Path(__file__).parent / "foreign_loader.py"
MEMORY: Final = 2 * 1024**3  # bytes of address space
LARGEST: Final = 32 * 1024**2  # bytes of a document
SPECTACULAR: Final = "drf-spectacular"
_TARGET: Final = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*(\(\))?")
_FETCH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Import:
    """What to import with which interpreter: `package.module:app`, `…:make_app()`, or `drf-spectacular`.

    `environment` is all of it that the application sees, beside HOME, LANG, PATH and TMPDIR.
    """

    target: str
    folder: Path
    python: Path
    openapi_path: str = "/openapi.json"
    django_settings: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 60.0


def from_import(wanted: Import) -> Document:
    """Import an application in a process of its own and read its document.

    Without network where the system allows it, without our environment, with bounded time and memory. Raises
    `ApplicationUnusable` saying what the application said.
    """
    if wanted.target != SPECTACULAR and _TARGET.fullmatch(wanted.target) is None:
        raise ApplicationUnusable(
            f"{wanted.target[:100]!r} names no application",
            hint="write package.module:app, package.module:make_app(), drf-spectacular, or an address",
        )
    with tempfile.TemporaryDirectory(prefix="interlock-drift-") as text:
        home = Path(text)
        order = {
            "target": wanted.target,
            "folder": str(wanted.folder.resolve()),
            "openapi_path": wanted.openapi_path,
            "django_settings": wanted.django_settings,
        }
        (home / "order.json").write_text(json.dumps(order), encoding="utf-8")
        output = home / "document.json"
        command = [str(wanted.python), "-I", "-B", str(LOADER), str(home / "order.json"), str(output)]
        environment = {**wanted.environment, **clean_environment(home)}
        if wanted.django_settings:
            environment["DJANGO_SETTINGS_MODULE"] = wanted.django_settings
        bounds = Bounds(wanted.seconds, MEMORY, LARGEST)
        try:
            ended = run_confined(command, home, environment, bounds, network=False)
        except OSError as error:
            raise ApplicationUnusable(
                f"{wanted.python} cannot be run: {error.strerror}",
                hint="name the application's interpreter with --python",
            ) from None
        return _read(output, ended, wanted)


def _read(output: Path, ended: Ended, wanted: Import) -> Document:
    if ended.code != 0 or not output.is_file():
        ended_so = (
            f"its interpreter ended with {ended.code}" if ended.code else "its interpreter wrote nothing"
        )
        why = ended.why or ended_so
        lines = ended.complaint.decode("utf-8", "replace").strip().splitlines()
        said = f": {lines[-1][:300]}" if lines else ""
        raise ApplicationUnusable(
            f"{wanted.target} could not be loaded: {why}{said}",
            hint="is --python the interpreter in which the application runs?",
        )
    data = output.read_bytes()
    try:
        answer = json.loads(data)
        failed = answer.get("error")
    except (ValueError, AttributeError, RecursionError):
        raise ApplicationUnusable(f"{wanted.target} wrote something that cannot be read") from None
    if failed is not None:
        raise _failed(failed, wanted)
    return _document(json.dumps(answer.get("document")).encode(), wanted.target)


def _failed(error: Any, wanted: Import) -> ApplicationUnusable:
    kind, message, place = (
        " ".join(str(error.get(key, "")).split())[:500] for key in ("kind", "message", "place")
    )
    where = f" ({place})" if place else ""
    hints = {
        "ModuleNotFoundError": "name the interpreter that has it with --python, and the folder of your code with --app-dir",
        "ImproperlyConfigured": "name the settings of Django with --django-settings package.settings",
        "NoDocument": "name an object that makes its own OpenAPI document, or where it serves it with --openapi-path",
        "KeyError": "an environment variable may be missing: give it with --env NAME=VALUE",
    }
    kind_of_hint = "ImproperlyConfigured" if "ImproperlyConfigured" in message else kind
    hint = hints.get(
        kind_of_hint,
        "import it by hand in a clean environment: what an import needs goes into --env NAME=VALUE",
    )
    return ApplicationUnusable(f"{wanted.target} could not be loaded: {kind}: {message}{where}", hint=hint)


def from_address(url: str, headers: Mapping[str, str]) -> Document:
    """Fetch a document, at most 32 MiB in 30 seconds, without following redirects; raises `ApplicationUnusable`."""
    import httpx  # noqa: PLC0415 - only where an address is named

    pieces: list[bytes] = []
    size = 0
    try:
        with (
            httpx.Client(timeout=_FETCH_SECONDS, trust_env=False, follow_redirects=False) as client,
            client.stream(
                "GET", url, headers={"Accept": "application/json, application/yaml", **headers}
            ) as answer,
        ):
            if answer.status_code != httpx.codes.OK:
                raise ApplicationUnusable(
                    f"{_shown(url)} answered {answer.status_code}",
                    hint="name the address of its OpenAPI document",
                )
            for piece in answer.iter_bytes():
                size += len(piece)
                if size > LARGEST:
                    raise ApplicationUnusable(f"{_shown(url)} is larger than {LARGEST} bytes")
                pieces.append(piece)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise ApplicationUnusable(
            f"{_shown(url)} cannot be fetched: {type(error).__name__}",
            hint="look at the address, and whether it runs",
        ) from None
    return _document(b"".join(pieces), _shown(url))


def _shown(url: str) -> str:
    return url.partition("?")[0][:200]


def _document(data: bytes, name: str) -> Document:
    try:
        document = parse(data, name=name)
        kind = kind_of(document.root)
    except InterlockError as error:
        raise ApplicationUnusable(f"what {name} gives is no OpenAPI document: {error.message}") from None
    if kind != "openapi":
        raise ApplicationUnusable(f"what {name} gives is of kind {kind}, not openapi")
    return document
