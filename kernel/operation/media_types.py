"""Read a Content-Type once and strictly, and find the declared media range that it belongs to.

One parse, by the grammar of RFC 9110 §8.3.1, and no second opinion: three bypasses of one gateway came
from a tab, a leading space and a lenient split. Names of types and parameters are lower-cased.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from kernel.errors import ContractInvalid, Place

# json, text, form, multipart, xml: decoded; stream: a sequence without end; binary: octets.
Kind = Literal["json", "text", "form", "multipart", "xml", "stream", "binary"]

# RFC 9110 §5.6.2: a token.
_WORD: Final = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_TYPE: Final = re.compile(rf"({_WORD})/({_WORD})")
# RFC 9110 §5.6.6, with SP as the only white space: a tab has never been needed, only abused.
_PARAMETER: Final = re.compile(
    rf' *; *(?:({_WORD})=(?:({_WORD})|"((?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*)"))?'
)
_ESCAPED: Final = re.compile(r"\\(.)")
_STREAMS: Final = frozenset(
    {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/json-seq",
        "application/geo+json-seq",
        "text/event-stream",
    }
)
# Formats of their own, which nobody sends JSON by: a schema of objects does not describe their bytes.
_FOREIGN: Final = frozenset(
    {
        *("application/yaml", "application/x-yaml", "application/cbor", "application/msgpack"),
        *("application/x-msgpack", "application/protobuf", "application/x-protobuf", "application/pdf"),
        *("application/vnd.google.protobuf", "application/avro", "application/zip", "application/gzip"),
        *("application/dicom", "application/octet-stream", "application/x-hl7", "application/hl7-v2"),
    }
)
_FOREIGN_TYPES: Final = ("image/", "audio/", "video/", "font/")
_FOREIGN_SUFFIXES: Final = ("+yaml", "+cbor", "+zip", "+gzip", "+ber", "+der")
_CASELESS: Final = frozenset({"charset"})


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type or range: `essence` is `type/subtype`, parameters by name, in the order written."""

    essence: str
    parameters: tuple[tuple[str, str], ...] = ()

    @property
    def kind(self) -> Kind:
        """Say how a body of this type is read; structured syntax suffixes as RFC 6839 and 8091 have them."""
        essence = self.essence
        if essence in _STREAMS or essence.endswith("+json-seq"):
            return "stream"
        if essence in {"application/json", "text/json"} or essence.endswith("+json"):
            return "json"
        if essence in {"application/xml", "text/xml"} or essence.endswith("+xml"):
            return "xml"
        if essence == "application/x-www-form-urlencoded":
            return "form"
        if essence.startswith("multipart/"):
            return "multipart"
        return "text" if essence.startswith("text/") else "binary"

    @property
    def is_foreign(self) -> bool:
        """Whether the type is known to be neither JSON, XML, text nor a form."""
        essence = self.essence
        return (
            essence in _FOREIGN or essence.startswith(_FOREIGN_TYPES) or essence.endswith(_FOREIGN_SUFFIXES)
        )

    def parameter(self, name: str) -> str | None:
        """Give the value of a parameter, as written (quotes taken off)."""
        for known, value in self.parameters:
            if known == name:
                return value
        return None

    @property
    def spelled_alike(self) -> MediaType:
        """Give the one spelling of all that are the same type or range: their parameters may stand in any order."""
        alike = ((name, value.lower() if name in _CASELESS else value) for name, value in self.parameters)
        return MediaType(self.essence, tuple(sorted(alike)))

    @property
    def is_range(self) -> bool:
        """Whether `*` stands for a part of the type."""
        return "*" in self.essence

    def covers(self, actual: MediaType) -> bool:
        """Whether a body of type `actual` belongs to this declared range, parameters included.

        Parameters that are declared must be there with the same value (case counts, but in `charset`);
        further ones of the body are its own affair.
        """
        return _covers(self.essence, actual.essence) and all(
            _same(name, value, actual.parameter(name)) for name, value in self.parameters
        )

    @property
    def rank(self) -> tuple[int, int]:
        """Order ranges, the closest first: exact, `type/*+suffix`, `type/*`, `*/*`; more parameters first."""
        if not self.is_range:
            breadth = 0
        elif self.essence == "*/*":
            breadth = 3
        else:
            breadth = 2 if self.essence.endswith("/*") else 1
        return breadth, -len(self.parameters)


def parse_media_type(value: bytes) -> MediaType | None:
    """Parse a field value that the HTTP parser has trimmed; None when it does not follow the grammar.

    Refused too: a parameter named twice (which of the two counts would be up to each reader), and `*`,
    which has no place in a Content-Type.
    """
    found = _parse(value.decode("latin-1"))
    return None if found is None or found.is_range else found


def parse_range(text: str, pointer: str) -> MediaType:
    """Parse a key of a `content` object; raises `ContractInvalid` when it is no media range."""
    found = _parse(text)
    if found is None or (found.is_range and not _is_usable_range(found.essence)):
        raise ContractInvalid(
            f"{text[:80]!r} is no media type",
            hint="write it like application/json, text/*, application/*+json or */*",
            place=Place(pointer=pointer),
        )
    return found


def _parse(text: str) -> MediaType | None:
    head = _TYPE.match(text)
    if head is None:
        return None
    parameters: list[tuple[str, str]] = []
    at = head.end()
    while at < len(text):
        piece = _PARAMETER.match(text, at)
        if piece is None:
            return None
        at = piece.end()
        name, token, quoted = piece.groups()
        if name is None:
            continue  # an empty parameter, as in `application/json;`, is in the grammar
        if any(known == name.lower() for known, _ in parameters):
            return None
        parameters.append((name.lower(), token if quoted is None else _ESCAPED.sub(r"\1", quoted)))
    return MediaType(f"{head[1]}/{head[2]}".lower(), tuple(parameters))


def _is_usable_range(essence: str) -> bool:
    major, _, minor = essence.partition("/")
    if major == "*":
        return minor == "*"
    return "*" not in major and (minor == "*" or (minor.startswith("*+") and "*" not in minor[2:]))


def _covers(declared: str, actual: str) -> bool:
    if declared in {actual, "*/*"}:
        return True
    if declared.endswith("/*"):
        return actual.startswith(declared[:-1])
    major, star, suffix = declared.partition("/*+")
    return bool(star) and actual.startswith(major + "/") and actual.endswith("+" + suffix)


def _same(name: str, declared: str, actual: str | None) -> bool:
    if actual is not None and name in _CASELESS:
        return declared.lower() == actual.lower()
    return declared == actual
