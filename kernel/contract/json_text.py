"""JSON text (RFC 8259), read strictly: fast by jiter, and by a scanner that says where it goes wrong."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import jiter

from kernel.contract.errors import (
    DocumentEmpty,
    DocumentEncoding,
    DocumentSyntax,
    DuplicateKey,
    LimitPassed,
    NumberRefused,
)
from kernel.contract.numbers import integer_of, number_of
from kernel.contract.positions import Positions, token
from kernel.errors import DocumentError, Place

MAX_DEPTH = 200  # jiter's own limit; documents may not pass it either

_SPACE = re.compile(r"[ \t\n\r]*+")
_STRING = re.compile(r'"[^"\\\x00-\x1f]*+(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\x00-\x1f]*+)*+"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?(?![0-9.eE+-])")
_WORD = re.compile(r"(?:true|false|null)(?![A-Za-z0-9_])")
_LONE_SURROGATE = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F])|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F]"
)
_LONG_EXPONENT = re.compile(r"[eE][+-]?[0-9]{4}")
# Tokens of a text that is known to be JSON: a key, an opening, a closing bracket, any scalar.
_ACCEPTED = re.compile(
    r"""("[^"\\]*+(?:\\.[^"\\]*+)*+")(?=[ \t\n\r]*:)|([{\[])|([}\]])"""
    r"""|("[^"\\]*+(?:\\.[^"\\]*+)*+"|[-0-9tfn][^,\]}\s]*+)"""
)
_KEY, _OPENING, _CLOSING = 1, 2, 3


def parse_json(data: bytes, text: str, name: str) -> Any:
    """Read JSON, fractions and exponents as Decimal; raises a `DocumentError` subclass with the place."""
    try:
        return jiter.from_json(
            data, allow_inf_nan=False, cache_mode="keys", catch_duplicate_keys=True, float_mode="decimal"
        )
    except (ValueError, ArithmeticError) as error:
        raise _diagnosis(text, name, str(error)) from None


def json_positions(text: str) -> Positions:
    """Index a text that `parse_json` has accepted."""
    positions = Positions(text)
    key = -1
    for match in _ACCEPTED.finditer(text):
        group = match.lastindex
        if group == _KEY:
            key = match.start()
        elif group == _CLOSING:
            positions.leave()
        else:
            at, key = (match.start(), -1) if key < 0 else (key, -1)
            if group == _OPENING:
                positions.enter(at)
            else:
                positions.leaf(at)
    return positions


@dataclass(slots=True)
class _Path:
    """Where the scanner is: one key or index for each open container, with the keys seen in objects."""

    steps: list[str | int] = field(default_factory=list)
    seen: list[set[str] | None] = field(default_factory=list)

    @property
    def pointer(self) -> str:
        return "".join(token(step) for step in self.steps if step != "")


@dataclass(frozen=True)
class _Fault(Exception):
    kind: type[DocumentError]
    offset: int
    message: str
    hint: str = ""


def _diagnosis(text: str, name: str, message: str) -> DocumentError:
    path = _Path()
    try:
        _scan(text, path)
    except _Fault as fault:
        line, column = Positions(text).line_column(fault.offset)
        place = Place(name, line, column, path.pointer)
        return fault.kind(fault.message, hint=fault.hint, place=place)
    if "decimal.InvalidOperation" in message:  # such as 0e followed by thirty digits
        return NumberRefused("a number's exponent is too long", hint="shorten it", place=Place(name))
    # The scanner knows no fault that jiter sees: say what jiter says.
    return DocumentSyntax(f"not JSON: {message[:120]}", hint="see RFC 8259", place=Place(name))


def _scan(text: str, path: _Path) -> None:  # a state machine, one arm a state
    """Walk the tokens until the first error and raise it as `_Fault`, `path` telling where."""
    at = _skip(text, 0)
    if at == len(text):
        raise _Fault(DocumentEmpty, at, "the document is empty", "a document holds one JSON value")
    state = "value"
    while state != "end":
        char = text[at] if at < len(text) else ""
        if state == "first" and char == ("}" if path.seen[-1] is not None else "]"):
            state = "close"
        if state == "close":
            path.steps.pop()
            path.seen.pop()
            at, state = at + 1, "next"
        elif state == "next":
            at, state = _separator(path, char, at)
        elif state in ("first", "member") and path.seen[-1] is not None:
            at, state = _key(text, at, path), "value"
        elif char and char in "{[":
            if len(path.steps) >= MAX_DEPTH:
                raise _Fault(LimitPassed, at, f"nested deeper than {MAX_DEPTH} levels", "nest less deeply")
            path.steps.append("" if char == "{" else 0)
            path.seen.append(set() if char == "{" else None)
            at, state = at + 1, "first"
        else:
            at, state = _scalar(text, at), "next"
        at = _skip(text, at)
    if at < len(text):
        raise _Fault(DocumentSyntax, at, "text after the end of the document", "a document holds one value")


def _separator(path: _Path, char: str, at: int) -> tuple[int, str]:
    """Decide what follows a value: another one, the container's end, or the document's."""
    if not path.steps:
        return at, "end"
    step = path.steps[-1]
    if char == ",":
        path.steps[-1] = "" if isinstance(step, str) else step + 1
        return at + 1, "member"
    if char == ("}" if path.seen[-1] is not None else "]"):
        return at, "close"
    closing = "'}'" if path.seen[-1] is not None else "']'"
    raise _Fault(DocumentSyntax, at, f"',' or {closing} expected", "a comma or a bracket is missing")


def _key(text: str, at: int, path: _Path) -> int:
    if text[at : at + 1] != '"':
        trailing = text[at : at + 1] == "}"
        message = "a comma stands before '}'" if trailing else "a key in double quotes expected"
        raise _Fault(DocumentSyntax, at, message, "JSON has no trailing commas, comments or bare keys")
    end = _string(text, at)
    key = str(jiter.from_json(text[at:end].encode()))
    path.steps[-1] = key
    seen = path.seen[-1]
    assert seen is not None  # the caller asks for a key only inside an object
    if key in seen:
        raise _Fault(
            DuplicateKey, at, f"the key {key[:80]!r} stands twice in one object", "remove one of the two"
        )
    seen.add(key)
    after = _skip(text, end)
    if text[after : after + 1] != ":":
        raise _Fault(DocumentSyntax, after, "':' expected after a key", 'write "key": value')
    return after + 1


def _scalar(text: str, at: int) -> int:
    char = text[at : at + 1]
    if char == '"':
        return _string(text, at)
    match = _NUMBER.match(text, at) or _WORD.match(text, at)
    if match is None:
        if re.match(r"[-+]?(?:NaN|Infinity|nan|inf)", text[at : at + 10]):
            raise _Fault(
                NumberRefused, at, "NaN and infinities are no JSON numbers", "leave the value out or use null"
            )
        what = f"{char!r} cannot begin a value" if char else "the document ends where a value is expected"
        raise _Fault(
            DocumentSyntax, at, what, "JSON has objects, arrays, strings, numbers, true, false, null"
        )
    if match.end() - at > 64 or _LONG_EXPONENT.search(match[0]):  # noqa: PLR2004 - far below what is refused
        _check_number(match[0], at)
    return match.end()


def _check_number(text: str, at: int) -> None:
    try:
        if text.lstrip("-").isdecimal():
            integer_of(text)
        else:
            number_of(text)
    except NumberRefused as error:
        raise _Fault(NumberRefused, at, error.message, error.hint) from None


def _string(text: str, at: int) -> int:
    match = _STRING.match(text, at)
    if match is None:
        raise _bad_string(text, at)
    if "\\u" in match[0]:
        body = match[0].replace("\\\\", "  ")
        lone = _LONE_SURROGATE.search(body)
        if lone is not None:
            hint = "surrogate escapes come in pairs"
            raise _Fault(DocumentEncoding, at + lone.start(), "a string holds a lone surrogate", hint)
    return match.end()


def _bad_string(text: str, at: int) -> _Fault:
    cursor = at + 1
    while cursor < len(text):
        char = text[cursor]
        if char < " ":
            hint = "write control characters as escapes, such as \\n"
            return _Fault(DocumentSyntax, cursor, "a control character stands in a string", hint)
        if char == "\\":
            if re.match(r'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})', text[cursor : cursor + 6]) is None:
                hint = 'JSON knows \\" \\\\ \\/ \\b \\f \\n \\r \\t and \\uXXXX'
                return _Fault(DocumentSyntax, cursor, "an escape that JSON does not know", hint)
            cursor += 1
        cursor += 1
    return _Fault(DocumentSyntax, at, "a string has no end", "close it with a double quote")


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at
