"""Part a multipart body strictly (RFC 2046 §5.1, RFC 7578): it has one reading or none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kernel.operation.media_types import MediaType, parse_media_type
from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from kernel.operation.limits import OperationLimits

_BOUNDARY: Final = re.compile(r"[0-9A-Za-z'()+_,./:=?-]{1,70}")  # RFC 2046 §5.1.1, without the space
_FIELD: Final = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): *([^\x00-\x1f\x7f]*)")
# RFC 7578 §4.2. A value may be a bare token (.NET writes them so); `filename*`, which RFC 7578 forbids and
# .NET sends, is passed over. `name*`, and backslashes in a name, are read in too many ways to be taken.
_FORM_DATA: Final = re.compile(rb"form-data *(?=;)", re.IGNORECASE)
_TOKEN: Final = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_FIELD_PARAMETER: Final = re.compile(
    rb'; *(?:(name) *= *(?:"([^"\\]*)"|(' + _TOKEN + rb"))"
    rb'|(filename\*?) *= *(?:"[^"]*"|' + _TOKEN + rb")) *",
    re.IGNORECASE,
)
_ENCODINGS: Final = frozenset({b"7bit", b"8bit", b"binary"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `media` is None where it names no Content-Type; `headers` have lower-case names.

    `name` is "" for a part that stands by its position.
    """

    name: str
    media: MediaType | None
    is_file: bool
    data: bytes
    headers: dict[bytes, bytes]


def split_parts(data: bytes, boundary: str, limits: OperationLimits, *, named: bool = True) -> list[Part]:
    """Part the body; raises `Undecodable` with keyword `multipart` or `limit`.

    Parts that are not `named` need no Content-Disposition, and what it says of a name is not read.
    """
    if not _BOUNDARY.fullmatch(boundary):
        raise Undecodable("boundary")
    delimiter = b"--" + boundary.encode()
    # Some clients put an empty line before or after; a preamble or epilogue with text has too many readings.
    body = b"\r\n" + data.removeprefix(b"\r\n")
    if not body.startswith(b"\r\n" + delimiter):
        raise Undecodable("multipart")
    if body.count(b"\r\n" + delimiter) > limits.parts + 1:
        raise Undecodable("limit")
    pieces = body.split(b"\r\n" + delimiter)
    if pieces[0] or pieces[-1] not in {b"--", b"--\r\n", b"--\r\n\r\n"}:
        raise Undecodable("multipart")
    return [_part(piece, limits, named=named) for piece in pieces[1:-1]]


def _part(piece: bytes, limits: OperationLimits, *, named: bool) -> Part:
    if not piece.startswith(b"\r\n"):
        raise Undecodable("multipart")
    head, separator, data = piece.partition(b"\r\n\r\n")
    if not separator:
        raise Undecodable("multipart")
    head = head[2:]  # nothing at all where the part has no headers (RFC 2046 §5.1)
    if len(head) > limits.part_header_bytes:
        raise Undecodable("limit")
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n") if head else ():
        found = _FIELD.fullmatch(line)
        if found is None or found[1].lower() in fields:
            raise Undecodable("multipart")
        fields[found[1].lower()] = found[2].rstrip(b" ")
    name, is_file = _disposition(fields.get(b"content-disposition", b"")) if named else (b"", False)
    if fields.get(b"content-transfer-encoding", b"binary").lower() not in _ENCODINGS:
        raise Undecodable("multipart")
    media = None
    if b"content-type" in fields:
        media = parse_media_type(fields[b"content-type"])
        if media is None or media.kind == "multipart":
            raise Undecodable("multipart")
    return Part(_name(name), media, is_file, data, fields)


def _disposition(value: bytes) -> tuple[bytes, bool]:
    """Give the raw name and whether the part is a file; each parameter may stand once, in any order."""
    head = _FORM_DATA.match(value)
    at = head.end() if head is not None else 0
    found: dict[bytes, bytes] = {}
    while at and at < len(value.rstrip(b"; ")):
        parameter = _FIELD_PARAMETER.match(value, at)
        if parameter is None:
            raise Undecodable("multipart")
        key = (parameter[1] or parameter[4]).lower()
        if key in found:
            raise Undecodable("multipart")
        found[key] = parameter[3] or parameter[2] or b""
        at = parameter.end()
    if b"name" not in found:
        raise Undecodable("multipart")
    return found[b"name"], found.keys() > {b"name"}


def _name(raw: bytes) -> str:
    """Read a field name: UTF-8, with the three escapes of WHATWG HTML §4.10.21.8."""
    raw = raw.replace(b"%22", b'"').replace(b"%0D", b"\r").replace(b"%0A", b"\n")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Undecodable("utf-8") from None
