"""Parse XML text into elements, with everything refused that reaches beyond the document or grows inside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from kernel.operation.violation import Undecodable

if TYPE_CHECKING:
    from kernel.operation.media_types import MediaType

_MAX_DEPTH: Final = 100
_MAX_ELEMENTS: Final = 100_000


def parse_xml(media: MediaType, data: bytes) -> Element:
    """Parse well-formed XML in UTF-8; raises `Undecodable` with keyword `xml`, `limit` or `charset`."""
    charset = media.parameter("charset")
    if charset is not None and charset.lower() != "utf-8":
        raise Undecodable("charset")
    return _Parse().run(data)


class _Parse:
    """One run of expat, with everything refused that reaches beyond the document or grows inside it."""

    def __init__(self) -> None:
        self._depth = 0
        self._elements = 0
        self._builder = TreeBuilder()
        self._parser = expat.ParserCreate(encoding="utf-8", namespace_separator="}")
        self._parser.buffer_text = True
        self._parser.XmlDeclHandler = self._declare
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.EntityDeclHandler = self._refuse
        self._parser.ExternalEntityRefHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._builder.data

    def run(self, data: bytes) -> Element:
        try:
            # expat lets a byte order mark of UTF-16 overrule the encoding that it was told.
            if b"\x00" in data or not data.decode():
                raise Undecodable("xml")
            self._parser.Parse(data, True)
        except (expat.ExpatError, UnicodeDecodeError):
            raise Undecodable("xml") from None
        return self._builder.close()

    def _declare(self, _version: str, encoding: str | None, _standalone: int) -> None:
        if encoding is not None and encoding.lower() not in {"utf-8", "us-ascii"}:
            raise Undecodable("charset")

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self._elements += 1
        if self._depth > _MAX_DEPTH or self._elements > _MAX_ELEMENTS:
            raise Undecodable("limit")
        self._builder.start(_clark(name), {_clark(key): text for key, text in attributes.items()})

    def _end(self, name: str) -> None:
        self._depth -= 1
        self._builder.end(_clark(name))

    def _refuse(self, *_: Any) -> int:
        raise Undecodable("xml")


def _clark(name: str) -> str:
    """Write `uri}local`, as expat gives it, in Clark's notation."""
    return "{" + name if "}" in name else name
