"""Tables of schema `canonical`: what arrived, what it became, what is to be told (DESIGN §7.8).

Everything that may hold health data is a sealed payload (kernel/sealing); keys made of identifiers are
pseudonyms under a secret of this store, so that no number can be found by trying.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

SCHEMA = "canonical"
INBOX_STATES = ("held", "published", "unchanged", "stored-only", "duplicate", "refused", "failed")
LETTER_STATES = ("open", "replayed", "superseded")  # superseded: a resend of it was taken

metadata = MetaData(
    schema=SCHEMA,
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    },
)
_Number = BigInteger().with_variant(Integer(), "sqlite")


def _moment(name: str, *, nullable: bool = False) -> Column[str]:
    return Column(name, String(40), nullable=nullable)  # RFC 3339 UTC, one width, so text order is time order


def _one_of(column: str, values: tuple[str, ...]) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


# One row for each message that arrived; `raw` is sealed, `digest` is the SHA-256 of the bytes as sent.
inbox = Table(
    "inbox",
    metadata,
    Column("id", String(36), primary_key=True),  # UUIDv7: in order of arrival
    Column("connection", String(64), nullable=False),
    _moment("received_at"),
    Column("raw", LargeBinary, nullable=False),
    Column("bytes", _Number, nullable=False),
    Column("digest", String(71), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False, server_default=""),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("replay_of", String(36), nullable=True),
    _moment("settled_at", nullable=True),
    _one_of("state", INBOX_STATES),
)
Index("ix_inbox_state", inbox.c.state, inbox.c.id)

# Every message that was taken, by the pseudonym of (source, MSH-3, MSH-4, MSH-10); the answer is sealed.
dedup = Table(
    "dedup",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("digest", String(71), nullable=False),
    Column("inbox_id", String(36), ForeignKey("canonical.inbox.id"), nullable=False),
    Column("answer", LargeBinary, nullable=False),
)

# The current state of a canonical thing; `id` is a pseudonym of its business key.
resources = Table(
    "resources",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("status", String(32), nullable=False),
    _moment("recorded_at", nullable=True),  # the source's clock, as far as it was sent
    Column("content_digest", String(71), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("inbox_id", String(36), ForeignKey("canonical.inbox.id"), nullable=False),
    _moment("updated_at"),
)

# Every state that a resource ever had; nothing is deleted.
revisions = Table(
    "revisions",
    metadata,
    Column("resource_id", String(64), ForeignKey("canonical.resources.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("status", String(32), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("inbox_id", String(36), ForeignKey("canonical.inbox.id"), nullable=False),
    _moment("made_at"),
)

# Canonical events in the order of their commits; the CloudEvents envelope is sealed with its data.
events = Table(
    "events",
    metadata,
    Column("sequence", _Number, primary_key=True, autoincrement=False),
    Column("id", String(36), nullable=False, unique=True),
    Column("type", String(128), nullable=False),
    Column("subject", String(200), nullable=False),
    Column("partition_key", String(128), nullable=False),
    Column("schema_urn", String(240), nullable=False),
    Column("envelope", LargeBinary, nullable=False),
    Column("inbox_id", String(36), ForeignKey("canonical.inbox.id"), nullable=False),
    _moment("made_at"),
)

# What still has to be told to brokers and subscribers (adapters/delivery).
outbox = Table(
    "outbox",
    metadata,
    Column(
        "sequence", _Number, ForeignKey("canonical.events.sequence"), primary_key=True, autoincrement=False
    ),
    Column("partition_key", String(128), nullable=False),
    Column("attempts", Integer, nullable=False, server_default="0"),
    _moment("relayed_at", nullable=True),
)

# What still has to reach the audit log: written with the state that it tells of.
audit_outbox = Table(
    "audit_outbox",
    metadata,
    Column("id", String(36), primary_key=True),  # of the audit record
    Column("inbox_id", String(36), ForeignKey("canonical.inbox.id"), nullable=False),
    Column("record", Text, nullable=False),
)

# Messages that could not become what they claim to be; the bytes stay in the inbox.
dead_letters = Table(
    "dead_letters",
    metadata,
    Column("inbox_id", String(36), ForeignKey("canonical.inbox.id"), primary_key=True),
    Column("connection", String(64), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("location", String(64), nullable=False),
    Column("violations", Text, nullable=False),  # JSON: [[pointer, keyword], …], never values
    Column(
        "handed_back", Boolean, nullable=False
    ),  # the sender was told no: the message is the sender's again
    Column("key", String(64), nullable=False),  # as in dedup; "" where the header could not be read
    Column("state", String(16), nullable=False),
    _moment("made_at"),
    Column("replayed_by", String(36), ForeignKey("canonical.inbox.id"), nullable=True),
    _moment("closed_at", nullable=True),
    _one_of("state", LETTER_STATES),
)

# Secrets of this store, sealed: `pseudonym` is the key of the keyed hashes.
secrets = Table(
    "secrets",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)
