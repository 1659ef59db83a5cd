"""Escape sequences of HL7 v2 text (ch. 2.7), both ways."""

from __future__ import annotations

import re
from collections.abc import Callable

from adapters.formats.hl7v2.separators import Separators

_HEX = re.compile(r"X((?:[0-9A-Fa-f]{2})+)")
_LINES = re.compile(r"\.(?:br|sp\+?[0-9]*|ce)")
_DROPPED = re.compile(r"H|N|\.(?:fi|nf|in[+-]?[0-9]*|ti[+-]?[0-9]*|sk\+?[0-9]*)")


def unescape(text: str, separators: Separators, codec: str = "utf-8") -> str:
    r"""Replace `\F\`, `\S\`, `\T\`, `\R\`, `\E\`, `\P\`, `\Xdd..\`, `\.br\`; others stay as sent."""
    sign = separators.escape
    if not sign or sign not in text:
        return text
    meaning = _meaning(separators, codec)
    return re.sub(
        f"{re.escape(sign)}([^{re.escape(sign)}\r\n]{{1,400}}){re.escape(sign)}",
        lambda found: meaning(found[1], found[0]),
        text,
    )


def escape(text: str, separators: Separators) -> str:
    """Write text so that it cannot be taken for structure: separators, the escape sign, and line ends."""
    if not separators.escape:
        return "".join(sign for sign in text if sign not in _signs(separators) and sign not in "\r\n")
    names = _signs(separators)
    sign = separators.escape
    return "".join(
        f"{sign}{names[char]}{sign}" if char in names else f"{sign}.br{sign}" if char in "\r\n" else char
        for char in text
    )


def _signs(separators: Separators) -> dict[str, str]:
    pairs = (
        (separators.escape, "E"),
        (separators.field, "F"),
        (separators.component, "S"),
        (separators.subcomponent, "T"),
        (separators.repetition, "R"),
        (separators.truncation, "P"),
    )
    return {sign: name for sign, name in pairs if sign}


def _meaning(separators: Separators, codec: str) -> Callable[[str, str], str]:
    by_name = {name: sign for sign, name in _signs(separators).items()}

    def meaning(inside: str, whole: str) -> str:
        if inside in by_name:
            return by_name[inside]
        if found := _HEX.fullmatch(inside):
            try:
                return bytes.fromhex(found[1]).decode(codec)
            except UnicodeDecodeError:
                return whole
        if _LINES.fullmatch(inside):
            return "\n"
        return "" if _DROPPED.fullmatch(inside) else whole

    return meaning
