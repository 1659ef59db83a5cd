"""The canonical schemas that a submission is held against: of each the newest version that is frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.contract.lifecycle import SERVED
from kernel.contract.urn import PREFIX
from kernel.contract.version import Version
from kernel.errors import ReferenceRefused
from registry.lint.canon import Canon, CanonicalSchema
from registry.review.references import root_of, self_contained

if TYPE_CHECKING:
    from registry.review.model import ContractVersion
    from registry.review.ports import Ledger


def canon_of(ledger: Ledger, without: str) -> Canon:
    """Read the canon, without the contract of one name; what cannot be read whole any more is left out."""
    newest: dict[str, ContractVersion] = {}
    for row in ledger.contracts.for_ever():
        if row.kind == "schema" and row.state in SERVED and row.contract != without:
            known = newest.get(row.contract)
            if known is None or Version.parse(known.version) < Version.parse(row.version):
                newest[row.contract] = row
    return Canon(tuple(found for row in newest.values() if (found := _read(ledger, row)) is not None))


def _read(ledger: Ledger, row: ContractVersion) -> CanonicalSchema | None:
    try:
        written, root = root_of(ledger, row.digest), self_contained(ledger, row.digest)
    except ReferenceRefused:
        return None
    urn = f"{PREFIX}{row.contract}:{row.version}:{row.digest.replace(':', '-')}"
    return CanonicalSchema(row.contract, Version.parse(row.version), written, root, urn)
