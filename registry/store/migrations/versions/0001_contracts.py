"""Contracts, versions and reviews as first released: tables, indexes, guards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from registry.errors import StoreFailed
from registry.store.columns import ExactJson, Moment
from registry.store.migrations.guards import GUARDS, statements

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
_SCHEMA = "registry"
_GUARDED = 8  # the first rows of GUARDS are about the tables made here
_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything."""
    _create_tables()
    for statement in statements(op.get_bind().dialect.name, GUARDS[:_GUARDED]):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: frozen contracts are not thrown away by a migration."""
    raise StoreFailed("schema registry is never downgraded", hint="restore a backup instead")


def _create_tables() -> None:
    # Longer than a function should be: one statement a table, written by alembic and read as a list.
    op.create_table(
        "blobs",
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("canonical", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_blobs")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contracts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.CheckConstraint("kind IN ('openapi', 'asyncapi', 'schema')", name=op.f("ck_contracts_kind")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_contracts")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "contract_versions",
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("major", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("review_id", _Number, nullable=True),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("domain", sa.Text(), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("metadata", ExactJson(), nullable=False),
        sa.Column("author", sa.String(length=128), nullable=False),
        sa.Column("submitted_at", Moment(), nullable=False),
        sa.Column("frozen_at", Moment(), nullable=True),
        sa.Column("statement", sa.LargeBinary(), nullable=True),
        sa.Column("deprecated_at", Moment(), nullable=True),
        sa.Column("sunset_at", Moment(), nullable=True),
        sa.Column("retired_at", Moment(), nullable=True),
        sa.CheckConstraint(
            "(state IN ('frozen', 'deprecated', 'retired')) = (frozen_at IS NOT NULL)",
            name=op.f("ck_contract_versions_frozen"),
        ),
        sa.CheckConstraint(
            "(frozen_at IS NULL) = (statement IS NULL)", name=op.f("ck_contract_versions_signed")
        ),
        sa.CheckConstraint(
            "audience IN ('internal', 'partner', 'public')", name=op.f("ck_contract_versions_audience")
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'in-review', 'frozen', 'deprecated', 'retired', 'withdrawn', 'rejected')",
            name=op.f("ck_contract_versions_state"),
        ),
        sa.ForeignKeyConstraint(
            ["contract"], ["registry.contracts.name"], name=op.f("fk_contract_versions_contracts")
        ),
        sa.ForeignKeyConstraint(
            ["digest"], ["registry.blobs.digest"], name=op.f("fk_contract_versions_blobs")
        ),
        sa.PrimaryKeyConstraint("contract", "version", name=op.f("pk_contract_versions")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_contract_versions_contract"),
        "contract_versions",
        ["contract", "major", "state"],
        unique=False,
        schema=_SCHEMA,
    )
    op.create_table(
        "reviews",
        sa.Column("id", _Number, autoincrement=True, nullable=False),
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("author", sa.String(length=128), nullable=False),
        sa.Column("metadata", ExactJson(), nullable=False),
        sa.Column("quorum", sa.Integer(), nullable=False),
        sa.Column("submitted_at", Moment(), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("ended_by", sa.String(length=128), nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=False),
        sa.CheckConstraint("(state = 'open') = (ended_at IS NULL)", name=op.f("ck_reviews_ended")),
        sa.CheckConstraint(
            "state IN ('open', 'frozen', 'rejected', 'withdrawn', 'superseded')",
            name=op.f("ck_reviews_state"),
        ),
        sa.ForeignKeyConstraint(
            ["contract", "version"],
            ["registry.contract_versions.contract", "registry.contract_versions.version"],
            name=op.f("fk_reviews_contract_versions"),
        ),
        sa.ForeignKeyConstraint(["digest"], ["registry.blobs.digest"], name=op.f("fk_reviews_blobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_reviews_contract"), "reviews", ["contract", "version"], unique=False, schema=_SCHEMA
    )
    op.create_index("ix_reviews_state", "reviews", ["state", "id"], unique=False, schema=_SCHEMA)
    op.create_table(
        "approvals",
        sa.Column("review_id", _Number, nullable=False),
        sa.Column("principal", sa.String(length=128), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("decided_at", Moment(), nullable=False),
        sa.Column("dismissed_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["review_id"], ["registry.reviews.id"], name=op.f("fk_approvals_reviews")),
        sa.PrimaryKeyConstraint("review_id", "principal", name=op.f("pk_approvals")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "documents",
        sa.Column("review_id", _Number, autoincrement=False, nullable=False),
        sa.Column("media", sa.String(length=8), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("meta", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["registry.reviews.id"], name=op.f("fk_documents_reviews")),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_documents")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "findings",
        sa.Column("review_id", _Number, nullable=False),
        sa.Column("base_version", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("rule", sa.String(length=128), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("body", ExactJson(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["registry.reviews.id"], name=op.f("fk_findings_reviews")),
        sa.PrimaryKeyConstraint("review_id", "base_version", "position", name=op.f("pk_findings")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "verdicts",
        sa.Column("review_id", _Number, nullable=False),
        sa.Column("base_version", sa.String(length=64), nullable=False),
        sa.Column("base_digest", sa.String(length=71), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("required_bump", sa.String(length=8), nullable=False),
        sa.Column("declared_bump", sa.String(length=8), nullable=False),
        sa.Column("engines", ExactJson(), nullable=False),
        sa.ForeignKeyConstraint(["review_id"], ["registry.reviews.id"], name=op.f("fk_verdicts_reviews")),
        sa.PrimaryKeyConstraint("review_id", "base_version", name=op.f("pk_verdicts")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
