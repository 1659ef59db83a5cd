"""The pages over HTTP: who may see and do what, and that an error is a page too."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from registry.review.model import ReviewState

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx
    from conftest import Registry

    SignIn = Callable[[str], tuple[httpx.Client, str]]

PAGES = ["/board", "/board?show=all", "/board/reviews/1", "/board/reviews/2", "/board/reviews/3", "/board/reviews/4",
         "/board/reviews/5",
         "/contracts", "/contracts?search=lab", "/contracts?search=nothing", "/contracts/lab-orders",
         "/contracts/lab-orders/1.0.0", "/contracts/patient-identity/1.0.0", "/contracts/clinical-events/1.0.0"]  # fmt: skip


@pytest.mark.parametrize("path", PAGES)
def test_every_page_carries_its_headers_and_is_whole(signed_in: SignIn, path: str) -> None:
    answer = signed_in("amara")[0].get(path)
    assert answer.status_code == 200
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self'")
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["cache-control"] == "no-store"
    assert answer.text.count("<h1>") == 1
    assert answer.text.rstrip().endswith("</html>")
    assert re.search(r"<title>[^<]+ · Interlock</title>", answer.text)
    for button in re.findall(r"<form[^>]*method=\"post\".*?</form>", answer.text, re.DOTALL):
        assert 'name="csrf"' in button


@pytest.mark.parametrize("path", [*PAGES, "/contracts/lab-orders/1.0.0/document"])
def test_nothing_is_shown_to_strangers(browser: httpx.Client, path: str) -> None:
    answer = browser.get(path)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/sign-in?next=/")
    assert answer.text == ""


def test_the_files_of_the_theme_may_be_kept_for_ever(browser: httpx.Client) -> None:
    for path in re.findall(r'(?:href|src)="(/theme/[^"]+)"', browser.get("/sign-in").text):
        answer = browser.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]


class TestSignIn:
    """A local account, alike in every failure."""

    def enter(self, browser: httpx.Client, **changes: str) -> httpx.Response:
        token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/sign-in?next=/board/reviews/2").text)
        assert token is not None
        form = {
            "csrf": token[1],
            "next": "/board/reviews/2",
            "name": "amara",
            "password": "correct horse battery",
        }
        return browser.post("/sign-in", data=form | changes)

    def test_it_opens_a_session_and_goes_on(self, browser: httpx.Client) -> None:
        answer = self.enter(browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/board/reviews/2")
        cookie = next(
            row for row in answer.headers.get_list("set-cookie") if row.startswith("interlock_session=")
        )
        assert "HttpOnly" in cookie
        assert "SameSite=strict" in cookie
        assert browser.get("/board").status_code == 200
        assert browser.get("/sign-in?next=/contracts").headers["location"] == "/contracts"

    @pytest.mark.parametrize(
        "wrong", [{"password": "guess"}, {"name": "nobody"}, {"name": "", "password": ""}]
    )
    def test_failures_look_alike(self, browser: httpx.Client, wrong: dict[str, str]) -> None:
        answer = self.enter(browser, **wrong)
        assert answer.status_code == 403
        assert "Name or password is wrong. Ask." in answer.text
        assert "guess" not in answer.text
        assert browser.get("/board").status_code == 303

    def test_failures_are_throttled(self, browser: httpx.Client) -> None:
        for _ in range(5):
            self.enter(browser, password="guess")
        answer = self.enter(browser)
        assert answer.status_code == 403
        assert "Too many failures. Wait a minute." in answer.text

    @pytest.mark.parametrize(
        "target",
        [
            "https://evil.example",
            "//evil.example",
            "/\\evil.example",
            "javascript:x",
            "/sign-in",
            "",
            "/a\nb",
        ],
    )
    def test_it_goes_on_to_this_host_only(self, browser: httpx.Client, target: str) -> None:
        assert self.enter(browser, next=target).headers["location"] == "/board"

    def test_its_form_needs_its_own_token(self, browser: httpx.Client, registry: Registry) -> None:
        assert self.enter(browser, csrf="x").status_code == 403
        browser.cookies.clear()
        assert (
            browser.post(
                "/sign-in", data={"csrf": "", "name": "amara", "password": "correct horse battery"}
            ).status_code
            == 403
        )
        assert registry.sessions == {}

    def test_signing_out_ends_the_session(self, signed_in: SignIn, registry: Registry) -> None:
        browser, token = signed_in("amara")
        assert browser.post("/sign-out", data={"csrf": "x"}).status_code == 403
        assert browser.post("/sign-out", data={"csrf": token}).headers["location"] == "/sign-in?left=1"
        assert registry.sessions == {}
        assert "You are signed out." in browser.get("/sign-in?left=1").text


class TestDecision:
    """One page, one digest, one reason."""

    def form(self, registry: Registry, token: str, number: int = 1, **changes: str) -> dict[str, str]:
        return {
            "csrf": token,
            "digest": registry.reviews[number].digest,
            "reason": "Additive.",
            "act": "approve",
        } | changes

    def test_the_page_says_what_breaks_whom_it_hits_and_what_is_signed(
        self, signed_in: SignIn, registry: Registry
    ) -> None:
        text = signed_in("amara")[0].get("/board/reviews/2").text
        assert "lab-orders 1.2.0 breaks what 1.0.0 promised, in 1 place; it concerns 2 consumers." in text
        assert "It needs at least a major version, and declares a minor one." in text
        assert (
            text.index("request-property-became-required")
            < text.index("response-enum-value-added")
            < text.index("operation-added")
        )
        assert "now requires <code>specimen_type</code>" in text
        assert "&#34;GLU&#34;" in text
        assert text.count(registry.reviews[2].digest) >= 2
        assert "Ward 7" in text

    def test_approving_completes_the_quorum(self, signed_in: SignIn, registry: Registry) -> None:
        browser, token = signed_in("amara")
        assert "1 of 2 approvals: yours freezes it" in browser.get("/board/reviews/1").text
        answer = browser.post("/board/reviews/1", data=self.form(registry, token))
        assert (answer.status_code, answer.headers["location"]) == (303, "/board/reviews/1?done=approve")
        assert registry.reviews[1].state is ReviewState.FROZEN
        assert registry.reviews[1].approvals[-1].reason == "Additive."
        assert "the version is frozen" in browser.get("/board/reviews/1?done=approve").text

    def test_refusing_ends_the_review(self, signed_in: SignIn, registry: Registry) -> None:
        browser, token = signed_in("amara")
        browser.post(
            "/board/reviews/2", data=self.form(registry, token, 2, act="reject", reason="Make it optional.")
        )
        assert registry.reviews[2].state is ReviewState.REJECTED
        assert "“Make it optional.”" in browser.get("/board/reviews/2").text

    @pytest.mark.parametrize(
        ("who", "number", "reason"),
        [
            ("lina", 1, "You submitted this version, so others decide on it."),
            ("otto", 1, "Only members of the board decide."),
            ("amara", 2, "It breaks whoever relies on 1.0.0: only a new major may."),
            ("jonas", 1, "You have approved this digest already."),
        ],
    )
    def test_a_button_that_cannot_work_says_why(
        self, signed_in: SignIn, who: str, number: int, reason: str
    ) -> None:
        text = signed_in(who)[0].get(f"/board/reviews/{number}").text
        assert reason in text
        assert re.search(r"<button[^>]*disabled[^>]*>Approve", text)

    def test_the_gate_is_asked_again_whatever_the_page_showed(
        self, signed_in: SignIn, registry: Registry
    ) -> None:
        browser, token = signed_in("amara")
        answer = browser.post("/board/reviews/2", data=self.form(registry, token, 2))
        assert answer.status_code == 409
        assert "<li>It breaks whoever relies on 1.0.0: only a new major may.</li>" in answer.text
        browser, token = signed_in("otto")
        assert browser.post("/board/reviews/1", data=self.form(registry, token)).status_code == 403
        assert registry.reviews[1].state is ReviewState.OPEN

    def test_a_finding_is_waived_by_itself_and_shown_as_waived(
        self, signed_in: SignIn, registry: Registry
    ) -> None:
        browser, token = signed_in("amara")
        for finding in registry.reviews[2].assessment.comparisons[0].findings[:2]:
            page = browser.get("/board/reviews/2").text
            assert f'value="{finding.fingerprint}"' in page
            told = {
                "csrf": token, "act": "waive", "fingerprint": finding.fingerprint, "owner": "Ada Berg",
                "reason": "The only caller was changed", "expires": "2027-01-31",
            }  # fmt: skip
            answer = browser.post("/board/reviews/2", data=told)
            assert (answer.status_code, answer.headers["location"]) == (303, "/board/reviews/2?done=waive")
        text = browser.get("/board/reviews/2?done=waive").text
        assert "it stands in the audit log" in text
        assert text.count("until 2027-01-31 by Ada Berg: The only caller was changed.") == 2
        assert (
            "does not keep all that 1.0.0 promised: 2 findings are waived; it concerns 2 consumers." in text
        )
        assert "Waive this finding" not in text
        assert "It cannot be approved as it stands" not in text
        assert "Waivers of lab-orders" in text

    @pytest.mark.parametrize(("changes", "said"), [
        ({"expires": "soon"}, "Choose the day"), ({"owner": ""}, "It was not waived: an owner is one line"),
    ])  # fmt: skip
    def test_a_waiver_that_lacks_something_is_asked_for_again(
        self, signed_in: SignIn, registry: Registry, changes: dict[str, str], said: str
    ) -> None:
        browser, token = signed_in("amara")
        finding = registry.reviews[2].assessment.comparisons[0].findings[0]
        told = {
            "csrf": token, "act": "waive", "fingerprint": finding.fingerprint, "owner": "Ada", "reason": "x",
            "expires": "2027-01-31",
        }  # fmt: skip
        answer = browser.post("/board/reviews/2", data=told | changes)
        assert answer.status_code == 422
        assert said in answer.text
        assert registry.waived == []

    @pytest.mark.parametrize("who", ["otto", "lina"])
    def test_who_cannot_decide_is_offered_no_waiver(self, signed_in: SignIn, who: str) -> None:
        assert "Waive this finding" not in signed_in(who)[0].get("/board/reviews/2").text

    def test_a_schema_names_the_contracts_that_it_would_break(self, signed_in: SignIn) -> None:
        text = signed_in("amara")[0].get("/board/reviews/5").text
        assert "would make lab-orders 1.0.0 break its own consumers" in text
        assert "It emits values of the schema." in text
        assert "Its consumers: Ward 7, EHR." in text
        assert "mode BACKWARD" in text

    def test_only_the_digest_that_was_shown_is_approved(self, signed_in: SignIn, registry: Registry) -> None:
        browser, token = signed_in("amara")
        stale = self.form(registry, token)
        registry.reviews[1] = replace(registry.reviews[1], digest=f"sha256:{'c' * 64}")
        answer = browser.post("/board/reviews/1", data=stale)
        assert answer.status_code == 409
        assert "Another document was submitted since you read the page." in answer.text
        assert registry.reviews[1].state is ReviewState.OPEN

    @pytest.mark.parametrize("changes", [{"reason": " "}, {"reason": "x" * 2001}, {"act": "freeze"}])
    def test_what_is_missing_is_asked_for_again(
        self, signed_in: SignIn, registry: Registry, changes: dict[str, str]
    ) -> None:
        browser, token = signed_in("amara")
        answer = browser.post("/board/reviews/1", data=self.form(registry, token, **changes))
        assert answer.status_code == 422
        assert 'role="alert"' in answer.text
        assert registry.reviews[1].state is ReviewState.OPEN

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "https://evil.example"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
            {"origin": "null"},
        ],
    )
    def test_forms_of_other_sites_are_refused(
        self, signed_in: SignIn, registry: Registry, headers: dict[str, str]
    ) -> None:
        browser, token = signed_in("amara")
        answer = browser.post("/board/reviews/1", data=self.form(registry, token), headers=headers)
        assert answer.status_code == 403
        assert registry.reviews[1].state is ReviewState.OPEN

    def test_a_form_needs_the_token_of_its_session(self, signed_in: SignIn, registry: Registry) -> None:
        browser, token = signed_in("amara")
        for wrong in ("", "x", token[:-1], token.upper()):
            assert browser.post("/board/reviews/1", data=self.form(registry, wrong)).status_code == 403
        assert registry.reviews[1].state is ReviewState.OPEN

    def test_without_a_session_nothing_is_decided(self, browser: httpx.Client, registry: Registry) -> None:
        answer = browser.post("/board/reviews/1", data=self.form(registry, "x"))
        assert answer.status_code == 403
        assert "Your session has ended." in answer.text
        assert registry.reviews[1].state is ReviewState.OPEN


class TestErrors:
    """An error is a page too."""

    @pytest.mark.parametrize(
        "path",
        [
            "/board/reviews/99",
            "/board/reviews/x",
            "/board/reviews/" + "9" * 400,
            "/board/nothing/here",
            "/contracts/none",
            "/contracts/lab-orders/9.9.9",
        ],
    )
    def test_what_is_not_there(self, signed_in: SignIn, path: str) -> None:
        answer = signed_in("amara")[0].get(path)
        assert answer.status_code == 404
        assert "<h1>Not found</h1>" in answer.text

    def test_a_method_that_a_page_does_not_have(self, signed_in: SignIn) -> None:
        browser, _ = signed_in("amara")
        answer = browser.delete("/board")
        assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
        assert "<h1>Not possible here</h1>" in answer.text
        assert browser.head("/board").status_code == 200

    @pytest.mark.parametrize(
        ("body", "kind"),
        [
            (b"a=" + b"x" * 70_000, "application/x-www-form-urlencoded"),
            (b"&".join(b"a%d=1" % number for number in range(50)), "application/x-www-form-urlencoded"),
            (b"csrf=a&csrf=b", "application/x-www-form-urlencoded"),
            (b"a=\xff", "application/x-www-form-urlencoded"),
            (b"a=%ff", "application/x-www-form-urlencoded"),
            (b"{}", "application/json"),
            (b"x", "multipart/form-data; boundary=b"),
        ],
    )
    def test_a_form_that_is_none(self, signed_in: SignIn, body: bytes, kind: str) -> None:
        answer = signed_in("amara")[0].post("/board/reviews/1", content=body, headers={"content-type": kind})
        assert answer.status_code == 422
        assert answer.text.rstrip().endswith("</html>")

    def test_a_failure_of_ours_shows_no_trace(self, signed_in: SignIn, registry: Registry) -> None:
        registry.documents.clear()
        answer = signed_in("amara")[0].get("/contracts/lab-orders/1.0.0")
        assert answer.status_code == 500
        assert "KeyError" not in answer.text
        assert "<h1>Something is broken</h1>" in answer.text


def test_the_document_can_be_kept(signed_in: SignIn, registry: Registry) -> None:
    answer = signed_in("amara")[0].get("/contracts/lab-orders/1.0.0/document")
    assert answer.content == registry.documents["lab-orders", "1.0.0"][0]
    assert answer.headers["content-disposition"] == 'attachment; filename="lab-orders-1.0.0.yaml"'
    assert answer.headers["content-security-policy"].startswith("default-src 'none'")


def test_what_a_provider_wrote_cannot_become_markup(signed_in: SignIn, registry: Registry) -> None:
    evil = b'{"openapi":"3.1.0","info":{"title":"<script>alert(1)</script>","version":"1.0.0"},"paths":{"/<b>":{"get":{"summary":"`<i>`","responses":{"200":{"description":"\\"><img src=x>"}}}}}}'
    registry.documents["lab-orders", "1.0.0"] = (evil, "json")
    text = signed_in("amara")[0].get("/contracts/lab-orders/1.0.0").text
    assert "<script" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;" in text
    assert "<code>&lt;i&gt;</code>" in text


def test_the_guide_lists_every_page() -> None:
    from registry.web.app import VIEWS

    guide = (Path(__file__).resolve().parents[3] / "docs" / "guide" / "board-pages.md").read_text(
        encoding="utf-8"
    )
    listed = set(re.findall(r"^\| `(/[^`]*)` \|", guide, re.MULTILINE))
    assert listed == {path for path, get, *_ in VIEWS if get is not None} - {
        "/",
        "/contracts/{name}/{version}/document",
    }
