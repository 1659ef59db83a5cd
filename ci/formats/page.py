"""One self-contained HTML page: its style is inside and named by digest in its own content security policy."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import jinja2
from markupsafe import Markup, escape

_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Page:
    """What is to be rendered: a template of this folder, the page's title, and the template's names."""

    template: str
    title: str
    context: dict[str, Any]


def page(wanted: Page) -> str:
    """Render a page; whatever comes from a document is escaped."""
    style = _style()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    text: str = (
        _environment()
        .get_template(wanted.template)
        .render(title=wanted.title, style=style, policy=policy, **wanted.context)
    )
    return text + ("" if text.endswith("\n") else "\n")


@lru_cache(maxsize=1)
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["prose"] = prose
    return environment


def prose(text: str) -> Markup:
    """Write a sentence in which names stand between backticks: these become code."""
    parts = text.split("`")
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if index % 2 else escape(part)
        for index, part in enumerate(parts)
    )


@lru_cache(maxsize=1)
def _style() -> str:
    return (_HERE / "page.css").read_text(encoding="utf-8")
