"""The tables of schema `registry`, third part: environments, releases, deployments, conformance evidence."""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

from registry.store.columns import ExactJson, Moment
from registry.store.tables import NO_ROWID, Number, contract_versions, metadata

environments = Table(
    "environments",
    metadata,
    Column("name", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    PrimaryKeyConstraint("name"),
    **NO_ROWID,
)

releases = Table(
    "releases",
    metadata,
    Column("application", String(64), nullable=False),
    Column("version", String(128), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    PrimaryKeyConstraint("application", "version"),
    **NO_ROWID,
)

release_contracts = Table(
    "release_contracts",
    metadata,
    Column("application", String(64), nullable=False),
    Column("version", String(128), nullable=False),
    Column("side", String(8), nullable=False),
    Column("contract", String(64), nullable=False),
    Column("contract_version", String(64), nullable=False),
    Column("operations", ExactJson, nullable=False),
    PrimaryKeyConstraint("application", "version", "side", "contract", "contract_version"),
    ForeignKeyConstraint(["application", "version"], [releases.c.application, releases.c.version]),
    ForeignKeyConstraint(
        ["contract", "contract_version"],
        [contract_versions.c.contract, contract_versions.c.version],
        name="fk_release_contracts_version",
    ),
    CheckConstraint("side IN ('provides', 'needs')", name="side"),
    Index(None, "contract", "contract_version"),
    **NO_ROWID,
)

_STANDS = text("ended_at IS NULL")
deployments = Table(
    "deployments",
    metadata,
    Column("id", Number, autoincrement=True, nullable=False),
    Column("environment", String(64), ForeignKey(environments.c.name), nullable=False),
    Column("application", String(64), nullable=False),
    Column("version", String(128), nullable=False),
    Column("deployed_at", Moment, nullable=False),
    Column("deployed_by", String(128), nullable=False),
    Column("ended_at", Moment),
    Column("ended_by", String(128)),
    PrimaryKeyConstraint("id"),
    ForeignKeyConstraint(["application", "version"], [releases.c.application, releases.c.version]),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
    # One release of an application at a time in one environment, ruled by the database itself.
    Index(
        "ix_deployments_standing", "environment", "application",
        unique=True, sqlite_where=_STANDS, postgresql_where=_STANDS,
    ),
    Index("ix_deployments_release", "application", "version"),
    sqlite_autoincrement=True,
)  # fmt: skip

conformance = Table(
    "conformance",
    metadata,
    Column("id", Number, autoincrement=True, nullable=False),
    Column("contract", String(64), nullable=False),
    Column("version", String(64), nullable=False),
    Column("digest", String(71), nullable=False),
    Column("provider", String(500), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("complete", Boolean(create_constraint=False), nullable=False),
    Column("seed", Number, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("operations", Integer, nullable=False),
    Column("calls", Integer, nullable=False),
    Column("counts", ExactJson, nullable=False),
    Column("rules", ExactJson, nullable=False),
    Column("tools", ExactJson, nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    PrimaryKeyConstraint("id"),
    ForeignKeyConstraint(
        ["contract", "version"], [contract_versions.c.contract, contract_versions.c.version]
    ),
    CheckConstraint("outcome IN ('passed', 'failed', 'undecided')", name="outcome"),
    Index(None, "contract", "version"),
    Index("ix_conformance_digest", "digest", "id"),
    sqlite_autoincrement=True,
)
