from __future__ import annotations

from typing import Any

import pytest

from kernel.contract.digest import canonical_bytes, digest
from kernel.contract.finding import Bump, Finding, Outcome, Severity
from kernel.contract.lifecycle import State
from kernel.errors import ContractInvalid, Place
from kernel.settings import load
from registry.errors import NotAllowed, NotFound
from registry.review import catalogue, decision, submission
from registry.review.engines import HouseEngines
from registry.review.model import Draft, ReviewState


def rules(done: Any) -> list[str]:
    return [finding.rule for finding in done.assessment.lint]


def test_a_first_version_goes_into_review(services: Any, doubles: Any) -> None:
    draft = doubles.openapi()
    done = submission.submit(services, doubles.AUTHOR, draft)
    assert done.status == "in-review"
    assert done.blockers == ()
    assert done.assessment.outcome is Outcome.COMPATIBLE
    assert done.digest == digest(
        {"openapi": "3.1.0", "info": {"title": "lab-orders", "version": "1.0.0"}, "paths": {}}
    )
    found = catalogue.version(services, "lab-orders", "1.0.0")
    assert (found.state, found.digest, found.author, found.audience) == (
        State.IN_REVIEW,
        done.digest,
        "ada",
        "internal",
    )
    assert found.metadata["objectives"] == {"latency_p99_ms": 800, "availability": "99.9"}
    assert catalogue.document(services, "lab-orders", "1.0.0") == (draft.document, "json")
    review = catalogue.review(services, done.review.id)
    assert (review.state, review.author, review.quorum, review.missing) == (ReviewState.OPEN, "ada", 2, 2)


def test_planning_keeps_nothing(services: Any, doubles: Any) -> None:
    done = submission.plan(services, doubles.AUTHOR, doubles.openapi())
    assert (done.status, done.review) == ("planned", None)
    assert catalogue.contracts(services) == ()
    with services.store.reading() as ledger:
        assert ledger.outbox.count() == 0


def test_only_authors_and_pipelines_submit(desk: Any, doubles: Any) -> None:
    for stranger in (doubles.BO, doubles.OPERATOR):
        with pytest.raises(NotAllowed, match="may not submit"):
            submission.submit(desk, stranger, doubles.openapi())


@pytest.mark.parametrize(
    ("document", "rule"),
    [
        (b"{", "document-syntax"),
        (b'{"openapi": "3.1.0", "openapi": "3.1.0"}', "document-duplicate-key"),
        (b'{"openapi": "3.1.0", "paths": {"/a": {"$ref": "http://evil.example/x"}}}', "reference-refused"),
        (b'{"openapi": "3.1.0", "paths": {"/a": {"$ref": "file:///etc/passwd"}}}', "reference-refused"),
        (
            b'{"openapi": "3.1.0", "components": {"schemas": {"A": {"$ref": "#/nowhere"}}}}',
            "reference-refused",
        ),
        (b'{"nothing": 1}', "document-kind-unknown"),
        (b"\xff\xfe", "document-encoding"),
        (b"a: &x 1\nb: *x", "document-yaml-refused"),
    ],
)
def test_what_cannot_be_read_is_a_refusal_and_leaves_nothing(
    desk: Any, doubles: Any, document: bytes, rule: str
) -> None:
    draft = Draft(document, doubles.openapi().metadata, "openapi.yaml")
    done = submission.submit(desk, doubles.AUTHOR, draft)
    assert done.status == "refused"
    assert [finding.rule.split("-")[0] for finding in done.assessment.lint] == [
        rule.split("-", maxsplit=1)[0]
    ]
    assert done.assessment.refused
    assert catalogue.contracts(desk) == ()


def test_missing_metadata_is_named(desk: Any, doubles: Any) -> None:
    draft = doubles.openapi()
    meta = draft.metadata.replace(b"owner: lab-integration\n", b"")
    done = submission.submit(desk, doubles.AUTHOR, Draft(draft.document, meta, "openapi.json"))
    assert (done.status, done.contract, done.version) == ("refused", "lab-orders", "1.0.0")
    assert "meta-owner-missing" in rules(done)


def test_the_kind_must_be_what_meta_says(desk: Any, doubles: Any) -> None:
    draft = Draft(doubles.schema().document, doubles.openapi().metadata, "schema.json")
    done = submission.submit(desk, doubles.AUTHOR, draft)
    assert (done.status, rules(done)) == ("refused", ["meta-kind-mismatch"])


def test_lint_errors_refuse_and_warnings_do_not(desk: Any, doubles: Any) -> None:
    desk.engines.linted = (Finding("house-rule", Severity.WARNING, "/info/title", "too plain"),)
    done = submission.submit(desk, doubles.AUTHOR, doubles.openapi())
    assert done.status == "in-review"
    (finding,) = done.assessment.lint
    assert (finding.source, finding.line) == ("openapi.json", 1)  # told with its place
    desk.engines.linted = (Finding("not-openapi", Severity.ERROR, "/info", "no info"),)
    refused = submission.submit(desk, doubles.AUTHOR, doubles.openapi(name="vitals"))
    assert (refused.status, refused.blockers) == ("refused", ("no info",))


def test_what_the_proxy_could_not_serve_is_refused_with_its_place(desk: Any, doubles: Any) -> None:
    desk.engines.compiled = ContractInvalid("CONNECT cannot be carried", place=Place(pointer="/paths"))
    done = submission.submit(desk, doubles.AUTHOR, doubles.openapi())
    (finding,) = done.assessment.lint
    assert (done.status, finding.rule, finding.pointer) == ("refused", "contract-invalid", "/paths")
    assert (finding.source, finding.line) == ("openapi.json", 1)


def test_every_place_that_the_proxy_could_not_serve_is_told(desk: Any, doubles: Any) -> None:
    desk.engines.compiled = (
        Finding("contract-invalid", Severity.ERROR, "/paths", "CONNECT cannot be carried"),
        Finding("schema-refused", Severity.ERROR, "/components", "looks behind"),
        Finding("body-unchecked", Severity.WARNING, "/info", "not looked into"),
    )
    done = submission.submit(desk, doubles.AUTHOR, doubles.openapi())
    assert (done.status, done.blockers) == ("refused", ("CONNECT cannot be carried", "looks behind"))
    assert [finding.line for finding in done.assessment.lint] == [1, 1, 1]
    assert desk.engines.compared == []


def test_the_engines_of_this_release_compile_every_operation_and_every_channel() -> None:
    engines = HouseEngines(load({}, environ={}))
    bad = {"payload": {"type": "string", "pattern": "(?<=a)b"}}
    events = {
        "asyncapi": "3.0.0", "info": {"title": "T", "version": "1.0.0"},
        "servers": {"s": {"host": "a.example", "protocol": "wss"}},
        "channels": {name: {"address": name, "messages": {"m": bad}} for name in ("beds", "wards")},
    }  # fmt: skip
    assert [(one.rule, one.severity, one.pointer) for one in engines.compile(events, "asyncapi", "t")] == [
        ("schema-refused", Severity.ERROR, "/channels/beds/messages/m/payload/pattern"),
        ("schema-refused", Severity.ERROR, "/channels/wards/messages/m/payload/pattern"),
    ]


def test_every_version_of_the_major_is_compared_but_no_other(services: Any, doubles: Any) -> None:
    doubles.freeze(services, doubles.openapi(version="1.0.0"))
    doubles.freeze(services, doubles.openapi(version="1.1.0"))
    doubles.freeze(services, doubles.openapi(version="2.0.0"))
    done = submission.submit(services, doubles.AUTHOR, doubles.openapi(version="1.2.0"))
    assert [(one.base_version, one.declared_bump) for one in done.assessment.comparisons] == [
        ("1.0.0", Bump.MINOR),
        ("1.1.0", Bump.MINOR),
    ]
    assert done.assessment.required_bump is Bump.MINOR
    third = submission.submit(services, doubles.AUTHOR, doubles.openapi(version="3.0.0"))
    assert third.assessment.comparisons == ()  # a new major may break


@pytest.mark.parametrize("told", ["breaking", "undecided"])
def test_a_break_is_in_review_and_blocked(services: Any, doubles: Any, told: str) -> None:
    doubles.freeze(services, doubles.openapi())
    done = submission.submit(
        services, doubles.AUTHOR, doubles.openapi(version="1.1.0", **{"x-verdict": told})
    )
    assert done.status == "in-review"
    assert done.assessment.outcome is Outcome(told)
    assert len(done.blockers) == 1
    kept = catalogue.review(services, done.review.id)
    (comparison,) = kept.assessment.comparisons
    (finding,) = comparison.findings
    assert (finding.rule, finding.before, finding.after) == ("fake-rule", {"a": 1}, [1.5])
    assert finding == done.assessment.comparisons[0].findings[0]
    assert comparison.engines == {"fake": "1"}


def test_a_number_that_declares_too_little_is_blocked(desk: Any, doubles: Any) -> None:
    doubles.freeze(desk, doubles.openapi())
    done = submission.submit(desk, doubles.AUTHOR, doubles.openapi(version="1.0.1"))
    assert done.blockers == ("against 1.0.0 it needs a minor version, and its number declares patch",)


def test_a_number_is_never_used_twice(services: Any, doubles: Any) -> None:
    review = doubles.freeze(services, doubles.openapi())
    again = submission.submit(services, doubles.AUTHOR, doubles.openapi(**{"x-more": 1}))
    assert (again.status, rules(again)) == ("refused", ["version-taken"])
    assert again.assessment.lint[0].remedy == "submit 1.0.1 or later"
    second = submission.submit(services, doubles.AUTHOR, doubles.openapi(version="1.1.0"))
    decision.reject(services, doubles.BO, second.review.id, digest=second.digest, reason="no")
    assert rules(submission.submit(services, doubles.AUTHOR, doubles.openapi(version="1.1.0"))) == [
        "version-taken"
    ]
    third = submission.submit(services, doubles.AUTHOR, doubles.openapi(version="1.2.0"))
    decision.withdraw(services, doubles.AUTHOR, third.review.id, reason="a slip")
    assert rules(submission.submit(services, doubles.AUTHOR, doubles.openapi(version="1.2.0"))) == [
        "version-taken"
    ]
    assert catalogue.version(services, "lab-orders", "1.0.0").digest == review.digest


def test_numbers_grow_within_a_major(desk: Any, doubles: Any) -> None:
    doubles.freeze(desk, doubles.openapi(version="1.2.0"))
    assert rules(submission.submit(desk, doubles.AUTHOR, doubles.openapi(version="1.1.0"))) == [
        "version-not-newer"
    ]
    assert rules(submission.submit(desk, doubles.AUTHOR, doubles.openapi(version="1.2.0-rc.1"))) == [
        "version-not-newer"
    ]
    assert submission.submit(desk, doubles.AUTHOR, doubles.openapi(version="0.9.0")).status == "in-review"


def test_a_name_keeps_its_kind(desk: Any, doubles: Any) -> None:
    doubles.freeze(desk, doubles.schema(name="lab-orders"))
    assert rules(submission.submit(desk, doubles.AUTHOR, doubles.openapi(version="2.0.0"))) == [
        "kind-changed"
    ]


def test_resubmission_dismisses_approvals(services: Any, doubles: Any) -> None:
    first = submission.submit(services, doubles.AUTHOR, doubles.openapi())
    decision.approve(services, doubles.BO, first.review.id, digest=first.digest, reason="good")
    second = submission.submit(services, doubles.AUTHOR, doubles.openapi(**{"x-more": 1}))
    assert second.review.id != first.review.id
    assert second.review.approvals == ()
    old = catalogue.review(services, first.review.id)
    assert (old.state, old.approvals) == (ReviewState.SUPERSEDED, ())
    assert catalogue.version(services, "lab-orders", "1.0.0").digest == second.digest
    # metadata is part of what is approved
    draft = doubles.openapi(**{"x-more": 1})
    third = submission.submit(
        services,
        doubles.AUTHOR,
        Draft(draft.document, draft.metadata.replace(b"internal", b"public"), "x.json"),
    )
    assert third.review.id != second.review.id
    assert catalogue.version(services, "lab-orders", "1.0.0").audience == "public"


def test_the_same_again_is_the_same_review(services: Any, doubles: Any) -> None:
    first = submission.submit(services, doubles.AUTHOR, doubles.openapi())
    decision.approve(services, doubles.BO, first.review.id, digest=first.digest, reason="good")
    again = submission.submit(services, doubles.AUTHOR, doubles.openapi())
    assert again.review.id == first.review.id
    assert [one.principal for one in again.review.approvals] == ["bo"]


def test_urns_are_resolved_among_frozen_schemas_only(services: Any, doubles: Any) -> None:
    identity = doubles.schema()
    pinned = digest({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"})
    urn = f"urn:interlock:schema:patient-identity:1.0.0:{pinned.replace(':', '-')}"
    draft = doubles.openapi(components={"schemas": {"Patient": {"$ref": urn}}})
    early = submission.submit(services, doubles.AUTHOR, draft)
    assert (early.status, rules(early)) == ("refused", ["reference-refused"])
    doubles.freeze(services, identity)
    done = submission.submit(services, doubles.AUTHOR, draft)
    assert done.status == "in-review"
    embedded, media = catalogue.document(services, "lab-orders", "1.0.0", "embedded")
    assert media == "json"
    assert b"urn:interlock" not in embedded
    canonical, _ = catalogue.document(services, "lab-orders", "1.0.0", "canonical")
    assert urn.encode() in canonical  # the digest is over the pinned form
    other = doubles.openapi(
        name="vitals", components={"schemas": {"P": {"$ref": urn.replace(pinned[-8:], "0" * 8)}}}
    )
    assert rules(submission.submit(services, doubles.AUTHOR, other)) == ["reference-refused"]


def test_numbers_beyond_doubles_survive_the_database(services: Any, doubles: Any) -> None:
    draft = doubles.openapi()
    big = draft.document.replace(b'"paths":{}', b'"paths":{},"x-big":123456789012345678901234567890.5')
    done = submission.submit(services, doubles.AUTHOR, Draft(big, draft.metadata, "openapi.json"))
    canonical, _ = catalogue.document(services, "lab-orders", "1.0.0", "canonical")
    assert b"1.234567890123456789012345678905e+29" in canonical
    assert done.status == "in-review"


def test_what_is_not_there_is_not_found(desk: Any) -> None:
    for ask in (
        lambda: catalogue.contract(desk, "nothing"),
        lambda: catalogue.version(desk, "nothing", "1.0.0"),
        lambda: catalogue.review(desk, 99),
        lambda: catalogue.review_document(desk, 99),
        lambda: catalogue.statement(desk, "nothing", "1.0.0"),
    ):
        with pytest.raises(NotFound):
            ask()


def test_search_takes_words_as_they_stand(services: Any, doubles: Any) -> None:
    for name in ("lab-orders", "vitals", "wards"):
        submission.submit(services, doubles.AUTHOR, doubles.openapi(name=name))
    assert [row.name for row in catalogue.contracts(services, search="VITAL")] == ["vitals"]
    assert [row.name for row in catalogue.contracts(services, search="lab-int")] == [
        "lab-orders",
        "vitals",
        "wards",
    ]
    assert catalogue.contracts(services, search="%") == ()
    assert [row.name for row in catalogue.contracts(services, limit=1, after="lab-orders")] == ["vitals"]
    assert canonical_bytes(catalogue.contract(services, "wards").versions[0].metadata["retry"]) == (
        b'{"max_attempts":3,"policy":"idempotent-only"}'
    )
