"""The tables of schema `registry`, second part: access, routes, people, publication and audit outbox."""

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
    UniqueConstraint,
)

from registry.store.columns import ExactJson, Moment
from registry.store.tables import NO_ROWID, Number, contract_versions, contracts, metadata

consumers = Table(
    "consumers",
    metadata,
    Column("id", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("audience", String(16), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("created_by", String(128), nullable=False),
    Column("policy", ExactJson, nullable=False, server_default="{}"),
    PrimaryKeyConstraint("id"),
    CheckConstraint("audience IN ('internal', 'partner', 'public')", name="audience"),
    **NO_ROWID,
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
    **NO_ROWID,
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
    **NO_ROWID,
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
    **NO_ROWID,
)

denials = Table(
    "denials",
    metadata,
    Column("position", Number, autoincrement=True, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("name", String(100), nullable=False),
    Column("reason", Text, nullable=False),
    Column("denied_at", Moment, nullable=False),
    Column("denied_by", String(128), nullable=False),
    Column("lifted_at", Moment),
    Column("lifted_by", String(128)),
    PrimaryKeyConstraint("position"),
    CheckConstraint("kind IN ('consumer', 'route')", name="kind"),  # a key is revoked instead, for good
    Index(None, "kind", "name"),
    sqlite_autoincrement=True,
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
    **NO_ROWID,
)

routes = Table(
    "routes",
    metadata,
    Column("contract", String(64), ForeignKey(contracts.c.name), nullable=False),
    Column("major", Integer, nullable=False),
    Column("current", String(64)),
    Column("adapter", String(64), ForeignKey(adapters.c.name), nullable=False),
    Column("limits", ExactJson, nullable=False),
    Column("report_only", Boolean(create_constraint=False), nullable=False),
    Column("timeout_seconds", Float, nullable=False),
    Column("upstream_prefix", String(500), nullable=False),
    Column("policy", ExactJson, nullable=False, server_default="{}"),
    PrimaryKeyConstraint("contract", "major"),
    CheckConstraint("timeout_seconds > 0", name="timeout"),
    **NO_ROWID,
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
    **NO_ROWID,
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
    **NO_ROWID,
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
    **NO_ROWID,
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
    **NO_ROWID,
)

bundle_serials = Table(
    "bundle_serials",
    metadata,
    Column("part", String(16), nullable=False),
    Column("serial", Number, nullable=False),
    Column("published", Number, nullable=False),
    PrimaryKeyConstraint("part"),
    CheckConstraint("published <= serial", name="published"),
    **NO_ROWID,
)

audit_outbox = Table(
    "audit_outbox",
    metadata,
    Column("position", Number, autoincrement=True, nullable=False),
    Column("id", String(36), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("record", ExactJson, nullable=False),
    Column("relayed_at", Moment),
    PrimaryKeyConstraint("position"),
    UniqueConstraint("id"),
    Index("ix_audit_outbox_waiting", "relayed_at", "position"),
    sqlite_autoincrement=True,
)
