"""Sets of characters as ECMA-262 has them, and how they are written for the engine."""

from __future__ import annotations

Ranges = list[tuple[int, int]]

LAST = 0x10FFFF
DIGIT: Ranges = [(0x30, 0x39)]
WORD: Ranges = [(0x30, 0x39), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)]
SPACE: Ranges = [  # ECMA-262 WhiteSpace and LineTerminator
    (0x09, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
    (0x2028, 0x2029), (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000), (0xFEFF, 0xFEFF),
]  # fmt: skip
LINE_ENDS: Ranges = [(0x0A, 0x0A), (0x0D, 0x0D), (0x2028, 0x2029)]
SETS = {"d": DIGIT, "w": WORD, "s": SPACE}


def complement(ranges: Ranges) -> Ranges:
    """Give all code points outside, surrogates left out, since no text holds them."""
    result: Ranges = []
    at = 0
    for first, last in sorted([*ranges, (0xD800, 0xDFFF)]):
        if first > at:
            result.append((at, first - 1))
        at = max(at, last + 1)
    return [*result, (at, LAST)] if at <= LAST else result


def character_class(ranges: Ranges) -> str:
    """Write a class; one without characters matches nothing."""
    written = inside(ranges)
    return f"[{written}]" if written else r"[^\x00-\x{10FFFF}]"


def inside(ranges: Ranges) -> str:
    """Write what stands between the brackets of a class."""
    parts: list[str] = []
    for first, last in ranges:
        # Surrogates are no characters to the engine; a range across them is split.
        for low, high in ((first, min(last, 0xD7FF)), (max(first, 0xE000), last)):
            if low <= high:
                parts.append(code_point(low) if low == high else f"{code_point(low)}-{code_point(high)}")
    return "".join(parts)


def literal(code: int) -> str:
    """Write one code point outside a class."""
    char = chr(code)
    return char if char.isascii() and char.isalnum() else code_point(code)


def code_point(code: int) -> str:
    """Write one code point in a way that both dialects read alike."""
    char = chr(code)
    if char.isascii() and (char.isalnum() or char == "_"):
        return char
    return f"\\x{code:02x}" if code <= 0xFF else f"\\x{{{code:x}}}"  # noqa: PLR2004 - two digits hold it
