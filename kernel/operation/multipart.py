"""Part a multipart/form-data body strictly (RFC 2046 §5.1, RFC 7578): it has one reading or none."""

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
# RFC 7578 §4.2; `name*` and backslashes are read in too many ways to be taken.
_DISPOSITION: Final = re.compile(
    rb'form-data; *name="([^"\\\r\n]*)"(?:; *filename="([^"\r\n]*)")?;?', re.IGNORECASE
)
_ENCODINGS: Final = frozenset({b"7bit", b"8bit", b"binary"})


@dataclass(frozen=True, slots=True)
class Part:
    """One part: `media` is None where it names no Content-Type."""

    name: str
    media: MediaType | None
    is_file: bool
    data: bytes


def split_parts(data: bytes, boundary: str, limits: OperationLimits) -> list[Part]:
    """Part the body; raises `Undecodable` with keyword `multipart` or `limit`."""
    if not _BOUNDARY.fullmatch(boundary):
        raise Undecodable("boundary")
    delimiter = b"--" + boundary.encode()
    if not data.startswith(delimiter):
        raise Undecodable("multipart")
    body = b"\r\n" + data
    if body.count(b"\r\n" + delimiter) > limits.parts + 1:
        raise Undecodable("limit")
    pieces = body.split(b"\r\n" + delimiter)
    if pieces[0] or pieces[-1] not in {b"--", b"--\r\n"}:
        raise Undecodable("multipart")
    return [_part(piece, limits) for piece in pieces[1:-1]]


def _part(piece: bytes, limits: OperationLimits) -> Part:
    if not piece.startswith(b"\r\n"):
        raise Undecodable("multipart")
    head, separator, data = piece[2:].partition(b"\r\n\r\n")
    if not separator:
        raise Undecodable("multipart")
    if len(head) > limits.part_header_bytes:
        raise Undecodable("limit")
    fields: dict[bytes, bytes] = {}
    for line in head.split(b"\r\n"):
        found = _FIELD.fullmatch(line)
        if found is None or found[1].lower() in fields:
            raise Undecodable("multipart")
        fields[found[1].lower()] = found[2].rstrip(b" ")
    disposition = _DISPOSITION.fullmatch(fields.get(b"content-disposition", b""))
    if disposition is None or fields.get(b"content-transfer-encoding", b"binary").lower() not in _ENCODINGS:
        raise Undecodable("multipart")
    media = None
    if b"content-type" in fields:
        media = parse_media_type(fields[b"content-type"])
        if media is None or media.kind == "multipart":
            raise Undecodable("multipart")
    return Part(_name(disposition[1]), media, disposition[2] is not None, data)


def _name(raw: bytes) -> str:
    """Read a field name: UTF-8, with the three escapes of WHATWG HTML §4.10.21.8."""
    raw = raw.replace(b"%22", b'"').replace(b"%0D", b"\r").replace(b"%0A", b"\n")
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise Undecodable("utf-8") from None
