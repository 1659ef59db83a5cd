"""Renders the pages: one Jinja2 environment with escaping always on, and the files every page loads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

_HERE = Path(__file__).parent
# Nothing is loaded from anywhere else, nothing inline, no scripts, no frames.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
SECURITY_HEADERS: dict[str, str] = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not `no-referrer`: with it browsers send `Origin: null`, which our check of the origin refuses.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class ThemeFile:
    """A file that pages load; `path` holds its digest, so it may be cached for ever."""

    path: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Theme:
    """The environment of all pages, and the files they load."""

    environment: jinja2.Environment
    files: tuple[ThemeFile, ...]

    def render(self, template: str, **context: Any) -> str:
        """Render a page; a name that the template uses and nobody gave is a programming error."""
        return self.environment.get_template(template).render(**context)


def load_theme(*folders: Path, prefix: str = "/theme") -> Theme:
    """Read templates from `folders` and the theme's own; its files are served under `prefix`."""
    files = tuple(
        _file(prefix, name, media_type)
        for name, media_type in (("style.css", "text/css; charset=utf-8"), ("mark.svg", "image/svg+xml"))
    )
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader([*folders, _HERE]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        iso=iso, ago=ago, day=day, short=short_digest, count=count, spans=spans, sentence=sentence
    )
    environment.globals["theme"] = {Path(file.path).name.split(".")[0]: file.path for file in files}
    return Theme(environment, files)


def iso(at: datetime) -> str:
    """Write a time for machines: RFC 3339, UTC, seconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(at: datetime) -> str:
    """Write a day: 21 Nov 2026."""
    return f"{at.astimezone(UTC).day} {at.astimezone(UTC):%b %Y}"


def ago(at: datetime, now: datetime) -> str:
    """Say how long ago something was, in the largest unit that fits."""
    seconds = int((now - at).total_seconds())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= size:
            return f"{count(seconds // size, unit)} ago"
    return "just now"


def short_digest(text: str) -> str:
    """Shorten a digest to what a person compares: sha256: and twelve digits."""
    return text[:19]


def count(number: int, noun: str, plural: str = "") -> str:
    """Write a number with its noun: 1 finding, 2 findings."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def spans(text: str) -> Markup:
    """Show `words in backticks` as code; everything is escaped, nothing else is marked up."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:  # a lone backtick is only itself
        return Markup(escape(text))  # noqa: S704 - escaped just here
    shown = [
        Markup("<code>{}</code>").format(piece) if index % 2 else escape(piece)
        for index, piece in enumerate(pieces)
    ]
    return Markup("").join(shown)


def sentence(text: str) -> str:
    """Make a sentence of a message: a capital at the beginning, a full stop at the end."""
    text = text.strip()
    return (
        f"{text[:1].upper()}{text[1:]}" + ("" if text.endswith((".", "!", "?", "”")) else ".") if text else ""
    )


def _file(prefix: str, name: str, media_type: str) -> ThemeFile:
    data = (_HERE / name).read_bytes()
    stem, suffix = name.split(".")
    return ThemeFile(f"{prefix}/{stem}.{hashlib.sha256(data).hexdigest()[:12]}.{suffix}", media_type, data)
