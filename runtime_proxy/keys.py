"""Compare a presented API key with what the bundle knows of it: the digest of the whole key, in constant time."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from runtime_proxy.credentials import LONGEST, MANY

if TYPE_CHECKING:
    from runtime_proxy.plan import KeyRow

_PARTS: Final = 3  # <prefix>_<id>_<secret>
_NOBODY: Final = hashlib.sha256(b"").digest()


def verify_key(presented: bytes, keys: dict[bytes, KeyRow]) -> KeyRow | None:
    """Compare in constant time by the id inside the key; an unknown id costs the same as a wrong secret."""
    if presented is MANY or len(presented) > LONGEST:
        return None
    row = keys.get(key_id_of(presented))
    same = hmac.compare_digest(hashlib.sha256(presented).digest(), row.digest if row else _NOBODY)
    return row if same and row is not None else None


def key_id_of(presented: bytes) -> bytes:
    """Give the id inside a key; b"", which nobody has, where it has none."""
    parts = presented.split(b"_", _PARTS - 1)
    return parts[1] if len(parts) == _PARTS else b""
