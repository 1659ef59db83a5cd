"""Access, routes, people, publication and audit outbox as first released: tables, indexes, guards."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from registry.errors import StoreFailed
from registry.store.columns import ExactJson, Moment
from registry.store.migrations.guards import GUARDS, statements

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
_SCHEMA = "registry"
_GUARDED = 8  # the rows of GUARDS from here on are about the tables made here
_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create everything."""
    _create_tables()
    for statement in statements(op.get_bind().dialect.name, GUARDS[_GUARDED:]):
        op.execute(statement)


def downgrade() -> None:
    """Refuse: frozen contracts are not thrown away by a migration."""
    raise StoreFailed("schema registry is never downgraded", hint="restore a backup instead")


def _create_tables() -> None:
    # Longer than a function should be: one statement a table, written by alembic and read as a list.
    op.create_table(
        "accounts",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("roles", ExactJson(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("disabled_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_accounts")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "adapters",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("settings", ExactJson(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_adapters")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "audit_outbox",
        sa.Column("position", _Number, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("record", ExactJson(), nullable=False),
        sa.Column("relayed_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_audit_outbox")),
        sa.UniqueConstraint("id", name=op.f("uq_audit_outbox_id")),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    op.create_index(
        "ix_audit_outbox_waiting", "audit_outbox", ["relayed_at", "position"], unique=False, schema=_SCHEMA
    )
    op.create_table(
        "bundle_serials",
        sa.Column("part", sa.String(length=16), nullable=False),
        sa.Column("serial", _Number, nullable=False),
        sa.Column("published", _Number, nullable=False),
        sa.CheckConstraint("published <= serial", name=op.f("ck_bundle_serials_published")),
        sa.PrimaryKeyConstraint("part", name=op.f("pk_bundle_serials")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "consumers",
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("audience", sa.String(length=16), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.CheckConstraint(
            "audience IN ('internal', 'partner', 'public')", name=op.f("ck_consumers_audience")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consumers")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "tokens",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("roles", ExactJson(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tokens")),
        sa.UniqueConstraint("sha256", name=op.f("uq_tokens_sha256")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "grants",
        sa.Column("consumer", sa.String(length=64), nullable=False),
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("major", sa.Integer(), nullable=False),
        sa.Column("pin", sa.String(length=64), nullable=True),
        sa.Column("scopes", ExactJson(), nullable=False),
        sa.ForeignKeyConstraint(["consumer"], ["registry.consumers.id"], name=op.f("fk_grants_consumers")),
        sa.ForeignKeyConstraint(["contract"], ["registry.contracts.name"], name=op.f("fk_grants_contracts")),
        sa.PrimaryKeyConstraint("consumer", "contract", "major", name=op.f("pk_grants")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_grants_contract"), "grants", ["contract", "major"], unique=False, schema=_SCHEMA)
    op.create_table(
        "keys",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("consumer", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.Column("expires_at", Moment(), nullable=True),
        sa.Column("revoked_at", Moment(), nullable=True),
        sa.ForeignKeyConstraint(["consumer"], ["registry.consumers.id"], name=op.f("fk_keys_consumers")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keys")),
        sa.UniqueConstraint("sha256", name=op.f("uq_keys_sha256")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_keys_consumer"), "keys", ["consumer"], unique=False, schema=_SCHEMA)
    op.create_table(
        "limits",
        sa.Column("consumer", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("requests", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("burst", sa.Integer(), nullable=False),
        sa.CheckConstraint("requests > 0 AND seconds > 0 AND burst > 0", name=op.f("ck_limits_positive")),
        sa.ForeignKeyConstraint(["consumer"], ["registry.consumers.id"], name=op.f("fk_limits_consumers")),
        sa.PrimaryKeyConstraint("consumer", "name", name=op.f("pk_limits")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "routes",
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("major", sa.Integer(), nullable=False),
        sa.Column("current", sa.String(length=64), nullable=True),
        sa.Column("adapter", sa.String(length=64), nullable=False),
        sa.Column("limits", ExactJson(), nullable=False),
        sa.Column("report_only", sa.Boolean(), nullable=False),
        sa.Column("timeout_seconds", sa.Float(), nullable=False),
        sa.Column("upstream_prefix", sa.String(length=500), nullable=False),
        sa.CheckConstraint("timeout_seconds > 0", name=op.f("ck_routes_timeout")),
        sa.ForeignKeyConstraint(["adapter"], ["registry.adapters.name"], name=op.f("fk_routes_adapters")),
        sa.ForeignKeyConstraint(["contract"], ["registry.contracts.name"], name=op.f("fk_routes_contracts")),
        sa.PrimaryKeyConstraint("contract", "major", name=op.f("pk_routes")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sessions",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=128), nullable=False),
        sa.Column("csrf", sa.String(length=64), nullable=False),
        sa.Column("signed_in_at", Moment(), nullable=False),
        sa.Column("expires_at", Moment(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["registry.accounts.name"], name=op.f("fk_sessions_accounts")),
        sa.PrimaryKeyConstraint("sha256", name=op.f("pk_sessions")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "route_versions",
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("major", sa.Integer(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("activated_at", Moment(), nullable=False),
        sa.Column("activated_by", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(
            ["contract", "major"],
            ["registry.routes.contract", "registry.routes.major"],
            name=op.f("fk_route_versions_routes"),
        ),
        sa.ForeignKeyConstraint(
            ["contract", "version"],
            ["registry.contract_versions.contract", "registry.contract_versions.version"],
            name="fk_route_versions_version",
        ),
        sa.PrimaryKeyConstraint("contract", "major", "version", name=op.f("pk_route_versions")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
