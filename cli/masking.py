"""Shows configuration without its secrets: passwords in URLs, and values whose names say that they are secret."""

from __future__ import annotations

import re
from typing import Any, Final

MASK: Final = "***"
_SECRET: Final = re.compile(
    r"(?i)(?:^|[_-])(?:password|passwd|secret|token|credentials?|authorization|api[_-]?key|private[_-]?key)(?:$|[_-])"
)
_PLACE: Final = re.compile(r"(?i)(?:[_-](?:file|path|env|name|url|uri))$")  # where a secret lies is no secret
_USERINFO: Final = re.compile(r"(://[^:/?#@]*):[^/?#]*@")
_QUERY: Final = re.compile(r"(?i)([?&][^=&]*(?:password|secret|token|key)[^=&]*=)[^&]*")


def masked(value: Any, name: str = "") -> Any:
    """Give a configuration value as it may be shown; `name` is that of its setting."""
    if isinstance(value, dict):
        return {inner: masked(one, str(inner)) for inner, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [masked(one, name) for one in value]
    if value and _SECRET.search(name) and not _PLACE.search(name):
        return MASK
    if isinstance(value, str):
        return _QUERY.sub(rf"\1{MASK}", _USERINFO.sub(rf"\1:{MASK}@", value))
    return value
