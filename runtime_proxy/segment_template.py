"""One segment of a path template that holds parameters beside other text: `{base}...{head}`, `{id}.json`."""

from __future__ import annotations

import re
from typing import Final

BRACES: Final = re.compile(r"\{([^{}]*)\}")


class Split:
    """What separates the parameters of one segment.

    Each parameter takes at least one byte and the earlier ones as much as they can, which is what
    searching the separators from the right end finds.
    """

    __slots__ = ("separators", "weight")

    def __init__(self, segment: str) -> None:
        self.separators = tuple(part.encode() for part in BRACES.split(segment)[::2])
        self.weight = sum(map(len, self.separators))

    def read(self, segment: bytes) -> tuple[bytes, ...] | None:
        """Give the values of the parameters; None where the segment is not of this form."""
        separators = self.separators
        first, last = separators[0], separators[-1]
        end = len(segment) - len(last)
        if not segment.startswith(first) or not segment.endswith(last):
            return None
        values: list[bytes] = []
        for separator in separators[-2:0:-1]:
            # One byte must remain for the parameter on the right.
            at = segment.rfind(separator, len(first), end - 1)
            if at < 0:
                return None
            values.append(segment[at + len(separator) : end])
            end = at
        if end <= len(first):
            return None
        values.append(segment[len(first) : end])
        return tuple(reversed(values))
