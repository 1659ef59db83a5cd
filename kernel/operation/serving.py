"""Compile a document as the proxy does, and tell every place that could not be served, not only the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.positions import token, tokens_of
from kernel.errors import InterlockError, Place
from kernel.operation.asyncapi_view import read_asyncapi
from kernel.operation.channel_contract import compile_channels
from kernel.operation.compile import compile_contract
from kernel.operation.faults import noted
from kernel.schema.dialects import dialect_of
from kernel.schema.validator import compile_schema

if TYPE_CHECKING:
    from kernel.contract.document import Kind
    from kernel.contract.finding import Finding
    from kernel.operation.faults import Note

MOST_FAULTS: Final = 100


@dataclass(frozen=True, slots=True)
class Served:
    """What compiling says: findings about what is not looked into, and errors for what cannot be served."""

    findings: tuple[Finding, ...]
    faults: tuple[InterlockError, ...]


def serve(root: Any, kind: Kind, name: str = "") -> Served:
    """Compile a self-contained document that lint found valid; at most `MOST_FAULTS` errors, each place once.

    Of one operation, or one channel, the first defect is told: what comes behind it may be its consequence.
    """
    faults: dict[tuple[str, str], InterlockError] = {}

    def note(error: InterlockError) -> None:
        pointer = (error.place.pointer if error.place else None) or ""
        if len(faults) < MOST_FAULTS:
            faults.setdefault((pointer, error.message), error)

    findings: tuple[Finding, ...] = ()
    with noted(note):
        if kind == "openapi":
            findings = compile_contract(root, name=name, note=note).prepare_noting(note)
        elif kind == "schema":
            compile_schema(root, root=root, dialect=dialect_of(root))
        else:
            read_asyncapi(root)
            _channels(root, name, note)
    return Served(findings, tuple(faults.values()))


def _channels(root: Any, name: str, note: Note) -> None:
    """Compile what HTTP carries of an AsyncAPI document; places are those of the document, not of its rewriting."""
    found: list[InterlockError] = []
    made = compile_channels(root, name=name, note=found.append)
    for (
        operation
    ) in made.contract.operations:  # of its schemes nothing is asked: what is not verified is denied
        with noted(found.append):
            operation.prepare()
    for channel in made.channels.values():
        with noted(found.append):
            channel.prepare()
    ids = {path: item["get"]["operationId"] for path, item in made.root["paths"].items()}
    for error in found:
        note(_at_home(error, ids))


def _at_home(error: InterlockError, ids: dict[str, str]) -> InterlockError:
    """Name the channel where the error names the path that was made of it."""
    steps = tokens_of((error.place.pointer if error.place else None) or "")
    if steps[:1] != ["paths"]:
        return error
    pointer = f"/channels{token(ids[steps[1]])}" if steps[1:] and steps[1] in ids else "/channels"
    return type(error)(error.message, hint=error.hint, place=Place(pointer=pointer))
