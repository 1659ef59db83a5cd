"""What contracts are compared against: the same tree, another folder, one file, or a registry."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ci.contracts import DOCUMENTS, METADATA, Contract, Folder, discover, identity, read
from ci.errors import BaseUnusable, NoContracts
from kernel.contract.digest import digest
from kernel.contract.document import Document, parse
from kernel.contract.version import Version
from kernel.errors import ContractInvalid, InterlockError

_NOT_FOUND = 404
_SERVED = frozenset({"frozen", "deprecated"})
_RETIRED = "retired"

Get = Callable[
    ..., Any
]  # GET of the registry's API: path parts, query; an InterlockError has the HTTP `status`


class BaseVersion:
    """One earlier version: `place` names it for people, `document` is read when it is asked for.

    `version` is None for a file that says none. `folder` is there where the version lies in files. What is
    `frozen` may not be edited; on what is `retired` nobody relies, and its number is taken all the same.
    """

    def __init__(
        self, version: Version | None, place: str, load: Callable[[], Loaded], folder: Folder | None = None,
        *, frozen: bool = True, retired: bool = False,
    ) -> None:  # fmt: skip
        self.version = version
        self.place = place
        self.folder = folder
        self.frozen = frozen
        self.retired = retired
        self._load = load

    @cached_property
    def _loaded(self) -> Loaded:
        return self._load()

    @property
    def document(self) -> Document:
        """The self-contained document; raises what reading it raises."""
        return self._loaded.document

    @property
    def digest(self) -> str:
        """The digest that the registry gives it; raises what reading it raises."""
        return self._loaded.digest


class Loaded(Protocol):
    """What a base gives of a version; a `Contract` is one."""

    @property
    def document(self) -> Document:
        """The self-contained document."""

    @property
    def digest(self) -> str:
        """The digest of the document with its URNs as written."""


@dataclass(frozen=True, slots=True)
class Bare:
    """A version that is no folder with a meta.yaml."""

    document: Document
    digest: str


class Base(Protocol):
    """Something that knows earlier versions."""

    label: str

    def versions(self, name: str) -> tuple[BaseVersion, ...]:
        """Give the versions of a contract that somebody may rely on, oldest first."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A version that the base holds as frozen: where it lay there, relative to the repository."""

    name: str
    version: Version
    folder: Folder
    kind: str

    def as_version(self) -> BaseVersion:
        """Give it as something to compare with."""
        return BaseVersion(
            self.version, self.folder.shown(self.folder.document), lambda: read(self.folder), self.folder
        )


class FolderBase:
    """The contracts of another folder, such as a checkout of what is released.

    `root` is that folder. `whole`: it is an earlier state of this very repository. `apart`: its paths are not
    those of the repository.
    """

    whole = False
    apart = True

    def __init__(self, root: Path, label: str) -> None:
        self.label = label
        self._found: dict[str, list[BaseVersion]] = {}
        self.kept: list[Kept] = []
        self.root = root.resolve()
        try:
            folders = discover([self.root], self.root, hidden=self.whole)
        except NoContracts:
            folders = []
        for folder in folders:
            self._add(folder)

    def _add(self, folder: Folder) -> None:
        try:
            name, version, metadata, _ = identity(folder)
        except InterlockError:
            return  # it says not what it is: nobody can have frozen it
        place = f"{self.label.rstrip('/')}{':' if self.whole else '/'}{folder.shown(folder.document)}"
        base = BaseVersion(version, place, lambda: read(folder), folder)
        self._found.setdefault(name, []).append(base)
        self.kept.append(Kept(name, version, folder, metadata.kind or ""))

    def versions(self, name: str) -> tuple[BaseVersion, ...]:
        """Give the versions of a contract that lie in the folder, oldest first."""
        return _sorted(self._found.get(name, ()))

    def removed_here(self, kept: Kept) -> bool:
        """Whether a version that is missing here was taken away here."""
        return bool(kept)


class Siblings:
    """The other versions that lie in the same tree; a version is no base of itself."""

    label = "the other versions in this tree"

    def __init__(self, folders: Iterable[Folder], reading: Callable[[Folder], Contract]) -> None:
        self._reading = reading
        self._found: dict[str, list[BaseVersion]] = {}
        for folder in folders:
            try:
                name, version, _, _ = identity(folder)
            except InterlockError:
                continue  # it is told where it is judged
            self._found.setdefault(name, []).append(self._lying(folder, version))

    def versions(self, name: str) -> tuple[BaseVersion, ...]:
        """Give the versions of a contract that were found, oldest first."""
        return _sorted(self._found.get(name, ()))

    def _lying(self, folder: Folder, version: Version) -> BaseVersion:
        return BaseVersion(
            version, folder.shown(folder.document), lambda: self._reading(folder), frozen=False
        )


class FileBase:
    """One document, for whichever contract is judged; its number is what meta.yaml or `info.version` says.

    It is read at once: raises `BaseUnusable` for what is no document.
    """

    def __init__(self, file: Path) -> None:
        from registry.compat.inputs import read_self_contained  # noqa: PLC0415 - only for bare files

        self.label = str(file)
        self._file = file.resolve()
        self._bare: Bare | None = None
        if self._folder is not None:
            return
        try:
            document = read_self_contained(self._file)
        except InterlockError as error:
            raise BaseUnusable(
                f"{self.label} cannot be compared with: {error.message}", hint=error.hint, place=error.place
            ) from None
        self._bare = Bare(document, digest(document.root))

    @property
    def _folder(self) -> Folder | None:
        """The contract's folder, where the file lies in one."""
        folder = Folder(self._file.parent, self._file.parent / METADATA, self._file)
        return folder if folder.metadata.is_file() and self._file.name in DOCUMENTS else None

    def versions(self, name: str) -> tuple[BaseVersion, ...]:
        """Give the one version that the file is."""
        folder, bare = self._folder, self._bare
        if folder is not None:
            theirs, version, _, _ = identity(folder)
            if theirs != name:
                raise BaseUnusable(
                    f"{self.label} is a version of {theirs}, not of {name}", hint="name its contract"
                )
            return (BaseVersion(version, self.label, lambda: read(folder), frozen=False),)
        assert bare is not None  # one of the two
        return (BaseVersion(_declared(bare.document.root), self.label, lambda: bare, frozen=False),)


def _declared(root: Any) -> Version | None:
    info = root.get("info") if isinstance(root, dict) else None
    try:
        return Version.parse(str(info["version"])) if isinstance(info, dict) and "version" in info else None
    except ContractInvalid:
        return None


class RegistryBase:
    """The versions that a registry has frozen, those that it has retired among them."""

    label = "registry"

    def __init__(self, get: Get) -> None:
        self._get = get

    def versions(self, name: str) -> tuple[BaseVersion, ...]:
        """Ask for the versions with their URNs embedded, oldest first."""
        try:
            listed = self._get("contracts", name, "versions")["versions"]
        except InterlockError as error:
            if getattr(error, "status", None) == _NOT_FOUND:
                return ()  # the first version of a new contract
            raise
        return _sorted(
            self._version(name, row) for row in listed if row["state"] in _SERVED or row["state"] == _RETIRED
        )

    def _version(self, name: str, row: dict[str, str]) -> BaseVersion:
        version, known = row["version"], row["digest"]

        def load() -> Loaded:
            answer = self._get("contracts", name, "versions", version, "document", form="embedded")
            document = parse(answer["document"].encode(), name=f"{name} {version}", media=answer["media"])
            return Bare(document, known)

        place, retired = f"registry:{name} {version}", row["state"] == _RETIRED
        return BaseVersion(Version.parse(version), place, load, retired=retired)


def _sorted(versions: Iterable[BaseVersion]) -> tuple[BaseVersion, ...]:
    return tuple(sorted(versions, key=lambda row: row.version or Version(0, 0, 0)))
