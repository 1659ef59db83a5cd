"""Connections to the canonical database: SQLite in the data folder, or PostgreSQL; durable or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from adapters.canonical.tables import SCHEMA
from adapters.errors import CanonicalStoreError
from kernel.errors import SettingsError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlalchemy.pool import ConnectionPoolEntry

    from kernel.settings import Settings

APP_ROLE = "interlock_canonical"
OWNER_ROLE = "interlock_canonical_owner"
WRITES = {"interlock_writes": True}  # execution option of connections that change something
_BUSY_MILLISECONDS = 10_000
_SYNCHRONOUS_FULL = 2


def open_engine(settings: Settings) -> Engine:
    """Make the engine for these settings; connects only when it is first used."""
    url = str(settings["database"])
    return postgresql_engine(url) if url else sqlite_engine(settings.path / "canonical.db")


def sqlite_engine(file: Path) -> Engine:
    """SQLite, one file: WAL, every commit on disk before it returns, foreign keys in force."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        os.close(os.open(file, os.O_CREAT | os.O_WRONLY, 0o600))
    engine = create_engine(
        f"sqlite:///{file}", execution_options={"schema_translate_map": {SCHEMA: None}}, hide_parameters=True
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def postgresql_engine(url: str) -> Engine:
    """PostgreSQL through psycopg 3; raises `SettingsError` for a URL of anything else."""
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
        pool_size=4,
        hide_parameters=True,
        connect_args={"connect_timeout": 10, "application_name": "interlock-canonical"},
    )
    event.listen(engine, "connect", _prepare_postgresql)
    return engine


def assert_durable(connection: Connection) -> None:
    """Raise `CanonicalStoreError` unless a commit means that the disk has it (an ACK will say so)."""
    if connection.dialect.name == "sqlite":
        level = connection.exec_driver_sql("PRAGMA synchronous").scalar()
        journal = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
        if level == _SYNCHRONOUS_FULL and journal == "wal":
            return
        raise CanonicalStoreError(
            f"SQLite runs with synchronous={level}, journal_mode={journal}",
            hint="WAL and FULL are needed; WAL works on local disks only, not on network shares",
        )
    if connection.exec_driver_sql("SHOW synchronous_commit").scalar() in ("off", "local"):
        raise CanonicalStoreError("PostgreSQL runs with synchronous_commit off", hint="set it to on")
    if connection.exec_driver_sql("SHOW fsync").scalar() != "on":
        raise CanonicalStoreError("PostgreSQL runs with fsync off", hint="set it to on")


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
        "secure_delete = ON",
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
    cursor.execute("SET statement_timeout = '60s'")
    # A durable answer needs a durable commit, whatever the server's or the role's default is.
    cursor.execute("SET synchronous_commit = on")
    cursor.execute(
        "SELECT 1 FROM pg_roles WHERE rolname = %s AND pg_has_role(current_user, oid, 'MEMBER')", (APP_ROLE,)
    )
    if cursor.fetchone():
        cursor.execute(f"SET ROLE {APP_ROLE}")
    cursor.close()
    raw.autocommit = before
