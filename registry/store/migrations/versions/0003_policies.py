"""The policies of routes and consumers: one document each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from registry.errors import StoreFailed
from registry.store.columns import ExactJson

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
_SCHEMA = "registry"


def upgrade() -> None:
    """Give what stands already the policy that asks for nothing."""
    # Alembic's ALTER does not ask the engine how the schema is called there, as its CREATE does.
    schema = None if op.get_bind().dialect.name == "sqlite" else _SCHEMA
    for table in ("routes", "consumers"):
        column: sa.Column[object] = sa.Column("policy", ExactJson(), nullable=False, server_default="{}")
        op.add_column(table, column, schema=schema)


def downgrade() -> None:
    """Refuse: frozen contracts are not thrown away by a migration."""
    raise StoreFailed("schema registry is never downgraded", hint="restore a backup instead")
