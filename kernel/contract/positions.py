"""Where in the text each node of a document stands, so that findings can name line and column.

The index is three flat arrays in preorder: a document of a million nodes costs some megabytes, not a
dictionary of a million pointers. A member's place is that of its key, an item's that of its value.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from typing import Any


def tokens_of(pointer: str) -> list[str]:
    """Split a JSON pointer (RFC 6901) into its unescaped reference tokens; `""` is the root."""
    if not pointer:
        return []
    if "~" not in pointer:
        return pointer.split("/")[1:]
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def token(key: str | int) -> str:
    """Escape one key or index for a JSON pointer, with the slash before it."""
    text = str(key)
    if "~" in text or "/" in text:
        text = text.replace("~", "~0").replace("/", "~1")
    return "/" + text


class Positions:
    """Offsets of nodes in preorder, and how many nodes each subtree has (itself included)."""

    def __init__(self, text: str) -> None:
        self._offsets = array("Q")
        self._sizes = array("L")
        self._open: list[int] = []
        self._lines = [0]
        at = text.find("\n")
        while at >= 0:
            self._lines.append(at + 1)
            at = text.find("\n", at + 1)

    def leaf(self, offset: int) -> None:
        """Note a scalar at a character offset."""
        self._offsets.append(offset)
        self._sizes.append(1)

    def enter(self, offset: int) -> None:
        """Note that a container begins."""
        self._open.append(len(self._offsets))
        self.leaf(offset)

    def leave(self) -> None:
        """Note that the innermost container ends."""
        start = self._open.pop()
        self._sizes[start] = len(self._offsets) - start

    def offset_at(self, line: int, column: int) -> int:
        """Give the character offset of a 0-based line and column."""
        return self._lines[min(line, len(self._lines) - 1)] + column

    def line_column(self, offset: int) -> tuple[int, int]:
        """Give 1-based line and column (in characters) of an offset."""
        line = bisect_right(self._lines, offset) - 1
        return line + 1, offset - self._lines[line] + 1

    def find(self, root: Any, pointer: str) -> tuple[int, int]:
        """Give line and column of the node, or of its nearest ancestor that the document has.

        `root` is the parsed document: its containers keep the order of the text.
        """
        node, index = root, 0
        for step in tokens_of(pointer):
            if isinstance(node, dict) and step in node:
                before = list(node).index(step)
                child = node[step]
            elif isinstance(node, list) and step.isdecimal() and int(step) < len(node):
                before = int(step)
                child = node[before]
            else:
                break
            index += 1
            for _ in range(before):
                index += self._sizes[index]
            node = child
        return self.line_column(self._offsets[index]) if len(self._offsets) else (1, 1)
