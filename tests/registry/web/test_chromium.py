"""A board member approves in a real browser, by keyboard, without JavaScript."""

from __future__ import annotations

import itertools
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from registry.review.model import ReviewState

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Registry

pytestmark = pytest.mark.chromium


@pytest.fixture
def page(request: pytest.FixtureRequest) -> Iterator[Any]:
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        context = browser.new_context(java_script_enabled=getattr(request, "param", False))
        opened = context.new_page()
        opened.set_default_timeout(30_000)
        yield opened
        browser.close()


def _sign_in(page: Any, served: str, path: str) -> None:
    page.goto(served + path)
    page.get_by_label("Name").fill("amara")
    page.get_by_label("Password").fill("correct horse battery")
    page.keyboard.press("Enter")
    page.wait_for_url(served + path)


def test_a_board_member_approves_by_keyboard(page: Any, served: str, registry: Registry) -> None:
    _sign_in(page, served, "/board")
    page.get_by_role("link", name="lab-orders 1.1.0").press("Enter")
    assert "breaks nothing that 1.0.0 promised" in page.locator(".sentence").inner_text()
    page.get_by_label("Reason").fill("Additive, and in test since Monday.")
    page.keyboard.press("Tab")
    assert page.locator(":focus").inner_text() == "Approve this digest"
    page.keyboard.press("Enter")
    page.get_by_role("status").wait_for()
    assert "completed the quorum: the version is frozen" in page.get_by_role("status").inner_text()
    assert registry.reviews[1].state is ReviewState.FROZEN
    assert registry.reviews[1].approvals[-1].principal == "amara"
    page.get_by_role("button", name="Sign out").click()
    page.goto(f"{served}/board/reviews/1")
    assert page.url == f"{served}/sign-in?next=/board/reviews/1"


@pytest.mark.parametrize("page", [True], indirect=True)
def test_pages_are_whole_for_everybody(page: Any, served: str) -> None:
    """No complaint in the console, nothing wider than a phone, every control named, headings in order."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("requestfailed", lambda failed: said.append(failed.url))
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
