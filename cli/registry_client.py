"""The command line's way to the registry: one HTTP client that turns every problem into an error."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import quote

import click

from kernel.errors import InterlockError
from kernel.settings import Settings, load
from registry.errors import RegistryUnreachable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SECONDS = 120.0
_BASE = "/api/v1"


class RegistryAnswer(InterlockError):
    """A problem that the registry answered; its own code and hint are shown, `status` is the HTTP status."""

    code = "registry-says-no"
    status = 0


class NotAllowedAnswer(RegistryAnswer):
    """The registry does not let this token do that."""

    code = "registry-not-allowed"
    exit_code = 4


class GateAnswer(RegistryAnswer):
    """The registry's gate says no to exactly what was looked at."""

    code = "registry-gate-says-no"
    exit_code = 1


class WrongAnswer(RegistryAnswer):
    """The registry knows nothing of that name, or what is asked has no meaning or contradicts what stands."""

    code = "registry-request-refused"
    exit_code = 2


_KINDS: Mapping[int, type[RegistryAnswer]] = {
    400: WrongAnswer,
    401: NotAllowedAnswer,
    403: NotAllowedAnswer,
    404: WrongAnswer,
    409: WrongAnswer,
    413: WrongAnswer,
    422: WrongAnswer,
}
_GATE = frozenset(
    {"gate-refused", "digest-mismatch"}
)  # codes of registry/errors.py that end with 1 there too


def registry_options(default_role: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Add `--registry`, `--token-file`, `--as` and `--data`; the function gets a `Registry` as `registry`."""

    def decorate(command: Callable[..., Any]) -> Callable[..., Any]:
        import functools

        @functools.wraps(command)
        def call(
            registry_url: str | None, token_file: Path | None, role: str, data: Path | None, **rest: Any
        ) -> Any:
            chosen = {"registry_url": registry_url, "data": str(data) if data else None}
            return command(registry=Registry(load(chosen), role, token_file), **rest)

        for option in (
            click.option("--data", type=click.Path(path_type=Path), help="Data folder whose registry and tokens are used."),
            click.option(
                "--as", "role", default=default_role, show_default=True,
                help="Token of the data folder to use: tokens/<NAME>.token.",
            ),
            click.option("--token-file", type=click.Path(path_type=Path, dir_okay=False), help="File that holds the token."),
            click.option("--registry", "registry_url", help="URL of the registry (default: the one of the data folder)."),
        ):  # fmt: skip
            call = option(call)
        return call

    return decorate


class Registry:
    """One registry as one principal; every method raises `RegistryUnreachable` or a `RegistryAnswer`."""

    most_listed: ClassVar[int] = 100_000

    def __init__(self, settings: Settings, role: str, token_file: Path | None = None) -> None:
        self._settings = settings
        self._role = role
        self._token_file = token_file

    def get(self, *path: str | int, **query: Any) -> Any:
        """Read."""
        return self._ask("GET", path, query=query)

    def post(self, *path: str | int, body: Any) -> Any:
        """Do."""
        return self._ask("POST", path, body=body)

    def put(self, *path: str | int, body: Any) -> Any:
        """Set."""
        return self._ask("PUT", path, body=body)

    def delete(self, *path: str | int, **query: Any) -> Any:
        """Remove."""
        return self._ask("DELETE", path, query=query)

    @property
    def url(self) -> str:
        """Where the registry is: the setting, else what the data folder's registry wrote about itself."""
        if self._settings["registry_url"]:
            return str(self._settings["registry_url"]).rstrip("/")
        file = self._settings.path / "run" / "registry.json"
        try:
            table = json.loads(file.read_text(encoding="utf-8"))
            return f"http://{table['host']}:{table['port']}"
        except (OSError, ValueError, KeyError):
            raise RegistryUnreachable(
                "no registry is known",
                hint="start one with `interlock up`, or name it with --registry URL or INTERLOCK_REGISTRY_URL",
            ) from None

    def _token(self) -> str:
        if self._token_file is None and self._settings["token"]:
            return str(self._settings["token"])
        file = self._token_file or self._settings.path / "tokens" / f"{self._role}.token"
        try:
            return file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise NotAllowedAnswer(
                f"there is no token in {file.name}",
                hint="give one with --token-file or INTERLOCK_TOKEN; the registry's host has them in tokens/",
            ) from None

    def _ask(
        self,
        method: str,
        path: tuple[str | int, ...],
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
    ) -> Any:
        import httpx

        url = self.url + _BASE + "".join(f"/{quote(str(part), safe='')}" for part in path)
        asked = {name: value for name, value in (query or {}).items() if value is not None}
        headers = {"Authorization": f"Bearer {self._token()}", "Accept": "application/json"}
        try:
            answer = httpx.request(
                method, url, params=asked, json=body, headers=headers, timeout=_SECONDS, trust_env=False
            )
        except httpx.HTTPError as error:
            raise RegistryUnreachable(
                f"the registry at {self.url} does not answer: {type(error).__name__}", hint="is it running?"
            ) from None
        if answer.is_success:
            return answer.json() if answer.content else None
        raise _problem(answer.status_code, answer.content)


def _problem(status: int, content: bytes) -> RegistryAnswer:
    try:
        problem = json.loads(content)
    except ValueError:
        problem = {}
    if not isinstance(problem, dict):
        problem = {}
    message = str(problem.get("detail") or problem.get("title") or f"the registry answered {status}")
    reasons = [str(reason) for reason in problem.get("reasons", []) if str(reason) not in message]
    kind = GateAnswer if problem.get("code") in _GATE else _KINDS.get(status, RegistryAnswer)
    answer = kind("; ".join([message, *reasons]), hint=str(problem.get("hint", "")))
    answer.status = status
    return answer
