"""Refusals: slugs and statuses are API, bodies are RFC 9457, every one has its page."""

import json
import re
from pathlib import Path

import pytest

from kernel.operation.violation import STATUS_OF, Violation
from runtime_proxy.refusal import Refusal
from runtime_proxy.refusal_pages import drift, main, pages
from runtime_proxy.refusals import REFUSALS
from runtime_proxy.refusals_call import AuditUnavailable, BodyInvalid, OutcomeUnknown
from runtime_proxy.refusals_head import MethodNotAllowed

ROWS = list(REFUSALS.values())


@pytest.mark.parametrize("row", ROWS, ids=list(REFUSALS))
def test_a_row_says_everything_that_its_page_needs(row: type[Refusal]) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", row.slug)
    assert 400 <= row.status <= 599
    for text in (row.title, row.explanation, row.remedy):
        assert text == text.strip()
        assert "  " not in text
    assert not row.title.endswith(".")
    assert row.explanation.endswith(".")
    assert row.remedy.endswith(".")


def test_no_slug_is_given_twice() -> None:
    from runtime_proxy import (
        refusals_call,
        refusals_channel,
        refusals_edge,
        refusals_head,
        refusals_keyed,
        refusals_mock,
        refusals_shed,
        refusals_trust,
    )

    parts = (
        refusals_edge,
        refusals_head,
        refusals_trust,
        refusals_keyed,
        refusals_shed,
        refusals_channel,
        refusals_mock,
        refusals_call,
    )
    rows = [row for part in parts for row in part.ROWS]
    assert len(rows) == len(REFUSALS)


def test_every_subclass_stands_in_the_table() -> None:
    assert set(Refusal.__subclasses__()) == set(ROWS)


@pytest.mark.parametrize(("slug", "status"), sorted(STATUS_OF.items()))
def test_what_an_operation_can_say_is_a_refusal_with_the_same_status(slug: str, status: int) -> None:
    assert REFUSALS[slug].status == status


def test_the_body_is_problem_json_with_pointers_and_without_values() -> None:
    refusal = BodyInvalid(
        violations=(Violation("body", "/tests/0/code", "pattern"), Violation("query", "", "maximum", "limit"))
    )
    body = json.loads(
        refusal.body(request_id="r-1", contract="lab-orders", version="1.0.0", digest="sha256:00")
    )
    assert body == {
        "type": "urn:interlock:refusal:body-invalid",
        "title": "The body is not what the contract declares",
        "status": 422,
        "detail": BodyInvalid.explanation,
        "errors": [
            {"in": "body", "pointer": "/tests/0/code", "keyword": "pattern"},
            {"in": "query", "name": "limit", "pointer": "", "keyword": "maximum"},
        ],
        "contract": "lab-orders",
        "version": "1.0.0",
        "digest": "sha256:00",
        "request_id": "r-1",
    }


def test_headers_come_with_the_refusal() -> None:
    assert (b"retry-after", b"5") in AuditUnavailable().header_lines()
    lines = MethodNotAllowed(headers=[(b"allow", b"GET, HEAD")]).header_lines()
    assert lines[0] == (b"content-type", b"application/problem+json")
    assert lines[-1] == (b"allow", b"GET, HEAD")


def test_an_unknown_outcome_never_invites_to_send_the_call_again() -> None:
    assert OutcomeUnknown.retry_after is None
    assert all(name != b"retry-after" for name, _ in OutcomeUnknown().header_lines())


def test_every_refusal_has_its_page_and_every_page_its_refusal() -> None:
    assert drift() == []
    assert set(pages()) == {f"{slug}.md" for slug in REFUSALS} | {"README.md"}
    assert main(["--check"]) == 0


def test_drift_names_stale_missing_and_foreign_pages(tmp_path: Path) -> None:
    for name, text in pages().items():
        (tmp_path / name).write_text(text)
    (tmp_path / "retired.md").unlink()
    (tmp_path / "over-limit.md").write_text("old")
    (tmp_path / "invented.md").write_text("foreign")
    assert drift(tmp_path) == ["invented.md", "over-limit.md", "retired.md"]
