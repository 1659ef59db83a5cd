"""Finds the contracts of a repository: folders with a meta.yaml and one document beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ci.errors import NoContracts
from kernel.contract.document import Document, Kind, kind_of
from kernel.contract.finding import Finding
from kernel.contract.metadata import Metadata, read_metadata
from kernel.contract.version import Version
from kernel.errors import ContractInvalid, DocumentError, Place
from registry.compat.inputs import read_self_contained

METADATA = "meta.yaml"
DOCUMENTS = tuple(
    f"{stem}.{ending}" for stem in ("openapi", "asyncapi", "schema") for ending in ("yaml", "yml", "json")
)
_SKIPPED = frozenset({".git", "node_modules", ".venv", "__pycache__"})
MOST_CONTRACTS = 5_000
LARGEST_METADATA = 200_000  # bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """One contract version as it lies in a tree: where its two files are."""

    metadata: Path
    document: Path


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract version that was read: self-contained, with what its meta.yaml says and lacks."""

    folder: Folder
    name: str
    version: Version
    kind: Kind
    metadata: Metadata
    gaps: tuple[Finding, ...]
    document: Document


def discover(paths: Iterable[Path]) -> list[Folder]:
    """Find the contracts below some paths, sorted; raises `NoContracts` when there is none."""
    wanted = list(paths)
    found = {folder.metadata: folder for path in wanted for folder in _below(path)}
    if not found:
        shown = ", ".join(map(str, wanted))
        raise NoContracts(
            f"there is no {METADATA} with a document below {shown}",
            hint=f"a contract is a folder with {METADATA} and one of {', '.join(DOCUMENTS[::3])}",
        )
    return [found[path] for path in sorted(found)]


def _below(path: Path) -> Iterator[Folder]:
    if not path.exists():
        raise NoContracts(f"{path} does not exist", hint="name a folder of contracts")
    files = [path] if path.is_file() else sorted(path.rglob(METADATA))
    for count, file in enumerate(files):
        if count >= MOST_CONTRACTS:
            raise NoContracts(
                f"more than {MOST_CONTRACTS} contracts below {path}", hint="name a smaller folder"
            )
        home = file.parent
        if _SKIPPED & set(file.relative_to(path if path.is_dir() else home).parts):
            continue
        document = next((home / name for name in DOCUMENTS if (home / name).is_file()), None)
        if document is not None and (home / METADATA).is_file():
            yield Folder(home / METADATA, document)


def read(folder: Folder) -> Contract:
    """Read one contract; raises `DocumentError`, `ReferenceRefused` or `ContractInvalid` with the place."""
    if folder.metadata.stat().st_size > LARGEST_METADATA:
        raise DocumentError(f"{folder.metadata} is larger than {LARGEST_METADATA} bytes")
    metadata, gaps = read_metadata(folder.metadata.read_bytes(), str(folder.metadata))
    if metadata.name is None or metadata.version is None:
        what = "name" if metadata.name is None else "version"
        raise ContractInvalid(
            f"meta.yaml says no {what}",
            hint=f"add `{what}:` to it",
            place=Place(str(folder.metadata)),
        )
    document = read_self_contained(folder.document)
    return Contract(
        folder,
        metadata.name,
        Version.parse(metadata.version),
        kind_of(document.root),
        metadata,
        gaps,
        document,
    )
