"""Builds acknowledgements (ACK), also to messages that cannot be read (HL7 ch. 2.9, ERR, MSA)."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.formats.hl7v2.parse import Segment
from adapters.formats.hl7v2.separators import STANDARD, Separators
from adapters.formats.hl7v2.timestamps import write_time
from adapters.reasons import Reason

UNREADABLE_CONTROL_ID = "UNKNOWN"  # MSA-2 is required; a message without readable MSH-10 has no name
UNREADABLE_VERSION = "2.5.1"
_PLACE = re.compile(
    r"(?P<segment>[A-Z][A-Z0-9]{2})(?:\[(?P<occurrence>\d+)\])?(?:-(?P<field>\d+)(?:\.(?P<component>\d+))?)?"
)
_LONGEST_FIELD = 250  # characters echoed of any field; longer ones are no names but an attack


@dataclass(frozen=True, slots=True)
class Problem:
    """What an ERR segment says: a row of adapters/reasons.py and a place; never a value."""

    reason: Reason
    location: str = ""


def acknowledge(
    header: Segment | None, code: str, *, problem: Problem | None = None, now: datetime | None = None
) -> bytes:
    """Write one ACK: `header` is the MSH as sent (read as Latin-1, so that its bytes come back unchanged).

    Sender and receiver change places, MSA-2 echoes MSH-10, version, processing id and character set are kept.
    """
    separators = header.separators if header else STANDARD
    echo = _Echo(header)
    moment = datetime.now(UTC) if now is None else now
    msh = [
        "MSH",
        separators.encoding,
        echo.field(5), echo.field(6), echo.field(3), echo.field(4),
        write_time(moment),
        "",
        _message_type(header, separators),
        secrets.token_hex(10),
        echo.field(11) or "P",
        echo.field(12) or UNREADABLE_VERSION,
        "", "", "", "", "",
        echo.field(18),
    ]  # fmt: skip
    msa = ["MSA", code, echo.field(10) or UNREADABLE_CONTROL_ID]
    segments = [msh, msa]
    if problem is not None:
        segments.append(_err(problem, echo.field(12), separators))
    lines = (separators.field.join(parts).rstrip(separators.field) + "\r" for parts in segments)
    return "".join(lines).encode("iso8859-1")


def answered(ack: bytes) -> tuple[str, str]:
    """Read (code, control id) of an acknowledgement, as a sender does; ("", "") when it is none."""
    for line in re.split(rb"[\r\n]+", ack):
        if line.startswith(b"MSA") and len(line) > 4:  # noqa: PLR2004 - MSA and a separator
            parts = line.decode("iso8859-1").split(chr(line[3]))
            return parts[1], parts[2] if len(parts) > 2 else ""  # noqa: PLR2004 - MSA-2
    return "", ""


@dataclass(frozen=True, slots=True)
class _Echo:
    header: Segment | None

    def field(self, number: int) -> str:
        return self.header.raw(number)[:_LONGEST_FIELD].strip() if self.header else ""


def _message_type(header: Segment | None, separators: Separators) -> str:
    """`ACK`, `ACK^R01`, `ACK^R01^ACK`: as many components as the sender's own MSH-9 has."""
    if header is None or not separators.component:
        return "ACK"
    parts = header.raw(9)[:_LONGEST_FIELD].split(separators.component)
    event = parts[1] if len(parts) > 1 and parts[1].isalnum() else ""
    if not event:
        return "ACK"
    return separators.component.join(("ACK", event, "ACK") if len(parts) > 2 else ("ACK", event))  # noqa: PLR2004


def _err(problem: Problem, version: str, separators: Separators) -> list[str]:
    code, text = problem.reason.hl7
    place = _PLACE.fullmatch(problem.location)
    parts = [place[name] or "" for name in ("segment", "occurrence", "field", "component")] if place else []
    if _before_2_5(version):  # ERR-1, an ELD: segment, sequence, field, code and text
        glue = separators.subcomponent or " "
        eld = [*[*parts, "", "", ""][:3], glue.join((code, text, "HL70357"))]
        return ["ERR", separators.component.join(eld)]
    if len(parts) == 4 and parts[3]:  # noqa: PLR2004 - ERL: segment, sequence, field, repetition, component
        parts = [*parts[:3], "1", parts[3]]
    location = separators.component.join(parts).rstrip(separators.component or None)
    error = separators.component.join((code, text, "HL70357"))
    return ["ERR", "", location, error, "E", "", "", "", problem.reason.slug]


def _before_2_5(version: str) -> bool:
    found = re.match(r"2\.(\d)", version)
    return found is not None and int(found[1]) < 5  # noqa: PLR2004 - version 2.5 has the new ERR
