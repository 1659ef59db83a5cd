"""Brings schema `canonical` up to this release: roles and schema first (PostgreSQL), then the migrations."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from adapters.canonical.engine import APP_ROLE, OWNER_ROLE, WRITES
from adapters.canonical.tables import SCHEMA
from adapters.errors import CanonicalStoreError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

_LOCK = 0x1E71_0C4C  # any number that every Interlock process takes for the migrations of this schema


def upgrade(engine: Engine) -> str:
    """Migrate and return the revision reached; safe to run twice and by two processes at once.

    Raises `CanonicalStoreError` when the database cannot be reached, or roles cannot be made.
    """
    try:
        with engine.connect().execution_options(**WRITES) as connection, connection.begin():
            if connection.dialect.name == "postgresql":
                _prepare_schema(connection)
            config = _config(connection)
            command.upgrade(config, "head")
            if connection.dialect.name == "postgresql":
                _grant(connection)
            return _head(config)
    except OperationalError as error:
        raise CanonicalStoreError(
            f"the canonical database cannot be reached or written ({type(error.orig).__name__})",
            hint="check the setting database, or the data folder's space and owner",
        ) from error


def pending(engine: Engine) -> str | None:
    """Name the revision that is still to come, or None when the schema is this release's."""
    with engine.connect() as connection:
        head = _head(_config(connection))
        table = f"{SCHEMA}.schema_version" if connection.dialect.name == "postgresql" else "schema_version"
        try:
            found = connection.execute(text(f"SELECT version_num FROM {table}")).scalar()  # noqa: S608 - our own name
        except DBAPIError:
            found = None
        return None if found == head else head


def _config(connection: Connection) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _head(config: Config) -> str:
    return ScriptDirectory.from_config(config).get_current_head() or ""


def _prepare_schema(connection: Connection) -> None:
    connection.execute(text("RESET ROLE"))
    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    try:
        for role in (OWNER_ROLE, APP_ROLE):
            known = connection.execute(text("SELECT 1 FROM pg_roles WHERE rolname = :role"), {"role": role})
            if known.scalar() is None:
                connection.execute(text(f"CREATE ROLE {role} NOLOGIN"))
            member = connection.execute(
                text("SELECT pg_has_role(current_user, :role, 'MEMBER')"), {"role": role}
            )
            if not member.scalar():
                connection.execute(text(f"GRANT {role} TO CURRENT_USER"))
        exists = connection.execute(text("SELECT to_regnamespace(:name) IS NOT NULL"), {"name": SCHEMA})
        if not exists.scalar():
            connection.execute(text(f"CREATE SCHEMA {SCHEMA} AUTHORIZATION {OWNER_ROLE}"))
    except DBAPIError as error:
        raise CanonicalStoreError(
            f"roles or schema cannot be created ({type(error.orig).__name__})",
            hint=f"let the database's administrator run: CREATE ROLE {OWNER_ROLE} NOLOGIN; "
            f"CREATE ROLE {APP_ROLE} NOLOGIN; GRANT {OWNER_ROLE}, {APP_ROLE} TO <user>; "
            f"CREATE SCHEMA {SCHEMA} AUTHORIZATION {OWNER_ROLE};",
        ) from error
    connection.execute(text(f"SET LOCAL ROLE {OWNER_ROLE}"))


def _grant(connection: Connection) -> None:
    """Let the application read, add and change rows; delete only what was relayed."""
    connection.execute(text(f"REVOKE ALL ON SCHEMA {SCHEMA} FROM PUBLIC"))
    connection.execute(text(f"REVOKE ALL ON ALL TABLES IN SCHEMA {SCHEMA} FROM PUBLIC"))
    connection.execute(text(f"GRANT USAGE ON SCHEMA {SCHEMA} TO {APP_ROLE}"))
    connection.execute(text(f"GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA {SCHEMA} TO {APP_ROLE}"))
    connection.execute(text(f"REVOKE INSERT, UPDATE ON {SCHEMA}.schema_version FROM {APP_ROLE}"))
    connection.execute(text(f"REVOKE UPDATE ON {SCHEMA}.events, {SCHEMA}.revisions FROM {APP_ROLE}"))
    connection.execute(text(f"GRANT DELETE ON {SCHEMA}.audit_outbox TO {APP_ROLE}"))
    connection.execute(text("RESET ROLE"))
