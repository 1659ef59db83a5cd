"""What is deployed where, and what was proven of providers."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from registry.errors import StoreFailed
from registry.store.columns import ExactJson, Moment
from registry.store.migrations.guards import RELEASES, statements

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None
_SCHEMA = "registry"
# INSERT OR REPLACE over the index of what stands would remove a row without asking its delete trigger.
_NO_PUSHING_OUT = (
    "CREATE TRIGGER deployments_standing BEFORE INSERT ON deployments WHEN EXISTS (SELECT 1 FROM deployments "
    "WHERE environment = NEW.environment AND application = NEW.application AND ended_at IS NULL) "
    "BEGIN SELECT RAISE(ABORT, 'interlock: INSERT over a standing row refused by the rules of deployments'); END"
)
_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create the tables, their indexes and their guards."""
    op.create_table(
        "environments",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("created_at", Moment(), nullable=False),
        sa.Column("created_by", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_environments")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    _releases()
    _deployments()
    _conformance()
    dialect = op.get_bind().dialect.name
    for statement in statements(dialect, RELEASES):
        op.execute(statement)
    if dialect == "sqlite":
        op.execute(_NO_PUSHING_OUT)


def _releases() -> None:
    op.create_table(
        "releases",
        sa.Column("application", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("recorded_by", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("application", "version", name=op.f("pk_releases")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    op.create_table(
        "release_contracts",
        sa.Column("application", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("side", sa.String(length=8), nullable=False),
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("contract_version", sa.String(length=64), nullable=False),
        sa.Column("operations", ExactJson(), nullable=False),
        sa.PrimaryKeyConstraint(
            "application",
            "version",
            "side",
            "contract",
            "contract_version",
            name=op.f("pk_release_contracts"),
        ),
        sa.ForeignKeyConstraint(
            ["application", "version"],
            ["registry.releases.application", "registry.releases.version"],
            name=op.f("fk_release_contracts_releases"),
        ),
        sa.ForeignKeyConstraint(
            ["contract", "contract_version"],
            ["registry.contract_versions.contract", "registry.contract_versions.version"],
            name="fk_release_contracts_version",
        ),
        sa.CheckConstraint("side IN ('provides', 'needs')", name=op.f("ck_release_contracts_side")),
        schema=_SCHEMA,
        sqlite_with_rowid=False,
    )
    columns = ["contract", "contract_version"]
    op.create_index("ix_release_contracts_contract", "release_contracts", columns, schema=_SCHEMA)


def _deployments() -> None:
    op.create_table(
        "deployments",
        sa.Column("id", _Number, autoincrement=True, nullable=False),
        sa.Column("environment", sa.String(length=64), nullable=False),
        sa.Column("application", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=128), nullable=False),
        sa.Column("deployed_at", Moment(), nullable=False),
        sa.Column("deployed_by", sa.String(length=128), nullable=False),
        sa.Column("ended_at", Moment(), nullable=True),
        sa.Column("ended_by", sa.String(length=128), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
        sa.ForeignKeyConstraint(
            ["environment"], ["registry.environments.name"], name=op.f("fk_deployments_environments")
        ),
        sa.ForeignKeyConstraint(
            ["application", "version"],
            ["registry.releases.application", "registry.releases.version"],
            name=op.f("fk_deployments_releases"),
        ),
        sa.CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_deployments_ended")),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    stands = sa.text("ended_at IS NULL")
    op.create_index(
        "ix_deployments_standing",
        "deployments",
        ["environment", "application"],
        schema=_SCHEMA,
        unique=True,
        sqlite_where=stands,
        postgresql_where=stands,
    )
    op.create_index("ix_deployments_release", "deployments", ["application", "version"], schema=_SCHEMA)


def _conformance() -> None:
    op.create_table(
        "conformance",
        sa.Column("id", _Number, autoincrement=True, nullable=False),
        sa.Column("contract", sa.String(length=64), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.Column("digest", sa.String(length=71), nullable=False),
        sa.Column("provider", sa.String(length=500), nullable=False),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("seed", _Number, nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("operations", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("counts", ExactJson(), nullable=False),
        sa.Column("rules", ExactJson(), nullable=False),
        sa.Column("tools", ExactJson(), nullable=False),
        sa.Column("recorded_at", Moment(), nullable=False),
        sa.Column("recorded_by", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_conformance")),
        sa.ForeignKeyConstraint(
            ["contract", "version"],
            ["registry.contract_versions.contract", "registry.contract_versions.version"],
            name=op.f("fk_conformance_contract_versions"),
        ),
        sa.CheckConstraint(
            "outcome IN ('passed', 'failed', 'undecided')", name=op.f("ck_conformance_outcome")
        ),
        schema=_SCHEMA,
        sqlite_autoincrement=True,
    )
    op.create_index("ix_conformance_contract", "conformance", ["contract", "version"], schema=_SCHEMA)
    op.create_index("ix_conformance_digest", "conformance", ["digest", "id"], schema=_SCHEMA)


def downgrade() -> None:
    """Refuse: frozen contracts are not thrown away by a migration."""
    raise StoreFailed("schema registry is never downgraded", hint="restore a backup instead")
