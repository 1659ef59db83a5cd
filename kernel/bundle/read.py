"""Reads a bundle and refuses one that is unsigned, altered, older, incomplete or too large.

`read_bundle` judges one folder once. `BundleSource` is for whoever polls: it notices changes by stat,
keeps blobs by digest, and remembers the newest serials over restarts, so that nobody can play back an
older part.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from kernel.bundle.check import check_parts
from kernel.bundle.layout import (
    LARGEST_BLOB,
    LARGEST_PART,
    PART_TYPES,
    Part,
    blob_folder,
    blob_path,
    digest_of,
    part_of,
    part_path,
)
from kernel.bundle.model import AccessPart, Bundle, ContractsPart, PartKind, RoutesPart
from kernel.errors import BundleError, BundleMissing, Place, SealingError
from kernel.sealing.dsse import verify_statement
from kernel.sealing.private_files import replace_file

if TYPE_CHECKING:
    from pathlib import Path

    from kernel.sealing.keys import Trust


class PartMark(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part was seen: two contents under one serial are as bad as an older serial."""

    serial: int
    digest: str


Marks = Mapping[PartKind, PartMark]


@dataclass(frozen=True, slots=True)
class BundleRead:
    """A verified bundle with the marks of its parts."""

    bundle: Bundle
    marks: Marks


def read_bundle(folder: Path, trust: Trust) -> Bundle:
    """Read and verify one bundle without memory of earlier ones; raises `BundleError`."""
    return read_marked(folder, trust).bundle


def read_marked(
    folder: Path, trust: Trust, *, seen: Marks | None = None, blobs: Mapping[str, bytes] | None = None
) -> BundleRead:
    """Read and verify; `seen` are the newest marks so far, `blobs` documents already held, by digest.

    Raises `BundleMissing` when there is no part at all, else `BundleError` naming the part.
    """
    if not any(part_path(folder, kind).exists() for kind in PART_TYPES):
        raise BundleMissing(
            "there is no bundle yet", hint="freeze and route a contract", place=Place(str(folder))
        )
    parts: dict[PartKind, Part] = {}
    marks: dict[PartKind, PartMark] = {}
    for kind in PART_TYPES:
        parts[kind], marks[kind] = _read_part(folder, kind, trust)
        _not_older(kind, marks[kind], (seen or {}).get(kind))
    contracts, access, routes = parts["contracts"], parts["access"], parts["routes"]
    if not (
        isinstance(contracts, ContractsPart)
        and isinstance(access, AccessPart)
        and isinstance(routes, RoutesPart)
    ):  # pragma: no cover - _read_part gives the kind that was asked for
        raise BundleError("a part is not of its kind")
    check_parts(contracts, access, routes)
    held = blobs or {}
    documents = {
        entry.digest: held[entry.digest] if entry.digest in held else _read_blob(folder, entry.digest)
        for entry in contracts.contracts
    }
    return BundleRead(Bundle(contracts, access, routes, documents), marks)


def _read_part(folder: Path, kind: PartKind, trust: Trust) -> tuple[Part, PartMark]:
    path = part_path(folder, kind)
    envelope = read_plain(path, LARGEST_PART, f"the {kind} part")
    try:
        verified = verify_statement(envelope, trust.may_sign(kind))
    except SealingError as error:
        raise BundleError(f"the {kind} part is refused: {error.message}", place=Place(str(path))) from None
    part, digest = part_of(verified.statement, kind)
    if part.serial < 0:
        raise BundleError(f"the {kind} part has a negative serial", place=Place(str(path)))
    return part, PartMark(part.serial, digest)


def _not_older(kind: PartKind, mark: PartMark, seen: PartMark | None) -> None:
    if seen is None or mark == seen or mark.serial > seen.serial:
        return
    if mark.serial == seen.serial:
        raise BundleError(f"the {kind} part has serial {mark.serial} as one before it, and another content")
    raise BundleError(
        f"the {kind} part has serial {mark.serial}, older than {seen.serial}, which was seen before",
        hint="publish again from the registry; after restoring its backup, see docs/guide/auditor.md",
    )


def _read_blob(folder: Path, digest: str) -> bytes:
    path = blob_path(folder, digest)
    data = read_plain(path, LARGEST_BLOB, "a blob")
    if digest_of(data) != digest:
        raise BundleError("a blob is not what its name says", place=Place(str(path)))
    return data


def read_plain(path: Path, most: int, what: str) -> bytes:
    """Read a plain file of at most `most` bytes; links are refused, for they lead out of the folder."""
    where = Place(str(path))
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise BundleError(f"{what} is not a plain file", place=where)
            if status.st_size > most:
                raise BundleError(f"{what} has more than {most} bytes", place=where)
            data = file.read(most + 1)
    except FileNotFoundError:
        raise BundleError(f"{what} is missing", place=where) from None
    except OSError as error:
        raise BundleError(f"{what} cannot be read: {error.strerror}", place=where) from None
    if len(data) > most:
        raise BundleError(f"{what} has more than {most} bytes", place=where)
    return data


_Stamp = tuple[tuple[int, int, int], ...]


class BundleSource:
    """One bundle folder as its consumer sees it over time; not for use from several threads.

    `trust` is asked at every read, so that a new key needs no restart. `seen_file` keeps the newest
    accepted serials (`<data>/run/bundle-seen.json`); None keeps them in memory only.
    """

    def __init__(self, folder: Path, trust: Callable[[], Trust], seen_file: Path | None = None) -> None:
        self._folder = folder
        self._trust = trust
        self._seen_file = seen_file
        self._stamp: _Stamp | None = None
        self._blobs: Mapping[str, bytes] = {}
        self._seen: Marks | None = None

    def changed(self) -> bool:
        """Whether anything was published or repaired since the last `read` (four stats, no reading)."""
        return self._look() != self._stamp

    def read(self) -> BundleRead:
        """Read and verify what lies there now; raises `BundleError`. Accept it once it serves."""
        self._stamp = self._look()  # before reading: what is published meanwhile shows as a change
        result = read_marked(self._folder, self._trust(), seen=self._known(), blobs=self._blobs)
        self._blobs = result.bundle.blobs
        return result

    def accept(self, read: BundleRead) -> None:
        """Remember that this bundle serves: from now on nothing older is taken, over restarts too."""
        if read.marks == self._known():
            return
        if self._seen_file is not None:
            try:
                _remember(self._seen_file, read.marks)
            except (OSError, SealingError) as error:
                raise BundleError(f"the newest serials cannot be kept: {error}") from error
        self._seen = read.marks

    def _known(self) -> Marks:
        if self._seen is None:
            self._seen = _read_seen(self._seen_file)
        return self._seen

    def _look(self) -> _Stamp:
        paths = [*(part_path(self._folder, kind) for kind in PART_TYPES), blob_folder(self._folder)]
        return tuple(stamp_of(path) for path in paths)


def _remember(file: Path, marks: Marks) -> None:
    """Keep the newer mark of each part; several workers write this file, and the last may not be the newest."""
    file.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(file.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        newest = dict(_read_seen(file))
        for kind, mark in marks.items():
            if kind not in newest or newest[kind].serial <= mark.serial:
                newest[kind] = mark
        replace_file(file, msgspec.json.encode(newest), 0o600)
    finally:
        os.close(folder)


def _read_seen(file: Path | None) -> Marks:
    if file is None or not file.exists():
        return {}
    try:
        return msgspec.json.decode(file.read_bytes(), type=dict[PartKind, PartMark])
    except (OSError, msgspec.MsgspecError) as error:
        raise BundleError(
            f"the newest serials cannot be read: {error}",
            hint="nothing is served until it is known what is old; remove the file only on purpose",
            place=Place(str(file)),
        ) from None


def stamp_of(path: Path) -> tuple[int, int, int]:
    """Give what changes whenever a file is replaced or written to; zeros where there is none."""
    with contextlib.suppress(OSError):
        status = path.lstat()
        return status.st_ino, status.st_mtime_ns, status.st_size
    return 0, 0, 0
