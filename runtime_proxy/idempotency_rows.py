"""The table of idempotency keys in SQLite: one row for each key in use, its answer sealed."""

from __future__ import annotations

import os
import sqlite3
import time
from typing import TYPE_CHECKING, Final

from runtime_proxy.idempotency_store import Kept, Unresolved

if TYPE_CHECKING:
    from pathlib import Path

    from runtime_proxy.idempotency_owners import Owners
    from runtime_proxy.idempotency_store import Claim, State

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS keyed (
    key BLOB PRIMARY KEY,
    fingerprint BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'unknown', 'resolved')),
    owner TEXT NOT NULL,
    request_id TEXT NOT NULL,
    contract TEXT NOT NULL,
    operation TEXT NOT NULL,
    consumer TEXT NOT NULL,
    since REAL NOT NULL,
    until REAL,
    answer BLOB
);
CREATE INDEX IF NOT EXISTS keyed_until ON keyed (until) WHERE until IS NOT NULL;
CREATE INDEX IF NOT EXISTS keyed_state ON keyed (state) WHERE state IN ('running', 'unknown');
"""
_RELEASE: Final = "DELETE FROM keyed WHERE key = ? AND request_id = ? AND owner = ? AND state = 'running'"
_END: Final = """
UPDATE keyed SET state = ?, answer = ?, until = ?
WHERE key = ? AND request_id = ? AND owner = ? AND state = 'running'
"""
_RESOLVE: Final = """
UPDATE keyed SET state = 'resolved', until = ? WHERE request_id = ? AND state = 'unknown'
"""
_SWEPT: Final = 1000  # rows at once
RESOLVED_SECONDS: Final = 31_536_000.0  # what the operator said holds for a year


def open_rows(path: Path, most_bytes: int) -> sqlite3.Connection:
    """Open or make the file (mode 0600), every commit durable; raises sqlite3.Error, OSError."""
    os.close(os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600))
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        (page,) = connection.execute("PRAGMA page_size").fetchone()
        connection.execute(f"PRAGMA max_page_count = {max(most_bytes // page, 64):d}")
        connection.executescript(_TABLE)
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def claim_row(rows: sqlite3.Connection, owners: Owners, claim: Claim, now: float) -> Kept | None:
    """Enter a key as running where nothing that still holds stands; else give what stands there."""
    found = rows.execute(
        "SELECT state, fingerprint, request_id, owner, until, answer FROM keyed WHERE key = ?", (claim.row,)
    ).fetchone()
    if found is not None:
        state, fingerprint, request_id, owner, until, answer = found
        if state == "running" and not owners.lives(owner):
            state = "unknown"
            rows.execute("UPDATE keyed SET state = 'unknown' WHERE key = ?", (claim.row,))
        expired = until is not None and until <= now
        taken_over = state == "unknown" and claim.again and fingerprint == claim.fingerprint
        if not expired and not taken_over:
            return Kept(state, fingerprint, request_id, answer)
    rows.execute(
        "INSERT OR REPLACE INTO keyed VALUES (?, ?, 'running', ?, ?, ?, ?, ?, ?, NULL, NULL)",
        (
            claim.row,
            claim.fingerprint,
            owners.me,
            claim.request_id,
            claim.contract,
            claim.operation,
            claim.consumer,
            now,
        ),
    )
    return None


def end_row(  # noqa: PLR0917 - what is set and where
    rows: sqlite3.Connection,
    owners: Owners,
    claim: Claim,
    state: State | None,
    answer: bytes | None = None,
    until: float | None = None,
) -> None:
    """End a claim of this process; `state` None takes the row away."""
    mine = (claim.row, claim.request_id, owners.me)
    if state is None:
        rows.execute(_RELEASE, mine)
    else:
        rows.execute(_END, (state, answer, until, *mine))


def mark_unknown(rows: sqlite3.Connection, owners: Owners) -> None:
    """Find what processes that have died left running; nobody knows what became of it."""
    for owner in owners.dead():
        rows.execute("UPDATE keyed SET state = 'unknown' WHERE owner = ? AND state = 'running'", (owner,))
        owners.forget(owner)


def sweep(rows: sqlite3.Connection, now: float) -> None:
    """Take away what has expired, some of it at a time."""
    rows.execute(
        "DELETE FROM keyed WHERE key IN (SELECT key FROM keyed WHERE until <= ? LIMIT ?)", (now, _SWEPT)
    )


def unresolved(rows: sqlite3.Connection) -> list[Unresolved]:
    """List the entries with an unknown outcome, the oldest first."""
    found = rows.execute(
        "SELECT key, request_id, contract, operation, consumer, since FROM keyed WHERE state = 'unknown'"
        " ORDER BY since LIMIT 10000"
    )
    return [Unresolved(*row) for row in found]


def resolve(rows: sqlite3.Connection, request_id: str, *, done: bool) -> bool:
    """Settle an unknown outcome; not done: the key is free again. False: there is no such entry."""
    if done:
        changed = rows.execute(_RESOLVE, (time.time() + RESOLVED_SECONDS, request_id))
    else:
        changed = rows.execute("DELETE FROM keyed WHERE request_id = ? AND state = 'unknown'", (request_id,))
    return changed.rowcount > 0
