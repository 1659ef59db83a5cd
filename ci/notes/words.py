"""The headings and sentences of release notes, the same in every form."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from ci.changelog import Change, Release, Sort
from ci.formats.safe_text import visible
from ci.formats.words import counted

TITLES = {
    Sort.BREAKING: "Breaking",
    Sort.REMOVED: "Removed",
    Sort.DEPRECATED: "Deprecated",
    Sort.ADDED: "Added",
    Sort.CHANGED: "Changed",
    Sort.UNDECIDED: "Not decided",
}
WHOLE = "The whole contract"


def lead(release: Release) -> str:
    """Say in a sentence or two what a release is."""
    if release.trouble:
        return f"What changed could not be told: {visible(release.trouble)}."
    if release.withdrawn:
        return "Withdrawn: this version is not here any more. Whoever relies on it is broken."
    if release.since is None:
        return "The first version."
    since = f"Since {visible(release.since)}."
    breaks = sum(change.sort is Sort.BREAKING and not change.waived for change in release.changes)
    unknown = sum(change.sort is Sort.UNDECIDED and not change.waived for change in release.changes)
    if not release.changes:
        return f"{since} Nothing changed."
    said = [since]
    if breaks:
        said.append(
            f"{counted(breaks, 'change')} can break callers: look at them before you take this version."
        )
    if unknown:
        said.append(f"Of {counted(unknown, 'change')} it is not known whether they break anybody.")
    if not breaks and not unknown:
        said.append("Whoever used the version before it can go on unchanged.")
    return " ".join(said)


def sections(release: Release) -> Iterator[tuple[str, str, list[tuple[str, list[Change]]]]]:
    """Give the kinds of changes with their titles, and below each the operations with theirs."""
    for sort, changes in groupby(release.changes, key=lambda change: change.sort):
        by_place = groupby(changes, key=lambda change: change.where)
        yield str(sort), TITLES[sort], [(where or WHOLE, list(same)) for where, same in by_place]


def sentence(change: Change) -> str:
    """Write a change as one line."""
    waived = " (accepted by a waiver)" if change.waived else ""
    values = f" ({change.values})" if change.values else ""
    return visible(f"{change.what}{values}{waived}")
