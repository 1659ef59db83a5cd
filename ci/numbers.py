"""Whether what meta.yaml says of a version agrees with its document and with the versions before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ci.bases import BaseVersion
from ci.contracts import Contract
from ci.rules import found
from kernel.contract.document import kind_of, parse
from kernel.contract.finding import Finding
from kernel.errors import InterlockError


def contradictions(contract: Contract, bases: Iterable[BaseVersion]) -> Iterator[Finding]:
    """Give what contradicts: kind and number beside the document's, and beside what the base holds."""
    if contract.metadata.kind not in {None, contract.kind}:
        what = f"meta.yaml says {contract.metadata.kind}, and the document is {contract.kind}"
        yield _in_metadata(contract, "meta-kind-mismatch", "/kind", what)
    info = contract.pinned.get("info") if isinstance(contract.pinned, dict) else None
    told = info.get("version") if isinstance(info, dict) else None
    if contract.kind != "schema" and told is not None and str(told) != str(contract.version):
        what = f"the document says version {str(told)[:64]}, and meta.yaml {contract.version}"
        yield found("document-version-differs", "/info/version", what)
    frozen = [base for base in bases if base.frozen and base.version is not None]
    yield from _backwards(contract, frozen)
    yield from _another_kind(contract, frozen)


def _backwards(contract: Contract, frozen: list[BaseVersion]) -> Iterator[Finding]:
    mine = contract.version
    numbers = [base.version for base in frozen if base.version is not None and not base.version.prerelease]
    newest = max((number for number in numbers if number.major == mine.major), default=None)
    if newest is not None and mine < newest and mine not in numbers:
        what = f"{contract.label} is new, and {newest} was there before it"
        yield _in_metadata(contract, "version-not-newer", "/version", what)


def _another_kind(contract: Contract, frozen: list[BaseVersion]) -> Iterator[Finding]:
    for base in frozen[-1:]:
        try:
            before = kind_of(base.document.root)
        except InterlockError:
            return  # it is told where the two are compared
        if before != contract.kind:
            what = f"{contract.name} was a contract of kind {before}, and is of kind {contract.kind} now"
            yield _in_metadata(contract, "kind-changed", "/kind", what)


def _in_metadata(contract: Contract, rule: str, pointer: str, what: str) -> Finding:
    """Make a finding of a rule that the registry has too, at its place in meta.yaml."""
    from registry.lint.rules import BY_ID  # noqa: PLC0415 - heavy, and most runs find nothing of it

    row = BY_ID[rule]
    file = contract.folder.metadata
    place = parse(file.read_bytes(), name=contract.folder.shown(file)).position(pointer)
    return Finding.of(row, pointer, what, source=place.source, line=place.line, column=place.column)
