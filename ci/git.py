"""Reads commits of the repository around a folder: which files, their bytes, nothing else, and never the network."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ci.errors import BaseUnusable

_SECONDS = 120.0
_SUBMODULE = "160000"
_SYMLINK = "120000"
MOST_FILES = 200_000
MOST_BYTES = 512 * 1024 * 1024  # of all files that are read from one commit
_FETCH = (
    "fetch it first: `git fetch origin main`, then `--against git:origin/main` "
    "(GitHub Actions: `fetch-depth: 0`; GitLab: `GIT_DEPTH: 0`)"
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a commit: its path from the repository's root, its blob and size in bytes."""

    path: str
    blob: str
    size: int
    link: bool = False  # its bytes are the path that it links to


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit: the repository's root, the name that was asked for, and the id it has."""

    top: Path
    reference: str
    id: str

    @classmethod
    def find(cls, folder: Path, reference: str) -> Commit:
        """Look a reference up in the repository around a folder; raises `BaseUnusable` saying what to do."""
        top = Path(_git(folder, "rev-parse", "--show-toplevel").decode().strip())
        asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
        try:
            return cls(top, reference, _git(top, *asked).decode().strip())
        except BaseUnusable:
            raise _unknown(top, reference) from None

    def entries(self) -> Iterator[Entry]:
        """List files and symbolic links; raises `BaseUnusable` above `MOST_FILES`."""
        for count, (mode, kind, blob, size, path) in enumerate(self._listed()):
            if count >= MOST_FILES:
                raise BaseUnusable(f"{self.reference} has more than {MOST_FILES} files", hint="name a folder")
            if kind == "blob":
                yield Entry(path, blob, int(size), mode == _SYMLINK)

    def submodules(self) -> tuple[str, ...]:
        """Give the paths of other repositories that are mounted in the commit."""
        return tuple(path for mode, _, _, _, path in self._listed() if mode == _SUBMODULE)

    def _listed(self) -> Iterator[tuple[str, str, str, str, str]]:
        for line in _git(self.top, "ls-tree", "-r", "-l", "-z", "--full-tree", self.id).split(b"\0"):
            head, tab, path = line.partition(b"\t")
            if tab:
                mode, kind, blob, size = head.decode("ascii").split()
                yield mode, kind, blob, size, path.decode("utf-8", "surrogateescape")

    def read(self, entries: Iterable[Entry]) -> Iterator[tuple[Entry, bytes]]:
        """Give the bytes of files, as they were committed: no attribute or filter changes them."""
        wanted = list(entries)
        if sum(entry.size for entry in wanted) > MOST_BYTES:
            raise BaseUnusable(
                f"the contracts of {self.reference} have more than {MOST_BYTES} bytes",
                hint="name the folder of contracts",
            )
        asked = "".join(f"{entry.blob}\n" for entry in wanted).encode("ascii")
        answer = _git(self.top, "cat-file", "--batch", given=asked) if wanted else b""
        at = 0
        for entry in wanted:
            line_end = answer.index(b"\n", at)
            start = line_end + 1
            if not answer[at:line_end].endswith(f" blob {entry.size}".encode("ascii")):
                raise BaseUnusable(
                    f"git does not hold {entry.path} of {self.reference}",
                    hint="the clone is partial: fetch it whole (git fetch --refetch)",
                )
            at = start + entry.size + 1
            yield entry, answer[start : start + entry.size]

    def fork_point(self) -> Commit | None:
        """Give the commit from which the checked out branch left this one; None where the clone lacks it."""
        try:
            found = _git(self.top, "merge-base", self.id, "HEAD").decode().strip()
        except BaseUnusable:
            return None
        return Commit(self.top, self.reference, found)


def _unknown(top: Path, reference: str) -> BaseUnusable:
    shown = reference[:100]
    if _git(top, "rev-parse", "--is-shallow-repository").strip() == b"true":
        return BaseUnusable(
            f"this clone is shallow and does not hold {shown!r}, so there is nothing to compare with",
            hint=_FETCH,
        )
    return BaseUnusable(f"this repository knows no commit called {shown!r}", hint=_FETCH)


def _git(folder: Path, *arguments: str, given: bytes | None = None) -> bytes:
    # No protocol is allowed: a partial clone must not fetch what it lacks behind our back.
    command = ["git", "-c", "protocol.allow=never", "-C", str(folder), *arguments]
    try:
        run = subprocess.run(command, input=given, capture_output=True, timeout=_SECONDS, check=False)  # noqa: S603 - no shell; references come after --end-of-options
    except FileNotFoundError:
        raise BaseUnusable("git is not installed", hint="install git, or use --against DIR") from None
    except subprocess.TimeoutExpired:
        raise BaseUnusable(f"git took longer than {_SECONDS:g} s", hint="run again") from None
    if run.returncode != 0:
        lines = run.stderr.decode("utf-8", "replace").strip().splitlines()
        said = lines[0][:300] if lines else f"git {arguments[0]} failed"
        raise BaseUnusable(said, hint="git: references need a git repository; --against DIR needs none")
    return run.stdout
