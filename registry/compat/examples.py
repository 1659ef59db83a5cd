"""Documents without their examples: notes, of which a second engine refuses the malformed ones.

Real documents write examples in forms that the specification does not know, and oasdiff reads none of such
a document. What an example says is part of no promise, so it is left out before it is asked.
"""

from __future__ import annotations

from typing import Any, Final

from kernel.contract.grammar import Field, Grammar, grammar_of, members

_EXAMPLES: Final = frozenset({"example", "examples"})


def without_examples(root: Any) -> Any:
    """Give a copy of a document without the examples of its objects; what is only called so stays."""
    grammar = grammar_of(root)
    return _object(root, Field("one", grammar.root), grammar)


def _object(node: Any, field: Field, grammar: Grammar) -> Any:
    if not isinstance(node, dict):
        return node
    rows = {key: row for key, _, row in grammar.fields(field.type, node)}
    names = grammar.types[field.type].get("*")  # the row of keys that the document chose
    return {
        key: _members(value, rows[key], grammar) if key in rows else value
        for key, value in node.items()
        if key not in _EXAMPLES or rows.get(key, field) is names
    }


def _members(value: Any, field: Field, grammar: Grammar) -> Any:
    if not isinstance(value, dict | list):
        return value
    made: Any = value.copy()
    for step, item in members(field, value):
        if step is None:
            return _object(item, field, grammar)
        made[step] = _object(item, field, grammar)
    return made
