"""jsonschema-rs's canonical schemas as a second prover, and its differences as a source of witnesses."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import jsonschema_rs
from jsonschema_rs import canonical

from kernel.schema.bundling import bundle
from kernel.schema.dialects import Dialect
from registry.compat.candidates import Candidates
from registry.compat.schema_side import Side
from registry.compat.schema_view import Node, reachable

MOST_FROM_DIFFERENCE = 200
MOST_VIEWS = 5_000
MOST_CANONICAL = 200_000  # characters of a schema that is handed to the canonical engine
# What the canonical engine reasons about; other formats are notes to it.
_CANONICAL_FORMATS = frozenset({"date", "date-time", "uuid"})


def engine_version() -> str:
    """Give the version of jsonschema-rs as it is installed."""
    from importlib.metadata import version  # noqa: PLC0415 - only verdicts name it

    return version("jsonschema-rs")


def covers(inner: Node, outer: Node) -> bool:
    """Whether the canonical engine proves it, over schemas that hold nothing it reads as a note."""
    if not (inner.side.as_validated and outer.side.as_validated and _plain(inner) and _plain(outer)):
        return False
    first, second = _canonical(inner), _canonical(outer)
    if first is None or second is None:
        return False
    try:
        return second.covers(first) == canonical.Containment.YES
    except Exception:  # noqa: BLE001 - whatever stops the engine leaves the question open
        return False


def _canonical(node: Node) -> jsonschema_rs.CanonicalSchema | None:
    side = node.side
    if node.dialect is None:
        return None
    try:
        schema = bundle(node.raw, root=side.root, dialect=node.dialect, direction=side.traffic).schema
        if len(repr(schema)) > MOST_CANONICAL:
            return None
        return jsonschema_rs.canonicalize(
            schema,
            draft=jsonschema_rs.Draft202012,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
            offline=True,
        )
    except Exception:  # noqa: BLE001 - as above; the engine raises several unrelated classes
        return None


def _plain(node: Node) -> bool:
    """Whether a schema holds no format, keyword or reference that the canonical engine may pass over."""
    for count, view in enumerate(reachable(node)):
        if count > MOST_VIEWS or view.opaque or view.discriminator:
            return False
        if view.format is not None and view.format not in _CANONICAL_FORMATS:
            return False
    return True


def differences(inner: Node, outer: Node) -> Iterator[Any]:
    """Candidates out of `inner` minus `outer` as the canonical engine computes it."""
    first, second = _canonical(inner), _canonical(outer)
    if first is None or second is None:
        return
    try:
        left: Any = first.subtract(second).to_json_schema()
    except Exception:  # noqa: BLE001 - UnsupportedResult, IncompatibleOperands and others
        return
    node = Side(left, Dialect.DRAFT_2020_12, tag="difference").at("")
    yield from islice(Candidates().values(node, outer), MOST_FROM_DIFFERENCE)
