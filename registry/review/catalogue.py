"""What stands in the registry, to read: contracts, versions, documents, reviews."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from kernel.contract.digest import canonical_bytes
from registry.errors import NotFound
from registry.review import gate, quorum
from registry.review.model import ReviewState
from registry.review.references import self_contained
from registry.review.waiving import accepted

if TYPE_CHECKING:
    from registry.review.model import Contract, ContractVersion, Media, Review
    from registry.review.ports import Ledger
    from registry.review.services import Services


def contracts(
    services: Services, *, search: str = "", limit: int = 100, after: str = ""
) -> tuple[Contract, ...]:
    """List contracts by name; `search` is a part of the name, title or owner, `after` the last name seen."""
    with services.store.reading() as ledger:
        return ledger.contracts.find(search, limit, after)


def contract(services: Services, name: str) -> Contract:
    """Give one contract with its versions, newest first; raises `NotFound`."""
    with services.store.reading() as ledger:
        found = ledger.contracts.get(name)
    if found is None:
        raise NotFound(f"there is no contract {name[:80]!r}", hint="`interlock contract list` lists them")
    return found


def version(services: Services, name: str, number: str) -> ContractVersion:
    """Give one version; raises `NotFound`."""
    with services.store.reading() as ledger:
        return known_version(ledger, name, number)


def known_version(ledger: Ledger, name: str, number: str) -> ContractVersion:
    """Give one version; raises `NotFound`."""
    found = ledger.contracts.version(name, number)
    if found is None:
        raise NotFound(
            f"there is no {name[:80]} {number[:80]}",
            hint=f"`interlock contract show {name[:80]}` lists versions",
        )
    return found


def document(
    services: Services,
    name: str,
    number: str,
    form: Literal["submitted", "canonical", "embedded"] = "submitted",
) -> tuple[bytes, Media]:
    """Give a version's bytes: submitted, canonical (the digest is over these), or with its URNs embedded."""
    with services.store.reading() as ledger:
        found = known_version(ledger, name, number)
        if form == "submitted":
            return _submitted(ledger, found.review_id)
        if form == "canonical":
            blob = ledger.contracts.blob(found.digest)
            if blob is None:
                raise NotFound(f"the document of {found.label} is gone")
            return blob, "json"
        return canonical_bytes(self_contained(ledger, found.digest)), "json"


def review_document(services: Services, review_id: int) -> tuple[bytes, Media]:
    """Give the bytes that one review is about, as they were submitted."""
    with services.store.reading() as ledger:
        return _submitted(ledger, review_id)


def statement(services: Services, name: str, number: str) -> bytes:
    """Give the signed freeze statement (DSSE envelope, JSON) of a frozen version; raises `NotFound`."""
    with services.store.reading() as ledger:
        known_version(ledger, name, number)
        found = ledger.contracts.statement(name, number)
    if found is None:
        raise NotFound(f"{name} {number} is not frozen, so nothing is signed")
    return found


def reviews(
    services: Services, *, state: ReviewState | None = None, limit: int = 100, after: int = 0
) -> tuple[Review, ...]:
    """List reviews, oldest first, without their findings; `after` is the last id seen."""
    with services.store.reading() as ledger:
        found = ledger.reviews.find(state, limit, after)
        return tuple(complete(services, ledger, row) for row in found)


def review(services: Services, review_id: int) -> Review:
    """Give one review with findings, approvals and blockers; raises `NotFound`."""
    with services.store.reading() as ledger:
        return known_review(services, ledger, review_id)


def known_review(services: Services, ledger: Ledger, review_id: int) -> Review:
    """Give one review, complete; raises `NotFound`."""
    found = ledger.reviews.get(review_id)
    if found is None:
        raise NotFound(f"there is no review {review_id}", hint="`interlock review list` lists them")
    return complete(services, ledger, found)


def complete(services: Services, ledger: Ledger, found: Review) -> Review:
    """Add what depends on the present: what is waived, and for an open review blockers and the quorum in force."""
    found = accepted(ledger, found, services.now())
    if found.state is not ReviewState.OPEN:
        return found
    return replace(
        found,
        blockers=gate.blockers(services.settings, ledger, found),
        quorum=quorum.wanted(found, services.settings),
    )


def _submitted(ledger: Ledger, review_id: int) -> tuple[bytes, Media]:
    found = ledger.reviews.document(review_id)
    if found is None:
        raise NotFound(f"there is no review {review_id}", hint="`interlock review list` lists them")
    return found
