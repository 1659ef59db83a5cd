"""Keeps health data and secrets out of the log: only known fields, short texts, keyed hashes."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any

from kernel.errors import AuditError

if TYPE_CHECKING:
    from collections.abc import Mapping

LONGEST_TEXT = 256  # characters of one text in a record
_TOKEN_TAIL = 32  # IHE BALP: of an opaque token, its last 32 characters at most


def clip(text: str) -> str:
    """Shorten a text that somebody else chose; control characters become `?`."""
    if len(text) > LONGEST_TEXT:
        text = f"{text[: LONGEST_TEXT - 1]}…"
    return text if text.isprintable() else "".join(sign if sign.isprintable() else "?" for sign in text)


def check_fields(record: Mapping[str, Any], known: Mapping[str, str]) -> None:
    """Refuse a record with a field that the reference does not name; the field is named, never its value."""
    if not known.keys() >= record.keys():
        strange = clip(min(str(name) for name in record.keys() - known.keys()))
        raise AuditError(
            f"{strange!r} is no field of an audit record", hint="see docs/reference/audit-record.md"
        )
    named = isinstance(record.get("id"), str) and isinstance(record.get("closes", ""), str)
    if not named or "stage" not in record or "recorded" not in record:
        raise AuditError(
            "an audit record needs id, recorded and stage", hint="build it with kernel.audit.record"
        )


def patient_reference(identifier: str, key: bytes) -> str:
    """Hash a patient identifier under a secret key: a plain hash of a short number can be tried out."""
    return f"hmac-sha256:{hmac.new(key, identifier.encode(), hashlib.sha256).hexdigest()}"


def token_reference(token: str, token_id: str | None = None) -> str:
    """Name a token without holding it: its `jti` as a URN, or at most half of it from the end (IHE BALP)."""
    if token_id:
        return f"urn:ietf:params:oauth:jti:{clip(token_id)}"
    return token[-min(_TOKEN_TAIL, len(token) // 2) :] if len(token) > 1 else ""
