"""Reads the messages of AsyncAPI documents: traits applied, the wrappers of schemas taken off."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernel.errors import SchemaRefused
from kernel.operation.asyncapi_model import Message, MessageSchema
from kernel.operation.members import mapping
from kernel.operation.shapes import follow
from kernel.operation.traits import Merged, with_traits
from kernel.schema.dialects import Dialect, of_format


class MessageReader:
    """Reads the messages of one document; one that several objects refer to is read once."""

    def __init__(self, root: Any, default: str | None, *, modern: bool) -> None:
        self._root = root
        self._default = default
        self._modern = modern
        self._known: dict[tuple[str, str], Message] = {}

    def message(self, key: str, declared: Any, pointer: str) -> Message:
        """Read a message; `key` is its name in the channel, "" in 2.x. Raises `ContractInvalid`."""
        spec, place = object_at(self._root, declared, pointer)
        if (key, place) in self._known:
            return self._known[key, place]
        merged = with_traits(self._root, spec, place, own_wins=self._modern)
        value = merged.value
        correlation, _ = object_at(self._root, value.get("correlationId"), f"{place}/correlationId")
        component = place.rpartition("/")[2] if place.startswith("/components/messages/") else ""
        made = Message(
            key or text_in(value, "messageId") or unescaped(component), place, text_in(value, "name"),
            self._schema(merged, "payload"), self._schema(merged, "headers"),
            text_in(value, "contentType") or self._default, text_in(correlation, "location"),
            bindings_of(self._root, value, place), value,
        )  # fmt: skip
        self._known[key, place] = made
        return made

    def _schema(self, merged: Merged, key: str) -> MessageSchema | None:
        """Take the wrapper off: 3.x writes `schemaFormat` around a schema, 2.x beside the payload."""
        if key not in merged.value:
            return None
        schema, pointer = merged.value[key], merged.origins[key]
        written = merged.value.get("schemaFormat") if not self._modern and key == "payload" else None
        reached, place = follow(self._root, schema, pointer)
        if self._modern and isinstance(reached, dict) and "schemaFormat" in reached:
            schema, pointer, written = reached.get("schema", True), f"{place}/schema", reached["schemaFormat"]
        form = written if isinstance(written, str) else None
        try:
            dialect = Dialect.DRAFT_07 if form is None else of_format(form, pointer)
        except SchemaRefused:
            dialect = None
        return MessageSchema(schema, pointer, form, dialect, key in merged.blended)


def object_at(root: Any, declared: Any, pointer: str) -> tuple[dict[str, Any], str]:
    """Follow references to an object, {} where nothing is said; raises `ContractInvalid` for anything else."""
    found, place = follow(root, declared, pointer)
    return mapping(found, place), place


def bindings_of(root: Any, spec: Mapping[str, Any], pointer: str) -> dict[str, Any]:
    """Give the bindings by protocol."""
    return object_at(root, spec.get("bindings"), f"{pointer}/bindings")[0]


def text_in(spec: Mapping[str, Any], key: str) -> str | None:
    """Give a member that is text, None for anything else."""
    value = spec.get(key)
    return value if isinstance(value, str) else None


def unescaped(step: str) -> str:
    """Undo the escapes of one step of a JSON pointer (RFC 6901 §4)."""
    return step.replace("~1", "/").replace("~0", "~")
