"""What is known of all contracts of a repository, whichever are judged: each is read once, when it is needed."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from ci.bases import Base, BaseVersion, FolderBase, Get, Siblings
from ci.canonical import Shelf, pins, shelf
from ci.contracts import Contract, Folder, discover, read
from ci.errors import NoContracts
from ci.frozen import identities, same_files
from ci.users import readable
from kernel.contract.version import Version

_NONE = Version(0, 0, 0)


class Tree:
    """The contracts of a repository; `base` is an earlier state of it or another folder, if there is one.

    `places` say where each name and version lies; what lies in the folder that is compared with is left out there.
    """

    def __init__(self, home: Path, below: Iterable[Path], base: FolderBase | None, get: Get | None) -> None:
        self._base = base
        self._get = get
        self._known: dict[Path, Contract] = {}
        try:
            self.folders = discover([path for path in below if path.exists()], home)
        except NoContracts:
            self.folders = []
        here = (one for one in self.folders if base is None or not one.path.is_relative_to(base.root))
        self.places = identities(here)

    def read(self, folder: Folder) -> Contract:
        """Read a contract, once; raises what reading it raises."""
        if folder.document not in self._known:
            self._known[folder.document] = read(folder)
        return self._known[folder.document]

    def with_new(
        self, contract: Contract, bases: tuple[BaseVersion, ...], base: Base
    ) -> tuple[BaseVersion, ...]:
        """Add the versions before a contract that are as new as it is to those of a base, oldest first.

        They will be frozen together with it, so it must not break them either.
        """
        if not isinstance(base, FolderBase):
            return bases
        known = {one.version for one in base.versions(contract.name)}
        new = Siblings(
            (
                folders[0]
                for (name, version), folders in self.places.items()
                if name == contract.name and version < contract.version and version not in known
            ),
            self.read,
        )
        return tuple(sorted((*bases, *new.versions(contract.name)), key=lambda one: one.version or _NONE))

    @cached_property
    def users(self) -> tuple[Contract, ...]:
        """The contracts that refer to canonical schemas."""
        return tuple(readable((one for one in self.folders if pins(one)), self._known))

    @cached_property
    def touched(self) -> frozenset[tuple[str, str]]:
        """The schemas of the base that are edited or gone here, by name and version."""
        out = set()
        for kept in self._base.kept if self._base is not None else ():
            here = self.places.get((kept.name, kept.version), [])
            if kept.kind == "schema" and not any(same_files(one, kept.as_version()) for one in here):
                out.add((kept.name, str(kept.version)))
        return frozenset(out)

    @cached_property
    def shelf(self) -> Shelf:
        """The canonical schemas of the tree, and a registry's."""
        schemas = (folder for folder in self.folders if folder.document.name.startswith("schema."))
        return shelf(readable(schemas, self._known), self._get, self.touched)

    @property
    def silence(self) -> str:
        """Why the registry was not asked any more; empty where it answered, or nothing was asked."""
        looked_up: Shelf | None = self.__dict__.get("shelf")
        return looked_up.silent if looked_up is not None else ""


def to_judge(paths: Iterable[Path], home: Path, houses: Iterable[Path], base: Base | None) -> list[Folder]:
    """Find the contracts below the paths that were given; none where all that the base had there are gone.

    Raises `NoContracts` for a path that is not there and was not in the base, however many others are.
    """
    kept = base.kept if isinstance(base, FolderBase) and base.whole else []
    places = [row.folder.path.relative_to(row.folder.home) for row in kept]
    here = []
    for path in paths:
        full = path.resolve()
        if full.exists():
            here.append(path)
        elif not full.is_relative_to(home) or not any(
            place.is_relative_to(full.relative_to(home)) for place in places
        ):
            raise NoContracts(f"{path} does not exist", hint="name a folder of contracts")
    try:
        return discover(here, home, houses=houses) if here else []
    except NoContracts:
        if not kept:
            raise
        return []  # all are gone, and that is what must be told
