"""Reads a contract file into a self-contained root: files inlined, canonical schemas embedded.

Registry URNs are looked up among the contracts beside the file (`contracts/<name>/<version>/`), by
digest. One that is not found there stands as an unreadable schema: it can be equal to itself, and
nothing else is concluded from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from kernel.contract.digest import digest
from kernel.contract.document import Document, kind_of
from kernel.contract.local_files import inline_files
from kernel.contract.references import embed_urns
from kernel.contract.sites import sites
from kernel.contract.urn import PREFIX, Urn
from kernel.errors import ReferenceRefused
from registry.compat.openapi_touched import text_of
from registry.compat.schema_view import UNRESOLVED, Unreadable

_NAMES = ("schema.json", "schema.yaml", "schema.yml")
_ABOVE = 6  # folders above the file in which `contracts` is looked for


def read_self_contained(path: Path, root: Path | None = None) -> Document:
    """Read a file with what it refers to; raises `DocumentError` and `ReferenceRefused` with the place."""
    document = inline_files(path, root)
    kind_of(document.root)
    return embedded(document, path) if _names_urns(document.root) else document


def embedded(document: Document, path: Path, lookup: Callable[[Urn], Any] | None = None) -> Document:
    """Give the document with its canonical schemas embedded, stand-ins for those that are not known.

    `lookup` gives a schema by URN; without it the `contracts` folders above `path` are asked.
    """
    lookup = lookup or beside(path)
    missing = {site.ref for site in sites(document.root) if _unknown(site.ref, lookup)}
    body = _stand_in(document.root, missing) if missing else document.root
    made = embed_urns(body, lookup)
    return document if made is document.root else replace(document, root=made)


def beside(path: Path) -> Callable[[Urn], Any]:
    """Give a lookup of URNs among the `contracts` folders above a file."""
    homes = [folder / "contracts" for folder in list(path.resolve().parents)[:_ABOVE]]
    homes += [folder for folder in list(path.resolve().parents)[:_ABOVE] if folder.name == "contracts"]

    def lookup(urn: Urn) -> Any:
        for home in homes:
            for name in _NAMES:
                file = home / urn.name / str(urn.version) / name
                if file.is_file():
                    found = inline_files(file).root
                    if digest(found) == urn.digest:
                        return found
        raise ReferenceRefused(f"{urn} is not known here", hint="run beside the canonical schemas")

    return lookup


def unresolved(node: Any) -> bool:
    """Whether a stand-in for an unknown canonical schema stands anywhere in a document: it would admit anything."""
    if isinstance(node, dict):
        return UNRESOLVED in node or any(unresolved(value) for value in node.values())
    return isinstance(node, list) and any(unresolved(item) for item in node)


def _names_urns(root: Any) -> bool:
    """Whether a registry URN stands anywhere in a document: most have none, and are not searched for them."""
    try:
        return PREFIX.encode() in text_of(root)
    except Unreadable:
        return True


def _unknown(ref: str, lookup: Callable[[Urn], Any]) -> bool:
    if not ref.startswith(PREFIX):
        return False
    try:
        embed_urns({"$ref": ref}, lookup)
    except ReferenceRefused:
        return True
    return False


def _stand_in(node: Any, missing: set[str]) -> Any:
    """Give the node with stand-ins for the URNs that are not known."""
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str) and node["$ref"] in missing:
            return {UNRESOLVED: node["$ref"]}
        return {key: _stand_in(value, missing) for key, value in node.items()}
    return [_stand_in(item, missing) for item in node] if isinstance(node, list) else node
