"""The patterns that a skim knows: a row of characters out of sets, each so many times, from the first on.

Read from the form that patterns have for the engine (patterns.py). Taking as much as it can and giving nothing
back, a run may miss what the pattern admits, and never takes what it does not.
"""

from __future__ import annotations

import re
from typing import Final

from kernel.schema.skim_scalars import Run

# One character: itself where it means nothing else, or by its code.
_CHARACTER: Final = r"(?:[A-Za-z0-9 _,:;@#%=!\"'/<>]|\\x[0-7][0-9A-Fa-f])"
_SPAN: Final = re.compile(rf"({_CHARACTER})(?:-({_CHARACTER}))?")
_PIECE: Final = re.compile(
    rf"(?:(?P<one>{_CHARACTER})|\[(?P<set>(?:{_CHARACTER}(?:-{_CHARACTER})?)+)\])"
    r"(?P<times>[?*+]|\{[0-9]{1,4}(?:,[0-9]{0,4})?\})?(?![?*+{])"
)
_TIMES: Final = {"": (1, 1), "?": (0, 1), "*": (0, -1), "+": (1, -1)}


def runs_of(pattern: str) -> tuple[tuple[Run, ...], bool] | None:
    """Give the runs of a pattern, and whether anything may follow them; None for one that is not known here."""
    if not pattern.startswith("^"):
        return None
    runs, at = [], 1
    while at < len(pattern) and pattern[at:] != "$":
        piece = _PIECE.match(pattern, at)
        if piece is None:
            return None
        least, most = _times(piece["times"] or "")
        runs.append(Run(_allowed(piece["one"] or piece["set"]), least, most))
        at = piece.end()
    return (tuple(runs), at == len(pattern)) if runs else None


def _allowed(spans: str) -> bytes:
    table = bytearray(256)
    for span in _SPAN.finditer(spans):
        first = _code(span[1])
        for code in range(first, _code(span[2] or span[1]) + 1):
            table[code] = 1
    return bytes(table)


def _code(character: str) -> int:
    return ord(character) if len(character) == 1 else int(character.replace("\\", "0"), 0)


def _times(times: str) -> tuple[int, int]:
    if times in _TIMES:
        return _TIMES[times]
    least, comma, most = times[1:-1].partition(",")
    return int(least), int(most) if most else -1 if comma else int(least)
