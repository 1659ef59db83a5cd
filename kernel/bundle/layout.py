"""Where the parts and blobs of a bundle lie, and the form of the statement that signs each part.

    <folder>/contracts.dsse.json  access.dsse.json  routes.dsse.json
    <folder>/blobs/sha256/<hex>

Each part is a DSSE envelope over an in-toto statement. Its subjects are the part (by the digest of its
compact JSON with sorted keys) and, for contracts, every blob it names; its predicate holds the part.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import msgspec

from kernel.bundle.model import AccessPart, ContractsPart, PartKind, RoutesPart
from kernel.errors import BundleError
from kernel.sealing.dsse import Statement, Subject

if TYPE_CHECKING:
    from pathlib import Path

Part = ContractsPart | AccessPart | RoutesPart

PART_TYPES: dict[PartKind, type[Part]] = {
    "contracts": ContractsPart,
    "access": AccessPart,
    "routes": RoutesPart,
}
LARGEST_PART = 64 * 1024 * 1024  # bytes of one signed part
LARGEST_BLOB = 64 * 1024 * 1024  # bytes of one contract document
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


def kind_of(part: Part) -> PartKind:
    """Name the kind of a part."""
    return next(kind for kind, form in PART_TYPES.items() if isinstance(part, form))


def part_path(folder: Path, kind: PartKind) -> Path:
    """Where the signed part of this kind lies."""
    return folder / f"{kind}.dsse.json"


def blob_folder(folder: Path) -> Path:
    """Where the blobs lie."""
    return folder / "blobs" / "sha256"


def blob_path(folder: Path, digest: str) -> Path:
    """Where a blob lies; raises `BundleError` for a text that is no digest (it cannot leave the folder)."""
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise BundleError(f"{digest[:80]!r} is not a digest", hint="a digest is sha256:<64 hex digits>")
    return blob_folder(folder) / match[1]


def digest_of(data: bytes) -> str:
    """Give `sha256:<hex>` of some bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def predicate_type(kind: PartKind) -> str:
    """Name what a signed part claims; it binds the kind, so that parts cannot be swapped."""
    return f"urn:interlock:bundle:{kind}:v1"


def statement_of(part: Part) -> Statement:
    """Say what is signed for a part."""
    kind = kind_of(part)
    body = msgspec.to_builtins(part)
    return Statement(_subjects(kind, part, body), predicate_type(kind), {"part": body})


def part_of(statement: Statement, kind: PartKind) -> tuple[Part, str]:
    """Read the part out of a verified statement, with its digest; raises `BundleError`."""
    if statement.predicate_type != predicate_type(kind):
        raise BundleError(f"the {kind} part holds a statement about something else")
    body = statement.predicate.get("part")
    try:
        part = msgspec.convert(body, type=PART_TYPES[kind])
    except msgspec.ValidationError as error:
        raise BundleError(f"the {kind} part is not of the form that this version reads: {error}") from None
    if statement.subject != _subjects(kind, part, body):
        raise BundleError(f"the subjects of the {kind} part are not what it holds")
    return part, _digest_of_body(body)


def _subjects(kind: PartKind, part: Part, body: Any) -> tuple[Subject, ...]:
    subjects = [Subject(kind, {"sha256": _digest_of_body(body).removeprefix("sha256:")})]
    if isinstance(part, ContractsPart):
        subjects += [
            Subject(f"{entry.name}/{entry.version}", {"sha256": entry.digest.removeprefix("sha256:")})
            for entry in part.contracts
        ]
    return tuple(subjects)


def _digest_of_body(body: Any) -> str:
    return digest_of(msgspec.json.encode(body, order="deterministic"))
