"""Release notes as one self-contained HTML page."""

from __future__ import annotations

from typing import Any

from ci.changelog import Changelog, Release
from ci.formats.page import Page, page
from ci.formats.safe_text import visible
from ci.notes.words import lead, sections, sentence


def render(log: Changelog) -> str:
    """Write the notes."""
    context = {"against": visible(log.against), "releases": [_release(release) for release in log.releases]}
    return page(Page("changelog.html", "Changes of contracts", context))


def _release(release: Release) -> dict[str, Any]:
    return {
        "label": visible(f"{release.contract} {release.version}".strip()),
        "title": visible(release.title),
        "lead": lead(release),
        "sections": [
            {
                "sort": sort,
                "title": title,
                "places": [
                    (visible(where), [(sentence(change), visible(change.why)) for change in changes])
                    for where, changes in places
                ],
            }
            for sort, title, places in sections(release)
        ],
    }
