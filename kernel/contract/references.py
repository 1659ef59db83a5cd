"""References inside a contract: where they stand, what they may point to, and URNs made local.

The registry fetches nothing (DESIGN §7.12): a reference points into its own document (`#/…`) or names
a canonical schema by registry URN. Files are inlined before, by the client (local_files.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from kernel.contract.digest import digest
from kernel.contract.document import kind_of, specification
from kernel.contract.grammar import grammar_of
from kernel.contract.positions import token, tokens_of
from kernel.contract.sites import Site, fragment, local_pointer, resolve_pointer, sites
from kernel.contract.urn import PREFIX, Urn
from kernel.errors import Place, ReferenceRefused

__all__ = [
    "Site",
    "check_references",
    "embed_urns",
    "free_name",
    "local_pointer",
    "lost_references",
    "replaced",
    "resolve_pointer",
    "sites",
]

MAX_EMBEDDED = 200  # canonical schemas in one contract, those that others need included
DRAFT_2020_12 = "https://json-schema.org/draft/2020-12/schema"
_SCHEMAS = frozenset({"schema", "payload"})
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


def check_references(root: Any) -> None:
    """Hold a document to what the registry takes; raises `ReferenceRefused` with the pointer.

    Local references must point to something, URNs may stand where a schema may, nothing else is allowed,
    and no chain of references leads back to itself without anything between.
    """
    for error in lost_references(root):
        raise error


def lost_references(root: Any) -> Iterator[ReferenceRefused]:
    """Give an error for every reference that `check_references` refuses: those that lead nowhere first."""
    lost: list[ReferenceRefused] = []
    found = list(sites(root, lost=lost))
    yield from lost
    known = {error.place.pointer for error in lost if error.place}
    nexts: dict[int, Any] = {}
    held: list[Site] = []
    for site in found:
        if site.pointer in known:
            continue
        if site.form == "one" and site.ref.startswith("#"):
            target = resolve_pointer(root, local_pointer(site.ref, site.pointer), at=site.pointer)
            nexts[id(site.holder)] = target
            held.append(site)
        else:
            yield from _strange(site)
    for site in held:
        yield from _loop(site, nexts)


def _strange(site: Site) -> Iterator[ReferenceRefused]:
    """Judge a reference that is not local."""
    if site.form != "one":
        yield _refused(
            site, "a $ref stands for a whole map or list", "write the map out, or inline the files"
        )
    elif site.ref.startswith(PREFIX):
        try:
            _urn(site)
        except ReferenceRefused as error:
            yield error
    else:
        yield _refused(
            site,
            f"{site.ref[:200]!r} points out of the document",
            "nothing is fetched: the command line inlines local files, URNs name canonical schemas",
        )


def embed_urns(root: Any, lookup: Callable[[Urn], Any]) -> Any:
    """Give the document with every URN made local: the schemas embedded, those that they need too.

    `lookup` gives a canonical schema's root by URN (it raises where there is none); its digest must be
    the URN's. The input is not changed; without URNs it is given back as it is. Raises `ReferenceRefused`.
    """
    embedding = _Embedding(root, lookup)
    return embedding.result()


@dataclass(slots=True)
class _Embedding:
    root: Any
    lookup: Callable[[Urn], Any]
    names: dict[str, str] = field(
        default_factory=dict
    )  # digest of the schema -> its name among the components
    bodies: dict[str, Any] = field(default_factory=dict)

    def result(self) -> Any:
        grammar = grammar_of(self.root)
        found = [site for site in sites(self.root, grammar) if site.ref.startswith(PREFIX)]
        if not found:
            return self.root
        section = grammar.sections["schema"]
        taken = members_of(self.root, section)
        refs = {id(site.holder): self._local(_urn(site), section, taken) for site in found}
        changed = replaced(self.root, refs)
        return with_section(changed, section, self.bodies)

    def _local(self, urn: Urn, section: str, taken: dict[str, Any]) -> str:
        """Embed the schema unless it is, and give the local reference to the URN's target."""
        name = self.names.get(urn.digest)
        if name is None:
            body = self.lookup(urn)
            if digest(body) != urn.digest:
                raise ReferenceRefused(
                    f"the schema kept as {urn.name} {urn.version} does not have the digest of the URN",
                    hint=f"pin the digest of the frozen version: {PREFIX}{urn.name}:{urn.version}:…",
                )
            if kind_of(body) != "schema" or not isinstance(body, dict):
                raise ReferenceRefused(
                    f"{urn.name} is no canonical schema", hint="URNs name contracts of kind schema"
                )
            if len(self.names) >= MAX_EMBEDDED:
                raise ReferenceRefused(
                    f"more than {MAX_EMBEDDED} canonical schemas", hint="split the contract"
                )
            name = free_name(f"{urn.name}-{urn.version}", taken.keys() | self.bodies.keys())
            self.names[urn.digest] = name
            self.bodies[name] = None  # keeps its place in the order while what it needs is embedded
            self.bodies[name] = self._rebased(body, f"{section}/{name}", section, taken)
        pointer = local_pointer(f"#{urn.pointer}")
        resolve_pointer(self.bodies[name], pointer)
        return fragment(f"{section}/{name}{pointer}")

    def _rebased(
        self, body: dict[str, Any], base: str, section: str, taken: dict[str, Any]
    ) -> dict[str, Any]:
        refs: dict[int, str] = {}
        for site in sites(body):
            if site.ref.startswith("#"):
                refs[id(site.holder)] = fragment(base + local_pointer(site.ref, site.pointer))
            else:
                refs[id(site.holder)] = self._local(_urn(site), section, taken)
        changed = dict(replaced(body, refs))
        changed.pop("$id", None)  # it would make a base of its own for the references inside
        dialect = changed.pop("$schema", DRAFT_2020_12)
        if dialect != default_dialect(self.root):
            changed = {"$schema": dialect, **changed}
        return changed


def default_dialect(root: Any) -> str:
    """Name the dialect of schemas that have no `$schema`: a URI, or the specification where it has none."""
    kind, version = kind_of(root), specification(root)
    if kind == "schema":
        return version or DRAFT_2020_12
    if kind == "openapi" and not version.startswith("3.0"):
        dialect = root.get("jsonSchemaDialect", DRAFT_2020_12)
        return DRAFT_2020_12 if dialect.startswith("https://spec.openapis.org/oas/3.") else str(dialect)
    return f"{kind} {version}"  # no JSON Schema dialect: embedded schemas say which one they follow


def replaced(node: Any, refs: dict[int, str]) -> Any:
    """Copy a tree where the holders listed by `id` get another `$ref`; untouched parts stay shared."""
    if isinstance(node, dict):
        changed: dict[str, Any] | None = None
        for key, value in node.items():
            new = replaced(value, refs) if isinstance(value, dict | list) else value
            if new is not value:
                changed = changed if changed is not None else dict(node)
                changed[key] = new
        if id(node) in refs:
            changed = changed if changed is not None else dict(node)
            changed["$ref"] = refs[id(node)]
        return node if changed is None else changed
    if isinstance(node, list):
        items = [replaced(item, refs) if isinstance(item, dict | list) else item for item in node]
        return node if all(new is old for new, old in zip(items, node, strict=True)) else items
    return node


def free_name(wanted: str, taken: Any) -> str:
    """Give a component name like `wanted` that is not taken, numbered where needed."""
    name = _NOT_IN_NAMES.sub("-", wanted).strip("-") or "part"
    number, candidate = 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name}-{number}"
    return candidate


def members_of(root: Any, section: str) -> dict[str, Any]:
    """Give the members of a component section, none where there is no such section."""
    node = root
    for step in tokens_of(section):
        node = node.get(step, {}) if isinstance(node, dict) else {}
    return node if isinstance(node, dict) else {}


def with_section(root: Any, section: str, additions: dict[str, Any]) -> Any:
    """Copy the root with members added to one section, the path to it included."""
    first, *rest = tokens_of(section)
    below = root.get(first, {})
    inner = {**below, **additions} if not rest else with_section(below, token(rest[0]), additions)
    return {**root, first: inner}


def _urn(site: Site) -> Urn:
    if site.form != "one" or site.type not in _SCHEMAS:
        raise _refused(site, "a URN stands where no schema may stand", "URNs name canonical schemas")
    if not site.ref.startswith(PREFIX):
        raise _refused(site, f"{site.ref[:200]!r} points out of the document", "refer to #/… or to a URN")
    try:
        return Urn.parse(site.ref)
    except ReferenceRefused as error:
        raise _refused(site, error.message, error.hint) from None


def _loop(site: Site, nexts: dict[int, Any]) -> Iterator[ReferenceRefused]:
    passed: set[int] = set()
    node: Any = site.holder
    while id(node) in nexts:
        if id(node) in passed:
            yield _refused(
                site, "a chain of references leads back to itself", "let one of them hold a definition"
            )
            return
        passed.add(id(node))
        node = nexts[id(node)]


def _refused(site: Site, message: str, hint: str) -> ReferenceRefused:
    return ReferenceRefused(message, hint=hint, place=Place(pointer=site.pointer))
