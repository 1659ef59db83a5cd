"""The store over SQLite and a real PostgreSQL: one transaction a message, durable, sealed, never rewritten."""

import json
import sqlite3

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from adapters.canonical.engine import assert_durable, postgresql_engine, sqlite_engine
from adapters.canonical.store import CanonicalStore
from adapters.canonical.tables import metadata
from adapters.canonical.upgrade import pending, upgrade
from adapters.errors import CanonicalStoreError
from kernel.errors import SettingsError
from kernel.sealing.payload import Sealer


async def test_the_whole_path_works_on_both_databases(anywhere, talk):
    listener = await anywhere.listen()
    answers = await talk.converse(
        listener,
        talk.frame(talk.oru("A1", status="P", recorded="20260301100000+0100")),
        talk.frame(talk.oru("A2", status="F", recorded="20260301110000+0100")),
        talk.frame(talk.oru("A2", status="F", recorded="20260301110000+0100")),
        talk.frame(talk.oru("A2", value="1")),
        talk.frame(talk.oru("A3", status="P", recorded="20260301100000+0100")),
        talk.frame(talk.oru("A4", filler="OTHER^LAB")),
    )
    assert talk.codes(answers) == "AA AA AA AE AE AA"
    assert talk.rows(anywhere, "SELECT state FROM inbox ORDER BY id") == [
        ("published",), ("published",), ("duplicate",), ("refused",), ("refused",), ("published",),
    ]  # fmt: skip
    events = talk.rows(anywhere, "SELECT sequence, type FROM events ORDER BY sequence")
    assert events == [(1, "result.preliminary.v1"), (2, "result.final.v1"), (3, "result.final.v1")]
    keys = talk.rows(anywhere, "SELECT DISTINCT partition_key FROM outbox")
    assert len(keys) == 1, "one patient, one partition, so that their order is kept"
    await anywhere.restart()
    listener = await anywhere.listen()
    assert talk.codes(await talk.converse(listener, talk.frame(talk.oru("A4", filler="OTHER^LAB")))) == "AA"
    assert talk.rows(anywhere, "SELECT count(*) FROM events") == [(3,)]


async def test_history_stands_on_both_databases(anywhere, talk):
    listener = await anywhere.listen()
    await talk.converse(listener, talk.frame(talk.oru("A1")))
    engine = anywhere.house.intake().store.engine
    prefix = "canonical." if engine.dialect.name == "postgresql" else ""
    for statement in ("DELETE FROM {}events", "UPDATE {}events SET type = 'x'", "DELETE FROM {}revisions"):
        with pytest.raises(DBAPIError), engine.begin() as connection:
            connection.execute(text(statement.format(prefix)))
    assert talk.rows(anywhere, "SELECT count(*) FROM events") == [(1,)]


async def test_a_transaction_that_cannot_be_whole_leaves_nothing(lab, talk):
    listener = await lab.listen()
    engine = lab.house.intake().store.engine
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TRIGGER t BEFORE INSERT ON outbox BEGIN SELECT RAISE(ABORT, 'full'); END")
        )
    assert talk.codes(await talk.converse(listener, talk.frame(talk.oru("A1")))) == "AR"
    for table in ("resources", "revisions", "events", "outbox", "dedup"):
        assert talk.rows(lab, f"SELECT count(*) FROM {table}") == [(0,)]
    assert talk.rows(lab, "SELECT state FROM inbox") == [("failed",)]


async def test_the_migrations_make_what_the_tables_say(anywhere):
    engine = anywhere.house.intake().store.engine
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection,
            opts={"include_schemas": True, "include_name": only_ours, "version_table": "schema_version"},
        )
        found = [
            change for change in compare_metadata(context, metadata) if not _sqlite_schema(engine, change)
        ]
    assert found == []


def only_ours(name, kind, parents):
    if kind == "schema":
        return name in (None, "canonical", "main")
    return name != "schema_version"


def _sqlite_schema(engine, change):
    # SQLite knows no schemas: every table is "missing" from one and "too much" in the other.
    return engine.dialect.name == "sqlite" and change[0] in (
        "add_table",
        "remove_table",
        "add_index",
        "remove_index",
    )


def test_sqlite_has_exactly_the_tables_and_columns(tmp_path):
    engine = sqlite_engine(tmp_path / "canonical.db")
    upgrade(engine)
    assert pending(engine) is None
    with engine.connect() as connection:
        for table in metadata.sorted_tables:
            found = connection.execute(text(f"PRAGMA table_info({table.name})")).all()
            assert [row.name for row in found] == [column.name for column in table.columns], table.name
            assert [bool(row.notnull) for row in found] == [not column.nullable for column in table.columns]
    engine.dispose()


def test_a_database_that_would_forget_is_refused(tmp_path):
    engine = sqlite_engine(tmp_path / "canonical.db")
    upgrade(engine)
    event.listen(engine, "connect", lambda raw, _: raw.execute("PRAGMA synchronous = NORMAL"))
    engine.dispose()
    with engine.connect() as connection, pytest.raises(CanonicalStoreError, match="synchronous=1"):
        assert_durable(connection)
    with pytest.raises(CanonicalStoreError):
        CanonicalStore(engine, Sealer(tmp_path / "keys"))
    engine.dispose()


def test_the_file_is_for_its_owner_only_and_in_wal_mode(tmp_path):
    engine = sqlite_engine(tmp_path / "data" / "canonical.db")
    upgrade(engine)
    engine.dispose()
    assert (tmp_path / "data" / "canonical.db").stat().st_mode & 0o777 == 0o600
    with sqlite3.connect(tmp_path / "data" / "canonical.db") as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


def test_only_postgresql_may_stand_in_the_setting():
    with pytest.raises(SettingsError):
        postgresql_engine("mysql://x/y")
    with pytest.raises(SettingsError):
        postgresql_engine("no url at all")


PLANTED = {
    "name": "Zelenka",
    "given": "Božena",
    "number": "700123",
    "birth date": "19610412",
    "placer": "P77",
    "value": "98.765",
    "note": "septic shock suspected",
}


async def test_no_planted_value_stands_in_any_file_of_the_data_folder(lab, talk):
    listener = await lab.listen()
    note = "NTE|1||septic shock suspected\r"
    answers = await talk.converse(
        listener,
        talk.frame(talk.oru("A1", value="98.765", extra=note, accept="AL", application="AL")),
        talk.frame(talk.oru("A2", value="98.765", extra=note, status="QQ")),
        talk.frame(talk.oru("A3", value="98.765", extra=note + "broken line Zelenka 700123\r")),
        talk.frame(talk.oru("A4", value="98.765", extra=note))[:-30],
    )
    assert talk.codes(answers) == "CA AA AE AE"
    store = lab.house.intake().store
    [(name, revision, sealed)] = talk.rows(lab, "SELECT id, revision, document FROM resources")
    opened = store.sealer.open(sealed, f"canonical|resource|{name}|{revision}").decode()
    for what, value in PLANTED.items():
        assert value in opened or what == "birth date", f"{what} was not planted"
    files = [path for path in lab.settings.path.rglob("*") if path.is_file()]
    assert {"canonical.db", "canonical.db-wal"} <= {path.name for path in files}, "the log is looked at too"
    for path in files:
        data = path.read_bytes()
        for what, value in PLANTED.items():
            for written in (value.encode(), value.encode("utf-16-le"), json.dumps(value)[1:-1].encode()):
                assert written not in data, f"{what} stands in {path.name}"
