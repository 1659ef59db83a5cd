"""Compares who is admitted to a server or an operation: alternatives of security schemes, by what they are."""

from __future__ import annotations

from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.operation.asyncapi_model import SchemeUse, Security
from registry.compat.asyncapi_sides import EventApi, EventJournal

_NOTES: Final = frozenset({"description", "bearerFormat", "scopes", "availableScopes"})
_PLACES: Final = frozenset(
    {"authorizationUrl", "tokenUrl", "refreshUrl", "openIdConnectUrl", "flows", "authorizationUri"}
)
Alternative = dict[bytes, frozenset[str]]  # what a scheme is -> scopes


def compare_security(
    journal: EventJournal, label: str, at: tuple[str, str], old: Security, new: Security
) -> None:
    """Note where a party that was admitted may be refused, whichever way its messages go."""
    shared = _schemes(journal.old) & _schemes(journal.new)
    before, after = _read(old, shared), _read(new, shared)
    if _keys(before) == _keys(after):
        return
    for blind, rule in ((False, "security-relaxed"), (True, "security-scheme-changed")):
        left, right = (_loose(before), _loose(after)) if blind else (before, after)
        if all(any(_within(choice, admitted) for choice in right) for admitted in left):
            words = (
                "where credentials come from changed" if blind else "security changed, and all parties stay"
            )
            journal.note(rule, label, words, at=at)
            return
    journal.note("security-tightened", label, "a way to be admitted is gone, or asks for more", at=at)


def _schemes(api: EventApi) -> frozenset[str]:
    components = api.root.get("components")
    found = components.get("securitySchemes") if isinstance(components, dict) else None
    return frozenset(found) if isinstance(found, dict) else frozenset()


def _read(security: Security, shared: frozenset[str]) -> list[Alternative]:
    """Give the alternatives; where there is none, everyone is admitted."""
    found = [
        {canonical_bytes(_plain(use, shared)): frozenset(use.scopes) for use in uses} for uses in security
    ]
    return found or [{}]


def _plain(use: SchemeUse, shared: frozenset[str]) -> Any:
    """Identify a scheme by what it is, and by its name too where both documents have that name.

    So a scheme may be renamed, and `readers` is not taken for `writers`.
    """
    kept = _without_notes(dict(use.scheme))
    kept["~name"] = use.name if use.name in shared else None
    if kept.get("type") == "httpApiKey" and kept.get("in") == "header":
        kept["name"] = str(kept.get("name")).lower()
    if kept.get("type") == "http":
        kept["scheme"] = str(kept.get("scheme")).lower()
    return kept


def _without_notes(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    return {
        key: _without_notes(item)
        for key, item in value.items()
        if key not in _NOTES and not key.startswith("x-")
    }


def _loose(alternatives: list[Alternative]) -> list[Alternative]:
    """Give the same, blind to where credentials are had."""
    import json  # noqa: PLC0415 - only where definitions changed

    return [
        {
            canonical_bytes(
                {key: item for key, item in json.loads(scheme).items() if key not in _PLACES}
            ): scopes
            for scheme, scopes in alternative.items()
        }
        for alternative in alternatives
    ]


def _within(choice: Alternative, admitted: Alternative) -> bool:
    return all(scheme in admitted and scopes <= admitted[scheme] for scheme, scopes in choice.items())


def _keys(alternatives: list[Alternative]) -> set[bytes]:
    return {
        canonical_bytes(sorted([scheme.decode(), sorted(scopes)] for scheme, scopes in one.items()))
        for one in alternatives
    }
