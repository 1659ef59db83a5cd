"""Consumers and routes that are denied at once."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from registry.errors import StoreFailed
from registry.store.columns import Moment
from registry.store.migrations.guards import DENIALS, statements

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the table, its index and its guard."""
    op.create_table(
        "denials",
        sa.Column("position", _Number, autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("denied_at", Moment(), nullable=False),
        sa.Column("denied_by", sa.String(length=128), nullable=False),
        sa.Column("lifted_at", Moment(), nullable=True),
        sa.Column("lifted_by", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_denials")),
        sa.CheckConstraint("kind IN ('consumer', 'route')", name=op.f("ck_denials_kind")),
        schema="registry",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_denials_kind", "denials", ["kind", "name"], schema="registry")
    for statement in statements(op.get_bind().dialect.name, DENIALS):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: frozen contracts are not thrown away by a migration."""
    raise StoreFailed("schema registry is never downgraded", hint="restore a backup instead")
