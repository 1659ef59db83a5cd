"""What the binding specifications of AsyncAPI ask for: one schema for each protocol, place and version.

Written from the tables of each binding's page (asyncapi/bindings). Where a page says that a binding "MUST
NOT contain any properties", it has no row: that place is reserved. A schema inside a binding (`key` of
Kafka, `query` of WebSocket) is judged as every other schema; here it must only be one.
"""

from __future__ import annotations

from functools import cache

from registry.lint.binding_forms import TEXT, Place, Shape, Table, closed
from registry.lint.binding_shapes import OPEN
from registry.lint.meta_schemas import MetaSchema
from registry.lint.vendor_shapes import VENDOR

SHAPES: Table = OPEN | VENDOR
PROTOCOLS = frozenset(SHAPES)


def versions(protocol: str, place: Place) -> tuple[str, ...]:
    """Give the versions of a binding that have a shape here, oldest first; () where the place is reserved."""
    return tuple(version for text, _ in SHAPES[protocol].get(place, ()) for version in text.split())


@cache
def shape(protocol: str, place: Place, version: str | None) -> MetaSchema | None:
    """Give the shape of a binding (None as version: the latest); None for a version that is not known here.

    A reserved place has one shape for every version: an object that holds nothing but extensions.
    """
    rows = SHAPES[protocol].get(place, ())
    if not rows:
        return _judged(closed({}))
    if version is None:
        return _judged(rows[-1][1])
    return next((_judged(made) for text, made in rows if version in text.split()), None)


def _judged(made: Shape) -> MetaSchema:
    properties = made["properties"] | {"bindingVersion": TEXT}
    return MetaSchema(made | {"properties": properties}, "$defs")
