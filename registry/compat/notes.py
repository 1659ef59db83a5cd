"""Finds where two documents differ in more than notes, by the grammar of their kind.

Notes are descriptions, examples and the like, where the grammar has an object of its own: a property or
a channel that happens to be called `description` is none.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kernel.contract.digest import canonical_bytes
from kernel.contract.grammar import Field, Grammar, members
from kernel.contract.positions import token

_ALWAYS = frozenset(
    {"description", "summary", "title", "externalDocs", "tags", "examples", "example", "$comment"}
)
MOST_DIFFERENCES = 200
Pair = tuple[str | None, str | None]  # pointers into the old and the new document


def differences(old: Any, new: Any, grammar: Grammar) -> Iterator[Pair]:
    """Yield (old pointer, new pointer) of each place that differs in more than notes, outermost first.

    One of the two is None where the other document has nothing there.
    """
    yield from _objects(old, new, "", Field("one", grammar.root), grammar)


def _objects(old: Any, new: Any, at: str, field: Field, grammar: Grammar) -> Iterator[Pair]:
    if not (isinstance(old, dict) and isinstance(new, dict)):
        if not _equal(old, new):
            yield at, at
        return
    rows = grammar.types[field.type]
    for key in dict.fromkeys((*old, *new)):
        here = f"{at}{token(key)}"
        row = rows.get(key) or (None if key.startswith("x-") else rows.get("*"))
        if row is None and _is_note(key, field.type, old.get(key, new.get(key))):
            continue
        noted = key in _ALWAYS and field.type != "components"
        if noted and row is not None and row.type in _NOTE_TYPES:
            continue
        if field.type == "document" and key == "info":
            continue
        if key not in old or key not in new:
            yield (here if key in old else None), (here if key in new else None)
        elif row is None:
            if not _equal(old[key], new[key]):
                yield here, here
        else:
            yield from _members(old[key], new[key], here, row, grammar)


_NOTE_TYPES = frozenset({"tag", "docs", "example"})


def _is_note(key: str, type_: str, value: Any) -> bool:
    """Whether a key without a row is a note of its object, and not the name of something."""
    if key.startswith("x-"):
        return True
    return key in _ALWAYS and not (type_ == "components" and isinstance(value, Mapping))


def _members(old: Any, new: Any, at: str, row: Field, grammar: Grammar) -> Iterator[Pair]:
    if row.form == "one" or not (isinstance(old, dict | list) and type(old) is type(new)):
        yield from _objects(old, new, at, Field("one", row.type), grammar)
        return
    left, right = dict(members(row, old)), dict(members(row, new))
    for key in dict.fromkeys((*left, *right)):
        here = at if key is None else f"{at}{token(str(key))}"
        if key not in left or key not in right:
            yield (here if key in left else None), (here if key in right else None)
        else:
            yield from _objects(left[key], right[key], here, Field("one", row.type), grammar)


def _equal(old: Any, new: Any) -> bool:
    return canonical_bytes(old) == canonical_bytes(new)
