"""The tables of schema `registry`, fourth part: under which policy reviews were judged, and what was waived."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
)

from registry.store.columns import ExactJson, Moment
from registry.store.tables import NO_ROWID, Number, contracts, metadata, reviews

judgements = Table(
    "judgements",
    metadata,
    Column("review_id", Number, ForeignKey(reviews.c.id), nullable=False, autoincrement=False),
    Column("policy", ExactJson, nullable=False),
    Column("uses", ExactJson, nullable=False),
    PrimaryKeyConstraint("review_id"),
    **NO_ROWID,
)

waivers = Table(
    "waivers",
    metadata,
    Column("id", Number, autoincrement=True, nullable=False),
    Column("contract", String(64), ForeignKey(contracts.c.name), nullable=False),
    Column("fingerprint", String(16), nullable=False),
    Column("rule", String(128), nullable=False),
    Column("what", Text, nullable=False),
    Column("owner", String(100), nullable=False),
    Column("reason", Text, nullable=False),
    Column("expires", String(10), nullable=False),
    Column("review_id", Number, ForeignKey(reviews.c.id), nullable=False),
    Column("recorded_at", Moment, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("revoked_at", Moment),
    Column("revoked_by", String(128)),
    Column("revoke_reason", Text, nullable=False),
    PrimaryKeyConstraint("id"),
    CheckConstraint("(revoked_at IS NULL) = (revoked_by IS NULL)", name="revoked"),
    Index("ix_waivers_contract", "contract", "id"),
    sqlite_autoincrement=True,
)
