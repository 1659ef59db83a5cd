"""Whether a result replaces the one that is held: by the source's clock, then by its status."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from adapters.errors import MessageRefused

# How far a status has come; within one moment of the source's clock it never goes back.
RANKS: dict[str, int] = {
    "registered": 0,
    "unknown": 0,
    "partial": 1,
    "preliminary": 1,
    "final": 2,
    "amended": 3,
    "appended": 3,
    "corrected": 3,
    "cancelled": 4,
    "entered-in-error": 4,
}


@dataclass(frozen=True, slots=True)
class Head:
    """One revision; `recorded_at` is RFC 3339 UTC of one width, None where the source sent no clock."""

    status: str
    recorded_at: str | None
    content_digest: str


def decide(held: Head | None, new: Head) -> Literal["first", "newer", "unchanged"]:
    """Judge a new revision; raises `MessageRefused` (older-than-held, status-goes-back).

    A later clock always wins, whatever the status. With equal or missing clocks what arrives later wins,
    unless its status goes back (P after F).
    """
    if held is None:
        return "first"
    if held.content_digest == new.content_digest and held.status == new.status:
        return "unchanged"
    if held.recorded_at and new.recorded_at and held.recorded_at != new.recorded_at:
        if new.recorded_at < held.recorded_at:
            raise MessageRefused("a newer revision is held", reason="older-than-held", location="OBR[1]-22")
        return "newer"
    if RANKS[new.status] < RANKS[held.status]:
        raise MessageRefused(
            f"{new.status} after {held.status}", reason="status-goes-back", location="OBR[1]-25"
        )
    return "newer"
