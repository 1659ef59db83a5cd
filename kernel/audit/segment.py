"""The form of a journal on disk: segment files of JSON lines, each record chained to the one before.

    {"segment":{"format":1,"writer":…,"journal":…,"number":1,"first_seq":1,"epoch":1,"prev":…,"open":[]}}
    {"chain":"<64 hex>","record":{…}}
    …

Blank lines at the end of the newest segment are room for what comes next (segment_file.py).

The bytes after `"record":` up to the last `}` are the record, exactly. With prev being the chain of the
record before (of the first: of `genesis`), chain = SHA-256(prev ‖ SHA-256(record bytes)). Those bytes are
also the leaves of the tree that later stands on top (tree.py, tiles.py, checkpoint.py).
"""

from __future__ import annotations

import hashlib
import re
import time
from binascii import hexlify
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import msgspec
import orjson

from kernel.audit.forms import Draft

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORMAT: Final = 1
LARGEST_RECORD: Final = 65_535  # bytes; what an entry of C2SP tlog-tiles can hold
LARGEST_HEADER: Final = 64 * 1024 * 1024  # bytes; it lists the exchanges under way
_BEFORE_CHAIN: Final = b'{"chain":"'
_BEFORE_RECORD: Final = b'","record":'
_AFTER_RECORD: Final = b"}\n"
_RECORD_AT: Final = len(_BEFORE_CHAIN) + 64 + len(_BEFORE_RECORD)
LARGEST_LINE: Final = _RECORD_AT + LARGEST_RECORD + len(_AFTER_RECORD)
_sha256: Final = hashlib.sha256
BLANK: Final = b"\n"  # a line of the room ahead
_LOOKS: Final = 3
_BETWEEN_LOOKS: Final = 0.02  # seconds
_SEGMENT_FILE = re.compile(r"([0-9]{8})\.jsonl")

# What is kept of an opened exchange or series, so that it can be ended after a crash.
CARRIED = (
    "id", "stage", "request_id", "consumer", "contract", "version", "digest", "operation", "method", "route",
    "action", "adapter", "client", "refusal", "environment",
)  # fmt: skip
OPENING = ("received", "series-opened")


class SegmentHeader(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """First line of a segment: enough to go on from here without the segments before."""

    writer: str
    journal: str  # 32 hex digits, drawn when the journal was begun
    number: int
    first_seq: int
    epoch: int
    prev: str  # chain before the first record, hex
    open: tuple[dict[str, Any], ...] = ()
    format: int = FORMAT


class _HeaderLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    segment: SegmentHeader


@dataclass(frozen=True, slots=True)
class Line:
    """One raw line and where it begins; `whole` is False for a last line without its end, and for `BLANK`."""

    offset: int
    data: bytes
    whole: bool


def genesis(writer: str, journal: str) -> bytes:
    """Give the chain before the first record: bound to writer and journal, so that logs cannot be swapped."""
    return hashlib.sha256(f"interlock.audit/v1\n{writer}\n{journal}\n".encode()).digest()


def link(prev: bytes, record: bytes) -> bytes:
    """Chain a record to what came before."""
    return _sha256(prev + _sha256(record).digest()).digest()


def encode_record(record: dict[str, Any]) -> bytes:
    """Write the exact bytes of a record: sorted, compact JSON."""
    return orjson.dumps(record, option=orjson.OPT_SORT_KEYS)


def record_line(chain: bytes, record: bytes) -> bytes:
    """Write one line."""
    return b"".join((_BEFORE_CHAIN, hexlify(chain), _BEFORE_RECORD, record, _AFTER_RECORD))


def split_line(line: bytes) -> tuple[bytes, bytes] | None:
    """Give chain and exact record bytes of a line, or None when it is not of the form."""
    if (
        line[: len(_BEFORE_CHAIN)] != _BEFORE_CHAIN
        or line[_RECORD_AT - len(_BEFORE_RECORD) : _RECORD_AT] != _BEFORE_RECORD
        or not line.endswith(_AFTER_RECORD)
    ):
        return None
    text = line[len(_BEFORE_CHAIN) : len(_BEFORE_CHAIN) + 64]
    try:
        chain = bytes.fromhex(text.decode("ascii"))
    except ValueError:
        return None
    if chain.hex().encode() != text:  # one spelling only: a byte that means nothing could be altered unseen
        return None
    return chain, line[_RECORD_AT : -len(_AFTER_RECORD)]


def header_line(header: SegmentHeader) -> bytes:
    """Write the first line of a segment."""
    return msgspec.json.encode(_HeaderLine(header)) + b"\n"


def parse_header(line: bytes) -> SegmentHeader | None:
    """Read the first line of a segment, or None when it is not exactly of the form that we write."""
    try:
        header = msgspec.json.decode(line, type=_HeaderLine).segment
    except msgspec.MsgspecError:
        return None
    return header if header.format == FORMAT and header_line(header) == line else None


def parse_record(data: bytes) -> dict[str, Any] | None:
    """Read a record's bytes, or None when they are not a JSON object."""
    try:
        record = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return record if isinstance(record, dict) else None


def carried(opened: dict[str, Any] | Draft) -> dict[str, Any]:
    """Pick what is kept of an opened exchange or series."""
    record = opened.as_record() if isinstance(opened, Draft) else opened
    return {name: record[name] for name in CARRIED if name in record}


def track(opened: dict[str, Any], record: dict[str, Any]) -> bool:
    """Follow what is under way, by record id; False when `record` closes something that was not open."""
    closes = record.get("closes")
    if closes is not None and opened.pop(closes, None) is None:
        return False
    if record.get("stage") in OPENING:
        opened[record["id"]] = record
    return True


def read_lines(file: BinaryIO) -> Iterator[Line]:
    """Give the lines of an open segment, at most one blank; one longer than any that we write comes as not whole."""
    offset = 0
    limit = LARGEST_HEADER
    looked = False
    while data := file.readline(limit):
        if data == BLANK and offset and not looked:
            if _is_room(file, offset):
                yield Line(offset, data, whole=False)
                return
            looked = True  # the rest of a damaged segment is read for this once
        yield Line(offset, data, data.endswith(b"\n"))
        offset += len(data)
        limit = LARGEST_LINE


def _is_room(file: BinaryIO, offset: int) -> bool:
    """Whether blank lines alone follow, or the writer has just begun to write there.

    Looked at more than once: a later block of a group may be there to be read a moment before its first one.
    """
    for look in range(_LOOKS):
        if look:
            time.sleep(_BETWEEN_LOOKS)
        file.seek(offset + 1)
        alone = not file.read().strip(BLANK)
        file.seek(offset)
        began = file.read(1) != BLANK
        file.seek(offset + 1)
        if alone or began:
            return True
    return False


def segment_path(folder: Path, number: int) -> Path:
    """Where a segment of a writer's folder lies."""
    return folder / f"{number:08d}.jsonl"


def segments(folder: Path) -> list[tuple[int, Path]]:
    """List the segments of a writer's folder, in order."""
    found = []
    for path in folder.iterdir():
        match = _SEGMENT_FILE.fullmatch(path.name)
        if match is not None:
            found.append((int(match[1]), path))
    return sorted(found)
