"""Compares who is admitted: alternatives of security requirements, by what their schemes are.

Every caller that an old alternative admits must be admitted by a new one: one whose schemes and scopes
are among those that the old alternative already asked for. Schemes are compared by definition, so that
renaming one changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import shown
from registry.compat.openapi_journal import Journal
from registry.compat.openapi_places import Scope, Spot
from registry.compat.openapi_sides import Api, Part
from registry.compat.schema_view import Unreadable

Alternative = dict[bytes, frozenset[str]]  # definition of a scheme -> scopes
_NOTES = frozenset({"description", "bearerFormat", "deprecated"})
_ADDRESSES = frozenset(
    {
        "oauth2MetadataUrl",
        "authorizationUrl",
        "tokenUrl",
        "refreshUrl",
        "openIdConnectUrl",
        "deviceAuthorizationUrl",
    }
)


def compare_security(journal: Journal, scope: Scope, old: Part, new: Part) -> None:
    """Judge the requirements of one operation, the document's own where it has none.

    The document's own say who may call us, and nothing of those whom we call.
    """
    shared = frozenset(_schemes(journal.old)) & frozenset(_schemes(journal.new))
    ends = [
        _requirements(api, end, shared, called=scope.called)
        for api, end in ((journal.old, old), (journal.new, new))
    ]
    before, after = ends[0][1], ends[1][1]
    if _key(before) == _key(after):
        return
    pointers, said = (ends[0][0], ends[1][0]), {"before": _told(before), "after": _told(after)}
    if all(any(_within(choice, admitted) for choice in after) for admitted in before):
        journal.note(
            "security-relaxed",
            scope,
            f"{scope.label}: security changed, all callers stay",
            at=pointers,
            **said,
        )
        return
    loose = [_loose(admitted) for admitted in before], [_loose(choice) for choice in after]
    if all(any(_within(choice, admitted) for choice in loose[1]) for admitted in loose[0]):
        what = f"{scope.label}: where credentials come from changed"
        journal.note("security-scheme-changed", scope, what, at=pointers, **said)
        return
    words = turned(
        _words(journal.old, old, called=scope.called), _words(journal.new, new, called=scope.called)
    )
    what = f"{scope.label}: a way to be admitted is gone, or asks for more{words}"
    journal.note("security-tightened", scope, what, at=pointers, spot=Spot(), **said)


def schemes_asked(
    journal: Journal, ends: tuple[Part | None, Part | None], *, lost: bool
) -> list[tuple[Mapping[str, Any], frozenset[str]]]:
    """Give definition and scopes of each scheme of one alternative of the old version.

    One that the new version admits as well, where there is one; `lost`: one that it does not admit.
    """
    shared = frozenset(_schemes(journal.old)) & frozenset(_schemes(journal.new))
    apis = (journal.old, journal.new)
    listed = [
        _requirements(api, end, shared)[1] if end is not None else None
        for api, end in zip(apis, ends, strict=True)
    ]
    mine, theirs = listed[0] or listed[1] or [{}], listed[1] or listed[0] or [{}]
    chosen = next(
        (one for one in mine if lost is not any(_within(choice, one) for choice in theirs)), mine[0]
    )
    return [(json.loads(definition)["is"], scopes) for definition, scopes in chosen.items()]


def turned(before: str, after: str) -> str:
    """Say who was admitted and who is, where that has another name now; what a scheme is stands in the finding."""
    return "" if before == after else f" ({before} was admitted, and now {after})"


def _words(api: Api, operation: Part, *, called: bool) -> str:
    listed = _owner(api, operation, called=called).value.get("security") or [{}]
    return " or ".join(" with ".join(map(str, one)) or "anybody" for one in listed)


def _owner(api: Api, operation: Part, *, called: bool) -> Part:
    return operation if called or "security" in operation.value else Part(api.root, "")


def _requirements(
    api: Api, operation: Part, shared: frozenset[str], *, called: bool = False
) -> tuple[str, list[Alternative]]:
    owner = _owner(api, operation, called=called)
    listed = owner.value.get("security")
    pointer = f"{owner.pointer}/security" if listed is not None else operation.pointer
    if listed is None or listed == []:
        return pointer, [{}]
    if not isinstance(listed, list):
        raise Unreadable(f"a list was expected at #{pointer}")
    return pointer, [_alternative(api, item, pointer, shared) for item in listed]


def _alternative(api: Api, item: Any, pointer: str, shared: frozenset[str]) -> Alternative:
    if not isinstance(item, dict):
        raise Unreadable(f"an object was expected at #{pointer}")
    if not all(isinstance(scopes, list | None) for scopes in item.values()):
        raise Unreadable(f"scopes are listed at #{pointer}")
    return {
        _definition(api, name, shared): frozenset(map(str, scopes or ())) for name, scopes in item.items()
    }


def _definition(api: Api, name: str, shared: frozenset[str]) -> bytes:
    """Identify a scheme by what it is, and by its name too where both documents have that name."""
    schemes = _schemes(api)
    body = _plain(schemes[name].value) if name in schemes else {}
    return canonical_bytes({"name": name if name in shared or name not in schemes else None, "is": body})


def _schemes(api: Api) -> dict[str, Part]:
    return api.members(api.below(Part(api.root, ""), "components"), "securitySchemes")


def _plain(value: Any) -> Any:
    """Leave out notes, extensions, and the catalogue of scopes (which requirements name by themselves)."""
    if not isinstance(value, dict):
        return value
    kept = {key: item for key, item in value.items() if key not in _NOTES and not key.startswith("x-")}
    if kept.get("type") == "apiKey" and kept.get("in") == "header":
        kept["name"] = str(kept.get("name")).lower()
    if kept.get("type") == "http" and isinstance(kept.get("scheme"), str):
        kept["scheme"] = kept["scheme"].lower()
    return {key: _plain(item) for key, item in kept.items() if key != "scopes"}


def _loose(alternative: Alternative) -> Alternative:
    """Give the same, blind to where tokens are had."""
    drop = _NOTES | _ADDRESSES | {"flows"}
    found: Alternative = {}
    for definition, scopes in alternative.items():
        scheme = json.loads(definition)
        kept = {key: value for key, value in scheme["is"].items() if key not in drop}
        found[canonical_bytes({**scheme, "is": kept})] = scopes
    return found


def _told(alternatives: list[Alternative]) -> Any:
    read = (
        [(json.loads(one), scopes) for one, scopes in alternative.items()] for alternative in alternatives
    )
    return shown(
        in_one_order(
            [(one["name"], one["is"], scopes) for one, scopes in alternative] for alternative in read
        )
    )


def in_one_order(alternatives: Iterable[Sequence[tuple[str | None, Any, frozenset[str]]]]) -> Any:
    """Write what is asked in one order: each scheme by its name, where that says more, what it is, and scopes.

    A finding is bound to it, and with it a waiver.
    """
    listed = []
    for alternative in alternatives:
        schemes = []
        for name, definition, scopes in alternative:
            named = {"called": name} if name is not None else {}
            schemes.append({**named, "is": definition, **({"scopes": sorted(scopes)} if scopes else {})})
        listed.append(sorted(schemes, key=canonical_bytes))
    return sorted(listed, key=canonical_bytes)


def _within(choice: Alternative, admitted: Alternative) -> bool:
    """Whether who satisfies `admitted` satisfies `choice` too."""
    return all(
        any(scopes <= held and _serves(scheme, other) for other, held in admitted.items())
        for scheme, scopes in choice.items()
    )


def _serves(scheme: bytes, other: bytes) -> bool:
    """Whether credentials of `other` serve for a scheme: the same one, or one with further flows to get a token."""
    if scheme == other:
        return True
    wanted, had = (json.loads(definition) for definition in (scheme, other))
    flows = [one["is"].pop("flows", None) for one in (wanted, had)]
    if wanted != had or not all(isinstance(one, dict) for one in flows):
        return False
    return all(name in flows[0] and flows[0][name] == flow for name, flow in flows[1].items())


def _key(alternatives: list[Alternative]) -> bytes:
    return canonical_bytes(
        sorted(
            [
                sorted([scheme.decode(), sorted(scopes)] for scheme, scopes in item.items())
                for item in alternatives
            ],
            key=canonical_bytes,
        )
    )
