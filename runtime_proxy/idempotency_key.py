"""Read the Idempotency-Key of a request: one Structured Field String, or the bare form that many clients send."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from runtime_proxy.refusals_keyed import IdempotencyKeyInvalid, IdempotencyKeyMissing

if TYPE_CHECKING:
    from adapters.port import Headers
    from runtime_proxy.refusal import Refusal

HEADER: Final = b"idempotency-key"
LONGEST: Final = 255  # bytes
_STRING: Final = re.compile(rb'"((?:[ !#-\[\]-~]|\\["\\])*)"')  # RFC 9651 section 3.3.3
_ESCAPED: Final = re.compile(rb"\\(.)")
_BARE: Final = re.compile(rb"[A-Za-z0-9!#$%&'*+./:=@^_`|~-]+")


def key_of(headers: Headers, *, required: bool) -> bytes | Refusal | None:
    """Give the key without quotes, so that both forms are one key; None: none was sent, and none is needed."""
    lines = [value for name, value in headers if name == HEADER]
    if not lines:
        return IdempotencyKeyMissing() if required else None
    if len(lines) > 1:
        return IdempotencyKeyInvalid("Idempotency-Key stands twice.")
    value = lines[0].strip(b" ")
    quoted = _STRING.fullmatch(value)
    key = _ESCAPED.sub(rb"\1", quoted[1]) if quoted is not None else value
    if not 0 < len(key) <= LONGEST or (quoted is None and _BARE.fullmatch(value) is None):
        return IdempotencyKeyInvalid()
    return key
