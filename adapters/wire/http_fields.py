"""Field lines of a head that llhttp has accepted: split once, without a callback per line."""

from __future__ import annotations

Fields = list[tuple[bytes, bytes]]


def fields_of(head: bytes) -> Fields:
    """Give the field lines of a whole head as (name in lower case, value without white space around).

    `head` runs from the start line to the empty line, and llhttp has checked it: every line after the
    first is `name:value`, lines end with CRLF and nothing is folded (RFC 9112 section 5).
    """
    lines = head.split(b"\r\n")
    del lines[0], lines[-2:]
    fields = []
    for line in lines:
        name, _, value = line.partition(b":")
        fields.append((name.lower(), value.strip()))
    return fields


def values_of(fields: Fields, name: bytes) -> list[bytes]:
    """Give all values of one field, in order."""
    return [value for field, value in fields if field == name]
