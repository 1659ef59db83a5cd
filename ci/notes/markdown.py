"""Release notes as Markdown, in the manner of Keep a Changelog."""

from __future__ import annotations

from collections.abc import Iterator

from ci.changelog import Changelog, Release
from ci.formats.markdown import plain, prose
from ci.formats.safe_text import visible
from ci.notes.words import lead, sections, sentence


def render(log: Changelog) -> str:
    """Write the notes."""
    lines = ["# Changes", "", f"Compared with {plain(log.against)}."]
    if not log.releases:
        lines += ["", "Nothing changed."]
    for release in log.releases:
        lines += _release(release)
    return "\n".join(lines) + "\n"


def _release(release: Release) -> Iterator[str]:
    yield ""
    yield f"## {plain(release.contract)} {plain(release.version)}".rstrip()
    yield ""
    if release.title != release.contract:
        yield f"{plain(visible(release.title))}. {plain(lead(release))}"
    else:
        yield plain(lead(release))
    for _, title, places in sections(release):
        yield ""
        yield f"### {title}"
        for where, changes in places:
            yield ""
            yield f"**{plain(where)}**"
            yield ""
            for change in changes:
                yield f"- {prose(sentence(change))}"
                if change.why:
                    yield f"  {prose(change.why)}"
