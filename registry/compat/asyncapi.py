"""Compares two AsyncAPI documents of any versions: what we take may only widen, what we send only narrow.

What no rule knows is undecided. Both documents are read into one model (kernel/operation/asyncapi_view.py).
Channels and servers are matched by address, messages by name or by what they say, so that keys may change.
`receive` (2.x: `publish`) is what the application accepts, `send` (2.x: `subscribe`) what it emits, and a
reply goes the other way.
"""

from __future__ import annotations

from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.contract.finding import Finding
from kernel.contract.sites import local_pointer, resolve_pointer, sites
from kernel.errors import InterlockError
from registry.compat.asyncapi_channels import compare_place
from registry.compat.asyncapi_places import places
from registry.compat.asyncapi_servers import compare_servers
from registry.compat.asyncapi_sides import EventApi, EventJournal, Holder, rest
from registry.compat.asyncapi_whole import Whole
from registry.compat.containment import Comparer
from registry.compat.rules import BY_ID
from registry.compat.schema_view import Unreadable

_KNOWN: Final = frozenset({
    "asyncapi", "info", "servers", "channels", "operations", "components", "defaultContentType", "tags", "externalDocs",
})  # fmt: skip
_SCHEMAS: Final = frozenset({"schema", "payload"})


def compare_asyncapi(old: Any, new: Any) -> list[Finding]:
    """Give the findings; a document that cannot be read is one of them, never an error."""
    try:
        for root in (old, new):
            _resolve(root)
        journal = EventJournal(Comparer(declared_only=True), EventApi(old, "old"), EventApi(new, "new"))
        _documents(journal)
    except (InterlockError, RecursionError) as error:
        return [_unreadable(error)]
    return list(journal.result()) or [_only_notes()]


def _resolve(root: Any) -> None:
    """Refuse references that lead nowhere: read leniently, they would admit anything."""
    for site in sites(root):
        if site.ref.startswith("#"):
            resolve_pointer(root, local_pointer(site.ref, site.pointer))
        elif site.type not in _SCHEMAS:  # those are judged by their own comparison
            raise Unreadable(f"the $ref at #{site.pointer} leads out of the document")


def _documents(journal: EventJournal) -> None:
    old, new = journal.old, journal.new
    whole = Whole(journal.comparer)
    renamed = compare_servers(journal)
    for place in places(old, new):
        try:
            compare_place(journal, whole, place, renamed)
        except (InterlockError, RecursionError) as error:
            found = _unreadable(error)
            channel = (*place.new, *place.old)[0]
            journal.note(
                found.rule, f"channel {place.label}", found.what,
                at=(place.old[0].pointer if place.old else None, channel.pointer if place.new else None),
            )  # fmt: skip
    ends = Holder(old.root, ""), Holder(new.root, "")
    rest(journal, "the document", *ends, _KNOWN)
    empty = not (old.read.channels or new.read.channels)
    if empty and canonical_bytes(old.root.get("components")) != canonical_bytes(new.root.get("components")):
        journal.unclassified(
            "the document", "components", *ends
        )  # a library of parts: who uses it is not known


def _unreadable(error: Exception) -> Finding:
    rule = BY_ID["document-not-comparable"]
    place = error.place if isinstance(error, InterlockError) else None
    what = error.message if isinstance(error, InterlockError) else "it nests too deep"
    pointer = (place.pointer if place else None) or ""
    return Finding.of(rule, pointer, what)


def _only_notes() -> Finding:
    rule = BY_ID["notes-changed"]
    return Finding.of(rule, "", "Only notes changed", base_pointer="")
