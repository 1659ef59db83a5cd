"""The adapter kind `http`: a partner or core system that speaks HTTP/1.1 and our contract as it stands."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import SplitResult, urlsplit

from adapters.errors import AdapterSettingsError
from adapters.port import AdapterKind
from adapters.wire.http import ClientLimits, HttpClient, Origin
from adapters.wire.http_balance import BalancedClient, BalanceTerms, Standing, Upstream
from adapters.wire.http_health import HealthChecks, HealthTerms
from adapters.wire.tls import client_context
from adapters.wire.websocket_client import ProviderSocket, open_socket

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Mapping

    from adapters.port import Answer, Call, Headers

_DEFAULTS: Final = ClientLimits()
_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")  # a name, an IPv4 or (unbracketed) IPv6 address
_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]*)*")
_HEADER_NAME: Final = r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$"
_HEADER_VALUE: Final = r"^[!-~]([ -~]*[!-~])?$"

_SECURE: Final = ("https", "wss")
_URL: Final = {"type": "string", "pattern": "^(https?|wss?)://", "maxLength": 2048}

KIND: Final = AdapterKind(
    kind="http",
    summary="A partner or core system that answers over HTTP/1.1",
    settings_schema={
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "oneOf": [{"required": ["base_url"]}, {"required": ["base_urls"]}],
        "dependentRequired": {"balance": ["base_urls"], "health": ["base_urls"]},
        "properties": {
            "base_url": {
                **_URL,
                "description": "Where the provider listens; its path is put before every call's path.",
            },
            "base_urls": {
                "type": "array",
                "items": _URL,
                "minItems": 1,
                "maxItems": 64,
                "uniqueItems": True,
                "description": "Several that do the same, instead of base_url; all with the same path.",
            },
            "balance": {
                "type": "object",
                "additionalProperties": False,
                "description": "When one of base_urls is left out, and how it comes back.",
                "properties": {
                    "slow_start_seconds": {"type": "number", "minimum": 0, "maximum": 3600, "default": 10},
                    "eject_after": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 5},
                    "eject_seconds": {
                        "type": "number",
                        "exclusiveMinimum": 0,
                        "maximum": 3600,
                        "default": 10,
                    },
                    "most_ejected": {"type": "number", "minimum": 0, "maximum": 1, "default": 0.5},
                },
            },
            "health": {
                "type": "object",
                "additionalProperties": False,
                "required": ["path"],
                "description": "Ask each of base_urls regularly; 200 to 399 is well.",
                "properties": {
                    "path": {
                        "type": "string",
                        "pattern": "^/[A-Za-z0-9._~!$&'()*+,;=:@%/?-]*$",
                        "maxLength": 1024,
                    },
                    "interval_seconds": {"type": "number", "minimum": 0.05, "maximum": 3600, "default": 5},
                    "timeout_seconds": {"type": "number", "minimum": 0.01, "maximum": 3600, "default": 2},
                    "up_after": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 2},
                    "down_after": {"type": "integer", "minimum": 1, "maximum": 1000, "default": 3},
                },
            },
            "connect_timeout_seconds": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 300,
                "default": 5,
            },
            "write_timeout_seconds": {
                "type": "number",
                "exclusiveMinimum": 0,
                "maximum": 3600,
                "default": 30,
            },
            "read_timeout_seconds": {"type": "number", "exclusiveMinimum": 0, "maximum": 3600, "default": 60},
            "idle_seconds": {
                "type": "number",
                "minimum": 0,
                "maximum": 3600,
                "default": 4,
                "description": "How long an unused connection is kept; keep it below the provider's own.",
            },
            "max_connections": {"type": "integer", "minimum": 1, "maximum": 10000, "default": 256},
            "tls_ca_file": {
                "type": "string",
                "description": "PEM file of the authorities to trust instead of the system's.",
            },
            "headers": {
                "type": "object",
                "maxProperties": 32,
                "propertyNames": {"pattern": _HEADER_NAME, "maxLength": 128},
                "additionalProperties": {"type": "string", "pattern": _HEADER_VALUE, "maxLength": 4096},
                "description": "Sent with every call, in place of the caller's headers of the same names.",
            },
        },
    },
    listens=False,
)


class HttpAdapter:
    """An `Adapter` over one pooled client; the bytes of a call's body go out as they are.

    `settings` fit `KIND.settings_schema`; what a schema cannot say about them (the URL, the files) raises
    `AdapterSettingsError` here.
    """

    kind = "http"
    streams = True

    def __init__(self, name: str, settings: Mapping[str, Any]) -> None:
        self.name = name
        urls = [_checked_url(name, str(one)) for one in settings.get("base_urls") or [settings["base_url"]]]
        if len({url.path.rstrip("/") for url in urls}) > 1:
            raise AdapterSettingsError(
                f"adapter {name}: base_urls have different paths", hint="give all of them the same path"
            )
        self._prefix = urls[0].path.rstrip("/").encode("ascii")
        fixed: Mapping[str, str] = settings.get("headers", {})
        self._fixed: Headers = [(key.lower().encode("ascii"), fixed[key].encode("ascii")) for key in fixed]
        self._replaced = frozenset(key for key, _ in self._fixed)
        limits = _limits(settings)
        tls = _tls(name, settings.get("tls_ca_file")) if any(url.scheme in _SECURE for url in urls) else None
        origins = [_origin(url, tls) for url in urls]
        self._origin, self._connect_timeout = origins[0], limits.connect_timeout
        self._checks: HealthChecks | None = None
        self._client: HttpClient | BalancedClient
        if "base_urls" not in settings:
            self._client = HttpClient(name, origins[0], limits)
            return
        upstreams = [Upstream(str(one), HttpClient(f"{name} ({one})", one, limits)) for one in origins]
        self._client = BalancedClient(upstreams, BalanceTerms(**settings.get("balance", {})))
        if "health" in settings:
            askers = [
                HttpClient(f"{name} ({one})", one, replace(limits, max_connections=1)) for one in origins
            ]
            self._checks = HealthChecks(self._client, askers, HealthTerms(**settings["health"]))

    async def start(self) -> None:
        """Begin to check, where that is asked for; connections are opened by the calls that need them."""
        if self._checks is not None:
            self._checks.start()

    async def stop(self) -> None:
        """End checks and all connections."""
        if self._checks is not None:
            await self._checks.stop()
        await self._client.close()

    def standing(self) -> list[Standing]:
        """Tell how each of base_urls stands; nothing where there is but one base_url."""
        return self._client.standing() if isinstance(self._client, BalancedClient) else []

    def call(self, call: Call) -> Awaitable[Answer]:
        """Carry one call out; raises the errors of `HttpClient.send`."""
        # A plain function that hands on the client's future: a coroutine less for every call.
        if self._prefix or self._fixed:
            call = self._placed(call)
        return self._client.send(call)

    def _placed(self, call: Call) -> Call:
        """Put the prefix before its path, and the fixed headers in place of the caller's."""
        headers = None
        if self._fixed:
            headers = [*(pair for pair in call.headers if pair[0] not in self._replaced), *self._fixed]
        return call.but(target=self._prefix + call.target, headers=headers)

    async def open_channel(self, call: Call, subprotocols: tuple[str, ...], max_size: int) -> ProviderSocket:
        """Open a WebSocket to the (first) provider; raises `UpstreamError`. Run it in a task."""
        return await open_socket(
            self.name,
            self._origin,
            self._placed(call),
            subprotocols,
            connect_timeout=self._connect_timeout,
            max_size=max_size,
        )


def _limits(settings: Mapping[str, Any]) -> ClientLimits:
    return ClientLimits(
        connect_timeout=settings.get("connect_timeout_seconds", _DEFAULTS.connect_timeout),
        write_timeout=settings.get("write_timeout_seconds", _DEFAULTS.write_timeout),
        read_timeout=settings.get("read_timeout_seconds", _DEFAULTS.read_timeout),
        idle_timeout=settings.get("idle_seconds", _DEFAULTS.idle_timeout),
        max_connections=settings.get("max_connections", _DEFAULTS.max_connections),
    )


def _origin(url: SplitResult, tls: ssl.SSLContext | None) -> Origin:
    secure = url.scheme in _SECURE
    return Origin(
        host=url.hostname or "",
        port=url.port or (443 if secure else 80),
        authority=url.netloc,
        tls=tls if secure else None,
    )


def _checked_url(name: str, base_url: str) -> SplitResult:
    """Take base_url apart; an address with parts that would not be sent is refused, not trimmed."""
    hint = "write it like https://lab.example:8443/api, without user, query and fragment"
    try:
        url = urlsplit(base_url)
        port_fits = url.port is None or url.port > 0
    except ValueError as error:
        raise AdapterSettingsError(f"adapter {name}: base_url is no URL: {error}", hint=hint) from None
    host = url.hostname or ""
    sound = (
        url.scheme in ("http", "https", "ws", "wss")
        and port_fits
        and _HOST.fullmatch(host) is not None
        and "@" not in url.netloc
        and base_url.isascii()
        and base_url.isprintable()
        and _PATH.fullmatch(url.path) is not None
        and not any(part in (".", "..") for part in url.path.split("/"))
        and "?" not in base_url
        and "#" not in base_url
    )
    if not sound:
        raise AdapterSettingsError(
            f"adapter {name}: base_url is not the address of an HTTP provider", hint=hint
        )
    return url


def _tls(name: str, ca_file: str | None) -> ssl.SSLContext:
    """Make a context that verifies certificate and host name; `ca_file` replaces the system's authorities."""
    try:
        return client_context(ca_file)
    except OSError as error:  # ssl.SSLError is one too
        raise AdapterSettingsError(
            f"adapter {name}: tls_ca_file cannot be read: {error.strerror or error}",
            hint="give a PEM file with the certificates of the authorities to trust",
        ) from None
