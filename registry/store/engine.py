"""Connections to the registry's database: SQLite in the data folder, or PostgreSQL by setting."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from kernel.errors import SettingsError
from registry.store.tables import SCHEMA

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

    from kernel.settings import Settings

APP_ROLE = "interlock_registry"
OWNER_ROLE = "interlock_registry_owner"
_BUSY_MILLISECONDS = 10_000


def open_engine(settings: Settings) -> Engine:
    """Make the engine for these settings; connects only when it is first used."""
    url = str(settings["database"])
    return postgresql_engine(url) if url else sqlite_engine(settings.path / "registry.db")


def sqlite_engine(file: Path) -> Engine:
    """SQLite, one file: WAL, every commit on disk before it returns, foreign keys and guards in force."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        # Password hashes live here: nobody else may read it, whatever the umask says.
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = create_engine(
        f"sqlite:///{file}", execution_options={"schema_translate_map": {SCHEMA: None}}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def postgresql_engine(url: str) -> Engine:
    """PostgreSQL through psycopg 3, as the role that may not change the schema; raises `SettingsError`."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise SettingsError(
            "the setting database is not a URL", hint="postgresql://user@host/database"
        ) from None
    if parsed.get_backend_name() != "postgresql":
        raise SettingsError(
            f"the setting database names {parsed.get_backend_name()!r}, and only PostgreSQL is supported",
            hint="leave it empty for SQLite in the data folder",
        )
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_pre_ping=True,
        pool_size=8,
        isolation_level="REPEATABLE READ",
        hide_parameters=True,
        connect_args={"connect_timeout": 10, "application_name": "interlock-registry"},
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    raw: Any = connection
    raw.isolation_level = None  # BEGIN is ours, so that a writer can take the lock at once
    cursor = connection.cursor()
    for pragma in (
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        "recursive_triggers = ON",
        "trusted_schema = OFF",
        f"busy_timeout = {_BUSY_MILLISECONDS}",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that writes late can fail with "database is locked" whatever the time-out.
    writes = connection.get_execution_options().get("interlock_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    raw: Any = connection
    before = raw.autocommit
    raw.autocommit = True
    cursor = connection.cursor()
    cursor.execute("SET search_path = pg_catalog, pg_temp")
    cursor.execute("SET lock_timeout = '10s'")
    cursor.execute("SET statement_timeout = '120s'")
    # A durable answer needs a durable commit, whatever the server's or the role's default is.
    cursor.execute("SET synchronous_commit = on")
    cursor.execute(
        "SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(current_user, oid, 'MEMBER')", (APP_ROLE,)
    )
    if cursor.fetchone():
        cursor.execute(f"SET ROLE {APP_ROLE}")
    cursor.close()
    raw.autocommit = before
