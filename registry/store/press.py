"""The bundle folder of this environment, and the keys that sign what is put into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.bundle.deny import registry_list, write_list
from kernel.bundle.layout import blob_path, digest_of, kind_of, part_path
from kernel.bundle.write import write_blob, write_part
from kernel.sealing.dsse import sign_statement

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.bundle.deny import DenyList
    from kernel.bundle.model import AccessPart, ContractsPart, PartKind, RoutesPart
    from kernel.sealing.dsse import Statement
    from kernel.sealing.keys import KeyFolder

# A key for each, so that one of them can be moved to another machine or replaced alone.
BOARD_KEY, ACCESS_KEY, ROUTES_KEY, DENY_KEY = "board", "access", "routes", "deny"


class FolderPress:
    """Bundle parts in a folder (registry/review/ports.py: BundlePress)."""

    def __init__(self, folder: Path, keys: KeyFolder) -> None:
        self._folder = folder
        self._signers = {
            "contracts": keys.ensure(BOARD_KEY, "contracts"),
            "access": keys.ensure(ACCESS_KEY, "access"),
            "routes": keys.ensure(ROUTES_KEY, "routes"),
        }
        self._deny_signer = keys.ensure(DENY_KEY, "deny-list")
        self._denied: int | None = None  # serial of the list that this process wrote last
        self._held: set[str] = set()  # digests whose blobs this process wrote or looked at

    def sign(self, statement: Statement) -> bytes:
        """Sign what the board froze: a DSSE envelope, JSON."""
        return sign_statement(statement, self._signers["contracts"])

    def missing(self, digests: set[str]) -> set[str]:
        """Give those of the documents that the bundle folder does not hold unaltered."""
        for digest in digests - self._held:
            path = blob_path(self._folder, digest)
            if path.is_file() and digest_of(path.read_bytes()) == digest:
                self._held.add(digest)
        return {digest for digest in digests if not self._present(digest)}

    def keep_blob(self, data: bytes) -> None:
        """Put a document into the bundle folder."""
        self._held.add(write_blob(self._folder, data))

    def write(self, part: ContractsPart | AccessPart | RoutesPart) -> None:
        """Sign a part and put it in place of the one before."""
        write_part(self._folder, part, self._signers[kind_of(part)])

    def denied(self) -> int | None:
        """Give the serial of the deny list that this process wrote and that still lies there."""
        return self._denied if registry_list(self._folder).is_file() else None

    def write_denials(self, given: DenyList) -> None:
        """Sign the deny list and put it in place of the one before."""
        write_list(registry_list(self._folder), given, self._deny_signer)
        self._denied = given.serial

    def holds(self, part: PartKind) -> bool:
        """Whether the folder holds any edition of this part."""
        return part_path(self._folder, part).is_file()

    def _present(self, digest: str) -> bool:
        return digest in self._held and blob_path(self._folder, digest).is_file()
