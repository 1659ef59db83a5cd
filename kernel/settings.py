"""All settings of Interlock: one table, read once, frozen; flag > INTERLOCK_* > interlock.toml > default."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kernel.errors import Place, SettingsError


@dataclass(frozen=True, slots=True)
class Setting:
    """One row: `name` is the key in interlock.toml, INTERLOCK_<NAME> the environment's, `kind` its type."""

    name: str
    kind: type
    default: Any
    help: str
    least: float | None = None
    most: float | None = None

    @property
    def env(self) -> str:
        """The environment variable that carries this setting."""
        return f"INTERLOCK_{self.name.upper()}"


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "data",
        str,
        ".interlock",
        "folder of everything that Interlock keeps: databases, keys, bundle, audit log",
    ),
    Setting("database", str, "", "SQLAlchemy URL of PostgreSQL; empty means SQLite files in the data folder"),
    Setting(
        "environment", str, "dev", "name of this environment; it stands in the routes part of the bundle"
    ),
    Setting("registry_host", str, "127.0.0.1", "address on which board and API listen"),
    Setting("registry_port", int, 8700, "port of board and API; 0 takes any free one", 0, 65535),
    Setting(
        "registry_url",
        str,
        "",
        "URL of the registry for the command line; empty means the one of the data folder",
    ),
    Setting(
        "docs_url",
        str,
        "",
        "URL under which your house serves the folder docs/; reports of the gate link rules to it",
    ),
    Setting(
        "token",
        str,
        "",
        "token for the registry's API; empty means the one of the data folder, where there is one",
    ),
    Setting(
        "provider_auth",
        str,
        "",
        "value of the header Authorization with which `interlock ci conformance` and `ci drift` call a provider",
    ),
    Setting("proxy_host", str, "127.0.0.1", "address on which the proxy listens"),
    Setting("proxy_port", int, 8701, "port of the proxy; 0 takes any free one", 0, 65535),
    Setting(
        "proxy_workers",
        int,
        1,
        "worker processes; 0 means one for each core, two or more run under a supervisor",
        0,
        256,
    ),
    Setting(
        "proxy_listen_internal",
        str,
        "",
        "HOST:PORT of internal contracts alone; empty: they are served on proxy_host and proxy_port",
    ),
    Setting(
        "proxy_listen_partner",
        str,
        "",
        "HOST:PORT of partner contracts alone; empty: they are served on proxy_host and proxy_port",
    ),
    Setting(
        "proxy_listen_public",
        str,
        "",
        "HOST:PORT of public contracts alone; empty: they are served on proxy_host and proxy_port",
    ),
    Setting(
        "proxy_max_body_bytes",
        int,
        8 * 1024 * 1024,
        "largest request or answer body that is read",
        1024,
        2**31,
    ),
    Setting(
        "proxy_max_head_bytes",
        int,
        32 * 1024,
        "largest request head: target and headers together",
        1024,
        2**20,
    ),
    Setting("proxy_max_target_bytes", int, 8 * 1024, "longest request target", 256, 2**16),
    Setting("proxy_max_headers", int, 100, "most header lines in one request", 8, 1000),
    Setting("proxy_max_connections", int, 10_000, "most connections that one worker holds open", 1, 10**6),
    Setting(
        "proxy_head_timeout", float, 10.0, "seconds in which a request head must have arrived", 0.05, 3600
    ),
    Setting(
        "proxy_body_timeout", float, 60.0, "seconds in which a request body must have arrived", 0.05, 3600
    ),
    Setting(
        "proxy_idle_timeout", float, 75.0, "seconds that an idle kept-alive connection is held", 0.05, 3600
    ),
    Setting(
        "proxy_drain_timeout", float, 20.0, "seconds that running exchanges get when the proxy stops", 0, 3600
    ),
    Setting(
        "proxy_guard_requests",
        int,
        2_000,
        "requests per second and source address, before anything else; each worker counts its own",
        1,
        10**7,
    ),
    Setting(
        "proxy_cache_entries",
        int,
        4_096,
        "answers that each worker keeps where contracts allow it (`x-interlock-cache`); 0: none",
        0,
        2**24,
    ),
    Setting(
        "proxy_cache_bytes",
        int,
        64 * 1024 * 1024,
        "bytes that they may take; no answer takes more than an eighth",
        2**16,
        2**40,
    ),
    Setting(
        "proxy_stream_bytes",
        int,
        4 * 1024 * 1024 * 1024,
        "largest body that passes in pieces, in either direction",
        1024,
        2**50,
    ),
    Setting(
        "proxy_stream_item_bytes",
        int,
        1024 * 1024,
        "largest item of a streamed body, and largest message of a channel",
        16,
        2**30,
    ),
    Setting(
        "proxy_stream_idle",
        float,
        120.0,
        "seconds in which the next bytes of a stream must come",
        0.05,
        86400,
    ),
    Setting("proxy_stream_seconds", float, 3600.0, "seconds that one stream may last", 0.05, 7 * 86400),
    Setting(
        "proxy_tls_certificate", str, "", "PEM file of the proxy's certificate chain; empty means plain HTTP"
    ),
    Setting("proxy_tls_key", str, "", "PEM file of the key of that certificate, without a password"),
    Setting(
        "proxy_tls_client_ca",
        str,
        "",
        "PEM file of authorities (or pinned certificates) of clients; empty asks for no client certificate",
    ),
    Setting(
        "proxy_cold_seconds",
        float,
        900.0,
        "seconds without a call after which a compiled operation is let go of; 0 keeps all of them",
        0,
        10**6,
    ),
    Setting("proxy_bundle_poll", float, 0.2, "seconds between looks for a newer bundle", 0.05, 60),
    Setting(
        "idempotency_store",
        str,
        "file",
        "where idempotency keys are kept: file (the data folder, one host) or redis (at redis_url)",
    ),
    Setting(
        "idempotency_max_bytes",
        int,
        4 * 1024**3,
        "size of the file of idempotency keys and their answers beyond which no further key is taken",
        2**20,
        2**44,
    ),
    Setting(
        "proxy_shed_lag",
        float,
        0.5,
        "seconds that the event loop may lag before background calls get 503, twice that before normal ones; "
        "0 sheds nothing",
        0,
        60,
    ),
    Setting(
        "metrics_rows",
        int,
        10_000,
        "most rows of one metric; what is new then counts as `other`",
        256,
        100_000,
    ),
    Setting(
        "access_log", str, "", "file that gets a JSON line for each answer, `-` for stderr; empty means none"
    ),
    Setting("access_log_sample", float, 1.0, "part of the answers below 500 that are logged", 0, 1),
    Setting(
        "ops_listen",
        str,
        "",
        "HOST:PORT of the operator's console; empty: there is none. Beyond loopback it needs TLS",
    ),
    Setting("ops_sample", float, 0.01, "part of the calls whose steps the console shows", 0, 1),
    Setting(
        "trace_endpoint",
        str,
        "",
        "URL that traces are sent to (OTLP/HTTP), like http://127.0.0.1:4318/v1/traces; empty means none",
    ),
    Setting(
        "trace_ratio", float, 0.01, "part of the calls that is traced where no caller has decided it", 0, 1
    ),
    Setting(
        "audit_fsync",
        bool,
        True,
        "sync every group of audit records to the disk; false only on machines for trying out",
    ),
    Setting(
        "audit_segment_bytes",
        int,
        64 * 1024 * 1024,
        "size at which a new journal segment begins",
        2**16,
        2**31,
    ),
    Setting("audit_queue", int, 16_384, "records that may wait for the disk before calls get 503", 16, 10**6),
    Setting("board_quorum", int, 2, "approvals that freeze a version", 1, 16),
    Setting(
        "compat_profiles",
        str,
        "standard",
        "profiles by which submissions are judged: one for all, NAME=profile for a contract, domain:NAME=profile, "
        "owner:NAME=profile; commas between",
    ),
    Setting(
        "require_conformance",
        str,
        "",
        "whose versions freeze only after a passed conformance run: contracts, domain:NAME, or *, with commas between",
    ),
    Setting("oasdiff", str, "", "path of the oasdiff program; empty means .tools/bin/oasdiff, then PATH"),
    Setting(
        "oasdiff_timeout", float, 60.0, "seconds after which a comparison by oasdiff is undecided", 1, 3600
    ),
    Setting(
        "schemathesis",
        str,
        "",
        "path of schemathesis's program `st`; empty means .tools/schemathesis, our own environment, then PATH",
    ),
    Setting(
        "redis_url",
        str,
        "",
        "redis://… for limits over several workers, and for idempotency keys where idempotency_store says so; "
        "empty means one worker keeps limits itself",
    ),
    Setting(
        "limit_shares",
        int,
        0,
        "workers over all hosts that share the limits in Redis: each admits one such part while Redis is lost; "
        "0 means those of this host",
        0,
        10_000,
    ),
)

_BY_NAME: Mapping[str, Setting] = {row.name: row for row in SETTINGS}
_WORDS = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The effective settings, one attribute per row of `SETTINGS` (`settings["data"]`, `settings.path`)."""

    values: Mapping[str, Any]

    def __getitem__(self, name: str) -> Any:
        """Give one value; a name that is no setting is a programming error (KeyError)."""
        return self.values[name]

    @property
    def path(self) -> Path:
        """The data folder, absolute."""
        return Path(self.values["data"]).expanduser().resolve()


def load(
    overrides: Mapping[str, Any] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    file: Path | None = None,
) -> Settings:
    """Read the settings once; raises `SettingsError` for an unknown key or an illegal value.

    `overrides` are flags (None values are ignored), `environ` defaults to the process's, `file` to
    ./interlock.toml where there is one (table `[interlock]`).
    """
    env = os.environ if environ is None else environ
    chosen = Path("interlock.toml") if file is None else file
    merged: dict[str, Any] = {row.name: row.default for row in SETTINGS}
    if file is not None or chosen.is_file():
        merged.update(_from_file(chosen))
    for row in SETTINGS:
        if row.env in env:
            merged[row.name] = _coerce(row, env[row.env], row.env)
    for name, value in (overrides or {}).items():
        if value is not None:
            merged[name] = _coerce(_row(name, "flag"), value, f"--{name.replace('_', '-')}")
    return Settings(merged)


def _from_file(file: Path) -> dict[str, Any]:
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8")).get("interlock", {})
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"{file} cannot be read: {error}", place=Place(str(file))) from error
    return {name: _coerce(_row(name, str(file)), value, f"{file}: {name}") for name, value in table.items()}


def _row(name: str, where: str) -> Setting:
    if name not in _BY_NAME:
        raise SettingsError(
            f"{where}: there is no setting {name!r}", hint="`interlock explain settings` lists them all"
        )
    return _BY_NAME[name]


def _coerce(row: Setting, value: Any, where: str) -> Any:
    try:
        if row.kind is bool:
            result: Any = value if isinstance(value, bool) else _WORDS[str(value).strip().lower()]
        else:
            result = row.kind(value)
    except (KeyError, TypeError, ValueError):
        raise SettingsError(f"{where}: {row.kind.__name__} expected", hint=row.help) from None
    outside = (row.least is not None and result < row.least) or (row.most is not None and result > row.most)
    if outside:
        raise SettingsError(f"{where}: between {row.least:g} and {row.most:g} expected", hint=row.help)
    return result
