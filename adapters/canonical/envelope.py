"""The envelope of canonical events: CloudEvents 1.0 with the extensions of contracts/clinical-events."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from adapters.canonical.values import CanonicalResource, Held, Pinned

_NAMESPACE = uuid.UUID(
    "6b1d3c1e-5d0b-5a53-9e0e-1c2f4a7d9b10"
)  # any fixed one: ids are the same at every retry


def moment(instant: datetime) -> str:
    """Write an instant as RFC 3339 UTC with milliseconds: one width, so that text order is time order."""
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def event_id(resource_id: str, revision: int) -> str:
    """Name the event of one revision: always the same, so that receivers can tell a repetition."""
    return str(uuid.uuid5(_NAMESPACE, f"{resource_id}/{revision}"))


def build_event(
    resource: CanonicalResource,
    pinned: Pinned,
    held: Held,
    *,
    resource_id: str,
    revision: int,
    partition_key: str,
    sequence: int,
    document: Mapping[str, Any],
) -> dict[str, Any]:
    """Build one event; `time` is the source's clock, never after `recordedtime`, when we held it."""
    happened = min(resource.recorded_at or held.received_at, held.received_at)
    trace = held.id.replace("-", "")
    return {
        "specversion": "1.0",
        "id": event_id(resource_id, revision),
        "source": f"/adapters/{held.connection}",
        "type": f"{resource.event}.v{pinned.version.split('.', 1)[0]}",
        "time": moment(happened),
        "recordedtime": moment(held.received_at),
        "subject": resource_id,
        "datacontenttype": "application/json",
        "dataschema": pinned.urn,
        "dataschemaversion": pinned.version,
        "partitionkey": partition_key,
        "sequence": f"{sequence:020d}",
        "dataclassification": "restricted",
        "traceparent": f"00-{trace}-{trace[-16:]}-01",
        "data": dict(document),
    }
