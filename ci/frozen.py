"""Holds a tree to what was frozen: a version that others may rely on is neither edited, nor removed, nor doubled."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import fields
from pathlib import Path

from ci.bases import BaseVersion, FolderBase, Kept
from ci.contracts import Contract, Folder, identity
from ci.rules import found
from kernel.contract.finding import Finding
from kernel.contract.metadata import Metadata
from kernel.contract.version import Version
from kernel.errors import InterlockError

# What may be said anew of a frozen version: it is not what the board approved the exchange for.
_NOTES = frozenset({"title", "owner", "domain", "description"})
_MOST_COMPARED = 1_000  # files of one version


def same_files(folder: Folder, base: BaseVersion) -> bool:
    """Whether a version lies in the base with the very same bytes; quick, and never true by mistake."""
    if base.folder is None:
        return False
    mine, theirs = _files(folder.path), _files(base.folder.path)
    if mine is None or theirs is None or mine.keys() != theirs.keys():
        return False
    return all(file.read_bytes() == theirs[name].read_bytes() for name, file in mine.items())


def _files(folder: Path) -> dict[str, Path] | None:
    out: dict[str, Path] = {}
    for place, below, files in os.walk(folder):
        below.sort()
        for name in files:
            file = Path(place, name)
            out[str(file.relative_to(folder))] = file
            if len(out) > _MOST_COMPARED or file.is_symlink():
                return None
    return out


def edited(contract: Contract, base: BaseVersion) -> tuple[Finding, ...]:
    """Say what differs between a version here and the same version in the base; empty where nothing does."""
    out = []
    before, after = base.digest, contract.digest
    if before != after:
        what = f"{contract.label} is frozen ({base.place}), and its document has other content here"
        out.append(found("version-edited", "", what, base_pointer="", before=before, after=after))
    out += _metadata(contract, base)
    if not out and _rewritten(contract, base):
        what = f"the files of {contract.label} were rewritten without a change of meaning"
        out.append(found("version-rewritten", "", what))
    return tuple(out)


def _rewritten(contract: Contract, base: BaseVersion) -> bool:
    if base.folder is None:
        return False
    mine, theirs = contract.folder, base.folder
    pairs = ((mine.document, theirs.document), (mine.metadata, theirs.metadata))
    return any(here.read_bytes() != there.read_bytes() for here, there in pairs)


def _metadata(contract: Contract, base: BaseVersion) -> Iterator[Finding]:
    if base.folder is None:
        return
    _, _, theirs, _ = identity(base.folder)
    changed = [
        row.name
        for row in fields(Metadata)
        if getattr(theirs, row.name) != getattr(contract.metadata, row.name)
    ]
    shown = contract.folder.shown(contract.folder.metadata)
    for rule, names in (
        ("metadata-edited", [name for name in changed if name not in _NOTES]),
        ("metadata-notes-edited", [name for name in changed if name in _NOTES]),
    ):
        if names:
            before, after = (
                {name: _plain(getattr(one, name)) for name in names} for one in (theirs, contract.metadata)
            )
            what = (
                f"meta.yaml of {contract.label}, which is frozen, says something else of {', '.join(names)}"
            )
            yield found(rule, "", what, before=before, after=after, source=shown, line=1, column=1)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


Places = dict[tuple[str, Version], list[Folder]]  # name and version: where they lie


def identities(tree: Iterable[Folder]) -> Places:
    """Say where each version of a tree lies; folders that do not say what they are stand below ("", 0.0.0)."""
    out: Places = defaultdict(list)
    for folder in tree:
        try:
            name, version, _, _ = identity(folder)
        except InterlockError:
            name, version = "", Version(0, 0, 0)
        out[name, version].append(folder)
    return out


def doubled(contract: Contract, places: Iterable[Folder]) -> tuple[Finding, ...]:
    """Say which other folder claims to be the same version, if one does."""
    for other in places:
        if other.path != contract.folder.path:
            what = f"{contract.label} lies in two folders; the other one is {other.shown(other.path)}"
            shown = contract.folder.shown(contract.folder.metadata)
            return (found("version-twice", "/version", what, source=shown, line=1, column=1),)
    return ()


def moved(
    base: FolderBase,
    tree: Places,
    judged: Iterable[Folder],
    paths: Iterable[Path],
    home: Path,
    *,
    everything: bool,
) -> list[Folder]:
    """Give the folders outside of `paths` to which contracts moved that the base holds inside of them.

    They are judged too, or a frozen version could be edited by moving it to where nobody looks. A base that is
    another folder knows no place in this repository: its contracts are looked for where `everything` is judged.
    """
    known = {folder.document for folder in judged}
    scope = [path.resolve().relative_to(home) for path in paths if path.resolve().is_relative_to(home)]
    here = [
        any(kept.folder.path.relative_to(kept.folder.home).is_relative_to(path) for path in scope)
        for kept in base.kept
    ]
    if everything and (base.apart or not any(here)):
        here = [True] * len(here)  # a folder `contracts` that is new does not narrow what is looked at
    elif base.apart:
        return []
    inside = {(kept.name, kept.version) for kept, found in zip(base.kept, here, strict=True) if found}
    outside = {kept.name for kept, found in zip(base.kept, here, strict=True) if not found}
    names = {name for name, _ in inside} - outside
    return sorted(
        (
            folder
            for (name, version), folders in tree.items()
            if (name, version) in inside or name in names
            for folder in folders
            if folder.document not in known
        ),
        key=lambda folder: folder.document,
    )


def removed(
    base: FolderBase, tree: Places, judged: Iterable[Path], home: Path
) -> Iterator[tuple[Kept, Finding]]:
    """Say which frozen versions of the base are no longer in the tree, each with what became of its folder.

    `judged` are the paths that the gate was given: what lies elsewhere in the base is not looked for.
    """
    here = {
        folder.path.relative_to(home): f"{name} {version}".strip() if name else ""
        for (name, version), folders in tree.items()
        for folder in folders
        if folder.path.is_relative_to(home)
    }
    scope = [path.resolve().relative_to(home) for path in judged if path.resolve().is_relative_to(home)]
    names = {name for name, _ in tree}
    for kept in sorted(base.kept, key=lambda row: (row.name, row.version)):
        place = kept.folder.path.relative_to(kept.folder.home)
        there = (kept.name, kept.version) in tree or here.get(
            place
        ) == ""  # unreadable: told where it is judged
        inside = base.apart or any(place.is_relative_to(path) for path in scope)
        if there or kept.version.prerelease or not inside or not base.removed_here(kept):
            continue
        yield kept, _removed(kept, here.get(place), names, base.label)


def _removed(kept: Kept, now: str | None, names: set[str], label: str) -> Finding:
    label_of = f"{kept.name} {kept.version}"
    what = f"{label_of} is frozen ({label}), and it is not here any more"
    if now:
        what = f"{label_of} is frozen ({label}), and its folder says {now} now: a new version gets a folder of its own"
    elif kept.name not in names:
        what += f"; no version of {kept.name} is left"
    return found("version-removed", "", what, before=label_of, after=now)
