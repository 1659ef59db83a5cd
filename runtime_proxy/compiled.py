"""Compile the documents that a bundle routes; a document is known by its digest and compiled once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernel.contract.document import parse
from kernel.contract.references import embed_urns
from kernel.errors import BundleError, InterlockError, Place
from kernel.operation.compile import compile_contract
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.match import PathTrie

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kernel.bundle.model import Bundle, ContractEntry
    from kernel.contract.urn import Urn
    from kernel.operation.compile import CompiledContract


@dataclass(frozen=True, slots=True, eq=False)
class Compiled:
    """A contract document with its operations and their trie; the same for every route and bundle."""

    root: Any  # self-contained: canonical schemas embedded
    contract: CompiledContract
    trie: PathTrie


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

    def lookup(urn: Urn) -> Any:
        if urn.digest not in bundle.blobs:
            raise BundleError(f"{where} needs {urn.name} {urn.version}, which the bundle does not hold")
        return parse(bundle.blobs[urn.digest], name=f"{urn.name} {urn.version}", media="json").root

    try:
        document = parse(bundle.blobs[entry.digest], name=where, media="json")
        root = embed_urns(document.root, lookup)
        contract = compile_contract(root, name=entry.name)
        return Compiled(root, contract, PathTrie(contract.operations))
    except InterlockError as error:
        pointer = error.place.pointer if error.place is not None else None
        raise ActivationFailed(
            f"{where} cannot be served: {error.message}", hint=error.hint, place=Place(where, pointer=pointer)
        ) from error
