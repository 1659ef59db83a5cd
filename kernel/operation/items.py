"""Takes a sequential body apart as it arrives, so that each item is judged before any byte of it goes on.

JSON lines (application/jsonl, application/x-ndjson), JSON text sequences (RFC 7464) and server-sent events
(WHATWG HTML section 9.2.6), as OpenAPI 3.2 "Sequential Media Types" and `itemSchema` mean them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, Literal

from kernel.operation.strict_json import read_json
from kernel.operation.violation import Undecodable, Violation

if TYPE_CHECKING:
    from collections.abc import Callable

    # Where an item ends, and its text (None for what carries none: a blank line, a comment).
    Item = tuple[int, bytes | None]
    # Finds the next item in the held bytes: where it begins, from where they have not been looked through
    # yet, and whether no more will come. None: it is not whole.
    Cut = Callable[[bytearray, int, int, bool], Item | None]
    Judge = Callable[[bytes], tuple[Violation, ...]]

_SEPARATOR: Final = 0x1E  # RFC 7464 §2.2
_BLANK: Final = b" \t\r\n"
_CLOSED: Final = _BLANK + b'}]"'
_TRIALS: Final = 64  # times that one unfinished JSON text is read to see whether it is whole
_LINE_END: Final = rb"(?:\r\n|\n|\r(?!\n))"
_BLANK_LINE: Final = re.compile(_LINE_END + _LINE_END)
_NO_EVENT: Final = re.compile(rb"(?::[^\r\n]*)?" + _LINE_END)  # a comment, or a blank line too many
_LINES: Final = re.compile(r"\r\n|\n|\r")
_MARK: Final = b"\xef\xbb\xbf"
_RETRY_DIGITS: Final = 16
_UNREAD: Final = frozenset({"json", "json-seq", "utf-8"})


class ItemBroken(Exception):
    """An item is outside the contract; `passed` are the bytes before it that may go on."""

    def __init__(self, violations: tuple[Violation, ...], passed: bytes) -> None:
        super().__init__("an item is outside the contract")
        self.violations = violations
        self.passed = passed

    @property
    def slug(self) -> Literal["body-malformed", "body-invalid"]:
        """Tell an item that could not be read from one that breaks its schema."""
        unread = any(one.keyword in _UNREAD for one in self.violations)
        return "body-malformed" if unread else "body-invalid"


class ItemReader:
    """Holds bytes back until the item that they belong to is whole and judged.

    `feed` and `finish` give what may go on, and raise `ItemBroken`. With `observe`, what is broken is told
    to it and passes. `most` bounds the bytes of one item, and so what is held.
    """

    __slots__ = ("_cut", "_held", "_judge", "_most", "_observe", "_seen", "_unread", "count")

    def __init__(
        self,
        cut: Cut,
        judge: Judge,
        most: int,
        observe: Callable[[tuple[Violation, ...]], None] | None = None,
    ) -> None:
        self.count = 0  # items so far
        self._cut = cut
        self._judge = judge
        self._most = most
        self._observe = observe
        self._held = bytearray()
        self._seen = 0  # up to where the held bytes have been looked through
        self._unread = False  # only observed, and no longer to be taken apart

    @property
    def held(self) -> int:
        """How many bytes wait for the end of their item."""
        return len(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take more bytes; returns what is whole and within the contract."""
        return data if self._unread else self._read(data, final=False)

    def finish(self) -> bytes:
        """End: what is held is the last item, or nothing."""
        return self._read(b"", final=True)

    def _read(self, data: bytes, *, final: bool) -> bytes:
        held = self._held
        held += data
        done = 0
        while done < len(held):
            try:
                found = self._cut(held, done, max(done, self._seen), final)
                if found is None:
                    break
                end, text = found
                violations = () if text is None else self._judge(text)
            except Undecodable as error:
                end, text, violations = len(held), b"", (Violation("body", "", error.keyword),)
                self._unread = True
            if end - done > self._most:
                violations = (Violation("body", "", "limit"),)
            if violations:
                self._broken(violations, done)
            done = end
            self.count += text is not None
        self._seen = len(held) - done
        if self._seen > self._most and not final:
            self._unread = True
            self._broken((Violation("body", "", "limit"),), done)
            done = len(held)
        passed = bytes(held[:done])
        del held[:done]
        return passed

    def _broken(self, violations: tuple[Violation, ...], done: int) -> None:
        placed = tuple(
            Violation(one.location, f"/{self.count}{one.pointer}", one.keyword) for one in violations
        )
        if self._observe is None:
            passed = bytes(self._held[:done])
            self._held.clear()
            raise ItemBroken(placed, passed)
        self._observe(placed)


# -- where items end --------------------------------------------------------------------------------


def cut_line(held: bytearray, begin: int, seen: int, final: bool) -> Item | None:  # noqa: FBT001 - as `Cut` has it
    """Find the next line of JSON lines; blank lines carry nothing (they keep a connection alive)."""
    at = held.find(b"\n", seen)
    if at < 0 and not final:
        return None
    end = len(held) if at < 0 else at + 1
    text = bytes(held[begin:end]).strip(_BLANK)
    return end, text or None


class SequenceCut:
    """Finds the next text of a JSON text sequence (RFC 7464): from a separator to the line end after it.

    A text may hold line ends, so one that ends the held bytes with a line end is tried; the next separator,
    or the end, settles it in any case. An empty text between two separators carries nothing (section 2.1).
    """

    __slots__ = ("_next", "_trials")

    def __init__(self) -> None:
        self._trials = 0
        self._next = 0  # length at which an unfinished text is tried again

    def __call__(self, held: bytearray, begin: int, seen: int, final: bool) -> Item | None:  # noqa: FBT001
        """Give the next text; raises `Undecodable` where no separator stands before it."""
        if held[begin] != _SEPARATOR:
            raise Undecodable("json-seq")
        at = held.find(b"\x1e", max(seen, begin + 1))
        whole = at >= 0 or final
        end = at if at >= 0 else len(held)
        if not whole and not self._is_whole(held, begin):
            return None
        self._trials = self._next = 0
        text = bytes(held[begin + 1 : end])
        if text.strip(_BLANK) and text[-1] not in _CLOSED:  # RFC 7464 §2.4: it may have been cut short
            raise Undecodable("json-seq")
        return end, text.strip(_BLANK) or None

    def _is_whole(self, held: bytearray, begin: int) -> bool:
        size = len(held) - begin
        if not held.endswith(b"\n") or size < self._next:
            return False
        self._trials += 1
        try:
            read_json(bytes(held[begin + 1 :]))
        except Undecodable:
            if self._trials > _TRIALS:  # each trial reads it all: let it grow by half in between
                self._next = size * 3 // 2
            return False
        return True


class EventCut:
    """Finds the next server-sent event: up to a blank line; comments alone carry nothing and go on at once."""

    __slots__ = ("_first",)

    def __init__(self) -> None:
        self._first = True

    def __call__(self, held: bytearray, begin: int, seen: int, final: bool) -> Item | None:  # noqa: FBT001
        """Give the next event, without the byte order mark that may begin the stream."""
        idle = _NO_EVENT.match(held, begin)
        if idle is not None and (final or idle.end() < len(held) or held[-1:] == b"\n"):
            return idle.end(), None
        blank = _BLANK_LINE.search(held, max(begin, seen - 3))
        # A CR at the very end may be half of a CRLF.
        whole = blank is not None and (final or blank.end() < len(held) or held[-1:] == b"\n")
        if not whole and not final:
            return None
        end = blank.end() if blank is not None else len(held)
        text = bytes(held[begin:end])
        if self._first:
            self._first = False
            text = text.removeprefix(_MARK)
        return end, text


# -- what they hold ---------------------------------------------------------------------------------


def event_of(text: bytes) -> dict[str, Any] | None:
    """Read one event into its fields; None for one that a reader would not be told of: it has no data.

    `data` (its lines joined), `event`, `id` and `retry` (a number) as WHATWG HTML section 9.2.6 reads them;
    other fields are ignored there and here. Raises `Undecodable` with keyword `utf-8`.
    """
    try:
        lines = _LINES.split(text.decode("utf-8"))
    except UnicodeDecodeError:
        raise Undecodable("utf-8") from None
    fields: dict[str, Any] = {}
    data: list[str] = []
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        elif name == "event" or (name == "id" and "\0" not in value):
            fields[name] = value
        elif name == "retry" and value.isascii() and value.isdigit() and len(value) < _RETRY_DIGITS:
            fields[name] = int(value)
    if not data:
        return None
    fields["data"] = "\n".join(data)
    return fields
