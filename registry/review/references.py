"""Resolves registry URNs against what the board has frozen: the only references that leave a document."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel.contract.document import parse
from kernel.contract.lifecycle import SERVED
from kernel.contract.references import embed_urns, sites
from kernel.contract.urn import PREFIX
from kernel.errors import Place, ReferenceRefused

if TYPE_CHECKING:
    from kernel.contract.urn import Urn
    from registry.review.ports import Ledger


def embedded(ledger: Ledger, root: Any) -> Any:
    """Give a document with its URNs embedded; raises `ReferenceRefused` for one that is not frozen."""

    def lookup(urn: Urn) -> Any:
        found = ledger.contracts.version(urn.name, str(urn.version))
        if found is None or found.state not in SERVED:
            standing = "is not registered" if found is None else f"is {found.state}"
            raise ReferenceRefused(
                f"the canonical schema {urn.name} {urn.version} {standing}",
                hint="only frozen canonical schemas can be referenced: freeze it first",
                place=Place(pointer=_where(root, urn)),
            )
        return root_of(ledger, found.digest)

    return embed_urns(root, lookup)


def self_contained(ledger: Ledger, digest: str) -> Any:
    """Give the self-contained document of a frozen version; what it references may be retired since."""

    def lookup(urn: Urn) -> Any:
        return root_of(ledger, urn.digest)

    return embed_urns(root_of(ledger, digest), lookup)


def root_of(ledger: Ledger, digest: str) -> Any:
    """Read the canonical bytes that a digest names; raises `ReferenceRefused` when they are not there."""
    blob = ledger.contracts.blob(digest)
    if blob is None:
        raise ReferenceRefused(f"the registry holds no document {digest}")
    return parse(blob, name=digest, media="json").root


def _where(root: Any, urn: Urn) -> str:
    """Find where a document names a canonical schema; "" when another schema does, further down."""
    named = f"{PREFIX}{urn.name}:{urn.version}:"
    return next((site.pointer for site in sites(root) if site.ref.startswith(named)), "")
