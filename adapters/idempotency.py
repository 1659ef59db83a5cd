"""Tells a resend from a new message: (source, MSH-3, MSH-4, MSH-10) and the digest of the bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.errors import MessageRefused

if TYPE_CHECKING:
    from adapters.canonical.store import CanonicalStore
    from adapters.canonical.values import Held, Known
    from adapters.message import Reading


def message_key(store: CanonicalStore, held: Held, reading: Reading) -> str:
    """Give the pseudonym under which this message is remembered."""
    return store.key_of(held.connection, reading.application, reading.facility, reading.control_id)


async def earlier(store: CanonicalStore, held: Held, key: str) -> Known | None:
    """Find the message of which this is a resend; None when it is new.

    Raises `MessageRefused` (control-id-reused) when the key was used for other bytes: one of the two
    messages would be lost if they were taken for the same. Only taken messages are remembered, so that a
    refused one may come again, corrected or not.
    """
    known = await store.recall(key)
    if known is None or held.replay_of is not None:  # a replay is judged inside its own transaction
        return None
    if known.digest != held.digest:
        raise MessageRefused(
            "MSH-10 was used for another message", reason="control-id-reused", location="MSH[1]-10"
        )
    return known
