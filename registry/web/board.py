"""The board's queue and its decision page."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from kernel.contract.version import Version
from registry.errors import NotFound, RequestRefused
from registry.review import catalogue, conformance, decision, impact, quorum, waiving
from registry.review.acts import LONGEST_REASON
from registry.review.house_policy import day_of
from registry.review.model import ReviewState
from registry.web import words
from registry.web.visit import Page, Redirect, Visit

if TYPE_CHECKING:
    from registry.review.model import Review

_A_PAGE = 50  # reviews on one page of the queue
_MOST_RUNS = 10  # conformance runs that one page shows
_MOST_FINDINGS = 200  # shown; the API gives them all
_DONE = {
    "approve": "Your approval was recorded.",
    "reject": "The review was ended: the version is rejected.",
    "waive": "The finding is waived; it stands in the audit log.",
}


def queue(visit: Visit) -> Page:
    """Show what waits for a decision, oldest first."""
    everything = visit.query.get("show") == "all"
    after = visit.query.get("after", "")
    found = catalogue.reviews(
        visit.services,
        state=None if everything else ReviewState.OPEN,
        limit=_A_PAGE + 1,
        after=int(after) if after.isdecimal() and len(after) < 10 else 0,  # noqa: PLR2004 - digits of an id
    )
    rows = [
        {
            "review": review,
            "verdict": words.verdict_of(review),
            "end": words.ENDS[review.state],
            "wanted": quorum.wanted(review, visit.services.settings),
            "yours": not words.why_not_approve(review, visit.principal),
        }
        for review in found[:_A_PAGE]
    ]
    context = {
        "rows": rows,
        "everything": everything,
        "next": found[_A_PAGE - 1].id if len(found) > _A_PAGE else None,
    }
    return Page("queue.html", "Board", context, section="/board")


def review(visit: Visit) -> Page:
    """Show everything that a decision on one digest needs."""
    return _decision_page(visit, _review(visit))


def decide(visit: Visit) -> Page | Redirect:
    """Approve or reject the digest that the page showed."""
    form, act = visit.form, visit.form.get("act", "")
    found = _review(visit)
    if act == "waive":
        return _waive(visit, found)
    reason = form.get("reason", "").replace("\r\n", "\n").strip()  # browsers send CRLF and count LF
    if act not in _DONE or not reason or len(reason) > LONGEST_REASON:
        wrong = "Choose approve or refuse." if act not in _DONE else "Write why, in at most 2,000 characters."
        return _decision_page(visit, found, wrong=wrong, reason=reason, status=422)
    digest = form.get("digest", "")
    if act == "approve":
        found = decision.approve(visit.services, visit.principal, found.id, digest=digest, reason=reason)
    else:
        found = decision.reject(visit.services, visit.principal, found.id, digest=digest, reason=reason)
    return Redirect(f"/board/reviews/{found.id}?done={act}")


def _waive(visit: Visit, found: Review) -> Page | Redirect:
    """Accept one finding until a day."""
    form = visit.form
    try:
        expires = date.fromisoformat(form.get("expires", ""))
        waiving.waive(
            visit.services,
            visit.principal,
            found,
            fingerprint=form.get("fingerprint", ""),
            owner=form.get("owner", ""),
            reason=form.get("reason", "").replace("\r\n", "\n").strip(),
            expires=expires,
        )
    except ValueError:
        return _decision_page(visit, found, wrong="Choose the day until which it is waived.", status=422)
    except RequestRefused as error:
        wrong = f"It was not waived: {error.message}; {error.hint}."
        return _decision_page(visit, found, wrong=wrong, status=422)
    return Redirect(f"/board/reviews/{found.id}?done=waive")


def _review(visit: Visit) -> Review:
    number = visit.values["id"]
    if not number.isdecimal() or len(number) > 9:  # noqa: PLR2004 - digits of an id
        raise NotFound("there is no such review", hint="the queue lists the open ones")
    return catalogue.review(visit.services, int(number))


def _decision_page(
    visit: Visit, found: Review, *, wrong: str = "", reason: str = "", status: int = 200
) -> Page:
    hits = impact.who_is_hit(visit.services, found.contract, Version.parse(found.version).major)
    comparisons = [
        {
            "comparison": comparison,
            "look": words.OUTCOMES[comparison.outcome],
            "findings": words.worst_first(comparison.findings)[:_MOST_FINDINGS],
            "left_out": max(0, len(comparison.findings) - _MOST_FINDINGS),
        }
        for comparison in found.assessment.comparisons
    ]
    done = _DONE.get(visit.query.get("done", ""), "")
    if visit.query.get("done") == "approve" and found.state is ReviewState.FROZEN:
        done = "Your approval completed the quorum: the version is frozen."
    wanted = quorum.wanted(found, visit.services.settings)
    runs = conformance.evidence(visit.services, found.contract, found.version, _MOST_RUNS)
    context = {
        "runs": [one for one in runs if one.digest == found.digest],
        "results": words.RESULTS,
        "review": found,
        "wanted": wanted,
        "missing": wanted - len(found.approvals),
        "sentence": words.sentence(found, len(hits)),
        "bump": words.bump_sentence(found),
        "verdict": words.verdict_of(found),
        "end": words.ENDS[found.state],
        "open": found.state is ReviewState.OPEN,
        "comparisons": comparisons,
        "uses": _uses(visit, found),
        "policy": found.assessment.judgement.policy,
        "waivers": waiving.waivers(visit.services, found.contract),
        "waivable": words.waivable,
        "today": day_of(visit.services.now()).isoformat(),
        "lint": words.worst_first(found.assessment.lint)[:_MOST_FINDINGS],
        "hits": hits,
        "title_of": str(found.metadata.get("title") or found.contract),
        "not_approve": words.why_not_approve(found, visit.principal),
        "not_reject": words.why_not_reject(found, visit.principal),
        "severities": words.SEVERITIES,
        "shown": words.shown,
        "done": done,
        "wrong": wrong,
        "reason": reason,
        "longest": LONGEST_REASON,
    }
    return Page("review.html", f"{found.contract} {found.version}", context, status=status, section="/board")


def _uses(visit: Visit, found: Review) -> list[dict[str, object]]:
    """Give who uses the schema under review, what would break there, and whom that hits."""
    return [
        {
            "use": use,
            "look": words.OUTCOMES[use.outcome],
            "findings": [one for one in words.worst_first(use.findings) if one.severity != "safe"],
            "hits": impact.who_is_hit(visit.services, use.contract, use.major),
        }
        for use in found.assessment.judgement.uses
    ]
