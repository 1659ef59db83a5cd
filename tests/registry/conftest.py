"""Stores for the tests of the registry: the same tests run over SQLite and over a real PostgreSQL."""

from __future__ import annotations

import importlib.util
import itertools
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text


def _double(name: str) -> Any:
    """Load tests/doubles/<name>.py (the tests are no package)."""
    full = f"tests_doubles_{name}"
    if full not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "doubles" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def doubles() -> Any:
    """The module tests/doubles/registry.py."""
    return _double("registry")


@pytest.fixture
def services(engine: Engine, tmp_path: Path, doubles: Any) -> Any:
    """A registry over both databases, with engines that say what they are told."""
    return doubles.make_services(engine, tmp_path / "data")


@pytest.fixture
def desk(sqlite_engine: Engine, tmp_path: Path, doubles: Any) -> Any:
    """The same over SQLite alone, for what has nothing to do with the database."""
    return doubles.make_services(sqlite_engine, tmp_path / "data")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    with _double("postgres").postgres_server() as server:
        yield server


_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres_template(postgres: Any) -> str:
    """The URL of a migrated, empty database: copying it is faster than migrating each time."""
    from registry.store.engine import postgresql_engine
    from registry.store.upgrade import upgrade

    _create_database(postgres, "interlock_template", "template0")
    migrated = postgresql_engine(postgres.url("interlock_template"))
    upgrade(migrated)
    migrated.dispose()
    return "interlock_template"


@pytest.fixture
def postgres_engine(postgres: Any, postgres_template: str) -> Iterator[Engine]:
    from registry.store.engine import postgresql_engine

    name = f"t{next(_NUMBERS)}"
    _create_database(postgres, name, postgres_template)
    made = postgresql_engine(postgres.url(name))
    yield made
    made.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file: copying it is faster than migrating each time."""
    from registry.store import engine
    from registry.store.upgrade import upgrade

    file = tmp_path_factory.mktemp("template") / "registry.db"
    made = engine.sqlite_engine(file)
    upgrade(made)
    made.dispose()
    return file


@pytest.fixture
def sqlite_engine(tmp_path: Path, sqlite_template: Path) -> Iterator[Engine]:
    from registry.store import engine

    shutil.copy(sqlite_template, tmp_path / "registry.db")
    made = engine.sqlite_engine(tmp_path / "registry.db")
    yield made
    made.dispose()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request: pytest.FixtureRequest) -> Engine:
    """A migrated, empty registry database."""
    made: Engine = request.getfixturevalue(f"{request.param}_engine")
    return made


def _create_database(server: Any, name: str, template: str) -> None:
    from sqlalchemy import create_engine

    admin = create_engine(
        server.url().replace("postgresql:", "postgresql+psycopg:"), isolation_level="AUTOCOMMIT"
    )
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    admin.dispose()
