"""Judges JSON text while it reads it, once, without making values of it: says yes, or nothing.

What nearly every caller sends is plain: no escapes, numbers of a few digits, names that the schema knows. Such
text is held to its schema in one pass here. `UNSURE` never means that it breaks the schema: text that is not
plain, keywords that are not known here and all that would have to be refused are read by the strict reader and
judged by the engine, which alone say no (kernel/operation/strict_json.py, validator.py). So a yes must be
right; the tests hold it against both.

A reader is given where its value begins and gives where it ends. Text that ends too early raises `IndexError`,
which `Skim` takes as `UNSURE`.
"""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

from kernel.schema.skim_scalars import UNSURE, Numbers, Texts, plain_end

COMPILED: Final = not __file__.endswith(".py")  # as pure Python it costs more than it saves
MOST_MEMBERS: Final = 60  # that one object may know: whether each was seen is a bit of a small number

_DEEPEST: Final = 64  # arrays and objects in each other: less than the strict reader takes
_BLANKS: Final = b"\t\n\r "
_PATIENCE: Final = 32
_REST: Final = 1024

_TAB: Final = 0x09
_LINE_FEED: Final = 0x0A
_RETURN: Final = 0x0D
_SPACE: Final = 0x20
_QUOTE: Final = 0x22
_COMMA: Final = 0x2C
_MINUS: Final = 0x2D
_ZERO: Final = 0x30
_NINE: Final = 0x39
_COLON: Final = 0x3A
_LIST: Final = 0x5B
_END_OF_LIST: Final = 0x5D
_E: Final = 0x65
_OBJECT: Final = 0x7B
_END_OF_OBJECT: Final = 0x7D


def blank(data: bytes, at: i64) -> i64:
    """Pass white space (RFC 8259 §2)."""
    code: i64 = data[at]
    while code <= _SPACE and code in (_SPACE, _LINE_FEED, _RETURN, _TAB):
        at += 1
        code = data[at]
    return at


class Rule:
    """One schema: this one knows no value."""

    def read(self, data: bytes, at: i64, depth: i64) -> i64:
        """Read the value that begins at `at`, inside of `depth` arrays and objects."""
        del data, at, depth
        return UNSURE


class Member:
    """A name that an object knows."""

    def __init__(self, name: bytes, bit: i64, rule: Rule) -> None:
        self.name = name
        self.bit = bit
        self.rule = rule
        self.next: Member | None = None  # which came behind it last: senders keep to one order

    def stands_at(self, data: bytes, at: i64) -> bool:
        """Whether the name and its quotation mark stand there."""
        name = self.name
        size: i64 = len(name)
        passed: i64 = 0
        while passed < size:
            if data[at + passed] != name[passed]:
                return False
            passed += 1
        return data[at + size] == _QUOTE


class Members:
    """What is asked of an object."""

    def __init__(self, others: Rule | None, *, least: i64 = 0, most: i64 = -1) -> None:
        self.known: dict[bytes, Member] = {}
        self.required: i64 = 0  # their bits
        self.others = others  # what members of other names are held to; None: there are none
        self.least = least
        self.most = most  # -1: any number
        self._before_first = Member(b"", 0, Rule())

    def read(self, data: bytes, at: i64, depth: i64) -> i64:  # noqa: C901, PLR0911, PLR0912 - one loop, each step may be the last
        """Read an object; `at` stands behind its brace."""
        seen: i64 = 0
        count: i64 = 0
        names: set[bytes] | None = None
        last = self._before_first
        at = blank(data, at)
        if data[at] == _END_OF_OBJECT:
            return UNSURE if self.required or self.least else at + 1
        while data[at] == _QUOTE:
            member = last.next
            if member is not None and member.stands_at(data, at + 1):
                end = at + 1 + len(member.name)
            else:
                end = plain_end(data, at + 1)
                if end < 0:
                    return UNSURE
                member = self.known.get(data[at + 1 : end])
            if member is not None:
                if seen & member.bit:
                    return UNSURE
                seen |= member.bit
                rule = member.rule
                last.next = member
                last = member
            else:
                if self.others is None:
                    return UNSURE
                name = data[at + 1 : end]
                if names is None:
                    names = set()
                elif name in names:
                    return UNSURE
                names.add(name)
                rule = self.others
            count += 1
            at = blank(data, end + 1)
            if data[at] != _COLON:
                return UNSURE
            at = rule.read(data, blank(data, at + 1), depth)
            if at < 0:
                return UNSURE
            at = blank(data, at)
            code: i64 = data[at]
            if code == _END_OF_OBJECT:
                whole = seen & self.required == self.required and count >= self.least
                return at + 1 if whole and (self.most < 0 or count <= self.most) else UNSURE
            if code != _COMMA:
                return UNSURE
            at = blank(data, at + 1)
        return UNSURE


class Items:
    """What is asked of an array."""

    def __init__(self, rule: Rule, *, least: i64 = 0, most: i64 = -1) -> None:
        self.rule = rule
        self.least = least
        self.most = most  # -1: any number

    def read(self, data: bytes, at: i64, depth: i64) -> i64:
        """Read an array; `at` stands behind its bracket."""
        count: i64 = 0
        at = blank(data, at)
        if data[at] == _END_OF_LIST:
            return UNSURE if self.least else at + 1
        while True:
            at = self.rule.read(data, at, depth)
            if at < 0:
                return UNSURE
            count += 1
            at = blank(data, at)
            code: i64 = data[at]
            if code == _END_OF_LIST:
                return at + 1 if count >= self.least and (self.most < 0 or count <= self.most) else UNSURE
            if code != _COMMA:
                return UNSURE
            at = blank(data, at + 1)


class Value(Rule):
    """What is asked of a value of each type; None: it is not admitted, or not known here."""

    def __init__(self) -> None:
        self.texts: Texts | None = None
        self.numbers: Numbers | None = None
        self.members: Members | None = None
        self.items: Items | None = None
        self.truth = False
        self.null = False

    def read(self, data: bytes, at: i64, depth: i64) -> i64:
        """Read the value that begins at `at`."""
        code: i64 = data[at]
        if code == _QUOTE:
            return UNSURE if self.texts is None else self.texts.read(data, at + 1)
        if code == _OBJECT:
            members = self.members
            return UNSURE if members is None or depth == _DEEPEST else members.read(data, at + 1, depth + 1)
        if code == _LIST:
            items = self.items
            return UNSURE if items is None or depth == _DEEPEST else items.read(data, at + 1, depth + 1)
        if code == _MINUS or _ZERO <= code <= _NINE:
            return UNSURE if self.numbers is None else self.numbers.read(data, at)
        word = data[at : at + 4]
        if (word == b"true" and self.truth) or (word == b"null" and self.null):
            return at + 4
        return at + 5 if word == b"fals" and data[at + 4] == _E and self.truth else UNSURE


class Every(Rule):
    """Rules that are all held: `allOf`, and what stands beside a `$ref`."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules

    def read(self, data: bytes, at: i64, depth: i64) -> i64:
        """Read the value that begins at `at` once for each."""
        end: i64 = UNSURE
        for rule in self.rules:
            end = rule.read(data, at, depth)
            if end < 0:
                return UNSURE
        return end


class Some(Rule):
    """Rules one of which is enough: `anyOf`, and `oneOf` where no value can fit two."""

    def __init__(self, rules: tuple[Rule, ...]) -> None:
        self.rules = rules

    def read(self, data: bytes, at: i64, depth: i64) -> i64:
        """Read the value that begins at `at` by the first that knows it."""
        for rule in self.rules:
            end = rule.read(data, at, depth)
            if end >= 0:
                return end
        return UNSURE


class Later(Rule):
    """A rule inside of itself: a schema that refers to one that it belongs to."""

    def __init__(self) -> None:
        self.rule: Rule | None = None

    def read(self, data: bytes, at: i64, depth: i64) -> i64:
        """Read the value that begins at `at`."""
        return UNSURE if self.rule is None else self.rule.read(data, at, depth)


class Skim:
    """Skims what comes for one schema; where it seldom knows what was right, it rests for a while."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._patience = _PATIENCE
        self._resting = 0

    def conforms(self, data: bytes) -> bool:
        """Whether this is surely strict JSON in UTF-8 that conforms; False says nothing."""
        if self._resting:
            self._resting -= 1
            return False
        try:
            if not data.isascii():
                data.decode()  # raises what the strict reader refuses too
            end = self._rule.read(data, blank(data, 0), 0)
        except (UnicodeDecodeError, IndexError):
            return False
        if end < 0 or (end != len(data) and data[end:].strip(_BLANKS)):
            return False
        if self._patience < _PATIENCE:
            self._patience += 1
        return True

    def missed(self) -> None:
        """Learn that what it did not know conforms."""
        if self._resting == 0:
            self._patience -= 1
            if self._patience == 0:
                self._patience, self._resting = _PATIENCE, _REST
