"""Compile the documents that a bundle routes; a document is known by its digest and compiled once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.document import parse
from kernel.contract.references import embed_urns
from kernel.contract.urn import PREFIX
from kernel.errors import BundleError, InterlockError, Place
from kernel.operation.compile import compile_contract
from runtime_proxy.declared import declared_headers, undeclared_conditions
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.match import PathTrie

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kernel.bundle.model import Bundle, ContractEntry
    from kernel.contract.urn import Urn
    from kernel.operation.compile import CompiledContract
    from kernel.operation.operation import Operation

LARGEST_ASLEEP: Final = (
    512 * 1024
)  # bytes of a document; to read a larger one again would hold up other calls
_URN: Final = PREFIX.encode()


@dataclass(frozen=True, slots=True)
class Facts:
    """What the plan needs to know of an operation's text."""

    headers: frozenset[bytes]  # declared ones, in lower case
    conditions: frozenset[bytes]  # request headers whose answers the contract does not declare


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A contract document with its operations and their trie; the same for every route and bundle.

    The document itself is not held: `root` reads it from its bytes (canonical schemas embedded).
    """

    root: Callable[[], Any]
    contract: CompiledContract
    trie: PathTrie
    facts: Mapping[Operation, Facts]
    size: int  # bytes of the document

    def let_go(self) -> None:
        """Hold nothing of the document while no operation is awake, if reading it again is no long pause."""
        if self.size <= LARGEST_ASLEEP:
            self.contract.let_go(self.root)


def compile_routed(bundle: Bundle, known: Mapping[str, Compiled]) -> dict[str, Compiled]:
    """Compile every OpenAPI document that a route serves, by digest; `known` ones are taken over.

    Event contracts have no paths: what serves them is a listener, not the router. Runs in a thread of its
    own, beside the serving loop. Raises `ActivationFailed` naming contract and place.
    """
    result: dict[str, Compiled] = {}
    for entry in routed(bundle):
        if entry.digest not in result:
            result[entry.digest] = known.get(entry.digest) or _compile(bundle, entry)
    return result


def routed(bundle: Bundle) -> list[ContractEntry]:
    """List the OpenAPI versions that routes serve."""
    entries = [
        bundle.entry(route.contract, version) for route in bundle.routes.routes for version in route.versions
    ]
    return [entry for entry in entries if entry.kind == "openapi"]


def _compile(bundle: Bundle, entry: ContractEntry) -> Compiled:
    where = f"{entry.name} {entry.version}"
    document = bundle.blobs[entry.digest]
    schemas: dict[
        str, bytes
    ] = {}  # only what this document needs: it is held as long as the contract is served

    def lookup(urn: Urn) -> Any:
        if urn.digest not in schemas:
            if urn.digest not in bundle.blobs:
                raise BundleError(f"{where} needs {urn.name} {urn.version}, which the bundle does not hold")
            schemas[urn.digest] = bundle.blobs[urn.digest]
        return parse(schemas[urn.digest], name=f"{urn.name} {urn.version}", media="json").root

    try:
        root = _root(document, where, lookup)
        contract = compile_contract(root, name=entry.name)
        facts = {
            operation: Facts(declared_headers(root, operation), undeclared_conditions(root, operation))
            for operation in contract.operations
        }
        again = _reader(document, where, schemas)
        made = Compiled(again, contract, PathTrie(contract.operations), facts, len(document))
        made.let_go()  # at once: a thousand of them are never here together
        return made
    except InterlockError as error:
        pointer = error.place.pointer if error.place is not None else None
        raise ActivationFailed(
            f"{where} cannot be served: {error.message}", hint=error.hint, place=Place(where, pointer=pointer)
        ) from error


def _reader(document: bytes, where: str, schemas: Mapping[str, bytes]) -> Callable[[], Any]:
    """Give what reads the document again; it knows its bytes, and nothing of the bundle that they came with."""

    def lookup(urn: Urn) -> Any:
        return parse(schemas[urn.digest], name=f"{urn.name} {urn.version}", media="json").root

    return lambda: _root(document, where, lookup)


def _root(document: bytes, where: str, lookup: Callable[[Urn], Any]) -> Any:
    root = parse(document, name=where, media="json").root
    return embed_urns(root, lookup) if _URN in document else root
