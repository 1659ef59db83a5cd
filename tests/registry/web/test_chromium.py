"""The pages in a real browser: quiet, narrow enough for a phone, every control named and large enough."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

pytestmark = pytest.mark.chromium


def _sign_in(page: Any, served: str, path: str) -> None:
    page.goto(served + path)
    page.get_by_label("Name").fill("amara")
    page.get_by_label("Password").fill("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url(served + path)


def _left_behind(failed: Any) -> bool:
    """Whether it is the icon, which Chromium fetches after the page's load, and gives up when it is left."""
    return bool(failed.resource_type == "other" and failed.failure == "net::ERR_ABORTED")


@pytest.mark.parametrize("page", [True], indirect=True)
def test_pages_are_whole_for_everybody(page: Any, served: str) -> None:
    """No complaint in the console, nothing wider than a phone, every control named, headings in order."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("requestfailed", lambda failed: None if _left_behind(failed) else said.append(failed.url))
    page.set_viewport_size({"width": 320, "height": 800})
    _sign_in(page, served, "/board/reviews/2")
    for path in ("/board", "/board/reviews/2", "/board/reviews/1", "/contracts", "/contracts/lab-orders",
                 "/contracts/lab-orders/1.0.0", "/contracts/patient-identity/1.0.0"):  # fmt: skip
        page.goto(served + path)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), path
        unnamed = page.evaluate(
            "[...document.querySelectorAll('input:not([type=hidden]), textarea')]"
            ".filter(e => !e.labels.length && !e.ariaLabel).map(e => e.name)"
        )
        assert unnamed == [], path
        levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map(e => +e.tagName[1])")
        assert levels[0] == 1, path
        assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), (
            path,
            levels,
        )
        small = page.evaluate(
            "[...document.querySelectorAll('button, nav a, summary')].map(e => e.getBoundingClientRect())"
            ".filter(r => r.height > 0 && r.height < 24).length"
        )
        assert small == 0, path
    assert said == []
