"""What contracts are compared against: another folder, a git commit, or a registry."""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ci.contracts import Contract, Folder, discover, read
from ci.errors import BaseUnusable, NoContracts
from kernel.contract.digest import digest
from kernel.contract.document import parse
from kernel.contract.version import Version
from kernel.errors import InterlockError

_GIT_SECONDS = 60.0
MOST_ARCHIVE = 512 * 1024 * 1024  # bytes of a commit's files
_NOT_FOUND = 404
_SERVED = frozenset({"frozen", "deprecated"})

Get = Callable[
    ..., Any
]  # GET of the registry's API: path parts, query; an InterlockError has the HTTP `status`


@dataclass(frozen=True, slots=True)
class BaseVersion:
    """One older version: self-contained root and digest."""

    version: Version
    root: Any
    digest: str  # empty where a version of the same number is the very same file


class Base(Protocol):
    """Something that knows earlier versions."""

    label: str

    def versions(self, name: str) -> tuple[BaseVersion, ...]:
        """Give the versions of a contract that somebody may rely on, oldest first."""


class FolderBase:
    """The contracts of a folder: of this tree, of another checkout, or of a commit."""

    def __init__(self, root: Path, label: str) -> None:
        self.label = label
        self._found: dict[str, list[BaseVersion]] = {}
        try:
            folders = discover([root])
        except NoContracts:
            folders = []
        for folder in folders:
            self._add(folder)

    def _add(self, folder: Folder) -> None:
        contract = read(folder)
        root = contract.document.root
        self._found.setdefault(contract.name, []).append(BaseVersion(contract.version, root, digest(root)))

    def versions(self, name: str) -> tuple[BaseVersion, ...]:
        """Give the versions of a contract that lie in the folder, oldest first."""
        return tuple(sorted(self._found.get(name, ()), key=lambda row: row.version))


class Siblings:
    """The other versions that lie in the same tree; a version is no base of itself."""

    label = "the versions in this tree"

    def __init__(self, contracts: Iterable[Contract]) -> None:
        self._found: dict[str, list[BaseVersion]] = {}
        for contract in contracts:
            row = BaseVersion(contract.version, contract.document.root, digest="")
            self._found.setdefault(contract.name, []).append(row)

    def versions(self, name: str) -> tuple[BaseVersion, ...]:
        """Give the versions of a contract that were found, oldest first."""
        return tuple(sorted(self._found.get(name, ()), key=lambda row: row.version))


class RegistryBase:
    """The versions that a registry has frozen and not retired."""

    label = "registry"

    def __init__(self, get: Get) -> None:
        self._get = get

    def versions(self, name: str) -> tuple[BaseVersion, ...]:
        """Ask for the served versions with their URNs embedded, oldest first."""
        try:
            listed = self._get("contracts", name, "versions")["versions"]
        except InterlockError as error:
            if getattr(error, "status", None) == _NOT_FOUND:
                return ()  # the first version of a new contract
            raise
        served = [row for row in listed if row["state"] in _SERVED]
        found = [self._version(name, row["version"]) for row in served]
        return tuple(sorted(found, key=lambda row: row.version))

    def _version(self, name: str, version: str) -> BaseVersion:
        answer = self._get("contracts", name, "versions", version, "document", form="embedded")
        root = parse(answer["document"].encode(), name=f"{name} {version}", media=answer["media"]).root
        return BaseVersion(Version.parse(version), root, digest(root))


@contextmanager
def commit(reference: str, paths: list[Path]) -> Iterator[FolderBase]:
    """Give the contracts of a commit; raises `BaseUnusable` for an unknown one. Works without a network."""
    home = paths[0] if paths[0].is_dir() else paths[0].parent
    top = Path(_git(home, "rev-parse", "--show-toplevel").decode().strip())
    resolved = _git(top, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{reference}^{{commit}}")
    inside = [str(path.resolve().relative_to(top)) for path in paths]
    with tempfile.TemporaryDirectory(prefix="interlock-base-") as folder:
        for path in inside:
            if _git(top, "ls-tree", resolved.decode().strip(), "--", path):
                _unpack(
                    _git(top, "archive", "--format=tar", resolved.decode().strip(), "--", path), Path(folder)
                )
        yield FolderBase(Path(folder), f"git:{reference}")


def _unpack(archive: bytes, folder: Path) -> None:
    if len(archive) > MOST_ARCHIVE:
        raise BaseUnusable(
            "the commit's contracts are too large to compare", hint="name the folder of contracts"
        )
    home = folder.resolve()
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        for member in tar:  # by hand: Debian 12's Python 3.11.2 has no extraction filters
            target = (home / member.name).resolve()
            data = tar.extractfile(member) if member.isreg() else None
            if data is not None and target.is_relative_to(home):
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data.read())


def _git(folder: Path, *arguments: str) -> bytes:
    try:
        command = ["git", "-C", str(folder), *arguments]  # references come after --end-of-options
        run = subprocess.run(command, capture_output=True, timeout=_GIT_SECONDS, check=False)  # noqa: S603 - no shell
    except FileNotFoundError:
        raise BaseUnusable("git is not installed", hint="install git, or use --against DIR") from None
    except subprocess.TimeoutExpired:
        raise BaseUnusable(f"git took longer than {_GIT_SECONDS:g} s", hint="run again") from None
    if run.returncode != 0:
        lines = run.stderr.decode("utf-8", "replace").strip().splitlines()
        said = lines[0][:300] if lines else f"git {arguments[0]} failed"
        raise BaseUnusable(said, hint="in a pipeline, fetch the base: git fetch origin main (depth 0)")
    return run.stdout
