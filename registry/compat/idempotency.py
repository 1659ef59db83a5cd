"""Judges changes of `x-interlock-idempotency`: who must send a key now, and whose repeats are done twice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernel.errors import ContractInvalid
from kernel.operation.idempotency import compile_idempotency

if TYPE_CHECKING:
    from kernel.operation.idempotency import Idempotency


def rule_of_idempotency(before: Any, after: Any) -> str | None:
    """Name the rule of a change of the extension; None: no rule knows what it means."""
    try:
        old, new = _read(before), _read(after)
    except ContractInvalid:
        return None
    if new is None:
        return "idempotency-key-dropped" if old is not None else None
    if new.required and (old is None or not old.required):
        return "idempotency-key-required"
    if old is None:
        return "idempotency-key-taken"
    if replace(new, required=old.required, ttl_seconds=old.ttl_seconds) != old:
        return None
    return "idempotency-key-shorter" if new.ttl_seconds < old.ttl_seconds else "idempotency-key-relaxed"


def _read(declared: Any) -> Idempotency | None:
    return compile_idempotency(declared, b"POST", "")  # what it is on a safe method, lint and freeze say
