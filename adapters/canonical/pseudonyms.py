"""Names for things that must not be named: keyed hashes under a secret that the store keeps sealed."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from adapters.canonical.tables import secrets

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from kernel.sealing.payload import Sealer

_NAME = "pseudonym"
_CONTEXT = "canonical|secret|pseudonym"


class Pseudonyms:
    """The same parts give the same name in this store for ever, and nowhere else."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, *parts: str) -> str:
        """Give 64 hex digits for parts of any text; ("ab", "c") and ("a", "bc") differ."""
        text = json.dumps(parts, ensure_ascii=True, separators=(",", ":"))
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def load_pseudonyms(connection: Connection, sealer: Sealer) -> Pseudonyms:
    """Read the secret, made at the first start; needs a connection that may write."""
    sealed = connection.execute(select(secrets.c.sealed).where(secrets.c.name == _NAME)).scalar()
    if sealed is None:
        key = os.urandom(32)
        connection.execute(insert(secrets).values(name=_NAME, sealed=sealer.seal(key, _CONTEXT)))
        return Pseudonyms(key)
    return Pseudonyms(sealer.open(bytes(sealed), _CONTEXT))
