from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, create_engine, inspect, text

from kernel.contract.lifecycle import TRANSITIONS
from kernel.errors import SettingsError
from registry.errors import StoreFailed
from registry.store import access_tables as _access  # noqa: F401 - adds its tables to the metadata
from registry.store import judging_tables as _judging  # noqa: F401 - as above
from registry.store import release_tables as _releases  # noqa: F401 - as above
from registry.store.engine import postgresql_engine, sqlite_engine
from registry.store.migrations import guards
from registry.store.tables import SCHEMA, metadata
from registry.store.upgrade import pending, upgrade


def test_upgrade_twice_reaches_the_same_revision(engine: Engine) -> None:
    assert pending(engine) is None
    assert upgrade(engine) == "0006"
    assert pending(engine) is None


def test_migrations_make_exactly_the_tables_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        sqlite = connection.dialect.name == "sqlite"
        schema = None if sqlite else SCHEMA
        found = set(inspect(connection).get_table_names(schema=schema)) - {"schema_version"}
        assert found == {table.name for table in metadata.tables.values()}
        if sqlite:
            return  # comparing columns needs schema names, which SQLite has not
        context = MigrationContext.configure(
            connection,
            opts={
                "include_schemas": True,
                "version_table": "schema_version",
                "version_table_schema": SCHEMA,
                "include_name": lambda name, kind, _parents: kind != "schema" or name == SCHEMA,
            },
        )
        assert compare_metadata(context, metadata) == []


def test_a_new_database_says_what_is_pending(tmp_path: Path) -> None:
    engine = sqlite_engine(tmp_path / "new.db")
    assert pending(engine) == "0006"
    engine.dispose()


def test_sqlite_file_is_private_and_every_commit_is_on_disk(tmp_path: Path) -> None:
    file = tmp_path / "registry.db"
    engine = sqlite_engine(file)
    with engine.connect() as connection:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert connection.execute(text("PRAGMA recursive_triggers")).scalar() == 1
    engine.dispose()


@pytest.mark.postgres
def test_the_application_is_not_the_owner_of_its_tables(postgres: object) -> None:
    engine = postgresql_engine(postgres.url("postgres"))  # type: ignore[attr-defined]
    upgrade(engine)
    engine.dispose()
    with engine.connect() as connection:
        assert connection.execute(text("SELECT current_user")).scalar() == "interlock_registry"
        owners = connection.execute(
            text("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'registry'")
        ).scalars()
        assert list(owners) == ["interlock_registry_owner"]
        assert connection.execute(text("SHOW synchronous_commit")).scalar() == "on"
    engine.dispose()


def test_released_guards_know_the_transitions_of_the_kernel() -> None:
    kernel = {(str(source), str(target)) for source, _, target in TRANSITIONS}
    assert set(guards.TRANSITIONS) == kernel  # a new transition needs a new migration


@pytest.mark.parametrize("url", ["mysql://localhost/x", "no url at all"])
def test_other_databases_are_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        postgresql_engine(url)


@pytest.mark.postgres
def test_a_user_who_may_not_create_roles_is_told_what_to_ask_for(postgres: Any) -> None:
    admin = create_engine(
        postgres.url().replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text("CREATE ROLE modest LOGIN"))
        connection.execute(text("CREATE DATABASE modest_db TEMPLATE template0"))
    admin.dispose()
    engine = postgresql_engine(postgres.url("modest_db", user="modest"))
    with pytest.raises(StoreFailed) as caught:
        upgrade(engine)
    assert "CREATE ROLE interlock_registry_owner NOLOGIN" in caught.value.hint
    engine.dispose()


def test_an_unreachable_server_is_an_error_of_the_house() -> None:
    engine = postgresql_engine("postgresql://nobody@127.0.0.1:1/none")
    with pytest.raises(StoreFailed, match="cannot be reached"):
        upgrade(engine)
    engine.dispose()
