"""Whether an ECMA-262 pattern is held at both ends of the text, read without running it."""

from __future__ import annotations

from collections.abc import Iterator

_OPENINGS = ("(?:", "(")


def open_ends(pattern: str) -> str:
    """Say where a pattern is open: `its beginning`, `its end`, `both ends`; empty where it is held.

    An alternative that begins with `.*` was left open on purpose, and one that is a look-ahead from the
    beginning decides for itself.
    """
    branches = list(_alternatives(pattern))
    begins = all(_begins(branch) for branch in branches)
    ends = all(_ends(branch) for branch in branches)
    if begins and ends:
        return ""
    return "its end" if begins else "its beginning" if ends else "both ends"


def _bare(pattern: str) -> Iterator[tuple[int, str]]:
    """Give place and character of what stands in no class and behind no backslash."""
    in_class = escaped = False
    for index, char in enumerate(pattern):
        if escaped:
            escaped = False
        elif char == "\\":
            escaped = True
        elif in_class:
            in_class = char != "]"
        elif char == "[":
            in_class = True
        else:
            yield index, char


def _alternatives(pattern: str) -> Iterator[str]:
    """Cut at the bars that stand in no group and no class."""
    start = depth = 0
    for index, char in _bare(pattern):
        if char in "()":
            depth += 1 if char == "(" else -1
        elif char == "|" and depth == 0:
            yield pattern[start:index]
            start = index + 1
    yield pattern[start:]


def _begins(branch: str) -> bool:
    if branch.startswith(("^", ".*", "[\\s\\S]*", "(?=", "(?!")) or branch == "$":
        return True
    inner = _only_group(branch) or _leading_group(branch)
    return inner is not None and all(_begins(one) for one in _alternatives(inner))


def _ends(branch: str) -> bool:
    if branch.endswith((".*", "[\\s\\S]*")) or branch == "^":
        return True
    if branch.endswith("$"):
        slashes = len(branch) - 1 - len(branch[:-1].rstrip("\\"))
        return slashes % 2 == 0
    inner = _only_group(branch) or _closing_group(branch)
    return inner is not None and all(_ends(one) for one in _alternatives(inner))


def _only_group(branch: str) -> str | None:
    """Give what a group holds that is the whole branch."""
    for opening in _OPENINGS:
        if branch.startswith(opening) and branch.endswith(")"):
            inner = branch[len(opening) : -1]
            return inner if _closes(branch) == len(branch) - 1 else None
    return None


def _leading_group(branch: str) -> str | None:
    end = _closes(branch)
    for opening in _OPENINGS:
        if end is not None and branch.startswith(opening) and not branch.startswith(("(?=", "(?!", "(?<")):
            quantified = branch[end + 1 : end + 2] in ("?", "*")
            return None if quantified else branch[len(opening) : end]
    return None


def _closing_group(branch: str) -> str | None:
    """Give what the group holds with which a branch ends."""
    if not branch.endswith(")") or branch.endswith("\\)"):
        return None
    opened = _opens(branch)
    if opened is None or branch.startswith(("(?=", "(?!", "(?<"), opened):
        return None
    return branch[opened + (3 if branch.startswith("(?:", opened) else 1) : -1]


def _groups(branch: str) -> Iterator[tuple[int, int]]:
    """Give opening and closing of every group."""
    stack: list[int] = []
    for index, char in _bare(branch):
        if char == "(":
            stack.append(index)
        elif char == ")" and stack:
            yield stack.pop(), index


def _closes(branch: str) -> int | None:
    return next((end for start, end in _groups(branch) if start == 0), None)


def _opens(branch: str) -> int | None:
    return next((start for start, end in _groups(branch) if end == len(branch) - 1), None)
