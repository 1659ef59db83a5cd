"""Waivers in the registry: an act of the board, audited; what it accepts no longer stands in the way."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from kernel.contract.finding import Outcome
from kernel.settings import Settings
from registry.errors import Conflict, DutiesNotSeparate, GateRefused, NotAllowed, NotFound, RequestRefused
from registry.review import catalogue, decision, submission, waiving
from registry.review.principal import Principal, Role

EXPIRES = date(2026, 12, 31)
WAIVING = {"owner": "Ada Berg", "reason": "the only caller was changed", "expires": EXPIRES}


@pytest.fixture
def broken(services: Any, doubles: Any) -> Any:
    """lab-orders 1.0.0 frozen, 1.1.0 in review: it breaks."""
    doubles.freeze(services, doubles.openapi())
    done = submission.submit(
        services, doubles.AUTHOR, doubles.openapi(version="1.1.0", **{"x-verdict": "breaking"})
    )
    assert done.blockers
    return done.review


def blocking(review: Any) -> Any:
    (found,) = review.assessment.comparisons[0].findings
    return found


def waive(services: Any, who: Any, review: Any, **more: Any) -> Any:
    told = {"fingerprint": blocking(review).fingerprint, **WAIVING, **more}
    return waiving.waive(services, who, review, **told)


def records(services: Any) -> list[dict[str, Any]]:
    with services.store.reading() as ledger:
        return [row.record for row in ledger.outbox.waiting(1000)]


def test_a_waived_break_can_be_approved_and_is_named_in_what_is_signed(
    services: Any, doubles: Any, broken: Any
) -> None:
    made = waive(services, doubles.BO, broken)
    review = catalogue.review(services, broken.id)
    assert review.blockers == ()
    assert review.assessment.outcome is Outcome.COMPATIBLE
    assert blocking(review).waived
    assert blocking(review).ruling["owner"] == "Ada Berg"
    assert catalogue.reviews(services)[-1].blockers == ()
    assert catalogue.reviews(services)[-1].assessment.comparisons[0].findings == ()
    for member in (doubles.BO, doubles.CY):
        review = decision.approve(services, member, review.id, digest=review.digest, reason="accepted")
    assert str(review.state) == "frozen"
    envelope = json.loads(catalogue.statement(services, "lab-orders", "1.1.0"))
    import base64

    predicate = json.loads(base64.b64decode(envelope["payload"]))["predicate"]
    assert predicate["waivers"] == [
        {
            "id": made.id, "fingerprint": made.fingerprint, "rule": "fake-rule", "owner": "Ada Berg",
            "expires": "2026-12-31", "recorded_by": "bo",
        }
    ]  # fmt: skip
    assert predicate["policy"] == {"profile": "standard", "fail_on": "risky", "as_of": "2026-11-20"}


def test_it_is_audited_with_who_what_why_and_until_when(services: Any, doubles: Any, broken: Any) -> None:
    made = waive(services, doubles.BO, broken)
    (told,) = [one for one in records(services) if one["act"] == "waive"]
    assert (told["actor"], told["subject"], told["note"]) == ("bo", "lab-orders", WAIVING["reason"])
    assert told["detail"] == {
        "waiver": made.id, "review": broken.id, "fingerprint": made.fingerprint, "rule": "fake-rule",
        "owner": "Ada Berg", "expires": "2026-12-31",
    }  # fmt: skip
    waiving.revoke(services, doubles.CY, made.id, reason="the caller is still there")
    assert [one["actor"] for one in records(services) if one["act"] == "revoke-waiver"] == ["cy"]


def test_who_may(services: Any, doubles: Any, broken: Any) -> None:
    with pytest.raises(NotAllowed):
        waive(services, doubles.AUTHOR, broken)
    with pytest.raises(DutiesNotSeparate):
        waive(services, Principal("ada", frozenset({Role.BOARD})), broken)
    made = waive(services, doubles.BO, broken)
    with pytest.raises(NotAllowed):
        waiving.revoke(services, doubles.AUTHOR, made.id, reason="no")


def test_what_cannot_be_waived(services: Any, doubles: Any, broken: Any) -> None:
    with pytest.raises(NotFound):
        waive(services, doubles.BO, broken, fingerprint="0" * 16)
    with pytest.raises(RequestRefused):
        waive(services, doubles.BO, broken, expires=date(2026, 11, 19))
    with pytest.raises(RequestRefused):
        waive(services, doubles.BO, broken, expires=date(2099, 1, 1))
    with pytest.raises(RequestRefused):
        waive(services, doubles.BO, broken, owner=" ")
    with pytest.raises(RequestRefused):
        waive(services, doubles.BO, broken, reason=" ")
    waive(services, doubles.BO, broken)
    with pytest.raises(Conflict, match="waived already"):
        waive(services, doubles.CY, broken)
    decision.withdraw(services, doubles.AUTHOR, broken.id, reason="later")
    with pytest.raises(Conflict, match="has ended"):
        waive(services, doubles.BO, broken)


def test_a_revoked_or_expired_waiver_accepts_nothing(services: Any, doubles: Any, broken: Any) -> None:
    made = waive(services, doubles.BO, broken)
    waiving.revoke(services, doubles.BO, made.id, reason="it was wrong")
    assert catalogue.review(services, broken.id).blockers
    with pytest.raises(Conflict, match="revoked"):
        waiving.revoke(services, doubles.BO, made.id, reason="again")
    with pytest.raises(NotFound):
        waiving.revoke(services, doubles.BO, 99, reason="none")
    again = waive(services, doubles.BO, broken)
    assert [one.id for one in waiving.waivers(services, "lab-orders")] == [made.id, again.id]
    assert catalogue.review(services, broken.id).blockers == ()
    services.now.moment = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
    assert catalogue.review(services, broken.id).blockers == ()
    services.now.moment = datetime(2027, 1, 1, 0, 0, tzinfo=UTC)
    assert catalogue.review(services, broken.id).blockers
    with pytest.raises(GateRefused):
        decision.approve(services, doubles.BO, broken.id, digest=broken.digest, reason="accepted")


def test_it_holds_for_the_same_finding_submitted_again_and_for_no_other_contract(
    services: Any, doubles: Any, broken: Any
) -> None:
    waive(services, doubles.BO, broken)
    again = doubles.openapi(version="1.1.0", description="other", **{"x-verdict": "breaking"})
    done = submission.submit(services, doubles.AUTHOR, again)
    assert done.review.id != broken.id
    assert done.review.blockers == ()
    doubles.freeze(services, doubles.openapi("vitals"))
    alike = doubles.openapi("vitals", "1.1.0", **{"x-verdict": "breaking"})
    assert submission.submit(services, doubles.AUTHOR, alike).review.blockers


def test_what_was_frozen_keeps_the_waivers_that_held_then(services: Any, doubles: Any, broken: Any) -> None:
    made = waive(services, doubles.BO, broken)
    for member in (doubles.BO, doubles.CY):
        decision.approve(services, member, broken.id, digest=broken.digest, reason="accepted")
    waiving.revoke(services, doubles.BO, made.id, reason="no longer")
    services.now.moment += timedelta(days=400)
    assert blocking(catalogue.review(services, broken.id)).waived


@pytest.mark.parametrize(
    ("setting", "profile"),
    [
        ("strict", "strict"),
        ("lenient, domain:laboratory=strict", "strict"),
        ("lenient, domain:laboratory=strict, owner:lab-integration=standard", "standard"),
        ("strict, owner:lab-integration=strict, lab-orders=lenient", "lenient"),
        ("strict, vitals=lenient, domain:wards=lenient", "strict"),
        ("", "standard"),
    ],
)
def test_the_profile_is_that_of_the_contract_its_owner_its_domain_or_all(
    desk: Any, doubles: Any, setting: str, profile: str
) -> None:
    services = replace(desk, settings=Settings({**desk.settings.values, "compat_profiles": setting}))
    review = submission.submit(services, doubles.AUTHOR, doubles.openapi()).review
    assert review.assessment.judgement.policy["profile"] == profile


@pytest.mark.parametrize("setting", ["hard", "=strict", "a=strict, a=lenient", "strict, lenient"])
def test_a_senseless_setting_is_refused(desk: Any, doubles: Any, setting: str) -> None:
    from kernel.errors import SettingsError

    services = replace(desk, settings=Settings({**desk.settings.values, "compat_profiles": setting}))
    with pytest.raises(SettingsError):
        submission.submit(services, doubles.AUTHOR, doubles.openapi())
