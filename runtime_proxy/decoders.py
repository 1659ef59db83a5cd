"""Says in words how the content of a declared media type is read and checked: for `proxy plan`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.errors import InterlockError
from kernel.operation.media_types import parse_range
from kernel.operation.reading import UNCHECKED
from kernel.operation.shapes import dereference

if TYPE_CHECKING:
    from collections.abc import Mapping

_WORDS: Final[Mapping[str, str]] = {
    "json": "strict JSON",
    "xml": "XML by the xml object",
    "form": "form fields by property",
    "multipart": "parts by property or position",
    "stream": "items as they come",
    "text": "text in its charset",
    "binary": "octets",
}


def decoders_of(root: Any, node: Any) -> dict[str, str]:
    """Give media type → how it is read and checked, for a request body or an answer with `content`."""
    content = node.get("content") if isinstance(node, dict) else None
    if not isinstance(content, dict):
        return {}
    return {str(media): _reading(root, str(media), declared) for media, declared in content.items()}


def _reading(root: Any, media: str, declared: Any) -> str:
    spec = dereference(root, declared)
    spec = spec if isinstance(spec, dict) else {}
    try:
        kind = parse_range(media, "").kind
    except InterlockError:
        return "not a media type"
    if spec.get(UNCHECKED) is True:
        return "passed on unread, as the contract says"
    if "itemSchema" in spec:
        return f"{_WORDS[kind]}, each item by its schema"
    schema = spec.get("schema", True)
    if schema is True or schema == {}:
        return "strict JSON, any value" if kind == "json" else "only that it is declared: no schema says more"
    return f"{_WORDS[kind]}, then its schema"
