"""Reads interlock.toml, as far as it is about contracts: where they are, how they are judged, what is waived.

The file is looked for beside a contract and in the folders above it, up to the root of the repository. Each table
is one struct, declared where it is used; what a struct does not declare is refused with line and key.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import msgspec

from ci.errors import ProjectInvalid, ProjectUnreadable
from ci.project_lines import Path as KeyPath
from ci.project_lines import line_of
from kernel.errors import Place
from registry.compat.policy_severities import fault_of
from registry.compat.policy_tables import CompatTable, Waiver
from registry.lint.table import LintTable, faults_of

T = TypeVar("T", bound=msgspec.Struct)
FILE: Final = "interlock.toml"
LARGEST: Final = 256 * 1024  # bytes
MOST_WAIVERS: Final = 1_000
_DOCS: Final = "docs/reference/interlock-toml.md lists every key"
_SYNTAX: Final = re.compile(r"(.*?) \(at (?:line (\d+), column (\d+)|end of document)\)", re.DOTALL)
_FAULT: Final = re.compile(r"(.*?)(?: - at `(?:key in )?\$(.*)`)?", re.DOTALL)
_UNKNOWN: Final = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+|\.\.\.)\]")


class ContractsTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the contracts of the repository lie.

    `paths` are folders below which a folder with meta.yaml and a document is a contract, relative to interlock.toml.
    Where the file names none, it is the folder `contracts`, else everything below the file.
    """

    paths: Annotated[
        tuple[Annotated[str, msgspec.Meta(min_length=1)], ...], msgspec.Meta(max_length=100)
    ] = ()


class Tables(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file. `interlock` holds the [settings](settings.md) of the program itself."""

    contracts: ContractsTable = ContractsTable()
    compat: CompatTable = CompatTable()
    lint: LintTable = LintTable()
    waiver: Annotated[tuple[Waiver, ...], msgspec.Meta(max_length=MOST_WAIVERS)] = ()
    interlock: dict[str, Any] = {}


class WaiverFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A file of waivers alone, named by `[compat] waivers`."""

    waiver: Annotated[tuple[Waiver, ...], msgspec.Meta(max_length=MOST_WAIVERS)] = ()


@dataclass(frozen=True, slots=True)
class Project:
    """What was read; `file` is None where there is no interlock.toml, and everything is default.

    `waivers` are those of the file and of the files that it names; `places` say where each stands, in that order.
    """

    file: Path | None = None
    contracts: ContractsTable = field(default_factory=ContractsTable)
    compat: CompatTable = field(default_factory=CompatTable)
    lint: LintTable = field(default_factory=LintTable)
    waivers: tuple[Waiver, ...] = ()
    places: tuple[Place, ...] = ()

    @property
    def home(self) -> Path:
        """The folder that relative paths in the file are relative to."""
        return self.file.parent if self.file is not None else Path()

    @property
    def paths(self) -> tuple[Path, ...]:
        """Where the contracts lie: in what the file names, else in the folder `contracts`, else anywhere below."""
        if self.contracts.paths:
            return tuple(self.home / path for path in self.contracts.paths)
        usual = self.home / "contracts"
        return (usual if usual.is_dir() else self.home,)

    @property
    def houses(self) -> tuple[Path, ...]:
        """Where nothing but contracts lies, of what is there: half a contract is a mistake there."""
        if self.file is None or (not self.contracts.paths and self.paths == (self.home,)):
            return ()
        return tuple(path.resolve() for path in self.paths if path.exists())


def find_project(start: Path) -> Path | None:
    """Find interlock.toml in the folder of `start` or above it, up to the root of its repository."""
    folder = start.resolve()
    if not folder.is_dir():
        folder = folder.parent
    for here in (folder, *folder.parents):
        if (here / FILE).is_file():
            return here / FILE
        if (here / ".git").exists():
            return None
    return None


def project_of(start: Path) -> Project:
    """Read the interlock.toml that holds for a path, or give the defaults; raises as `read_project` does."""
    found = find_project(start)
    return Project() if found is None else read_project(found)


def read_project(file: Path) -> Project:
    """Read interlock.toml and the waiver files that it names.

    Raises `ProjectUnreadable` (no TOML, too large) and `ProjectInvalid` (unknown key, wrong value), both with
    file, line and key.
    """
    text, values = _parsed(file)
    tables = _converted(values, Tables, file, text)
    for rule, wanted in tables.compat.severity.items():
        fault = fault_of(rule, wanted)
        if fault:
            raise _invalid(file, text, ("compat", "severity", rule), fault)
    for keys, fault in faults_of(tables.lint):
        raise _invalid(file, text, ("lint", *keys), fault)
    waivers, places = list(tables.waiver), _places(tables.waiver, file, text)
    for index, name in enumerate(tables.compat.waivers):
        other = file.parent / name
        if not other.resolve().is_relative_to(file.parent.resolve()):
            fault = "a file of waivers lies beside interlock.toml or below it"
            raise _invalid(file, text, ("compat", "waivers", index), fault)
        text, values = _parsed(other)
        more = _converted(values, WaiverFile, other, text).waiver
        waivers += more
        places += _places(more, other, text)
    if len(waivers) > MOST_WAIVERS:
        raise ProjectInvalid(f"{file} and its files hold more than {MOST_WAIVERS} waivers")
    return Project(
        file, tables.contracts, tables.compat, tables.lint, waivers=tuple(waivers), places=tuple(places)
    )


def _parsed(file: Path) -> tuple[str, dict[str, Any]]:
    place = Place(str(file))
    try:
        data = file.read_bytes()
        if len(data) > LARGEST:
            raise ProjectUnreadable(f"{file} has more than {LARGEST} bytes", place=place)
        text = data.decode("utf-8")
    except OSError as error:
        raise ProjectUnreadable(f"{file} cannot be read: {error.strerror}", place=place) from None
    except UnicodeDecodeError:
        raise ProjectUnreadable(f"{file} is not UTF-8", hint="save it as UTF-8", place=place) from None
    try:
        return text, tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        found = _SYNTAX.fullmatch(str(error))
        what = found[1] if found else str(error)
        line, column = (int(found[2]), int(found[3])) if found and found[2] else (None, None)
        raise ProjectUnreadable(
            f"{file} is no TOML: {what}", hint="see https://toml.io", place=Place(str(file), line, column)
        ) from None


def _converted(values: dict[str, Any], form: type[T], file: Path, text: str) -> T:
    try:
        return msgspec.convert(values, type=form)
    except msgspec.ValidationError as error:
        found = _FAULT.fullmatch(str(error))
        what, path = (found[1].replace(" | null", ""), found[2] or "") if found else (str(error), "")
        keys: KeyPath = tuple(
            name or (int(index) if index.isdecimal() else index) for name, index in _STEP.findall(path)
        )
        unknown = _UNKNOWN.fullmatch(what)
        if unknown:
            keys += (unknown[1],)
            what = "there is no such key"
        if "..." in keys:
            keys = _named(values, keys, form)
        raise _invalid(file, text, keys, what) from None


def _named(values: dict[str, Any], keys: KeyPath, form: type[T]) -> KeyPath:
    """Find which name of a table is meant where msgspec says `[...]`: the first that is wrong by itself."""
    at = keys.index("...")
    table: Any = values
    for key in keys[:at]:
        table = table[key]
    for name in table:
        alone: Any = {name: table[name]}
        for key in reversed(keys[:at]):
            alone = {key: alone}
        try:
            msgspec.convert(alone, type=form)
        except msgspec.ValidationError:
            return (*keys[:at], name, *keys[at + 1 :])
    return keys[:at]


def _invalid(file: Path, text: str, keys: KeyPath, what: str) -> ProjectInvalid:
    shown = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).lstrip(".")[:200]
    return ProjectInvalid(
        f"`{shown}`: {what}" if shown else what, hint=_DOCS, place=Place(str(file), line_of(text, keys))
    )


def _places(waivers: tuple[Waiver, ...], file: Path, text: str) -> list[Place]:
    return [Place(str(file), line_of(text, ("waiver", index))) for index in range(len(waivers))]
