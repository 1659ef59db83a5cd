"""Compares who is admitted to a server or an operation: alternatives of security schemes, by what they are."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.operation.asyncapi_model import SchemeUse, Security
from registry.compat.asyncapi_sides import EventApi, EventJournal
from registry.compat.openapi_security import in_one_order, turned

_NOTES: Final = frozenset({"description", "bearerFormat", "scopes", "availableScopes"})
_RENAMED: Final = ""  # stands for every name that only one document has
# Where credentials are had, and not what they are.
_PLACES: Final = frozenset({"flows", "openIdConnectUrl"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """One scheme that is asked for: what it is, the same blind to where credentials are had, name, scopes.

    The name counts where both documents have it, so that a scheme may be renamed (`_RENAMED`: only one of
    them has it), and `readers` is not taken for `writers`; one that is written in place has none.
    """

    scheme: bytes
    bare: bytes
    name: str | None
    scopes: frozenset[str]

    def within(self, other: _Asked, *, blind: bool) -> bool:
        """Whether who has what the other asks for has what this one asks for too."""
        same = self.bare == other.bare if blind else self.scheme == other.scheme
        return (
            same
            and self.scopes <= other.scopes
            and (self.name == other.name or None in {self.name, other.name})
        )


_Alternative = tuple[_Asked, ...]


def compare_security(
    journal: EventJournal, label: str, at: tuple[str, str], old: Security, new: Security
) -> None:
    """Note where a party that was admitted may be refused, whichever way its messages go."""
    shared = _schemes(journal.old) & _schemes(journal.new)
    before, after = _read(old, shared), _read(new, shared)
    said = {"before": _told(before), "after": _told(after)}
    if _admits(after, before):
        if not _admits(before, after):
            journal.note("security-relaxed", label, "security changed, and all parties stay", at=at, **said)
    elif _admits(after, before, blind=True):
        journal.note("security-scheme-changed", label, "where credentials come from changed", at=at, **said)
    else:
        what = f"a way to be admitted is gone, or asks for more{turned(_words(old), _words(new))}"
        journal.note("security-tightened", label, what, at=at, **said)


def _words(security: Security) -> str:
    listed = [" with ".join(use.name or str(use.scheme.get("type")) for use in uses) for uses in security]
    return " or ".join(one or "anybody" for one in listed) or "anybody"


def _told(alternatives: Sequence[_Alternative]) -> Any:
    return in_one_order(
        [(asked.name or None, json.loads(asked.scheme), asked.scopes) for asked in alternative]
        for alternative in alternatives
    )


def _admits(
    choices: Sequence[_Alternative], admitted: Sequence[_Alternative], *, blind: bool = False
) -> bool:
    """Whether who meets any of the admitted alternatives meets one of the choices."""
    return all(any(_within(choice, one, blind=blind) for choice in choices) for one in admitted)


def _within(choice: _Alternative, admitted: _Alternative, *, blind: bool) -> bool:
    return all(any(asked.within(other, blind=blind) for other in admitted) for asked in choice)


def _schemes(api: EventApi) -> frozenset[str]:
    components = api.root.get("components")
    found = components.get("securitySchemes") if isinstance(components, dict) else None
    return frozenset(found) if isinstance(found, dict) else frozenset()


def _read(security: Security, shared: frozenset[str]) -> list[_Alternative]:
    """Give the alternatives; where there is none, everyone is admitted."""
    return [tuple(_asked(use, shared) for use in uses) for uses in security] or [()]


def _asked(use: SchemeUse, shared: frozenset[str]) -> _Asked:
    kept = _without_notes(dict(use.scheme))
    if kept.get("type") == "httpApiKey" and kept.get("in") == "header":
        kept["name"] = str(kept.get("name")).lower()
    if kept.get("type") == "http":
        kept["scheme"] = str(kept.get("scheme")).lower()
    bare = {key: item for key, item in kept.items() if key not in _PLACES}
    name = use.name if use.name is None or use.name in shared else _RENAMED
    return _Asked(canonical_bytes(kept), canonical_bytes(bare), name, frozenset(use.scopes))


def _without_notes(value: Any) -> Any:
    """Leave out notes, extensions, and the catalogue of scopes, which asks for nothing."""
    if not isinstance(value, dict):
        return value
    return {
        key: _without_notes(item)
        for key, item in value.items()
        if key not in _NOTES and not key.startswith("x-")
    }
