"""Reads one HL7 v2 message: segments, fields, repetitions, components; gives back every byte it read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.errors import MessageRefused
from adapters.formats.hl7v2.charset import decode
from adapters.formats.hl7v2.escape import unescape
from adapters.formats.hl7v2.separators import Separators, read_separators

BOM = b"\xef\xbb\xbf"
NULL = '""'  # HL7 ch. 2.5.3: the sender says that there is nothing (a receiver deletes what it had)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a reader accepts before it stops: bytes of a message, segments, fields of one segment."""

    message_bytes: int = 16 * 1024 * 1024
    segments: int = 50_000
    fields: int = 2_000


DEFAULT = Limits()
_LINE = re.compile(r"([^\r\n]*)(\r\n|\r|\n|\Z)")


@dataclass(frozen=True, slots=True)
class Field:
    """One repetition of a field, still escaped; components and subcomponents count from 1."""

    text: str
    separators: Separators
    codec: str

    def component(self, number: int, subcomponent: int = 1) -> str:
        """Give one subcomponent as plain text, "" where it is missing or null."""
        part = _nth(self.text, self.separators.component, number)
        part = _nth(part, self.separators.subcomponent, subcomponent)
        return "" if part == NULL else unescape(part, self.separators, self.codec).strip()

    def plain(self) -> str:
        """Give the whole repetition as plain text, its separators left in."""
        return "" if self.text == NULL else unescape(self.text, self.separators, self.codec)

    def __bool__(self) -> bool:
        return bool(self.text) and self.text != NULL


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment; `line` is as sent, `occurrence` counts segments of the same id from 1."""

    id: str
    line: str
    occurrence: int
    separators: Separators
    codec: str

    def raw(self, number: int) -> str:
        """Give field `number` as sent, all repetitions, "" where it is missing."""
        if self.id in ("MSH", "BHS", "FHS"):  # MSH-1 is the separator itself, so the count is one off
            if number == 1:
                return self.separators.field
            number -= 1
        return _nth(self.line, self.separators.field, number + 1)

    def field(self, number: int) -> Field:
        """Give the first repetition of a field."""
        return Field(_nth(self.raw(number), self.separators.repetition, 1), self.separators, self.codec)

    def repetitions(self, number: int) -> tuple[Field, ...]:
        """Give all repetitions that hold something."""
        text = self.raw(number)
        parts = text.split(self.separators.repetition) if self.separators.repetition else [text]
        found = (Field(part, self.separators, self.codec) for part in parts)
        return tuple(field for field in found if field)

    def value(self, number: int, component: int = 1) -> str:
        """Give one component of the first repetition as plain text."""
        return self.field(number).component(component)

    def at(self, number: int, component: int | None = None) -> str:
        """Name a place in this segment: `OBX[2]-5.1`."""
        return f"{self.id}[{self.occurrence}]-{number}" + (f".{component}" if component else "")


@dataclass(frozen=True, slots=True)
class Message:
    """A whole message; `ends` are the line ends as sent, so that `text` can be given back."""

    segments: tuple[Segment, ...]
    separators: Separators
    codec: str
    charset_guessed: bool
    prefix: str  # blank lines before MSH
    ends: tuple[str, ...]  # what stood after each segment: one line end, or several

    @property
    def header(self) -> Segment:
        """The MSH segment."""
        return self.segments[0]

    @property
    def text(self) -> str:
        """The message as it was read."""
        return self.prefix + "".join(
            segment.line + end for segment, end in zip(self.segments, self.ends, strict=True)
        )

    def all(self, segment_id: str) -> Iterator[Segment]:
        """Give the segments of one id in order."""
        return (segment for segment in self.segments if segment.id == segment_id)


def read_header(raw: bytes) -> Segment:
    """Read the MSH line alone, so that even a broken message gets an answer; raises `MessageRefused`."""
    start = raw.removeprefix(BOM).lstrip(b"\r\n\t ")
    if not start.startswith(b"MSH"):
        is_batch = start[:3] in (b"FHS", b"BHS")
        raise MessageRefused(
            "a batch came in one frame" if is_batch else "no MSH at the start",
            reason="batch-in-frame" if is_batch else "header-unreadable",
            location=start[:3].decode() + "[1]" if is_batch else "MSH[1]",
        )
    line = re.split(rb"[\r\n]", start, maxsplit=1)[0][: 64 * 1024].decode("iso8859-1")
    separators = read_separators(line[3:])
    return Segment("MSH", line, 1, separators, "iso8859-1")


def parse(
    raw: bytes, *, default_charset: str = "utf-8", guess: bool = True, limits: Limits = DEFAULT
) -> Message:
    """Read a message; raises `MessageRefused` with reason and place (HL7 ch. 2.6, 2.10).

    Segments end with CR; LF and CRLF are taken as well, except a lone LF before what looks like no
    segment: it stands inside a field. A byte order mark is no part of `text`.
    """
    if len(raw) > limits.message_bytes:
        raise MessageRefused(f"more than {limits.message_bytes} bytes", reason="message-too-large")
    header = read_header(raw)
    declared = header.field(18).component(1)
    decoded = decode(raw.removeprefix(BOM), declared, default=default_charset, guess=guess)
    separators = read_separators(decoded.text.lstrip()[3:])
    lines = _lines(decoded.text, separators)
    prefix = ""
    while lines and not lines[0][0].strip():
        prefix += lines[0][0] + lines[0][1]
        del lines[0]
    if lines and (indent := len(lines[0][0]) - len(lines[0][0].lstrip())):
        prefix += lines[0][0][:indent]
        lines[0] = (lines[0][0][indent:], lines[0][1])
    segments, ends = _segments(lines, separators, decoded.codec, limits)
    if sum(1 for segment in segments if segment.id == "MSH") > 1:
        raise MessageRefused("several messages in one frame", reason="batch-in-frame", location="MSH[2]")
    return Message(segments, separators, decoded.codec, decoded.guessed, prefix, ends)


def _lines(text: str, separators: Separators) -> list[tuple[str, str]]:
    """Cut into (line, line end); after a lone LF, what looks like no segment belongs to the text before."""
    lines: list[tuple[str, str]] = []
    starts = re.compile(rf"[A-Za-z0-9]{{3}}(?:{re.escape(separators.field)}|\Z)")
    for found in _LINE.finditer(text):
        line, end = found[1], found[2]
        if not line and not end:
            continue
        if line and lines and lines[-1][1] == "\n" and lines[-1][0] and not starts.match(line):
            lines[-1] = (lines[-1][0] + "\n" + line, end)
        else:
            lines.append((line, end))
    return lines


def _segments(
    lines: list[tuple[str, str]], separators: Separators, codec: str, limits: Limits
) -> tuple[tuple[Segment, ...], tuple[str, ...]]:
    segments: list[Segment] = []
    ends: list[str] = []
    seen: dict[str, int] = {}
    for line, end in lines:
        if not line.strip():
            ends[-1] += line + end  # blank lines between segments, as some senders write them
            continue
        name = line[:3]
        if not re.fullmatch(r"[A-Z][A-Z0-9]{2}", name) or line[3:4] not in ("", separators.field):
            where = f"{segments[-1].id}[{segments[-1].occurrence}]" if segments else "MSH[1]"
            raise MessageRefused("a line is no segment", reason="segment-unreadable", location=where)
        seen[name] = seen.get(name, 0) + 1
        segment = Segment(name, line, seen[name], separators, codec)
        if len(segments) >= limits.segments:
            raise MessageRefused(f"more than {limits.segments} segments", reason="too-many-parts")
        if line.count(separators.field) > limits.fields:
            raise MessageRefused(
                f"more than {limits.fields} fields", reason="too-many-parts", location=f"{name}[{seen[name]}]"
            )
        segments.append(segment)
        ends.append(end)
    return tuple(segments), tuple(ends)


def _nth(text: str, separator: str, number: int) -> str:
    """Give the `number`-th part, counted from 1; without a separator the text is its own first part."""
    if not separator:
        return text if number == 1 else ""
    parts = text.split(separator, number)
    return parts[number - 1] if number <= len(parts) else ""
