"""Field lines of a head: split once when llhttp has accepted them, written in one go."""

from __future__ import annotations

from typing import Final

Fields = list[tuple[bytes, bytes]]

_SPACE: Final = ord(" ")
_ZERO: Final = 0x30
_MOST_NAMES: Final = 1024
MOST_DIGITS: Final = 18  # of a length that anybody means
_NAMES: Final[dict[bytes, bytes]] = {}  # names as they were spelled, and in lower case; never a value
# Framing and routing of a connection are its client's alone; whatever a caller says about them is left out.
OURS: Final = frozenset(
    (
        b"host",
        b"content-length",
        b"transfer-encoding",
        b"connection",
        b"keep-alive",
        b"upgrade",
        b"expect",
        b"te",
        b"trailer",
        b"proxy-connection",
    )
)


def fields_of(head: bytes) -> Fields:
    """Give the field lines of a whole head as (name in lower case, value without white space around).

    `head` runs from the start line to the empty line, and llhttp has checked it: every line after the
    first is `name:value`, lines end with CRLF and nothing is folded (RFC 9112 section 5).
    """
    lines = head.split(b"\r\n")
    del lines[0], lines[-2:]
    fields = []
    for line in lines:
        raw, _, value = line.partition(b":")
        name = _NAMES.get(raw)
        if name is None:
            name = raw.lower()
            if len(_NAMES) < _MOST_NAMES:
                _NAMES[raw] = name
        # Nearly always one space comes first, and none at the end.
        if len(value) > 1 and value[0] == _SPACE and value[1] > _SPACE and value[-1] > _SPACE:
            value = value[1:]
        else:
            value = value.strip()
        fields.append((name, value))
    return fields


def values_of(fields: Fields, name: bytes) -> list[bytes]:
    """Give all values of one field, in order."""
    return [value for field, value in fields if field == name]


def decimal(value: bytes) -> int:
    """Read a Content-Length; -1 for anything but digits, and for more of them than anybody means."""
    if not 0 < len(value) <= MOST_DIGITS:
        return -1
    number = 0
    for at in range(len(value)):  # int() would take other spellings too
        digit = value[at] - _ZERO
        if not 0 <= digit <= 9:  # noqa: PLR2004 - a digit
            return -1
        number = number * 10 + digit
    return number


def encode(fields: Fields, left_out: frozenset[bytes]) -> bytes:
    """Write field lines, each with its line end, but for those of the names in `left_out`.

    Raises `ValueError` for a line that would break out of its place (RFC 9110 section 5.5).
    """
    lines = [b"%b: %b" % (name, value) for name, value in fields if name not in left_out]
    if not lines:
        return b""
    if not is_safe(lines):
        raise ValueError("a field holds a line end")
    return b"\r\n".join(lines) + b"\r\n"


def is_safe(lines: list[bytes]) -> bool:
    """Say whether lines without their ends hold no line end and no NUL (RFC 9110 section 5.5)."""
    text = b"".join(lines).decode("latin-1")  # a character is found faster in text than in bytes
    return "\r" not in text and "\n" not in text and "\0" not in text
