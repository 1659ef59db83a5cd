"""Inbox, deduplication, resources, events, outboxes and dead letters as first released."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from adapters.errors import CanonicalStoreError

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None
_SCHEMA = "canonical"
_Number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
# Events and revisions are history: the database itself refuses to change them.
_HISTORY = ("events", "revisions")


def upgrade() -> None:
    """Create everything."""
    _create_arrivals()
    _create_resources()
    _create_events()
    _guard()


def downgrade() -> None:
    """Refuse: what arrived is not thrown away by a migration."""
    raise CanonicalStoreError("schema canonical is never downgraded", hint="restore a backup instead")


def _inbox_key(
    name: str, table: str, *, nullable: bool = False
) -> tuple[sa.Column[str], sa.ForeignKeyConstraint]:
    constraint = sa.ForeignKeyConstraint([name], [f"{_SCHEMA}.inbox.id"], name=op.f(f"fk_{table}_{name}"))
    return sa.Column(name, sa.String(36), nullable=nullable), constraint


def _create_arrivals() -> None:
    op.create_table(
        "inbox",
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("received_at", sa.String(40), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("bytes", _Number, nullable=False),
        sa.Column("digest", sa.String(71), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(64), server_default="", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("replay_of", sa.String(36), nullable=True),
        sa.Column("settled_at", sa.String(40), nullable=True),
        sa.CheckConstraint(
            "state IN ('held', 'published', 'unchanged', 'stored-only', 'duplicate', 'refused', 'failed')",
            name=op.f("ck_inbox_state"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbox")),
        schema=_SCHEMA,
    )
    op.create_index(op.f("ix_inbox_state"), "inbox", ["state", "id"], schema=_SCHEMA)
    op.create_table(
        "dedup",
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("digest", sa.String(71), nullable=False),
        *_inbox_key("inbox_id", "dedup"),
        sa.Column("answer", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_dedup")),
        schema=_SCHEMA,
    )
    op.create_table(
        "dead_letters",
        *_inbox_key("inbox_id", "dead_letters"),
        sa.Column("connection", sa.String(64), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.Column("location", sa.String(64), nullable=False),
        sa.Column("violations", sa.Text(), nullable=False),
        sa.Column("handed_back", sa.Boolean(), nullable=False),
        sa.Column("key", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", sa.String(40), nullable=False),
        *_inbox_key("replayed_by", "dead_letters", nullable=True),
        sa.Column("closed_at", sa.String(40), nullable=True),
        sa.CheckConstraint("state IN ('open', 'replayed', 'superseded')", name=op.f("ck_dead_letters_state")),
        sa.PrimaryKeyConstraint("inbox_id", name=op.f("pk_dead_letters")),
        schema=_SCHEMA,
    )
    op.create_table(
        "audit_outbox",
        sa.Column("id", sa.String(36), nullable=False),
        *_inbox_key("inbox_id", "audit_outbox"),
        sa.Column("record", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_outbox")),
        schema=_SCHEMA,
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_secrets")),
        schema=_SCHEMA,
    )


def _create_resources() -> None:
    op.create_table(
        "resources",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("recorded_at", sa.String(40), nullable=True),
        sa.Column("content_digest", sa.String(71), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        *_inbox_key("inbox_id", "resources"),
        sa.Column("updated_at", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_resources")),
        schema=_SCHEMA,
    )
    op.create_table(
        "revisions",
        sa.Column("resource_id", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(32), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        *_inbox_key("inbox_id", "revisions"),
        sa.Column("made_at", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(
            ["resource_id"], [f"{_SCHEMA}.resources.id"], name=op.f("fk_revisions_resource_id")
        ),
        sa.PrimaryKeyConstraint("resource_id", "revision", name=op.f("pk_revisions")),
        schema=_SCHEMA,
    )


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("sequence", _Number, autoincrement=False, nullable=False),
        sa.Column("id", sa.String(36), nullable=False),
        sa.Column("type", sa.String(128), nullable=False),
        sa.Column("subject", sa.String(200), nullable=False),
        sa.Column("partition_key", sa.String(128), nullable=False),
        sa.Column("schema_urn", sa.String(240), nullable=False),
        sa.Column("envelope", sa.LargeBinary(), nullable=False),
        *_inbox_key("inbox_id", "events"),
        sa.Column("made_at", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_events")),
        sa.UniqueConstraint("id", name=op.f("uq_events_id")),
        schema=_SCHEMA,
    )
    op.create_table(
        "outbox",
        sa.Column("sequence", _Number, autoincrement=False, nullable=False),
        sa.Column("partition_key", sa.String(128), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("relayed_at", sa.String(40), nullable=True),
        sa.ForeignKeyConstraint(
            ["sequence"], [f"{_SCHEMA}.events.sequence"], name=op.f("fk_outbox_sequence")
        ),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_outbox")),
        schema=_SCHEMA,
    )


def _guard() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for table in _HISTORY:
            for act in ("UPDATE", "DELETE"):
                op.execute(
                    f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                    f"BEGIN SELECT RAISE(ABORT, '{table} are history'); END"
                )
        return
    op.execute(
        f"CREATE FUNCTION {_SCHEMA}.refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION '% are history', TG_TABLE_NAME; END $$"
    )
    for table in _HISTORY:
        for scope, acts in (("ROW", "UPDATE OR DELETE"), ("STATEMENT", "TRUNCATE")):
            name = f"{table}_no_{scope.lower()}_change"
            op.execute(
                f"CREATE TRIGGER {name} BEFORE {acts} ON {_SCHEMA}.{table} "
                f"FOR EACH {scope} EXECUTE FUNCTION {_SCHEMA}.refuse_change()"
            )
            op.execute(f"ALTER TABLE {_SCHEMA}.{table} ENABLE ALWAYS TRIGGER {name}")
