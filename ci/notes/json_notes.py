"""Release notes as JSON, for programs: docs/reference/changelog.schema.json describes it."""

from __future__ import annotations

from typing import Any

from ci.changelog import Changelog, Release
from ci.formats.values import json_document
from ci.notes.words import lead

FORM = 1


def render(log: Changelog) -> str:
    """Write the notes."""
    return json_document(
        {
            "form": FORM,
            "against": log.against,
            "complete": log.complete,
            "releases": [_release(release) for release in log.releases],
        }
    )


def _release(release: Release) -> dict[str, Any]:
    return {
        "contract": release.contract,
        "version": release.version,
        "title": release.title,
        "document": release.document,
        "since": release.since,
        "required_bump": str(release.bump),
        "withdrawn": release.withdrawn,
        "trouble": release.trouble or None,
        "summary": lead(release),
        "changes": [
            {
                "sort": str(change.sort),
                "where": change.where or None,
                "what": change.what,
                "why": change.why or None,
                "values": change.values or None,
                "rule": change.rule,
                "fingerprint": change.fingerprint,
                "waived": change.waived,
            }
            for change in release.changes
        ],
    }
