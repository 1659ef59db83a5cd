"""Cuts a byte stream into MLLP blocks (0B … 1C 0D), however TCP splits it; knows no sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

START = 0x0B
END = 0x1C
CR = 0x0D

# whole: a block as it should be (the last 0D may be missing)
# incomplete: another block began, or the stream ended, before 1C
# too-large: more bytes than allowed; `data` holds the first of them
# broken: bytes other than 0D or 0B followed 1C, so it was no end of a block
BlockKind = Literal["whole", "incomplete", "too-large", "broken"]


@dataclass(frozen=True, slots=True)
class Block:
    """What stood between 0B and 1C; `size` counts the bytes that were dropped as well."""

    kind: BlockKind
    data: bytes
    size: int


def frame(message: bytes) -> bytes:
    """Wrap one message."""
    return bytes((START,)) + message + bytes((END, CR))


class Deframer:
    """Feed it bytes, take blocks; bytes outside blocks are dropped and counted in `junk`.

    0B, 1C and 0D never stand inside a message of a character set that MLLP can carry, so 0B always
    begins a block. After 1C the next byte decides: 0D ends it, 0B ends it too (some senders omit the
    0D), anything else means that 1C stood inside. When nothing follows, ask `pending_end` and call `settle`.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit  # bytes of one block
        self.junk = 0
        self._buffer = bytearray()
        self._size = 0
        self._inside = False
        self._ended = False  # 1C was seen, the byte after it was not

    @property
    def inside(self) -> bool:
        """Whether a block has begun and not ended."""
        return self._inside

    @property
    def pending_end(self) -> bool:
        """Whether the last byte was 1C: the block is whole if nothing else comes."""
        return self._ended

    def feed(self, data: bytes) -> list[Block]:
        """Take bytes in and give the blocks that they complete."""
        blocks: list[Block] = []
        position = 0
        while position < len(data):
            if not self._inside:
                position = self._skip_junk(data, position)
            elif self._ended:
                position = self._after_end(data, position, blocks)
            else:
                position = self._collect(data, position, blocks)
        return blocks

    def settle(self) -> Block | None:
        """Give the block whose 1C was the last byte."""
        return self._finish("whole") if self._ended else None

    def abandon(self) -> Block | None:
        """Give what is there when the stream ends: whole after 1C, else incomplete; None outside a block."""
        if not self._inside:
            return None
        return self._finish("whole" if self._ended else "incomplete")

    def _skip_junk(self, data: bytes, position: int) -> int:
        start = data.find(START, position)
        if start < 0:
            self.junk += len(data) - position
            return len(data)
        self.junk += start - position
        self._inside = True
        return start + 1

    def _collect(self, data: bytes, position: int, blocks: list[Block]) -> int:
        end = data.find(END, position)
        stop = len(data) if end < 0 else end
        again = data.find(START, position, stop)
        if again >= 0:
            self._keep(data[position:again])
            blocks.append(self._finish("incomplete"))
            self._inside = True
            return again + 1
        self._keep(data[position:stop])
        self._ended = end >= 0
        return stop + 1 if self._ended else stop

    def _after_end(self, data: bytes, position: int, blocks: list[Block]) -> int:
        following = data[position]
        if following in (CR, START):
            blocks.append(self._finish("whole"))
            return position + 1 if following == CR else position
        # 1C inside a block: keep all of it, up to an end that is one, so that nothing is taken for whole
        self._keep(bytes((END,)))
        self._ended = False
        end = data.find(bytes((END, CR)), position)
        again = data.find(START, position)
        stops = [stop for stop in (end, again) if stop >= 0]
        stop = min(stops, default=len(data))
        self._keep(data[position:stop])
        blocks.append(self._finish("broken"))
        return stop + 2 if stop == end and stops else stop

    def _keep(self, data: bytes) -> None:
        self._size += len(data)
        room = self.limit - len(self._buffer)
        if room > 0:
            self._buffer += data[:room]

    def _finish(self, kind: BlockKind) -> Block:
        if self._size > self.limit and kind == "whole":
            kind = "too-large"
        block = Block(kind, bytes(self._buffer), self._size)
        self._buffer.clear()
        self._size = 0
        self._inside = False
        self._ended = False
        return block
