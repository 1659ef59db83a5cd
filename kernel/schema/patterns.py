r"""ECMA-262 patterns, as JSON Schema means them, written for the linear-time engine (Rust's regex).

The pattern is parsed whole and written anew with explicit character sets, so that nothing rests on the
two dialects happening to agree: `.` leaves out line ends, `\d` `\w` `\s` are ECMA's sets, `$` is the
end only, characters are code points (the `u` flag). What no linear engine can do (look-around, back
references) and what only other dialects know (`\A`, `(?i)`, possessive quantifiers) is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from kernel.errors import SchemaRefused
from kernel.schema.character_sets import (
    LAST,
    LINE_ENDS,
    SETS,
    Ranges,
    character_class,
    complement,
    inside,
    literal,
)

MAX_LENGTH = 20_000
MAX_DEPTH = 100  # of groups
MAX_REPEAT = 100_000
_CONTROLS = {"t": 0x09, "n": 0x0A, "v": 0x0B, "f": 0x0C, "r": 0x0D}
_HEX = frozenset("0123456789abcdefABCDEF")


@lru_cache(maxsize=4096)
def linear(pattern: str) -> str:
    """Give the pattern for Rust's regex; raises `SchemaRefused` naming what cannot be taken."""
    if len(pattern) > MAX_LENGTH:
        raise SchemaRefused(f"a pattern is longer than {MAX_LENGTH} characters", hint="shorten it")
    parser = _Parser(pattern)
    written = parser.alternatives(0)
    if parser.at < len(pattern):
        raise parser.refusal("a group closes that was never opened", "escape it: \\)")
    return written


@dataclass(frozen=True, slots=True)
class _Set:
    """A class escape: code points, or a property that the engine's own tables hold."""

    ranges: Ranges
    property: str = ""

    def write(self) -> str:
        return self.property or character_class(self.ranges)


class _Parser:
    """Recursive descent over ECMA-262 §22.2.1, each method writing what it has read."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self.at = 0

    def refusal(self, what: str, hint: str) -> SchemaRefused:
        """Say why the pattern is refused, naming the position."""
        text = f"the pattern {self.pattern[:120]!r}: {what} (at character {self.at + 1})"
        return SchemaRefused(text, hint=hint)

    def peek(self, count: int = 1) -> str:
        """Look at the next characters."""
        return self.pattern[self.at : self.at + count]

    def alternatives(self, depth: int) -> str:
        """Read up to the end of the pattern or of the group."""
        if depth > MAX_DEPTH:
            raise self.refusal(f"groups nest deeper than {MAX_DEPTH}", "simplify the pattern")
        branches = [self._terms(depth)]
        while self.peek() == "|":
            self.at += 1
            branches.append(self._terms(depth))
        return "|".join(branches)

    def _terms(self, depth: int) -> str:
        out: list[str] = []
        while (char := self.peek()) and char not in "|)":
            if char in "^$":
                self.at += 1
                out.append(char)
                self._no_quantifier()
            elif self.peek(2) in ("\\b", "\\B"):
                if self.peek(2) == "\\B":
                    raise self.refusal("\\B is not supported", "describe the characters instead")
                self.at += 2
                out.append(r"(?-u:\b)")
                self._no_quantifier()
            else:
                out.append(self._atom(char, depth) + self._quantifier())
        return "".join(out)

    def _atom(self, char: str, depth: int) -> str:
        if char == "(":
            return self._group(depth)
        if char == "[":
            self.at += 1
            return self._bracket()
        if char == ".":
            self.at += 1
            return character_class(complement(LINE_ENDS))
        if char == "\\":
            escape = self._escape(in_class=False)
            return escape.write() if isinstance(escape, _Set) else literal(escape)
        if char in "*+?":
            raise self.refusal(f"nothing stands before {char!r} that it could repeat", f"escape it: \\{char}")
        if char == "{" and self._braces() is not None:
            raise self.refusal("nothing stands before '{' that it could repeat", "escape it: \\{")
        self.at += 1
        return literal(ord(char))

    def _group(self, depth: int) -> str:
        start = self.at
        self.at += 1
        if self.peek() == "?":
            if self.peek(2) == "?:":
                self.at += 2
            elif self.peek(3) in ("?<=", "?<!") or self.peek(2) in ("?=", "?!"):
                raise self.refusal(
                    "look-around has no linear-time form", "use not, allOf or if/then around simple patterns"
                )
            elif self.peek(2) == "?<" and (end := self.pattern.find(">", self.at)) > 0:
                name = self.pattern[self.at + 2 : end]
                if not name.isidentifier():
                    raise self.refusal("a group's name is no identifier", "use letters, digits and _")
                self.at = end + 1
            else:
                raise self.refusal(
                    "ECMA-262 does not know this kind of group", "JSON Schema patterns have no flags"
                )
        body = self.alternatives(depth + 1)
        if self.peek() != ")":
            self.at = start
            raise self.refusal("a group has no end", "close it, or escape it: \\(")
        self.at += 1
        return f"(?:{body})"

    def _braces(self) -> tuple[int, int | None, int] | None:
        """Read `{n}`, `{n,}` or `{n,m}` here: least, most and the place after it; None for literal braces."""
        end = self.pattern.find("}", self.at)
        least, comma, most = self.pattern[self.at + 1 : end].partition(",") if end > 0 else ("", "", "")
        if not _decimal(least) or (most and not _decimal(most)):
            if comma and not least and (_decimal(most) or not most):
                raise self.refusal(
                    "'{,n}' is text in ECMA-262 and a quantifier elsewhere", "write {0,n}, or escape it: \\{"
                )
            return None
        if len(least) > 6 or len(most) > 6 or int(most or least) > MAX_REPEAT:  # noqa: PLR2004 - digits of 100000
            raise self.refusal(f"more than {MAX_REPEAT} repetitions", "use minLength and maxLength")
        upper = int(most) if most else (None if comma else int(least))
        if upper is not None and upper < int(least):
            raise self.refusal(
                "the quantifier's bounds are in the wrong order", "write the smaller one first"
            )
        return int(least), upper, end + 1

    def _quantifier(self) -> str:
        char = self.peek()
        written = ""
        if char and char in "*+?":
            self.at += 1
            written = char
        elif char == "{" and (braces := self._braces()) is not None:
            least, most, self.at = braces
            written = f"{{{least}}}" if most == least else f"{{{least},{'' if most is None else most}}}"
        if written:
            if self.peek() == "?":
                self.at += 1  # laziness does not change what matches
            self._no_quantifier()
        return written

    def _no_quantifier(self) -> None:
        char = self.peek()
        if (char and char in "*+?") or (char == "{" and self._braces() is not None):
            raise self.refusal(
                f"{char!r} repeats what cannot be repeated", "put the part in a group, or escape it"
            )

    def _bracket(self) -> str:
        negated = self.peek() == "^"
        self.at += negated
        ranges: Ranges = []
        properties: list[str] = []
        while self.peek() != "]":
            first = self._class_atom()
            # A hyphen makes a range between two characters; beside a set such as \w it is itself.
            if self.peek() == "-" and self.peek(2) not in ("-]", "-") and isinstance(first, int):
                self.at += 1
                second = self._class_atom()
                if isinstance(second, int):
                    if second < first:
                        raise self.refusal("a range is out of order", "write the smaller character first")
                    ranges.append((first, second))
                    continue
                ranges += [(first, first), (0x2D, 0x2D)]
                first = second
            if isinstance(first, int):
                ranges.append((first, first))
            elif first.property:
                properties.append(first.property)
            else:
                ranges += first.ranges
        self.at += 1
        if properties:
            return f"[{'^' if negated else ''}{inside(ranges)}{''.join(properties)}]"
        return character_class(complement(ranges) if negated else ranges)

    def _class_atom(self) -> int | _Set:
        char = self.peek()
        if not char:
            raise self.refusal("a character class has no end", "close it, or escape it: \\[")
        if char == "\\":
            return self._escape(in_class=True)
        self.at += 1
        return ord(char)

    def _escape(self, *, in_class: bool) -> int | _Set:  # noqa: PLR0911 - one kind of escape, one return
        self.at += 1
        char = self.peek()
        if not char:
            raise self.refusal("the pattern ends in a backslash", "escape it: \\\\")
        if char.lower() in SETS:
            self.at += 1
            ranges = SETS[char.lower()]
            return _Set(ranges if char.islower() else complement(ranges))
        if char in "pP":
            return self._property()
        if char in "xuc":
            return self._numbered(char)
        if char in _CONTROLS:
            self.at += 1
            return _CONTROLS[char]
        if char == "b" and in_class:
            self.at += 1
            return 0x08
        if char == "0" and not _decimal(self.peek(2)[1:]):
            self.at += 1
            return 0
        if char.isalnum() and char.isascii():
            what = "back references have" if char.isdecimal() or char == "k" else f"\\{char} has"
            raise self.refusal(f"{what} no linear-time form in ECMA-262", "use what ECMA-262 knows")
        self.at += 1
        return ord(char)

    def _property(self) -> _Set:
        end = self.pattern.find("}", self.at)
        name = self.pattern[self.at + 2 : end] if self.peek(2)[1:] == "{" and end > 0 else ""
        if not name or not all(part.replace("_", "").isalnum() for part in name.split("=")):
            raise self.refusal("\\p needs the name of a property", "write \\p{L} or \\p{Script=Greek}")
        written = f"\\{self.peek()}{{{name}}}"
        self.at = end + 1
        return _Set([], written)

    def _numbered(self, kind: str) -> int:
        start = self.at
        self.at += 1
        if kind == "c":
            letter = self.peek()
            self.at += 1
            if letter.isascii() and letter.isalpha():
                return ord(letter) % 32
        elif kind == "u" and self.peek() == "{":
            end = self.pattern.find("}", self.at)
            digits = self.pattern[self.at + 1 : end]
            self.at = end + 1
            if end > 0 and _hexadecimal(digits) and len(digits) <= 8 and int(digits, 16) <= LAST:  # noqa: PLR2004
                return self._scalar_value(int(digits, 16), start)
        else:
            width = 2 if kind == "x" else 4
            digits = self.peek(width)
            self.at += width
            if len(digits) == width and _hexadecimal(digits):
                return self._scalar_value(int(digits, 16), start)
        self.at = start
        raise self.refusal(f"\\{kind} is incomplete", "write \\xHH, \\uHHHH, \\u{…} or \\cX")

    def _scalar_value(self, code: int, start: int) -> int:
        if 0xD800 <= code <= 0xDBFF and self.peek(2) == "\\u" and _hexadecimal(low := self.peek(6)[2:]):  # noqa: PLR2004
            second = int(low, 16)
            if 0xDC00 <= second <= 0xDFFF:  # noqa: PLR2004 - the low surrogates
                self.at += 6
                return 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00)
        if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004 - the surrogates
            self.at = start
            raise self.refusal("a lone surrogate is no character", "name code points: \\u{1F600}")
        return code


def _decimal(text: str) -> bool:
    return text.isdecimal() and text.isascii()


def _hexadecimal(text: str) -> bool:
    return bool(text) and set(text) <= _HEX
