"""SMART on FHIR scopes, v1 and v2, as sets of bits: whether what is held covers what is asked for.

`patient/Observation.rs`, `user/*.cruds`, `system/Patient.read`: who it is for, a type of resource, and what
may be done with it (SMART App Launch 2.2, "Scopes for requesting FHIR resources"). v1 `read` is `rs`, `write`
is `cud`, `*` all. A part after `?` narrows a scope; we do not run FHIR searches, so a narrowed scope covers
only what asks for exactly the same part. Scopes that are not of this form are compared as they stand.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import parse_qsl

_SCOPE: Final = re.compile(
    r"(patient|user|system)/([A-Z][A-Za-z]{0,63}|\*)\.(read|write|\*|(?=[cruds])c?r?u?d?s?)(?:\?(\S{1,512}))?"
)
_BITS: Final = {"c": 1, "r": 2, "u": 4, "d": 8, "s": 16}
_VERSION_1: Final = {"read": 2 | 16, "write": 1 | 4 | 8, "*": 31}
_ANY: Final = "*"

Query = tuple[tuple[str, str], ...]


class SmartScope(NamedTuple):
    """One scope: `bits` are create 1, read 2, update 4, delete 8, search 16; `query` narrows it."""

    context: str
    resource: str
    bits: int
    query: Query


@lru_cache(maxsize=4096)
def read_scope(text: str) -> SmartScope | None:
    """Read one scope; None: it is not a SMART one (letters out of their order `cruds` make it none)."""
    found = _SCOPE.fullmatch(text)
    if found is None:
        return None
    context, resource, actions, query = found.groups()
    bits = _VERSION_1.get(actions)
    if bits is None:
        bits = sum(_BITS[action] for action in actions)
    return SmartScope(context, resource, bits, tuple(sorted(parse_qsl(query or "", keep_blank_values=True))))


@lru_cache(maxsize=4096)
def covers(held: frozenset[str], needed: frozenset[str]) -> bool:
    """Say whether all that is needed is held; several held scopes may cover one that is needed together."""
    missing = needed - held
    if not missing:
        return True
    table = _table(held)
    return all(_covered(scope, table) for scope in missing)


def _table(held: frozenset[str]) -> dict[tuple[str, str, Query], int]:
    table: dict[tuple[str, str, Query], int] = {}
    for text in held:
        scope = read_scope(text)
        if scope is not None:
            place = (scope.context, scope.resource, scope.query)
            table[place] = table.get(place, 0) | scope.bits
    return table


def _covered(text: str, table: dict[tuple[str, str, Query], int]) -> bool:
    needed = read_scope(text)
    if needed is None:
        return False
    context, resource, bits, query = needed
    held = 0
    for kind in {resource, _ANY}:
        for part in {query, ()}:
            held |= table.get((context, kind, part), 0)
    return bits & ~held == 0
