"""Under which policy reviews were judged, through which users, and what was waived."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from registry.errors import StoreFailed
from registry.store.columns import ExactJson, Moment
from registry.store.migrations.guards import JUDGEMENTS, statements

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None
_SCHEMA = "registry"
_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, their index and their guards."""
    op.create_table(
        "judgements",
        sa.Column("review_id", _Number, autoincrement=False, nullable=False),
        sa.Column("policy", ExactJson(), nullable=False),
        sa.Column("uses", ExactJson(), nullable=False),
        sa.PrimaryKeyConstraint("review_id", name=op.f("pk_judgements")),
        sa.ForeignKeyConstraint(["review_id"], ["registry.reviews.id"], name=op.f("fk_judgements_reviews")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "waivers",
        sa.Column("id", _Number, autoincrement=True, nullable=False),
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("fingerprint", sa.String(length=16), nullable=False),
        sa.Column("rule", sa.String(length=128), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("owner", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("expires", sa.String(length=10), nullable=False),
        sa.Column("review_id", _Number, nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("recorded_by", sa.String(length=128), nullable=False),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.Column("revoked_by", sa.String(length=128), nullable=True),
        sa.Column("revoke_reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waivers")),
        sa.ForeignKeyConstraint(["contract"], ["registry.contracts.name"], name=op.f("fk_waivers_contracts")),
        sa.ForeignKeyConstraint(["review_id"], ["registry.reviews.id"], name=op.f("fk_waivers_reviews")),
        sa.CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name=op.f("ck_waivers_revoked")),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_waivers_contract", "waivers", ["contract", "id"], schema=_SCHEMA)
    for statement in statements(op.get_bind().dialect.name, JUDGEMENTS):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: frozen contracts are not thrown away by a migration."""
    raise StoreFailed("schema registry is never downgraded", hint="restore a backup instead")
