"""The caps that every decoder keeps, so that no message costs more than its size deserves."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class OperationLimits:
    """Counts and sizes beyond which a message is refused before anything is built from it."""

    query_bytes: int = 16_384
    query_pairs: int = 256
    cookie_pairs: int = 128
    items: int = 1_024  # elements or properties of one decoded parameter
    object_depth: int = 5  # brackets of one deepObject name
    form_fields: int = 2_048
    parts: int = 128  # of one multipart body
    part_header_bytes: int = 8_192
    number_digits: int = 400
    decoded_bytes: int = 16_777_216  # of a body after its content codings
    decoded_ratio: int = 200  # of decoded to encoded bytes,
    decoded_floor: int = 1_048_576  # and bytes that any body may grow to, whatever the ratio
    codings: int = 3  # of one body, one upon the other
    operations: int = 20_000
    violations: int = 16  # reported for one message


DEFAULT: Final = OperationLimits()
