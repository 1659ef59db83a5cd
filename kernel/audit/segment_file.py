"""The newest segment as a file that is written at its end and synced: past the page cache where that can be.

A write that goes beyond the end of the file makes room with it, blank lines, for as much again: those that follow
go into room that is there, and need not store the file's new size (ADR 38). Written past the page cache
(O_DIRECT with O_DSYNC) a group is one call of the kernel, and the machine's memory does not fill with a log that
nobody reads soon (ADR 39). That takes whole blocks: the last one, where it is not full, is written again with the
next group. Where the file system has no such way, writes go through the cache, and `fdatasync` follows.
"""

from __future__ import annotations

import errno
import mmap
import os
from typing import TYPE_CHECKING, Final, Protocol

from kernel.audit.recovery import write_all
from kernel.audit.segment import BLANK

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK: Final = 4096  # bytes; a disk with larger sectors refuses one
_PIECE: Final = 128 * 1024  # bytes that are written at once past the cache
_MOST_ROOM: Final = 1024 * 1024  # bytes ahead
_NO_SUCH_WAY = (errno.EINVAL, errno.EOPNOTSUPP)


class SegmentFile(Protocol):
    """A segment, open at its end. After an OSError nobody knows what it holds, and it is not to be used again."""

    def write(self, data: bytes) -> None:
        """Take what comes next; durable only after `sync`."""

    def sync(self) -> None:
        """Make durable what was written."""

    def trim(self) -> None:
        """Take the room back, durably: a segment that is done ends with its last record."""

    def close(self) -> None:
        """Let go of the file."""


def open_segment(path: Path, size: int, *, fsync: bool) -> SegmentFile:
    """Open a segment of `size` bytes in the better of both ways; without `fsync` nothing waits for the disk."""
    past = os.O_DIRECT | os.O_DSYNC if fsync and hasattr(os, "O_DIRECT") else 0
    if past:
        try:
            return _PastCache(os.open(path, os.O_RDWR | os.O_NOFOLLOW | past), size)
        except OSError as error:
            if error.errno not in _NO_SUCH_WAY:
                raise
    return _Cached(os.open(path, os.O_WRONLY | os.O_NOFOLLOW), size, fsync=fsync)


class _Cached:
    """Through the page cache."""

    def __init__(self, file: int, size: int, *, fsync: bool) -> None:
        self._file = file
        self._fsync = fsync
        self._begun = self._end = self._room = size

    def write(self, data: bytes) -> None:
        at = self._end
        self._end += len(data)
        if self._end > self._room:
            ahead = min(self._end - self._begun, _MOST_ROOM)
            data += BLANK * ahead
            self._room = self._end + ahead
        write_all(self._file, data, at)

    def sync(self) -> None:
        if self._fsync:
            os.fdatasync(self._file)

    def trim(self) -> None:
        os.ftruncate(self._file, self._end)
        self.sync()

    def close(self) -> None:
        os.close(self._file)


class _PastCache:
    """In whole blocks, from memory of ours to the disk."""

    def __init__(self, file: int, size: int) -> None:
        self._file = file
        self._taken: list[bytes] = []
        self._begun = size
        self._piece, self._blank = mmap.mmap(-1, _PIECE), mmap.mmap(-1, _PIECE)
        self._views = memoryview(self._piece), memoryview(self._blank)
        self._blank[:] = BLANK * _PIECE
        self._filled = size % _BLOCK  # bytes of the piece that are part of the segment already
        self._start = size - self._filled  # where the piece belongs
        self._room = self._start + _BLOCK
        try:
            self._probe()
        except BaseException:
            self.close()
            raise

    def _probe(self) -> None:
        """Read the last block and write it, full or empty: what refuses one block has to do so now."""
        block, filled = self._views[0][:_BLOCK], self._filled
        if os.preadv(self._file, [block], self._start) < filled:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._piece[filled:_BLOCK] = self._blank[filled:_BLOCK]
        self._write_whole([block], _BLOCK)

    def write(self, data: bytes) -> None:
        self._taken.append(data)

    def sync(self) -> None:
        data = b"".join(self._taken)
        self._taken.clear()
        at = 0
        while at < len(data):
            filled = self._filled
            size = min(len(data) - at, _PIECE - filled)
            self._piece[filled : filled + size] = data[at : at + size]
            self._filled += size
            at += size
            self._put()

    def _put(self) -> None:
        """Write the piece, its last block filled up with blank lines; what is in that block stays for the next."""
        filled, start = self._filled, self._start
        blocks = -(-filled // _BLOCK) * _BLOCK
        self._piece[filled:blocks] = self._blank[: blocks - filled]
        buffers = [self._views[0][:blocks]]
        ahead = 0
        if start + blocks > self._room:
            ahead = -(-min(start + blocks - self._begun, _MOST_ROOM) // _BLOCK) * _BLOCK
            whole, rest = divmod(ahead, _PIECE)
            buffers += [self._views[1]] * whole + [self._views[1][:rest]]
            self._room = start + blocks + ahead
        self._write_whole(buffers, blocks + ahead)
        kept = filled % _BLOCK
        self._piece[:kept] = self._piece[filled - kept : filled]
        self._start, self._filled = start + filled - kept, kept

    def _write_whole(self, buffers: list[memoryview], size: int) -> None:
        if os.pwritev(self._file, buffers, self._start) < size:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))  # the only reason for a part

    def trim(self) -> None:
        os.ftruncate(self._file, self._start + self._filled)
        os.fdatasync(self._file)

    def close(self) -> None:
        os.close(self._file)
