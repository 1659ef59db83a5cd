"""Globs of overrides as minimatch reads them: `**`, `*`, `?`, sets and braces; one without a slash meets any folder."""

from __future__ import annotations

import re
from functools import lru_cache

from registry.lint.spectral.faults import Refused

LONGEST = 500
MOST_BRANCHES = 100


def glob_matches(glob: str, path: str) -> bool:
    """Whether a path, with `/` between its folders, is met by a glob."""
    name = path.rpartition("/")[2]
    return any(pattern.fullmatch(name if "/" not in glob else path) for pattern in _patterns(glob))


@lru_cache(maxsize=512)
def _patterns(glob: str) -> tuple[re.Pattern[str], ...]:
    if len(glob) > LONGEST:
        raise Refused(f"a glob has more than {LONGEST} characters")
    return tuple(re.compile(_regex(one.removeprefix("./"))) for one in _branches(glob))


def _branches(glob: str) -> list[str]:
    """Write braces out: `{a,b}.yaml` is `a.yaml` and `b.yaml`."""
    found = re.search(r"\{([^{}]*)\}", glob)
    if not found or "," not in found[1]:
        return [glob]
    made = [
        one
        for branch in found[1].split(",")
        for one in _branches(glob[: found.start()] + branch + glob[found.end() :])
    ]
    if len(made) > MOST_BRANCHES:
        raise Refused(f"the glob {glob[:80]} has more than {MOST_BRANCHES} branches")
    return made


def _regex(glob: str) -> str:
    out, at = "", 0
    while at < len(glob):
        char = glob[at]
        if glob.startswith("**/", at):
            out, at = out + r"(?:[^/.][^/]*/)*", at + 3
        elif glob.startswith("**", at):
            out, at = out + r"(?:[^/.][^/]*/)*[^/.][^/]*", at + 2
        elif char == "*":
            out, at = out + ("(?!\\.)" if at == 0 or glob[at - 1] == "/" else "") + "[^/]*", at + 1
        elif char == "?":
            out, at = out + "[^/]", at + 1
        elif char == "[" and "]" in glob[at + 2 :]:
            end = glob.index("]", at + 2)
            inner = glob[at + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out, at = out + "[" + ("^" + inner[1:] if inner[0] in "!^" else inner) + "]", end + 1
        else:
            out, at = out + re.escape(char), at + 1
    return out
