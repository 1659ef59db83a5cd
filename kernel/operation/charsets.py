"""The charsets that text may come in, and reading it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from kernel.operation.media_types import MediaType

UTF8: Final = frozenset({"utf-8", "utf8"})
_OF_TEXT: Final = UTF8 | {"us-ascii", "ascii", "iso-8859-1", "latin1"}


def charset_of(media: MediaType | None, known: frozenset[str] = _OF_TEXT) -> str:
    """Give the charset that a media type names, UTF-8 where it names none; raises `Undecodable` for one not known."""
    charset = ((media.parameter("charset") if media is not None else None) or "utf-8").lower()
    if charset not in known:
        raise Undecodable("charset")
    return charset


def text_in(media: MediaType | None, data: bytes) -> str:
    """Read text in the charset of its media type (for parts: RFC 7578 §4.4); raises `Undecodable`."""
    charset = charset_of(media)
    try:
        return data.decode(charset)
    except UnicodeDecodeError:
        raise Undecodable("utf-8" if charset in UTF8 else "charset") from None
