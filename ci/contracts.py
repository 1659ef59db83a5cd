"""Finds the contracts of a repository, and reads them: folders with a meta.yaml and one document beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from ci.errors import NoContracts
from kernel.contract.digest import digest
from kernel.contract.document import Document, Kind, kind_of
from kernel.contract.finding import Finding
from kernel.contract.local_files import inline_files
from kernel.contract.metadata import Metadata, read_metadata
from kernel.contract.sites import sites
from kernel.contract.urn import PREFIX, Urn
from kernel.contract.version import Version
from kernel.errors import ContractInvalid, DocumentError, Place, ReferenceRefused
from registry.compat.inputs import embedded

METADATA = "meta.yaml"
DOCUMENTS = tuple(
    f"{stem}.{ending}" for stem in ("openapi", "asyncapi", "schema") for ending in ("yaml", "yml", "json")
)
_HOUSE = "contracts"  # below a folder of this name nothing may lie about unnoticed
_SKIPPED = frozenset({"node_modules", "__pycache__"})  # and every folder whose name begins with a dot
MOST_CONTRACTS = 5_000
LARGEST_METADATA = 200_000  # bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """One contract version as it lies in a tree; `flaw` says why it is none after all."""

    home: Path  # the repository: everything is named relative to it
    metadata: Path
    document: Path
    flaw: str = ""

    def shown(self, text: object) -> str:
        """Write a path, or a message with paths, relative to the repository."""
        return str(text).replace(f"{self.home}/", "")

    @property
    def path(self) -> Path:
        """The folder itself."""
        return self.document.parent


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract version that was read, with what its meta.yaml says and lacks.

    `document` is self-contained, `pinned` the root with its registry URNs as written, `digest` the digest
    that the registry would give it, `urns` where which canonical schema is referred to.
    """

    folder: Folder
    name: str
    version: Version
    kind: Kind
    metadata: Metadata
    gaps: tuple[Finding, ...]
    document: Document
    pinned: Any
    digest: str
    urns: tuple[tuple[str, Urn], ...] = ()

    @property
    def label(self) -> str:
        """Name and version, as people say it."""
        return f"{self.name} {self.version}"


def home_of(paths: Iterable[Path]) -> Path:
    """Find the folder that holds the whole repository: with `.git`, else `interlock.toml`, else above `contracts`."""
    start = next(iter(paths), Path()).resolve()
    above = [start, *start.parents]
    for mark in (".git", "interlock.toml"):
        for folder in above:
            if (folder / mark).exists():
                return folder
    named = [folder.parent for folder in above if folder.name == _HOUSE]
    return named[-1] if named else start if start.is_dir() else start.parent


def discover(
    paths: Iterable[Path], home: Path | None = None, *, houses: Iterable[Path] = (), hidden: bool = False
) -> list[Folder]:
    """Find the contracts below some paths, sorted; raises `NoContracts` when there is none.

    Half a contract is one with a flaw below `houses` and below a folder called `contracts`, else it is none. Folders
    whose name begins with a dot are passed over, unless `hidden`.
    """
    wanted = [path.resolve() for path in paths]
    top = home.resolve() if home else home_of(wanted)
    kept = [house.resolve() for house in houses]
    found = {folder.document: folder for path in wanted for folder in _below(path, top, kept, hidden=hidden)}
    if not found:
        shown = ", ".join(str(path) for path in wanted)
        raise NoContracts(
            f"there is no {METADATA} with a document below {shown}",
            hint=f"a contract is a folder with {METADATA} and one of {', '.join(DOCUMENTS[::3])}",
        )
    return [found[path] for path in sorted(found)]


def _below(path: Path, home: Path, houses: list[Path], *, hidden: bool) -> Iterator[Folder]:
    if not path.exists():
        raise NoContracts(f"{path} does not exist", hint="name a folder of contracts")
    start = path if path.is_dir() else path.parent
    folders = [start] if path.is_file() else list(_holding(start, hidden=hidden))
    seen = 0
    for folder in folders:
        inside = folder.relative_to(home) if folder.is_relative_to(home) else folder
        strict = _HOUSE in inside.parts or any(folder.is_relative_to(house) for house in houses)
        made = _folder(folder, home, strict=strict)
        if made is not None:
            seen += 1
            if seen > MOST_CONTRACTS:
                raise NoContracts(
                    f"more than {MOST_CONTRACTS} contracts below {path}", hint="name a smaller folder"
                )
            yield made


def _holding(start: Path, *, hidden: bool) -> Iterator[Path]:
    """Give the folders below that hold a file of a contract; links to folders are not followed."""
    for place, below, files in os.walk(start):
        below[:] = sorted(
            name for name in below if name not in _SKIPPED and (hidden or not name.startswith("."))
        )
        if not {METADATA, *DOCUMENTS}.isdisjoint(files):
            yield Path(place)


def _folder(folder: Path, home: Path, *, strict: bool) -> Folder | None:
    """Give the contract in a folder; half of one is told where it lies below `contracts`, else passed over."""
    documents = [folder / name for name in DOCUMENTS if (folder / name).is_file()]
    metadata = folder / METADATA
    if metadata.is_file() and len(documents) == 1:
        return Folder(home, metadata, documents[0])
    if len(documents) > 1 and metadata.is_file():
        names = ", ".join(file.name for file in documents)
        return Folder(home, metadata, documents[0], f"one version has one document, and here lie {names}")
    if not strict:
        return None
    if not documents:
        known = ", ".join(DOCUMENTS[::3])
        return Folder(
            home, metadata, metadata, f"there is no document beside {METADATA}: name it one of {known}"
        )
    if any(above.joinpath(METADATA).is_file() for above in folder.parents if above.is_relative_to(home)):
        return None  # a file that another contract's document refers to
    return Folder(home, metadata, documents[0], f"there is no {METADATA} beside {documents[0].name}")


def identity(folder: Folder) -> tuple[str, Version, Metadata, tuple[Finding, ...]]:
    """Read name and version from meta.yaml; raises `DocumentError` or `ContractInvalid` with the place."""
    shown = folder.shown(folder.metadata)
    if folder.flaw:
        raise ContractInvalid(
            folder.flaw, hint="see docs/guide/ci.md", place=Place(folder.shown(folder.path))
        )
    if folder.metadata.stat().st_size > LARGEST_METADATA:
        raise DocumentError(f"{shown} is larger than {LARGEST_METADATA} bytes")
    metadata, gaps = _metadata(folder.metadata.read_bytes(), shown)
    if metadata.name is None or metadata.version is None:
        what = "name" if metadata.name is None else "version"
        said = next(
            (gap.what for gap in gaps if gap.rule == f"meta-{what}-invalid"), f"meta.yaml says no {what}"
        )
        raise ContractInvalid(said, hint=f"write `{what}:` in it", place=Place(shown))
    return metadata.name, Version.parse(metadata.version), metadata, gaps


@lru_cache(maxsize=2 * MOST_CONTRACTS)
def _metadata(data: bytes, name: str) -> tuple[Metadata, tuple[Finding, ...]]:
    return read_metadata(data, name)  # the base often holds the same bytes at the same place


def read(folder: Folder) -> Contract:
    """Read one contract; raises `DocumentError`, `ReferenceRefused` or `ContractInvalid` with the place."""
    name, version, metadata, gaps = identity(folder)
    inlined = inline_files(folder.document)
    return Contract(
        folder,
        name,
        version,
        kind_of(inlined.root),
        metadata,
        gaps,
        embedded(inlined, folder.document),
        inlined.root,
        digest(inlined.root),
        tuple(_urns(inlined.root)),
    )


def _urns(root: Any) -> Iterator[tuple[str, Urn]]:
    for site in sites(root):
        if site.ref.startswith(PREFIX):
            try:
                yield site.pointer, Urn.parse(site.ref)
            except ReferenceRefused:
                continue  # it was refused while reading: check_references holds every URN to its form
