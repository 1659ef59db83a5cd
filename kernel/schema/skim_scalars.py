"""What a skim asks of strings and numbers: lengths, values, simple patterns, dates, bounds (kernel/schema/skim.py)."""

from __future__ import annotations

from typing import Final

from mypy_extensions import i64

UNSURE: Final[i64] = -1  # what a reader gives that cannot say yes; a place otherwise

_QUOTE: Final = 0x22
_BACKSLASH: Final = 0x5C
_SPACE: Final = 0x20
_PLUS: Final = 0x2B
_HYPHEN: Final = 0x2D
_DOT: Final = 0x2E
_ZERO: Final = 0x30
_NINE: Final = 0x39
_COLON: Final = 0x3A
_T: Final = 0x54
_Z: Final = 0x5A
_U: Final = 0x75
_MOST_DIGITS: Final = 15  # a double holds them whatever they are
_ESCAPED: Final = frozenset(b'"\\/bfnrt')
_HEX: Final = frozenset(b"0123456789ABCDEFabcdef")
_D: Final = frozenset(b"Dd")
_OF_PAIRS: Final = frozenset(b"89ABCDEFabcdef")
_DATE: Final = len("2026-11-27")
_TIMED: Final = len("2026-11-27T10:31:04Z")
# How many days each month has; the 29th of February is asked elsewhere.
_SURE_DAYS: Final = bytes((0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31))


def plain_end(data: bytes, at: i64) -> i64:
    """Find the quotation mark that ends a string begun before `at`; `UNSURE` where it holds an escape, or must."""
    code: i64 = data[at]
    while code != _QUOTE:
        if code < _SPACE or code == _BACKSLASH:
            return UNSURE
        at += 1
        code = data[at]
    return at


def _escaped_end(data: bytes, at: i64) -> i64:
    """Find the quotation mark of a string with escapes (RFC 8259 §7); `UNSURE` where one is half of a pair."""
    code: i64 = data[at]
    while code != _QUOTE:
        if code < _SPACE:
            return UNSURE
        if code != _BACKSLASH:
            at += 1
        elif data[at + 1] != _U:
            if data[at + 1] not in _ESCAPED:
                return UNSURE
            at += 2
        elif _is_character(data, at + 2):
            at += 6
        else:
            return UNSURE
        code = data[at]
    return at


def _is_character(data: bytes, at: i64) -> bool:
    """Whether four hexadecimal digits name a character, and no half of a pair of surrogates."""
    for digit in data[at : at + 4]:
        if digit not in _HEX:
            return False
    return not (data[at] in _D and data[at + 1] in _OF_PAIRS)


class Run:
    """One piece of a pattern: from `least` to `most` characters out of a set, -1: any number."""

    def __init__(self, allowed: bytes, least: i64, most: i64) -> None:
        self.allowed = allowed  # for each octet, 1 where it is such a character
        self.least = least
        self.most = most


class Texts:
    """What is asked of a string."""

    def __init__(self, *, least: i64 = 0, most: i64 = -1) -> None:
        self.least = least
        self.most = most  # -1: any length
        self._enough: i64 = least if least <= 1 else 4 * least  # octets, whatever they are
        self.among: frozenset[bytes] | None = None
        self.runs: tuple[Run, ...] = ()
        self.open = False  # anything may follow the last run
        self.dated = False
        self.timed = False

    def read(self, data: bytes, at: i64) -> i64:
        """Read a string whose text begins at `at`; give the place behind its quotation mark."""
        end = plain_end(data, at)
        if end < 0:
            return self._read_escaped(data, at)
        if not self._has_length(data, at, end):
            return UNSURE
        if self.among is not None and data[at:end] not in self.among:
            return UNSURE
        if self.runs and not self._fits(data, at, end):
            return UNSURE
        if self.dated and not _is_date(data, at, end, timed=self.timed):
            return UNSURE
        return end + 1

    def _read_escaped(self, data: bytes, at: i64) -> i64:
        """Read a string with escapes: only a length may be asked of it, for which each makes it shorter."""
        if self.among is not None or self.runs or self.dated or self.least > 1:
            return UNSURE
        end = _escaped_end(data, at)
        if end < 0 or (end - at > self.most and self.most >= 0):
            return UNSURE
        return end + 1

    def _has_length(self, data: bytes, at: i64, end: i64) -> bool:
        """Whether it has its length in code points, of which each is one to four octets."""
        octets = end - at
        if octets >= self._enough and (octets <= self.most or self.most < 0):
            return True
        points = len(data[at:end].decode())
        return points >= self.least and (points <= self.most or self.most < 0)

    def _fits(self, data: bytes, at: i64, end: i64) -> bool:
        """Whether the runs take it, each as much as it can and giving nothing back: then so does the pattern."""
        for run in self.runs:
            most = end if run.most < 0 or end - at < run.most else at + run.most
            allowed = run.allowed
            begun = at
            while at < most and allowed[data[at]]:
                at += 1
            if at - begun < run.least:
                return False
        return at == end or self.open


def _is_date(data: bytes, at: i64, end: i64, *, timed: bool) -> bool:
    """Whether it is surely a date, or a date-time as nearly all write it (RFC 3339 §5.6)."""
    if end - at < _TIMED if timed else end - at != _DATE:
        return False
    month, day = _two(data, at + 5), _two(data, at + 8)
    return (
        _two(data, at) > 0  # years before 100 are asked elsewhere
        and _two(data, at + 2) >= 0
        and data[at + 4] == _HYPHEN
        and data[at + 7] == _HYPHEN
        and 1 <= month < len(_SURE_DAYS)
        and 1 <= day <= _SURE_DAYS[month]
        and (not timed or (data[at + _DATE] == _T and _is_time(data, at + _DATE + 1, end)))
    )


def _is_time(data: bytes, at: i64, end: i64) -> bool:
    """Whether it is surely a time with its offset; a leap second is asked elsewhere."""
    if not _is_clock(data, at) or data[at + 5] != _COLON or not 0 <= _two(data, at + 6) < 60:  # noqa: PLR2004
        return False
    at += 8
    if data[at] == _DOT:
        at += 1
        first = at
        while at < end and _ZERO <= data[at] <= _NINE:
            at += 1
        if not 1 <= at - first <= 9:  # noqa: PLR2004 - nanoseconds
            return False
    if at + 1 == end:
        return data[at] == _Z
    return at + 6 == end and data[at] in (_PLUS, _HYPHEN) and _is_clock(data, at + 1)


def _is_clock(data: bytes, at: i64) -> bool:
    return 0 <= _two(data, at) < 24 and data[at + 2] == _COLON and 0 <= _two(data, at + 3) < 60  # noqa: PLR2004


def _two(data: bytes, at: i64) -> i64:
    """Give the number that two digits make; less than 0 for anything else."""
    tens: i64 = data[at]
    ones: i64 = data[at + 1]
    if not (_ZERO <= tens <= _NINE and _ZERO <= ones <= _NINE):
        return UNSURE
    return (tens - _ZERO) * 10 + ones - _ZERO


class Numbers:
    """What is asked of a number. A bound that is `open` is not reached; so is one that a double may not hold."""

    def __init__(self, *, whole: bool = False) -> None:
        self.whole = whole
        self.bounded = False
        self.least, self.open_least = float("-inf"), False
        self.most, self.open_most = float("inf"), False

    def bound_below(self, bound: float, *, is_open: bool) -> None:
        """Hold it to a least value beside those that it is held to."""
        if bound >= self.least:
            self.open_least = is_open or (self.open_least and bound == self.least)
            self.least, self.bounded = bound, True

    def bound_above(self, bound: float, *, is_open: bool) -> None:
        """Hold it to a greatest value beside those that it is held to."""
        if bound <= self.most:
            self.open_most = is_open or (self.open_most and bound == self.most)
            self.most, self.bounded = bound, True

    def read(self, data: bytes, begin: i64) -> i64:
        """Read a number (RFC 8259 §6); one with an exponent does not end where this says."""
        at = begin + 1 if data[begin] == _HYPHEN else begin
        first = at
        at = _digits(data, at)
        digits = at - first
        if digits == 0 or (digits > 1 and data[first] == _ZERO):
            return UNSURE
        if data[at] == _DOT:
            dot = at
            at = _digits(data, at + 1)
            if self.whole or at == dot + 1:
                return UNSURE
            digits += at - dot - 1
        if digits > _MOST_DIGITS or (self.bounded and not self._within(float(data[begin:at]))):
            return UNSURE
        return at

    def _within(self, value: float) -> bool:
        above = value > self.least or (value == self.least and not self.open_least)
        return above and (value < self.most or (value == self.most and not self.open_most))


def _digits(data: bytes, at: i64) -> i64:
    while _ZERO <= data[at] <= _NINE:
        at += 1
    return at
