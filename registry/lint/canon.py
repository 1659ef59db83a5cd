"""The canonical schemas that a document is held against: given by whoever lints, from the registry or a tree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from kernel.contract.digest import digest
from kernel.contract.document import kind_of
from kernel.contract.grammar import grammar_of, members
from kernel.contract.local_files import inline_files
from kernel.contract.urn import NAME, PREFIX
from kernel.contract.version import Version
from kernel.errors import InterlockError
from registry.lint.words import folded

MOST_SCHEMAS = 500  # canonical schemas that one document is held against
_FILES = ("schema.json", "schema.yaml", "schema.yml")


@dataclass(frozen=True, slots=True)
class CanonicalSchema:
    """One frozen canonical schema, as it is `written` and as a self-contained `root`."""

    name: str
    version: Version
    written: Any
    root: Any
    urn: str

    @property
    def title(self) -> str:
        """`lab-order 1.0.0`."""
        return f"{self.name} {self.version}"


class Canon:
    """Some canonical schemas, and the vocabulary that they speak."""

    def __init__(self, schemas: tuple[CanonicalSchema, ...] = ()) -> None:
        self.schemas = schemas[:MOST_SCHEMAS]

    def without(self, name: str) -> Canon:
        """Give the others, for the schema of that name itself."""
        return Canon(tuple(one for one in self.schemas if one.name != name))

    @cached_property
    def vocabulary(self) -> dict[str, dict[str, str]]:
        """The names of all properties: folded name → as it is spelled → which schema spells it so."""
        found: dict[str, dict[str, str]] = {}
        for one in self.schemas:
            for name in property_names(one.written):
                found.setdefault(folded(name), {}).setdefault(name, one.title)
        return found


NO_CANON = Canon()


def property_names(root: Any) -> Iterator[str]:
    """Give the name of every property of a schema, those inside it too; a name may come twice."""
    grammar = grammar_of(root)
    stack: list[tuple[Any, str]] = [(root, grammar.root)]
    while stack:
        node, type_ = stack.pop()
        if isinstance(node, dict):
            properties = node.get("properties")
            yield from (name for name in properties or () if isinstance(name, str))
            for _, value, row in grammar.fields(type_, node):
                stack.extend((item, row.type) for _, item in members(row, value))


def canon_beside(home: Path, lookup: Any) -> Canon:
    """Read the newest version of each canonical schema below a folder of contracts, `<name>/<version>/`.

    `lookup` gives the root of a URN. What cannot be read is left out: it has findings of its own.
    """
    newest: dict[str, CanonicalSchema] = {}
    for folder in sorted(home.glob("*/*"))[: 4 * MOST_SCHEMAS] if home.is_dir() else ():
        file = next((folder / name for name in _FILES if (folder / name).is_file()), None)
        if file is None or not NAME.fullmatch(folder.parent.name):
            continue
        found = _read(folder, file, lookup)
        if found and (found.name not in newest or newest[found.name].version < found.version):
            newest[found.name] = found
    return Canon(tuple(newest.values()))


def _read(folder: Path, file: Path, lookup: Any) -> CanonicalSchema | None:
    try:
        version = Version.parse(folder.name)
        root = inline_files(file).root
        if kind_of(root) != "schema" or not isinstance(root, dict):
            return None
        urn = f"{PREFIX}{folder.parent.name}:{version}:{digest(root).replace(':', '-')}"
        return CanonicalSchema(folder.parent.name, version, root, lookup(root), urn)
    except (InterlockError, OSError):
        return None
