"""Check files as a person hands them over: read, inline, embed, lint, and compile as the proxy would."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from kernel.contract.digest import digest
from kernel.contract.document import Document, Kind, kind_of, parse
from kernel.contract.finding import Finding, Severity
from kernel.contract.local_files import inline_files
from kernel.contract.metadata import read_metadata
from kernel.contract.references import embed_urns
from kernel.contract.sites import Site, sites
from kernel.contract.urn import PREFIX, Urn
from kernel.errors import DocumentError, Place, ReferenceRefused, SchemaRefused
from kernel.operation.serving import serve
from registry.lint.canon import NO_CANON, Canon, canon_beside
from registry.lint.document import MOST_PLACES, PLAIN, House, lint
from registry.lint.rules import BY_ID

NAMES = tuple(
    f"{stem}.{ending}" for stem in ("openapi", "asyncapi", "schema") for ending in ("yaml", "yml", "json")
)
METADATA = "meta.yaml"
OPAQUE = "x-interlock-opaque"  # stands in a schema that is not known here; an annotation to every validator


def check_path(path: Path, root: Path | None = None, house: House = PLAIN) -> tuple[Finding, ...]:
    """Give every finding of a document, or of a contract's folder (meta.yaml and one document).

    Canonical schemas that stand beside, in `../../<name>/<version>/`, are the canon.
    Raises `DocumentError` when something cannot be read at all.
    """
    if not path.is_dir():
        return check_file(path, root, house)
    entry = document_of(path)
    if not (path / METADATA).is_file():
        return check_file(entry, root, house)
    metadata, found = read_metadata((path / METADATA).read_bytes(), str(path / METADATA))
    kind = kind_of(parse(entry.read_bytes(), name=str(entry)).root)
    if metadata.kind not in (None, kind):
        place = parse((path / METADATA).read_bytes(), name=str(path / METADATA))
        rule = BY_ID["meta-kind-mismatch"]
        what = f"{METADATA} says {metadata.kind}, and {entry.name} is {kind}"
        found += (Finding.of(rule, "/kind", what).placed(place),)
    return (*found, *check_file(entry, root, house, name=metadata.name or ""))


def name_of(folder: Path) -> str:
    """Give the name that a contract's meta.yaml says; "" where there is none, or none that can be read."""
    try:
        return read_metadata((folder / METADATA).read_bytes(), METADATA)[0].name or ""
    except (DocumentError, OSError):
        return ""


def document_of(folder: Path) -> Path:
    """Find the one document of a contract's folder."""
    found = [folder / name for name in NAMES if (folder / name).is_file()]
    if len(found) == 1:
        return found[0]
    what = "has no document" if not found else "has several documents"
    raise DocumentError(
        f"the folder {what}", hint=f"it needs one of {', '.join(NAMES)}", place=Place(str(folder))
    )


def check_file(
    path: Path, root: Path | None = None, house: House = PLAIN, *, name: str = ""
) -> tuple[Finding, ...]:
    """Give every finding of one document and what it refers to; `name` is the contract's, if it has one."""
    beside = Beside(path.parent)
    if house.canon is NO_CANON:
        house = replace(house, canon=beside.canon().without(name or path.resolve().parent.parent.name))
    try:
        document = inline_files(path, root)
    except ReferenceRefused as error:
        return _with_lost_references(path, root, error, house)
    kind = kind_of(document.root)
    self_contained, notes = embedded(document, beside)
    found = lint(self_contained, kind, document=document, house=house)
    if not any(finding.severity is Severity.ERROR for finding in found):
        found += served(self_contained, kind, document)
    return (*found, *notes)


def _with_lost_references(
    path: Path, root: Path | None, first: ReferenceRefused, house: House
) -> tuple[Finding, ...]:
    """Tell every reference that leads nowhere, and judge what is there: both are worth knowing."""
    lost: list[ReferenceRefused] = []
    try:
        document = inline_files(path, root, lost=lost)
    except ReferenceRefused as error:  # not even its files can be put together: it is judged by itself
        lost.append(error)
        document = _alone(path)
    # Of a file that is not there two things are said in one place: first why, then that it points outside.
    known = {(one.place.source, one.place.line, one.place.column): one for one in reversed(lost) if one.place}
    places = [(one.place or Place(str(path)), one) for one in known.values() or (first,)]
    rule = BY_ID["reference-refused"]
    told = tuple(
        Finding.of(
            rule, place.pointer or "", one.message, remedy=one.hint or rule.remedy,
            source=place.source or str(path), line=place.line, column=place.column,
        )
        for place, one in sorted(places, key=lambda item: _order(item[0]))
    )  # fmt: skip
    found = lint(document.root, kind_of(document.root), document=document, house=house)
    return (*told[:MOST_PLACES], *(one for one in found if one.rule != rule.id))


def _order(place: Place) -> tuple[str, int, int]:
    return place.source or "", place.line or 0, place.column or 0


def _alone(path: Path) -> Document:
    try:
        return parse(path.read_bytes(), name=str(path))
    except OSError as failed:
        raise DocumentError(
            f"cannot be read: {failed.strerror}", hint="name a file that exists", place=Place(str(path))
        ) from None


def served(root: Any, kind: Kind, document: Document) -> tuple[Finding, ...]:
    """Compile what the proxy will compile, and say what it could not serve and what it would not look into."""
    found = serve(root, kind, document.name)
    rule = BY_ID["cannot-be-served"]
    lost = tuple(
        Finding.of(
            rule,
            (error.place.pointer if error.place else None) or "",
            error.message,
            remedy=error.hint or rule.remedy,
        )
        for error in found.faults
    )
    return tuple(finding.placed(document) for finding in (*lost, *found.findings))


def embedded(document: Document, beside: Beside) -> tuple[Any, tuple[Finding, ...]]:
    """Give the root without URNs: schemas that stand beside are embedded, the others admit anything."""
    unknown: dict[str, Site] = {}
    for site in sites(document.root):
        if site.ref.startswith(PREFIX) and site.ref not in unknown and not beside.holds(site.ref):
            unknown[site.ref] = site
    rule = BY_ID["reference-opaque"]
    notes = tuple(
        Finding.of(rule, site.pointer, f"{ref[:160]} is not known here").placed(document)
        for ref, site in unknown.items()
    )
    root = _opaque(document.root, unknown.keys()) if unknown else document.root
    return embed_urns(root, beside), notes


def _opaque(node: Any, refs: Any) -> Any:
    if isinstance(node, dict):
        if node.get("$ref") in refs if isinstance(node.get("$ref"), str) else False:
            return {OPAQUE: node["$ref"]}
        return {key: _opaque(value, refs) for key, value in node.items()}
    return [_opaque(item, refs) for item in node] if isinstance(node, list) else node


class Beside:
    """Canonical schemas in the folders beside a contract's: `../../<name>/<version>/schema.json`."""

    def __init__(self, folder: Path) -> None:
        self._home = Path(os.path.normpath(folder.resolve() / ".." / ".."))
        self._known: dict[str, Any] = {}

    def __call__(self, urn: Urn) -> Any:
        """Give the schema's root; raises `ReferenceRefused` where none with that digest stands."""
        if urn.digest not in self._known:
            self._known[urn.digest] = self._read(urn)
        found = self._known[urn.digest]
        if found is None:
            raise ReferenceRefused(f"{urn} is not known here", hint=BY_ID["reference-opaque"].remedy)
        return found

    def canon(self) -> Canon:
        """Give the newest version of each canonical schema that stands beside."""
        return canon_beside(self._home, lambda root: embed_urns(root, self))

    def holds(self, ref: str) -> bool:
        """Whether a URN's schema stands beside, with everything that it needs itself."""
        try:
            embed_urns({"$ref": ref}, self)
        except (ReferenceRefused, SchemaRefused):
            return False
        return True

    def _read(self, urn: Urn) -> Any:
        for name in ("schema.json", "schema.yaml", "schema.yml"):
            file = self._home / urn.name / str(urn.version) / name
            try:
                if file.is_file():
                    root = inline_files(file).root
                    if digest(root) == urn.digest:
                        return root
            except (DocumentError, ReferenceRefused, OSError):
                continue
        return None
