"""Values that cross the store's border: what is held, what is to be published, what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

State = Literal["held", "published", "unchanged", "stored-only", "duplicate", "refused", "failed"]
Violations = tuple[tuple[str, str], ...]  # (JSON pointer, keyword): where a schema is broken, without values


@dataclass(frozen=True, slots=True)
class Held:
    """A message whose raw bytes are durable; `id` is a UUIDv7, `digest` is `sha256:<hex>` of the bytes."""

    id: str
    connection: str
    received_at: datetime
    raw: bytes
    digest: str
    replay_of: str | None = None  # the dead letter that this is a replay of


@dataclass(frozen=True, slots=True)
class CanonicalResource:
    """One canonical thing made from a message.

    `key` is the business key and `patient` one identifier of the patient (both go in as pseudonyms only);
    `content_digest` leaves out what changes with every sending. `event` is the event's name without major.
    """

    kind: str
    key: tuple[str, ...]
    patient: tuple[str, ...]
    document: Mapping[str, Any]
    status: str
    recorded_at: datetime | None
    content_digest: str
    event: str


@dataclass(frozen=True, slots=True)
class Pinned:
    """The frozen schema that a resource was checked against, and the check of its event."""

    urn: str
    version: str
    check_event: Callable[[Mapping[str, Any]], Violations]


@dataclass(frozen=True, slots=True)
class Publication:
    """Everything that one transaction settles: no resources means stored only."""

    held: Held
    key: str  # pseudonym of (source, MSH-3, MSH-4, MSH-10)
    answer: bytes  # the application acknowledgement, b"" where none is due: a resend gets the same
    record: dict[str, Any]  # audit record; the event ids are added in the transaction
    resources: tuple[tuple[CanonicalResource, Pinned], ...] = ()


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that did not become what it claims to be."""

    held: Held
    reason: str
    record: dict[str, Any]
    state: Literal["refused", "failed"] = "refused"
    location: str = ""
    violations: Violations = ()
    handed_back: bool = True
    key: str = ""


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of a message, durable; `record` is what the audit log is still owed, None when paid."""

    state: State
    answer: bytes = b""  # the application acknowledgement to send
    record: dict[str, Any] | None = None
    resource_ids: tuple[str, ...] = ()
    event_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """A message with this key was taken before."""

    inbox_id: str
    digest: str
    answer: bytes = b""
