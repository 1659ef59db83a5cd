"""Publishes bundle parts: blobs first, then the signed part, each whole or not at all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.bundle.layout import (
    LARGEST_BLOB,
    LARGEST_PART,
    Part,
    blob_folder,
    blob_path,
    digest_of,
    kind_of,
    part_path,
    statement_of,
)
from kernel.bundle.model import ContractsPart
from kernel.errors import BundleError, Place, SealingError
from kernel.sealing.dsse import sign_statement
from kernel.sealing.private_files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.sealing.keys import SigningKey


def write_blob(folder: Path, data: bytes) -> str:
    """Keep one document by its digest, durably, and return the digest; raises `BundleError`."""
    if len(data) > LARGEST_BLOB:
        raise BundleError(f"a document of {len(data)} bytes is too large for a bundle")
    digest = digest_of(data)
    path = blob_path(folder, digest)
    try:
        _make_folders(folder)
        if not path.is_file() or path.read_bytes() != data:
            replace_file(path, data, 0o644)
    except (OSError, SealingError) as error:
        raise BundleError(f"a blob cannot be written: {error}", place=Place(str(path))) from error
    return digest


def write_part(folder: Path, part: Part, signer: SigningKey) -> None:
    """Sign a part and put it in place of the one before; raises `BundleError` and changes nothing else.

    The blobs that a contracts part names must be there already. Publish contracts before access
    before routes, so that a reader never meets a route without its contract.
    """
    kind = kind_of(part)
    path = part_path(folder, kind)
    _missing_blobs(folder, part)
    envelope = sign_statement(statement_of(part), signer)
    if len(envelope) > LARGEST_PART:
        raise BundleError(f"the {kind} part has {len(envelope)} bytes, more than a reader takes")
    try:
        _make_folders(folder)
        replace_file(path, envelope, 0o644)
    except (OSError, SealingError) as error:
        raise BundleError(f"the {kind} part cannot be written: {error}", place=Place(str(path))) from error


def _make_folders(folder: Path) -> None:
    blob_folder(folder).mkdir(parents=True, exist_ok=True)


def _missing_blobs(folder: Path, part: Part) -> None:
    if not isinstance(part, ContractsPart):
        return
    for entry in part.contracts:
        if not blob_path(folder, entry.digest).is_file():
            raise BundleError(
                f"the document of {entry.name} {entry.version} is not among the blobs",
                hint="write the blobs before the part that names them",
            )
