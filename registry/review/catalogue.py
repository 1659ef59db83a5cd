"""What stands in the registry, to read: contracts, versions, documents, reviews."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from registry.review.model import Contract, ContractVersion, Media, Review, ReviewState
    from registry.review.services import Services


def contracts(
    services: Services, *, search: str = "", limit: int = 100, after: str = ""
) -> tuple[Contract, ...]:
    """List contracts by name; `search` is a part of the name, title or owner, `after` the last name seen."""
    raise NotImplementedError


def contract(services: Services, name: str) -> Contract:
    """Give one contract with its versions, newest first; raises `NotFound`."""
    raise NotImplementedError


def version(services: Services, name: str, number: str) -> ContractVersion:
    """Give one version; raises `NotFound`."""
    raise NotImplementedError


def document(
    services: Services,
    name: str,
    number: str,
    form: Literal["submitted", "canonical", "embedded"] = "submitted",
) -> tuple[bytes, Media]:
    """Give a version's bytes: submitted, canonical (the digest is over these), or with its URNs embedded."""
    raise NotImplementedError


def review_document(services: Services, review_id: int) -> tuple[bytes, Media]:
    """Give the bytes that one review is about, as they were submitted."""
    raise NotImplementedError


def statement(services: Services, name: str, number: str) -> bytes:
    """Give the signed freeze statement (DSSE envelope, JSON) of a frozen version; raises `NotFound`."""
    raise NotImplementedError


def reviews(
    services: Services, *, state: ReviewState | None = None, limit: int = 100, after: int = 0
) -> tuple[Review, ...]:
    """List reviews, oldest first; `after` is the last id seen."""
    raise NotImplementedError


def review(services: Services, review_id: int) -> Review:
    """Give one review with findings, approvals and blockers; raises `NotFound`."""
    raise NotImplementedError
