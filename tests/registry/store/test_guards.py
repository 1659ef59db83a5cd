"""Tries, in plain SQL on both databases, to change what may not change."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

DIGEST = "sha256:" + "a" * 64
OTHER = "sha256:" + "b" * 64
T = "2026-11-20T08:00:00.000000Z"

SETUP = [
    f"INSERT INTO registry.contracts (name, kind, created_at, created_by) VALUES ('lab-orders', 'openapi', '{T}', 'ada')",
    f"INSERT INTO registry.blobs (digest, canonical) VALUES ('{DIGEST}', 'x')",
    f"INSERT INTO registry.blobs (digest, canonical) VALUES ('{OTHER}', 'y')",
    (
        "INSERT INTO registry.contract_versions (contract, version, major, state, digest, title, owner, domain, audience,"
        f" metadata, author, submitted_at) VALUES ('lab-orders', '1.0.0', 1, 'draft', '{DIGEST}', 't', 'o', 'd',"
        f" 'internal', '{{}}', 'ada', '{T}')"
    ),
    (
        "INSERT INTO registry.reviews (contract, version, digest, state, author, metadata, quorum, submitted_at, end_reason)"
        f" VALUES ('lab-orders', '1.0.0', '{DIGEST}', 'open', 'ada', '{{}}', 2, '{T}', '')"
    ),
    "UPDATE registry.contract_versions SET state = 'in-review', review_id = 1",
    "INSERT INTO registry.documents (review_id, media, document, meta) VALUES (1, 'yaml', 'x', 'y')",
    "INSERT INTO registry.verdicts VALUES (1, '0.9.0', 'd', 'compatible', 'none', 'minor', '{}')",
    "INSERT INTO registry.findings VALUES (1, '', 0, 'r', 'warning', 'f', '{}')",
    f"INSERT INTO registry.approvals (review_id, principal, digest, reason, decided_at) VALUES (1, 'bo', '{DIGEST}', 'ok', '{T}')",
    f"INSERT INTO registry.consumers VALUES ('ehr', 'EHR', 'internal', '{T}', 'op', '{{}}')",
    f"INSERT INTO registry.keys (id, consumer, sha256, created_at, created_by) VALUES ('k1', 'ehr', '{'c' * 64}', '{T}', 'op')",
    f"INSERT INTO registry.tokens (id, subject, roles, sha256, created_at, created_by) VALUES ('t1', 'ci', '[]', '{'d' * 64}', '{T}', 'op')",
    f"INSERT INTO registry.accounts (name, password, roles, created_at) VALUES ('bo', 'p', '[]', '{T}')",
    (
        "INSERT INTO registry.denials (kind, name, reason, denied_at, denied_by)"
        f" VALUES ('consumer', 'ehr', 'why', '{T}', 'olga')"
    ),
    f"INSERT INTO registry.environments VALUES ('production', '', '{T}', 'olga')",
    f"INSERT INTO registry.releases VALUES ('ehr', '7', '{T}', 'ci')",
    "INSERT INTO registry.release_contracts VALUES ('ehr', '7', 'needs', 'lab-orders', '1.0.0', '[]')",
    (
        "INSERT INTO registry.deployments (environment, application, version, deployed_at, deployed_by)"
        f" VALUES ('production', 'ehr', '7', '{T}', 'ci')"
    ),
    (
        "INSERT INTO registry.conformance (contract, version, digest, provider, outcome, complete, seed, started_at,"
        " seconds, operations, calls, counts, rules, tools, recorded_at, recorded_by) VALUES ('lab-orders', '1.0.0',"
        f" '{DIGEST}', 'http://lis', 'failed', true, 1, '{T}', 1, 1, 1, '{{}}', '[]', '{{}}', '{T}', 'ci')"
    ),
    "INSERT INTO registry.judgements VALUES (1, '{}', '[]')",
    (
        "INSERT INTO registry.waivers (contract, fingerprint, rule, what, owner, reason, expires, review_id, recorded_at,"
        f" recorded_by, revoke_reason) VALUES ('lab-orders', 'f', 'r', 'w', 'ada', 'why', '2026-12-31', 1, '{T}', 'bo', '')"
    ),
    "INSERT INTO registry.bundle_serials VALUES ('contracts', 5, 4)",
    f"INSERT INTO registry.audit_outbox (id, recorded_at, record) VALUES ('o1', '{T}', '{{}}')",
]
FREEZE = f"UPDATE registry.contract_versions SET state = 'frozen', frozen_at = '{T}', statement = 'signed'"
DEPRECATE = f"UPDATE registry.contract_versions SET state = 'deprecated', deprecated_at = '{T}'"
RETIRE = f"UPDATE registry.contract_versions SET state = 'retired', retired_at = '{T}'"

GUARDED = (
    "contracts", "blobs", "contract_versions", "reviews", "documents", "verdicts", "findings", "approvals",
    "consumers", "keys", "denials", "tokens", "accounts", "bundle_serials", "audit_outbox",
    "environments", "releases", "release_contracts", "deployments", "conformance", "judgements", "waivers",
)  # fmt: skip

REFUSED_ALWAYS = [
    "UPDATE registry.contracts SET name = 'other'",
    "UPDATE registry.contracts SET kind = 'schema'",
    "UPDATE registry.blobs SET canonical = 'z'",
    f"UPDATE registry.blobs SET digest = 'sha256:{'e' * 64}'",
    "UPDATE registry.contract_versions SET version = '2.0.0'",
    "UPDATE registry.contract_versions SET contract = 'other'",
    "UPDATE registry.contract_versions SET state = 'draft', version = '1.0.1'",
    f"UPDATE registry.reviews SET digest = '{OTHER}'",
    "UPDATE registry.reviews SET author = 'eve'",
    "UPDATE registry.reviews SET quorum = 1",
    "UPDATE registry.documents SET document = 'z'",
    "UPDATE registry.verdicts SET outcome = 'breaking'",
    "UPDATE registry.findings SET severity = 'info'",
    f"UPDATE registry.approvals SET digest = '{OTHER}'",
    "UPDATE registry.approvals SET principal = 'eve'",
    "UPDATE registry.consumers SET id = 'other'",
    f"UPDATE registry.keys SET sha256 = '{'f' * 64}'",
    "UPDATE registry.keys SET expires_at = NULL, id = 'k2'",
    "UPDATE registry.denials SET name = 'other'",
    "UPDATE registry.denials SET reason = 'another'",
    "UPDATE registry.environments SET name = 'other'",
    "UPDATE registry.releases SET recorded_by = 'eve'",
    "UPDATE registry.release_contracts SET contract_version = '9.0.0'",
    "UPDATE registry.deployments SET version = '8'",
    "UPDATE registry.conformance SET outcome = 'passed'",
    'UPDATE registry.judgements SET policy = \'{"profile": "lenient"}\'',
    "UPDATE registry.waivers SET expires = '2099-12-31'",
    "UPDATE registry.waivers SET fingerprint = 'g'",
    "UPDATE registry.tokens SET roles = '[\"board\"]'",
    "UPDATE registry.accounts SET name = 'eve'",
    "UPDATE registry.bundle_serials SET serial = 4",
    "UPDATE registry.bundle_serials SET published = 3",
    "UPDATE registry.audit_outbox SET record = '{\"a\": 1}'",
    (
        "INSERT INTO registry.contract_versions (contract, version, major, state, digest, title, owner, domain, audience,"
        f" metadata, author, submitted_at, frozen_at, statement) VALUES ('lab-orders', '3.0.0', 3, 'frozen', '{DIGEST}', 't',"
        f" 'o', 'd', 'internal', '{{}}', 'eve', '{T}', '{T}', 'x')"
    ),
    *[f"DELETE FROM registry.{table}" for table in GUARDED],
]


def run(engine: Engine, *statements: str) -> None:
    with engine.connect().execution_options(interlock_writes=True) as connection, connection.begin():
        prefix = "" if connection.dialect.name == "sqlite" else "registry."
        for statement in statements:
            connection.exec_driver_sql(statement.replace("registry.", prefix))


@pytest.fixture
def filled(engine: Engine) -> Engine:
    run(engine, *SETUP)
    return engine


def refused(engine: Engine, statement: str) -> str:
    with pytest.raises(DBAPIError) as caught:
        run(engine, statement)
    return str(caught.value.orig)


@pytest.mark.parametrize("statement", REFUSED_ALWAYS)
def test_no_sql_changes_what_stands(filled: Engine, statement: str) -> None:
    said = refused(filled, statement)
    # The application's PostgreSQL role has no right to DELETE at all; the guard stands behind that.
    assert "interlock:" in said or "permission denied" in said


FROZEN_CHANGES = [
    f"digest = '{OTHER}'",
    "metadata = '{\"a\": 1}'",
    "audience = 'public'",
    "owner = 'eve'",
    "title = 'x'",
    "review_id = 2",
    "statement = 'forged'",
    "frozen_at = '2020-01-01T00:00:00.000000Z'",
    "state = 'draft'",
    "state = 'in-review'",
    "state = 'withdrawn'",
    "state = 'rejected'",
    "retired_at = '2026-01-01T00:00:00.000000Z'",
    "deprecated_at = '2026-01-01T00:00:00.000000Z'",
]


@pytest.mark.parametrize("state", ["frozen", "deprecated", "retired"])
@pytest.mark.parametrize("change", FROZEN_CHANGES)
def test_nothing_frozen_can_be_changed(filled: Engine, state: str, change: str) -> None:
    later = {"frozen": [], "deprecated": [DEPRECATE], "retired": [DEPRECATE, RETIRE]}[state]
    run(filled, FREEZE, *later)
    assert "interlock:" in refused(filled, f"UPDATE registry.contract_versions SET {change}")
    with filled.connect() as connection:
        table = "contract_versions" if connection.dialect.name == "sqlite" else "registry.contract_versions"
        row = connection.execute(text(f"SELECT state, digest FROM {table}")).one()
        assert tuple(row) == (state, DIGEST)


def test_the_digest_under_review_changes_only_by_a_new_draft(filled: Engine) -> None:
    assert "interlock:" in refused(filled, f"UPDATE registry.contract_versions SET digest = '{OTHER}'")
    run(filled, f"UPDATE registry.contract_versions SET state = 'draft', digest = '{OTHER}'")
    run(filled, "UPDATE registry.contract_versions SET state = 'in-review'")
    assert "interlock:" in refused(filled, "UPDATE registry.contract_versions SET state = 'deprecated'")


def test_a_review_ends_once(filled: Engine) -> None:
    run(filled, f"UPDATE registry.reviews SET state = 'rejected', ended_at = '{T}', ended_by = 'bo'")
    assert "interlock:" in refused(filled, "UPDATE registry.reviews SET state = 'open', ended_at = NULL")
    assert "interlock:" in refused(filled, "UPDATE registry.reviews SET end_reason = 'other'")


@pytest.mark.parametrize(
    ("once", "again"),
    [
        (f"UPDATE registry.keys SET revoked_at = '{T}'", "UPDATE registry.keys SET revoked_at = NULL"),
        (f"UPDATE registry.tokens SET revoked_at = '{T}'", "UPDATE registry.tokens SET revoked_at = NULL"),
        (
            f"UPDATE registry.approvals SET dismissed_at = '{T}'",
            "UPDATE registry.approvals SET dismissed_at = NULL",
        ),
        (
            f"UPDATE registry.denials SET lifted_at = '{T}', lifted_by = 'olga'",
            "UPDATE registry.denials SET lifted_at = NULL",
        ),
        (
            f"UPDATE registry.deployments SET ended_at = '{T}', ended_by = 'ci'",
            "UPDATE registry.deployments SET ended_at = NULL, ended_by = NULL",
        ),
        (
            f"UPDATE registry.waivers SET revoked_at = '{T}', revoked_by = 'cy'",
            "UPDATE registry.waivers SET revoked_at = NULL, revoked_by = NULL",
        ),
        (
            f"UPDATE registry.audit_outbox SET relayed_at = '{T}'",
            "UPDATE registry.audit_outbox SET relayed_at = NULL",
        ),
    ],
)
def test_what_was_ended_stays_ended(filled: Engine, once: str, again: str) -> None:
    run(filled, once)
    assert "interlock:" in refused(filled, again)


def test_sqlite_insert_or_replace_is_refused_from_any_client(tmp_path: Path) -> None:
    from registry.store.engine import sqlite_engine
    from registry.store.upgrade import upgrade

    engine = sqlite_engine(tmp_path / "registry.db")
    upgrade(engine)
    run(engine, *SETUP, FREEZE)
    engine.dispose()
    foreign = sqlite3.connect(tmp_path / "registry.db")  # no pragma of ours: recursive_triggers is off
    for table in GUARDED:
        columns = [row[1] for row in foreign.execute(f"PRAGMA table_info({table})")]
        copy = (
            f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM {table}"
        )
        with pytest.raises(sqlite3.IntegrityError, match="interlock:"):
            foreign.execute(copy)
    second_key = f"INSERT OR REPLACE INTO keys (id, consumer, sha256, created_at, created_by) VALUES ('k9', 'ehr', '{'c' * 64}', '{T}', 'eve')"
    with pytest.raises(sqlite3.IntegrityError, match="interlock:"):
        foreign.execute(second_key)
    upsert = "INSERT INTO contract_versions SELECT * FROM contract_versions WHERE true ON CONFLICT DO UPDATE SET digest = 'x'"
    with pytest.raises(sqlite3.IntegrityError, match="interlock:"):
        foreign.execute(upsert)
    pushed = (
        f"INSERT OR REPLACE INTO deployments VALUES (9, 'production', 'ehr', '7', '{T}', 'eve', NULL, NULL)"
    )
    with pytest.raises(sqlite3.IntegrityError, match="interlock:"):
        foreign.execute(pushed)
    with pytest.raises(sqlite3.IntegrityError, match="interlock:"):
        foreign.execute("UPDATE OR REPLACE reviews SET id = 1, digest = 'x'")
    # A row number as a second key would let another name push the frozen row out.
    with pytest.raises(sqlite3.OperationalError, match="rowid"):
        foreign.execute("SELECT rowid FROM contract_versions")
    assert foreign.execute("SELECT state, digest FROM contract_versions").fetchall() == [("frozen", DIGEST)]
    foreign.close()


ATTACKS = [f"{act} registry.{table}" for table in GUARDED for act in ("DELETE FROM", "TRUNCATE")]


@pytest.mark.postgres
@pytest.mark.parametrize("owner", [False, True])
def test_postgresql_administrator_and_owner_cannot_empty_a_table(
    postgres_engine: Engine, owner: bool
) -> None:
    run(postgres_engine, *SETUP, FREEZE)
    with postgres_engine.connect() as connection:
        for attack in ATTACKS:
            with connection.begin() as transaction:
                connection.exec_driver_sql("RESET ROLE")
                # A replica skips ordinary triggers.
                connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
                if owner:
                    connection.exec_driver_sql("SET LOCAL ROLE interlock_registry_owner")
                with pytest.raises(DBAPIError, match="interlock:"):
                    connection.exec_driver_sql(attack + (" CASCADE" if "TRUNC" in attack else ""))
                transaction.rollback()
        assert connection.exec_driver_sql("SELECT digest FROM registry.contract_versions").scalar() == DIGEST
