"""Documents without their examples: notes, of which a second engine refuses the malformed ones.

Real documents write examples in forms that the specification does not know, and oasdiff reads none of such
a document. What an example says is part of no promise, so it is left out before it is asked.
"""

from __future__ import annotations

from typing import Any, Final

# Members whose keys are names that the document chose, `example` perhaps among them.
_NAMED: Final = frozenset(
    {
        "$defs", "callbacks", "content", "definitions", "dependentSchemas", "encoding", "headers", "links", "mapping",
        "parameters", "pathItems", "paths", "patternProperties", "properties", "requestBodies", "responses", "schemas",
        "scopes", "securitySchemes", "variables", "webhooks",
    }
)  # fmt: skip
_VALUES: Final = frozenset({"const", "default", "enum"})  # any JSON, no part of the document's grammar
_EXAMPLES: Final = frozenset({"example", "examples"})


def without_examples(node: Any, *, named: bool = False) -> Any:
    """Give a copy without `example` and `examples`; `named`: the keys here are names, and all of them stay."""
    if isinstance(node, list):
        return [without_examples(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value
        if key in _VALUES and not named
        else without_examples(value, named=not named and key in _NAMED)
        for key, value in node.items()
        if named or key not in _EXAMPLES
    }
