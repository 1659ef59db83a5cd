"""Why a message was refused or held: one row a reason, so that answer, audit record and docs agree."""

# ruff: noqa: E501 - a table is read by rows

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

# header: what the sender says about the message is not acceptable (AR, CR)
# body: the message cannot be read (AE, CE)
# content: readable, held, and not acceptable as what it claims to be (AE after the commit answer)
# ours: our failure, the message may be right (AR or silence, by profile)
# silent: nobody waits for an answer
Blame = Literal["header", "body", "content", "ours", "silent"]
# What became of a message, as far as its sender is concerned.
Fate = Literal["taken", "header-refused", "body-refused", "content-refused", "failed", "not-held"]


@dataclass(frozen=True, slots=True)
class Reason:
    """`slug` is API; `hl7` is a code and text of HL7 table 0357 for ERR-3; `fix` says what to do."""

    slug: str
    blame: Blame
    hl7: tuple[str, str]
    summary: str
    fix: str


_SEGMENT = ("100", "Segment sequence error")
_MISSING = ("101", "Required field missing")
_TYPE = ("102", "Data type error")
_TABLE = ("103", "Table value not found")
_MESSAGE = ("200", "Unsupported message type")
_DUPLICATE = ("205", "Duplicate key identifier")
_LOCKED = ("206", "Application record locked")
_INTERNAL = ("207", "Application internal error")

ROWS: tuple[Reason, ...] = (
    Reason("header-unreadable", "header", _SEGMENT, "the first segment is no readable MSH", "send MSH first"),
    Reason("message-too-large", "header", _INTERNAL, "more bytes than the connection takes", "raise max_message_bytes, or split the report"),
    Reason("frame-broken", "header", _SEGMENT, "bytes other than 0D follow the end byte 1C", "correct the sender's MLLP framing"),
    Reason("batch-in-frame", "header", _MESSAGE, "one frame holds a batch (FHS, BHS) or several messages", "send one message a frame"),
    Reason("type-missing", "header", _MISSING, "MSH-9 says no message type", "fill MSH-9"),
    Reason("control-id-missing", "header", _MISSING, "MSH-10 is empty", "fill MSH-10: a resend could not be told from a new message"),
    Reason("charset-unsupported", "header", _TABLE, "MSH-18 names a character set that cannot travel over MLLP", "send UTF-8 or an ISO 8859 set"),
    Reason("sender-unknown", "content", _TABLE, "MSH-3 and MSH-4 are not among the senders of this connection", "add the sender to the adapter's settings"),
    Reason("type-unmapped", "header", _MESSAGE, "the profile refuses message types that it does not map", "send it elsewhere, or set unmapped to store"),
    Reason("segment-unreadable", "body", _SEGMENT, "a line is no segment", "send segments of three letters or digits, ended by CR"),
    Reason("too-many-parts", "body", _SEGMENT, "more segments or fields than the limits allow", "split the message"),
    Reason("charset-wrong", "body", _TYPE, "the bytes are not in the character set that MSH-18 names", "correct MSH-18, or set charset_policy to guess"),
    Reason("report-missing", "content", _SEGMENT, "a result message without OBR", "send an OBR before its OBX"),
    Reason("code-missing", "content", _MISSING, "the report or an observation has no code", "fill OBR-4, OBX-3"),
    Reason("status-unknown", "content", _TABLE, "a result status is in no HL7 table", "send a code of table 0085 (OBX-11) or 0123 (OBR-25)"),
    Reason("value-unreadable", "content", _TYPE, "a value is not what OBX-2 says it is", "send a number for NM, or type ST for words; or set number_policy to text"),
    Reason("final-without-value", "content", _MISSING, "OBX-11 U makes a result final without sending it again", "send the value with status F"),
    Reason("time-unreadable", "content", _TYPE, "a time that matters is no HL7 time", "send YYYYMMDDHHMMSS with offset"),
    Reason("outside-contract", "content", _TYPE, "the canonical form does not match its frozen schema", "see the violations; correct the message or the profile"),
    Reason("control-id-reused", "content", _DUPLICATE, "MSH-10 was used before for another message", "give each message a control id of its own"),
    Reason("older-than-held", "content", _LOCKED, "a newer revision of this result is held", "nothing, when the newer one is right"),
    Reason("status-goes-back", "content", _LOCKED, "a final result would become preliminary without being newer", "send a later OBR-22, or status C"),
    Reason("contract-missing", "ours", _INTERNAL, "the bundle lacks a frozen contract for this resource or its event", "freeze the canonical schemas and clinical-events (docs/guide/devices.md)"),
    Reason("store-failed", "ours", _INTERNAL, "the canonical store could not keep it", "see the proxy's log; check disk and database"),
    Reason("internal-failure", "ours", _INTERNAL, "a failure of Interlock itself", "report it with the message's id"),
    Reason("transmission-incomplete", "silent", _SEGMENT, "the connection or the time ended inside a frame", "nothing: the sender got no answer and sends again"),
)  # fmt: skip

BY_SLUG = {row.slug: row for row in ROWS}


def reason(slug: str) -> Reason:
    """Give the row of a slug; one that is not in the table is a failure of ours."""
    return BY_SLUG.get(slug, BY_SLUG["internal-failure"])
