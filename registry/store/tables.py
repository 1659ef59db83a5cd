"""The tables of schema `registry` (DESIGN §7.8); what may change in them is ruled in migrations/guards.py.

One file, though long: the schema is read as a whole.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from registry.store.columns import ExactJson, Moment

SCHEMA = "registry"
metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    },
)
# SQLite's own row numbers would be a second key, by which INSERT OR REPLACE could remove a row.
_NO_ROWID: dict[str, Any] = {"sqlite_with_rowid": False}
_Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a plain INTEGER key

contracts = Table(
    "contracts",
    metadata,
    Column("name", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    PrimaryKeyConstraint("name"),
    CheckConstraint("kind IN ('openapi', 'asyncapi', 'schema')", name="kind"),
    **_NO_ROWID,
)

blobs = Table(
    "blobs",
    metadata,
    Column("digest", String(71), nullable=False),
    Column("canonical", LargeBinary, nullable=False),
    PrimaryKeyConstraint("digest"),
    **_NO_ROWID,
)

contract_versions = Table(
    "contract_versions",
    metadata,
    Column("contract", String(64), ForeignKey(contracts.c.name), nullable=False),
    Column("version", String(64), nullable=False),
    Column("major", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("digest", String(71), ForeignKey(blobs.c.digest), nullable=False),
    Column("review_id", _Number),
    Column("title", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("audience", String(16), nullable=False),
    Column("metadata", ExactJson, nullable=False),
    Column("author", String(128), nullable=False),
    Column("submitted_at", Moment, nullable=False),
    Column("frozen_at", Moment),
    Column("statement", LargeBinary),
    Column("deprecated_at", Moment),
    Column("sunset_at", Moment),
    Column("retired_at", Moment),
    PrimaryKeyConstraint("contract", "version"),
    CheckConstraint(
        "state IN ('draft', 'in-review', 'frozen', 'deprecated', 'retired', 'withdrawn', 'rejected')",
        name="state",
    ),
    CheckConstraint("audience IN ('internal', 'partner', 'public')", name="audience"),
    CheckConstraint(
        "(state IN ('frozen', 'deprecated', 'retired')) = (frozen_at IS NOT NULL)",
        name="frozen",
    ),
    CheckConstraint("(frozen_at IS NULL) = (statement IS NULL)", name="signed"),
    Index(None, "contract", "major", "state"),
    **_NO_ROWID,
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", _Number, autoincrement=True, nullable=False),
    Column("contract", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("digest", String(71), ForeignKey(blobs.c.digest), nullable=False),
    Column("state", String(16), nullable=False),
    Column("author", String(128), nullable=False),
    Column("metadata", ExactJson, nullable=False),
    Column("quorum", Integer, nullable=False),
    Column("submitted_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("ended_by", String(128)),
    Column("end_reason", Text, nullable=False),
    PrimaryKeyConstraint("id"),
    ForeignKeyConstraint(
        ["contract", "version"], [contract_versions.c.contract, contract_versions.c.version]
    ),
    CheckConstraint("state IN ('open', 'frozen', 'rejected', 'withdrawn', 'superseded')", name="state"),
    CheckConstraint("(state = 'open') = (ended_at IS NULL)", name="ended"),
    Index(None, "contract", "version"),
    Index("ix_reviews_state", "state", "id"),
    sqlite_autoincrement=True,
)

documents = Table(
    "documents",
    metadata,
    Column("review_id", _Number, ForeignKey(reviews.c.id), nullable=False, autoincrement=False),
    Column("media", String(8), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("meta", LargeBinary, nullable=False),
    PrimaryKeyConstraint("review_id"),
    **_NO_ROWID,
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("review_id", _Number, ForeignKey(reviews.c.id), nullable=False),
    Column("base_version", String(64), nullable=False),
    Column("base_digest", String(71), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("required_bump", String(8), nullable=False),
    Column("declared_bump", String(8), nullable=False),
    Column("engines", ExactJson, nullable=False),
    PrimaryKeyConstraint("review_id", "base_version"),
    **_NO_ROWID,
)

findings = Table(
    "findings",
    metadata,
    Column("review_id", _Number, ForeignKey(reviews.c.id), nullable=False),
    Column("base_version", String(64), nullable=False),  # "" for findings about the document alone
    Column("position", Integer, nullable=False),
    Column("rule", String(128), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Column("body", ExactJson, nullable=False),
    PrimaryKeyConstraint("review_id", "base_version", "position"),
    **_NO_ROWID,
)

approvals = Table(
    "approvals",
    metadata,
    Column("review_id", _Number, ForeignKey(reviews.c.id), nullable=False),
    Column("principal", String(128), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("dismissed_at", Moment),
    PrimaryKeyConstraint("review_id", "principal"),
    **_NO_ROWID,
)

consumers = Table(
    "consumers",
    metadata,
    Column("id", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("audience", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("audience IN ('internal', 'partner', 'public')", name="audience"),
    **_NO_ROWID,
)

keys = Table(
    "keys",
    metadata,
    Column("id", String(32), nullable=False),
    Column("consumer", String(64), ForeignKey(consumers.c.id), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("sha256"),
    Index(None, "consumer"),
    **_NO_ROWID,
)

grants = Table(
    "grants",
    metadata,
    Column("consumer", String(64), ForeignKey(consumers.c.id), nullable=False),
    Column("contract", String(64), ForeignKey(contracts.c.name), nullable=False),
    Column("major", Integer, nullable=False),
    Column("pin", String(64)),
    Column("scopes", ExactJson, nullable=False),
    PrimaryKeyConstraint("consumer", "contract", "major"),
    Index(None, "contract", "major"),
    **_NO_ROWID,
)

limits = Table(
    "limits",
    metadata,
    Column("consumer", String(64), ForeignKey(consumers.c.id), nullable=False),
    Column("name", String(64), nullable=False),
    Column("requests", Integer, nullable=False),
    Column("seconds", Integer, nullable=False),
    Column("burst", Integer, nullable=False),
    PrimaryKeyConstraint("consumer", "name"),
    CheckConstraint("requests > 0 AND seconds > 0 AND burst > 0", name="positive"),
    **_NO_ROWID,
)

adapters = Table(
    "adapters",
    metadata,
    Column("name", String(64), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("settings", ExactJson, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    PrimaryKeyConstraint("name"),
    **_NO_ROWID,
)

routes = Table(
    "routes",
    metadata,
    Column("contract", String(64), ForeignKey(contracts.c.name), nullable=False),
    Column("major", Integer, nullable=False),
    Column("current", String(64), nullable=False),
    Column("adapter", String(64), ForeignKey(adapters.c.name), nullable=False),
    Column("limits", ExactJson, nullable=False),
    Column("report_only", Boolean(create_constraint=False), nullable=False),
    Column("timeout_seconds", Float, nullable=False),
    PrimaryKeyConstraint("contract", "major"),
    CheckConstraint("timeout_seconds > 0", name="timeout"),
    **_NO_ROWID,
)

route_versions = Table(
    "route_versions",
    metadata,
    Column("contract", String(64), nullable=False),
    Column("major", Integer, nullable=False),
    Column("version", String(64), nullable=False),
    Column("activated_at", Moment, nullable=False),
    Column("activated_by", String(128), nullable=False),
    PrimaryKeyConstraint("contract", "major", "version"),
    ForeignKeyConstraint(["contract", "major"], [routes.c.contract, routes.c.major]),
    ForeignKeyConstraint(
        ["contract", "version"],
        [contract_versions.c.contract, contract_versions.c.version],
        name="fk_route_versions_version",
    ),
    **_NO_ROWID,
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(32), nullable=False),
    Column("subject", String(128), nullable=False),
    Column("roles", ExactJson, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("expires_at", Moment),
    Column("revoked_at", Moment),
    PrimaryKeyConstraint("id"),
    UniqueConstraint("sha256"),
    **_NO_ROWID,
)

accounts = Table(
    "accounts",
    metadata,
    Column("name", String(128), nullable=False),
    Column("password", Text, nullable=False),  # argon2id, in its own encoded form
    Column("roles", ExactJson, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("disabled_at", Moment),
    PrimaryKeyConstraint("name"),
    **_NO_ROWID,
)

sessions = Table(
    "sessions",
    metadata,
    Column("sha256", String(64), nullable=False),
    Column("account", String(128), ForeignKey(accounts.c.name), nullable=False),
    Column("csrf", String(64), nullable=False),
    Column("signed_in_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
    PrimaryKeyConstraint("sha256"),
    **_NO_ROWID,
)

bundle_serials = Table(
    "bundle_serials",
    metadata,
    Column("part", String(16), nullable=False),
    Column("serial", _Number, nullable=False),
    Column("published", _Number, nullable=False),
    PrimaryKeyConstraint("part"),
    CheckConstraint("published <= serial", name="published"),
    **_NO_ROWID,
)

audit_outbox = Table(
    "audit_outbox",
    metadata,
    Column("position", _Number, autoincrement=True, nullable=False),
    Column("id", String(36), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("record", ExactJson, nullable=False),
    Column("relayed_at", Moment),
    PrimaryKeyConstraint("position"),
    UniqueConstraint("id"),
    Index("ix_audit_outbox_waiting", "relayed_at", "position"),
    sqlite_autoincrement=True,
)
