"""Field lines that come again: read twice as ever, and from then on remembered as they were read.

Most clients of a proxy are programs. What they send below the request line is the same from call to call
but for Content-Length, and so is what providers send until their clock has gone on by a second.
"""

from __future__ import annotations

import re
from typing import Any, Final

from adapters.wire.http_fields import MOST_DIGITS, Fields

LIFE: Final = 30.0  # seconds after which everything is forgotten: credentials stand among the lines
MOST: Final = 512  # blocks of lines; one more, and memory begins anew
LARGEST: Final = 2048  # bytes of a block that is remembered
_MOST_MADE: Final = 16  # operations and whatever else a block is used for
# The one line that changes with every body; other spellings of it are read anew each time.
_LENGTH: Final = re.compile(rb"\n[Cc]ontent-[Ll]ength: ?([0-9]{1,18})\r\n")
_0: Final = 0x30
_9: Final = 0x39


class KnownFields:
    """Lines that were accepted before; nobody changes `fields`, which is without Content-Length.

    `length_at` is where that line stood, -1 where there was none. `made` holds what others have derived from
    these lines alone, by whatever they derived it for; it is forgotten with them.
    """

    __slots__ = ("_after", "_before", "fields", "length_at", "made")

    def __init__(self, fields: Fields, length_at: int, before: bytes = b"", after: bytes = b"") -> None:
        self.fields = fields
        self.length_at = length_at
        self.made: dict[Any, Any] = {}
        self._before = before  # the digits of Content-Length; everything where there are none
        self._after = after

    def read(self, data: bytes, at: int) -> tuple[int, bytes]:
        """Say where these lines end in `data`, if it holds them from `at` on, and the digits of Content-Length.

        The end is 0 where it holds others, and once they are forgotten.
        """
        before, after = self._before, self._after
        end = at + len(before)
        if not before or data[at:end] != before:
            return 0, b""
        if not after:
            return end, b""
        at = end
        most = min(len(data), at + MOST_DIGITS)
        while end < most and _0 <= data[end] <= _9:
            end += 1
        length = data[at:end]
        at = end + len(after)
        return (at, length) if length and data[end:at] == after else (0, b"")

    def forget(self) -> None:
        """Forget the lines, for whoever still holds them: they may be anybody's data."""
        self._before = self._after = b""
        self.fields = []
        self.made = {}

    def keep(self, reason: Any, made: Any) -> None:
        """Remember what was derived for `reason`."""
        if len(self.made) >= _MOST_MADE:
            self.made.clear()
        self.made[reason] = made

    def whole(self, length: bytes) -> Fields:
        """Give the lines as they came, in a list of their own."""
        fields = self.fields.copy()
        if self.length_at >= 0:
            fields.insert(self.length_at, (b"content-length", length))
        return fields


class FieldMemory:
    """Remembers blocks of field lines by their very bytes, Content-Length apart.

    `look` first; after it `length` holds the digits of Content-Length (b"" without). Where it has found nothing,
    and the block was accepted, `learn` takes it: from the second time on it is kept.
    """

    __slots__ = ("_begun", "_cut", "_kept", "_key", "_seen", "length")

    def __init__(self) -> None:
        self._kept: dict[bytes, KnownFields] = {}
        self._seen: set[int] = set()
        self._key = b""
        self._begun = 0.0
        self._cut = 0  # where in the key the digits stood
        self.length = b""

    def look(self, block: bytes) -> KnownFields | None:
        """Find a block; it begins with the line before its first one, or that one's end, and ends with the empty line."""
        found = _LENGTH.search(block)
        if found is None:
            self.length = b""
            self._cut = len(block)
        else:
            begin, end = found.span(1)
            self.length = block[begin:end]
            self._cut = begin
            block = block[:begin] + block[end:]
        self._key = block
        known = self._kept.get(block)
        return known if known is None or (known.length_at >= 0) == bool(self.length) else None

    def learn(self, fields: Fields, reason: Any = None, made: Any = None) -> None:
        """Take what the block of the last `look` was read as, Content-Length included, and what follows from it."""
        key = self._key
        if len(key) > LARGEST or key in self._kept:
            return
        seen = hash(key)
        if seen not in self._seen:
            if len(self._seen) >= MOST:
                self._seen.clear()
            self._seen.add(seen)
            return
        places = [place for place, line in enumerate(fields) if line[0] == b"content-length"]
        if len(places) != (1 if self.length else 0):
            return  # spelled so that `look` does not see it
        if len(self._kept) >= MOST:
            self._forget_kept()
        kept = fields.copy()
        if places:
            del kept[places[0]]
        place = places[0] if places else -1
        known = self._kept[key] = KnownFields(kept, place, key[: self._cut], key[self._cut :])
        if reason is not None:
            known.keep(reason, made)

    @property
    def kept(self) -> int:
        """How many blocks are remembered."""
        return len(self._kept)

    def forget_old(self, now: float) -> None:
        """Forget everything once its time is over; whoever owns a clock calls it (seconds)."""
        if now - self._begun >= LIFE:
            self._begun = now
            self.forget()

    def forget(self) -> None:
        """Forget everything."""
        self._forget_kept()
        self._seen.clear()

    def _forget_kept(self) -> None:
        for known in self._kept.values():
            known.forget()
        self._kept.clear()
