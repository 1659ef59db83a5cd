"""The contracts of a git commit, as something to compare with; works without a network."""

from __future__ import annotations

import os
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ci.bases import FolderBase, Kept
from ci.contracts import METADATA
from ci.errors import BaseUnusable
from ci.git import Commit, Entry
from kernel.contract.metadata import read_metadata
from kernel.errors import InterlockError


class GitBase(FolderBase):
    """The contracts of a commit; `fork` are the versions that it had when this branch began, None if not known."""

    whole = True
    apart = False

    def __init__(self, root: Path, commit: Commit, fork: frozenset[tuple[str, str]] | None) -> None:
        super().__init__(root, f"git:{commit.reference}")
        self.fork = fork

    def removed_here(self, kept: Kept) -> bool:
        """Whether it was there when this branch began; where that is not known it counts as taken away."""
        return self.fork is None or (kept.name, str(kept.version)) in self.fork


@contextmanager
def commit(reference: str, home: Path, paths: Iterable[Path] = ()) -> Iterator[GitBase]:
    """Give the contracts of a commit, those below `paths` in any case; works without a network.

    Where they lay is what the interlock.toml of that commit says: what a change writes into its own hides nothing.
    Raises `BaseUnusable` for a commit that is not there.
    """
    found = Commit.find(home, reference)
    mounted = [path for path in found.submodules() if "contracts" in Path(path).parts]
    if mounted:
        raise BaseUnusable(
            f"{mounted[0]} is a submodule, whose contracts git does not keep here",
            hint="run the gate inside the submodule",
        )
    with tempfile.TemporaryDirectory(prefix="interlock-base-") as folder:
        root = Path(folder).resolve()
        given = [
            path.resolve().relative_to(found.top)
            for path in paths
            if path.resolve().is_relative_to(found.top)
        ]
        _lay_out(found, root, given)
        fork = found.fork_point()
        same = fork is None or fork.id == found.id
        yield GitBase(root, found, None if same or fork is None else _identities(fork))


def _lay_out(found: Commit, root: Path, given: list[Path]) -> None:
    """Write the folders of contracts, and nothing else of the commit, below a folder."""
    entries = list(found.entries())
    homes = {Path(entry.path).parent for entry in entries if Path(entry.path).name == METADATA}
    within = _named_paths(found, entries)
    if within:
        homes = {folder for folder in homes if any(folder.is_relative_to(path) for path in (*within, *given))}
    wanted = [entry for entry in entries if not homes.isdisjoint(Path(entry.path).parents)]
    files = {entry.path: entry for entry in entries if not entry.link}
    linked: list[tuple[str, Entry]] = []
    for entry, data in found.read(wanted):
        if entry.link:
            named = os.path.normpath(Path(entry.path).parent / os.fsdecode(data))
            linked += [(entry.path, files[named])] if named in files else []
        else:
            _write(root, entry.path, data)
    for (path, _), (_, data) in zip(linked, found.read(one for _, one in linked), strict=True):
        _write(root, path, data)


def _write(root: Path, path: str, data: bytes) -> None:
    target = (root / path).resolve()
    if target.is_relative_to(root):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)


def _named_paths(found: Commit, entries: list[Entry]) -> list[Path]:
    """Give where the commit's interlock.toml says that contracts lie; nothing where it says nothing readable."""
    files = [entry for entry in entries if entry.path == "interlock.toml"]
    for _, data in found.read(files):
        try:
            named = tomllib.loads(data.decode()).get("contracts", {}).get("paths", [])
            return [Path(os.path.normpath(path)) for path in named]
        except (ValueError, TypeError, AttributeError):
            return []
    return []


def _identities(found: Commit) -> frozenset[tuple[str, str]]:
    names = set()
    metas = [entry for entry in found.entries() if Path(entry.path).name == METADATA]
    for _, data in found.read(metas):
        try:
            metadata, _ = read_metadata(data)
        except InterlockError:
            continue
        names.add((metadata.name or "", metadata.version or ""))
    return frozenset(names)
