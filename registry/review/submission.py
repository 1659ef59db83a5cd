"""The third main path, one screen: parse, resolve, lint, compile, compare, verdict, in review."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kernel.contract.digest import canonical_bytes, digest_of_bytes
from kernel.contract.document import kind_of, parse
from kernel.contract.finding import Finding, Severity
from kernel.contract.metadata import read_metadata
from kernel.contract.references import check_references
from kernel.errors import ContractInvalid, DocumentError, ReferenceRefused, SchemaRefused
from registry.lint.document import House
from registry.review import gate, judging
from registry.review.acts import acting
from registry.review.canon import canon_of
from registry.review.model import Assessment, Submission
from registry.review.naming import name_findings
from registry.review.opening import Reading, put_in_review
from registry.review.principal import Role
from registry.review.references import embedded
from registry.review.telling import finding_of, placed, refused, unreadable

if TYPE_CHECKING:
    from kernel.contract.document import Document
    from kernel.contract.metadata import Metadata
    from registry.review.model import Draft
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services

# What is wrong with the document itself; anything else is a failure of ours and stays one.
_FAULTS = (DocumentError, ReferenceRefused, ContractInvalid, SchemaRefused)


def submit(services: Services, principal: Principal, draft: Draft) -> Submission:
    """Judge a draft and put it in review; a refused one (status `refused`) leaves nothing behind.

    Raises `NotAllowed` (roles author, ci). The same draft again, judged alike, is the same review: nothing
    is dismissed by sending it twice.
    """
    principal.require(Role.AUTHOR, Role.CI, act="submit a contract")
    judged = _judge(services, draft)
    if isinstance(judged, Submission):
        return judged
    reading, assessment = judged
    with acting(services) as ledger:
        # Judging took its time outside the transaction; now nobody can take the name meanwhile.
        late = name_findings(ledger, reading.contract, reading.version, reading.kind)
        if late:
            return refused(reading, replace(assessment, lint=(*assessment.lint, *late)))
        review = put_in_review(services, ledger, principal, draft, reading, assessment=assessment)
    return Submission(
        contract=reading.contract,
        version=reading.version,
        kind=reading.kind,
        digest=reading.digest,
        status="in-review",
        assessment=review.assessment,
        blockers=review.blockers,
        review=review,
    )


def plan(services: Services, principal: Principal, draft: Draft) -> Submission:
    """Judge a draft as `submit` would and keep nothing (status `planned` or `refused`)."""
    principal.require(Role.AUTHOR, Role.CI, Role.BOARD, act="plan a submission")
    judged = _judge(services, draft)
    if isinstance(judged, Submission):
        return judged
    reading, assessment = judged
    return Submission(
        contract=reading.contract,
        version=reading.version,
        kind=reading.kind,
        digest=reading.digest,
        status="planned",
        assessment=assessment,
        blockers=gate.verdict_blockers(assessment),
    )


def _judge(services: Services, draft: Draft) -> Submission | tuple[Reading, Assessment]:
    """Do everything that needs no write: it reads one consistent view of the registry."""
    metadata: Metadata | None = None
    document: Document | None = None
    try:
        metadata, gaps = read_metadata(draft.metadata, "meta.yaml")
        if any(gap.severity is Severity.ERROR for gap in gaps):
            return unreadable(metadata, gaps)
        document = parse(draft.document, name=draft.source)
        check_references(document.root)
        with services.store.reading() as ledger:
            reading = _read(ledger, draft, document, metadata)
            named = (
                *_same_kind(metadata, reading),
                *name_findings(ledger, reading.contract, reading.version, reading.kind),
            )
            version = (reading.contract, reading.version)
            case = judging.case_of(services, ledger, version, reading.kind, reading.metadata)
            canon = canon_of(ledger, reading.contract)
        house = House(canon=canon, as_of=case.policy.as_of, written=document.root)
        linted = services.engines.lint(reading.whole, reading.kind, draft.source, house)
        lint = placed(document, (*gaps, *named, *linted))
        if any(finding.severity is Severity.ERROR for finding in lint):
            return refused(reading, Assessment(lint, ()))
        lint += placed(document, services.engines.compile(reading.whole, reading.kind, reading.contract))
        if any(finding.severity is Severity.ERROR for finding in lint):
            return refused(reading, Assessment(lint, ()))
    except _FAULTS as error:
        told = (finding_of(error),)
        return unreadable(metadata, told if document is None else placed(document, told))
    comparisons, judgement = judging.judged(services, case, reading)
    return reading, Assessment(lint, comparisons, judgement)


def _read(ledger: Ledger, draft: Draft, document: Document, metadata: Metadata) -> Reading:
    """Bring the document into its canonical form; raises `ReferenceRefused`."""
    canonical = canonical_bytes(document.root)
    kind = kind_of(document.root)
    # Without errors among the gaps these are there and of their form (kernel/contract/metadata.py).
    assert metadata.name is not None
    assert metadata.version is not None
    assert metadata.audience is not None
    return Reading(
        contract=metadata.name,
        version=metadata.version,
        kind=kind,
        document=document,
        metadata=parse(draft.metadata, name="meta.yaml").root,
        audience=metadata.audience,
        canonical=canonical,
        digest=digest_of_bytes(canonical),
        whole=embedded(ledger, document.root),
    )


def _same_kind(metadata: Metadata, reading: Reading) -> tuple[Finding, ...]:
    if metadata.kind == reading.kind:
        return ()
    what = f"meta.yaml says {metadata.kind}, and the document is {reading.kind}"
    why = "the kind decides how a document is read, compared and served"
    return (Finding("meta-kind-mismatch", Severity.ERROR, "/kind", what, why=why, source="meta.yaml"),)
