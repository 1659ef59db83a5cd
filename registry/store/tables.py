"""The tables of schema `registry` (DESIGN §7.8), first part: contracts, versions and their reviews.

The other parts are access_tables.py and release_tables.py. What may change in them is ruled in migrations/guards.py.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
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
NO_ROWID: dict[str, Any] = {"sqlite_with_rowid": False}
Number = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up only in a plain INTEGER key

contracts = Table(
    "contracts",
    metadata,
    Column("name", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    PrimaryKeyConstraint("name"),
    CheckConstraint("kind IN ('openapi', 'asyncapi', 'schema')", name="kind"),
    **NO_ROWID,
)

blobs = Table(
    "blobs",
    metadata,
    Column("digest", String(71), nullable=False),
    Column("canonical", LargeBinary, nullable=False),
    PrimaryKeyConstraint("digest"),
    **NO_ROWID,
)

contract_versions = Table(
    "contract_versions",
    metadata,
    Column("contract", String(64), ForeignKey(contracts.c.name), nullable=False),
    Column("version", String(64), nullable=False),
    Column("major", Integer, nullable=False),
    Column("state", String(16), nullable=False),
    Column("digest", String(71), ForeignKey(blobs.c.digest), nullable=False),
    Column("review_id", Number),
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
    **NO_ROWID,
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", Number, autoincrement=True, nullable=False),
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
    Column("review_id", Number, ForeignKey(reviews.c.id), nullable=False, autoincrement=False),
    Column("media", String(8), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("meta", LargeBinary, nullable=False),
    PrimaryKeyConstraint("review_id"),
    **NO_ROWID,
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("review_id", Number, ForeignKey(reviews.c.id), nullable=False),
    Column("base_version", String(64), nullable=False),
    Column("base_digest", String(71), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("required_bump", String(8), nullable=False),
    Column("declared_bump", String(8), nullable=False),
    Column("engines", ExactJson, nullable=False),
    PrimaryKeyConstraint("review_id", "base_version"),
    **NO_ROWID,
)

findings = Table(
    "findings",
    metadata,
    Column("review_id", Number, ForeignKey(reviews.c.id), nullable=False),
    Column("base_version", String(64), nullable=False),  # "" for findings about the document alone
    Column("position", Integer, nullable=False),
    Column("rule", String(128), nullable=False),
    Column("severity", String(16), nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Column("body", ExactJson, nullable=False),
    PrimaryKeyConstraint("review_id", "base_version", "position"),
    **NO_ROWID,
)

approvals = Table(
    "approvals",
    metadata,
    Column("review_id", Number, ForeignKey(reviews.c.id), nullable=False),
    Column("principal", String(128), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("reason", Text, nullable=False),
    Column("decided_at", Moment, nullable=False),
    Column("dismissed_at", Moment),
    PrimaryKeyConstraint("review_id", "principal"),
    **NO_ROWID,
)
