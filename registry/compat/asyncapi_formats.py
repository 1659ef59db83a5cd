"""Schemas in formats that nothing here compares by meaning (Avro, Protobuf, RAML): the same text is the same."""

from __future__ import annotations

import re
from typing import Any, Final

from kernel.contract.digest import canonical_bytes
from kernel.operation.asyncapi_model import MessageSchema

_NOTES: Final = frozenset({"doc"})  # of Avro (1.11 §Schema Declaration): says nothing of what is written
_PIECES: Final = re.compile(
    r"""("(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')|(?:/\*.*?\*/|//[^\n]*|\s)+""", re.DOTALL
)
_SYNTAX: Final = re.compile(r"\+(json|yaml)\b")


def same_text(old: MessageSchema, new: MessageSchema) -> bool:
    """Whether both hold the same schema in the same format, notes, comments and blanks aside."""
    family = _family(old.format)
    return family == _family(new.format) and _normal(old.schema, family) == _normal(new.schema, family)


def _family(written: str | None) -> str:
    """Give the format in one spelling: that it was written as JSON or YAML says nothing of the schema."""
    return _SYNTAX.sub("", (written or "").lower().replace(" ", ""))


def _normal(schema: Any, family: str) -> bytes:
    if isinstance(schema, str) and "protobuf" in family:
        # Comments and blanks stand for one blank; what is quoted stands for itself.
        return canonical_bytes(_PIECES.sub(lambda found: found[1] or " ", schema).strip())
    return canonical_bytes(_without_notes(schema) if "avro" in family else schema)


def _without_notes(value: Any) -> Any:
    """Leave out Avro's notes; within a default the same word is data."""
    if isinstance(value, dict):
        return {
            key: item if key == "default" else _without_notes(item)
            for key, item in value.items()
            if key not in _NOTES
        }
    return [_without_notes(item) for item in value] if isinstance(value, list) else value
