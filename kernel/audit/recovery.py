"""Finds the end of a journal when it is opened, and sets aside what a crash left incomplete.

Only the newest segment is read: its header says where the chain stood and what was under way. The blank
lines at its end are room that was made for more; they go with what is cut off. Any other tail
that does not verify is moved into a `.torn` file of its own, never thrown away, and only when no signed
head covers any of it: a journal that is damaged behind a signed head is not opened at all.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kernel.audit.forms import Draft
from kernel.audit.heads import Head, last_head
from kernel.audit.segment import (
    BLANK,
    SegmentHeader,
    genesis,
    header_line,
    link,
    parse_header,
    parse_record,
    read_lines,
    segment_path,
    segments,
    split_line,
    track,
)
from kernel.errors import AuditError, Place

if TYPE_CHECKING:
    from pathlib import Path


@dataclass(slots=True)
class End:
    """Where a journal ends and goes on: `size` bytes into segment `number`."""

    writer: str
    journal: str
    number: int
    size: int
    seq: int  # of the last record; 0 when there is none
    epoch: int
    chain: bytes
    opened: dict[str, dict[str, Any] | Draft] = field(default_factory=dict)
    torn_bytes: int = 0
    torn_sha256: str = ""


def begin(folder: Path, writer: str) -> End:
    """Write the first segment of a new journal."""
    journal = os.urandom(16).hex()
    chain = genesis(writer, journal)
    header = header_line(SegmentHeader(writer, journal, 1, 1, 0, chain.hex()))
    create_segment(folder, 1, header)
    sync_folder(folder.parent)
    return End(writer, journal, 1, len(header), 0, 0, chain)


def create_segment(folder: Path, number: int, header: bytes) -> int:
    """Make a segment file with its header, durably, and return its size; raises OSError."""
    descriptor = os.open(
        segment_path(folder, number),
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW,
        0o640,
    )
    try:
        write_all(descriptor, header, 0)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    sync_folder(folder)
    return len(header)


def write_all(descriptor: int, data: bytes, offset: int) -> None:
    """Write every byte; a short write goes on where it stopped."""
    written = os.pwrite(descriptor, data, offset)
    while written < len(data):
        written += os.pwrite(descriptor, memoryview(data)[written:], offset + written)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def find_end(folder: Path, writer: str, heads_folder: Path) -> End:
    """Find where the journal goes on, repairing a torn tail; raises `AuditError` when it is not safe to."""
    head = last_head(heads_folder, writer)
    found = segments(folder)
    torn: list[bytes] = []
    while found:
        number, path = found.pop()
        end, tail = _scan(path, number, writer)
        if end is None:
            # A crash while a segment was begun leaves one without a whole header, and nothing else.
            _refuse_behind(head, None, path)
            torn.insert(0, _set_aside(path, 0, tail))
            path.unlink()
            continue
        _refuse_behind(head, end, path)
        if tail:
            written = _without_room(tail)
            if written:
                torn.insert(0, _set_aside(path, end.size, written))
            os.truncate(path, end.size)
            _sync(path)
        if torn:
            end.torn_bytes = sum(len(piece) for piece in torn)
            end.torn_sha256 = hashlib.sha256(b"".join(torn)).hexdigest()
            sync_folder(folder)
        return end
    if head is not None:
        raise AuditError(
            f"the journal {writer} is gone, but a signed head covers {head.seq} records of it",
            hint="restore the journal; to begin a new one, move its heads file away on purpose",
            place=Place(str(folder)),
        )
    return begin(folder, writer)


def _scan(path: Path, number: int, writer: str) -> tuple[End | None, bytes]:
    """Read one segment as far as its chain holds; give that end and the bytes after it."""
    with path.open("rb") as file:
        lines = read_lines(file)
        first = next(lines, None)
        header = parse_header(first.data) if first is not None else None
        if first is None or header is None or header.writer != writer or header.number != number:
            file.seek(0)
            return None, file.read()
        end = End(
            writer, header.journal, number, len(first.data), header.first_seq - 1, header.epoch,
            bytes.fromhex(header.prev), {item["id"]: item for item in header.open},
        )  # fmt: skip
        for line in lines:
            parts = split_line(line.data) if line.whole else None
            record = parse_record(parts[1]) if parts is not None else None
            if parts is None or record is None or link(end.chain, parts[1]) != parts[0]:
                break
            end.chain, end.seq, end.epoch = parts[0], end.seq + 1, record.get("epoch", end.epoch)
            end.size = line.offset + len(line.data)
            track(end.opened, record)
        file.seek(end.size)
        return end, file.read()


def _without_room(tail: bytes) -> bytes:
    """Cut the blank lines off: they are no part of what was written."""
    written = tail.rstrip(BLANK)
    return tail[: len(written) + 1] if written else b""


def _refuse_behind(head: Head | None, end: End | None, path: Path) -> None:
    """Refuse to go on from an end that a signed head contradicts."""
    if head is None:
        return
    reached = (0, 0) if end is None else (end.number, end.size)
    behind = (head.segment, head.offset) > reached
    if end is None and head.segment < int(path.stem):
        behind = False  # this segment was begun after the head was signed
    elsewhere = end is not None and end.journal != head.journal
    rewritten = end is not None and end.seq == head.seq and end.chain.hex() != head.chain
    if behind or elsewhere or rewritten:
        raise AuditError(
            f"the journal was cut or altered behind its signed head (record {head.seq})",
            hint="run `interlock audit verify`; restore the journal from its copy, do not begin a new one",
            place=Place(str(path)),
        )


def _set_aside(path: Path, offset: int, tail: bytes) -> bytes:
    """Keep a torn tail in a file of its own, durably, before it is cut off."""
    name = f"{path.name}.{offset}.{hashlib.sha256(tail).hexdigest()[:16]}.torn"
    with path.with_name(name).open("wb") as file:
        file.write(tail)
        file.flush()
        os.fsync(file.fileno())
    return tail


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_WRONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
