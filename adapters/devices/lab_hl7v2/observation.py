"""OBX as canonical observation: the value by its type, and why there is none where there is none."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any

from adapters.devices.lab_hl7v2.clock import Clock
from adapters.devices.lab_hl7v2.settings import LabSettings
from adapters.devices.lab_hl7v2.status import ABSENT, observation_status
from adapters.devices.lab_hl7v2.units import read_unit
from adapters.errors import MessageRefused
from adapters.formats.hl7v2.datatypes import compared, concept, entity, filled, number
from adapters.formats.hl7v2.parse import Field, Segment
from adapters.formats.hl7v2.timestamps import read_time

LONGEST_TEXT = 262_144  # `longText` of the canonical schema; longer texts become attachments
_LONGEST_RAW = 512
_NUMERIC = frozenset({"NM", "SN", "ST", ""})
_CODED = frozenset({"CE", "CWE", "CNE", "IS", "ID", "CF"})
_MOMENTS = frozenset({"DT", "TM", "TS", "DTM"})
_ATTACHED = frozenset({"ED", "RP"})
# Words that analyzers write where a number should stand.
_ABSENT_WORDS = {
    "NO RESULT": "unknown", "NORESULT": "unknown", "NOVALUE": "unknown", "ERROR": "error", "INVALID": "error",
    "NOT DONE": "not-performed", "CANCELLED": "not-performed", "CANCELED": "not-performed",
}  # fmt: skip
_RANGE = re.compile(r"\s*(?P<low>-?[\d.]+)\s*(?:-|–|to)\s*(?P<high>-?[\d.]+)\s*")  # noqa: RUF001 - some send the dash


def read_observation(
    obx: Segment, notes: list[str], clock: Clock, settings: LabSettings, *, report_status: str
) -> dict[str, Any]:
    """Read one OBX with the NTE that follow it; raises `MessageRefused` with the place.

    `code` is missing where OBX-3 is empty: the caller knows what the report is about.
    """
    status_raw = obx.value(11)
    status = observation_status(status_raw, report_status, obx.at(11))
    unit = read_unit(obx.field(6), settings.units)
    value, absent = _value(obx, unit, clock, words_for_numbers=settings.words_for_numbers)
    if value is None and status_raw.upper() == "U":
        raise MessageRefused("final without a value", reason="final-without-value", location=obx.at(5))
    if value is None and absent is None:
        absent = {"dataAbsentReason": ABSENT.get(status_raw.upper(), "unknown")}
    return filled(
        subId=obx.value(4),
        code=normalise(concept(obx.field(3)), settings.codes),
        value=value,
        **(absent or {}),
        status=status,
        statusRaw=status_raw,
        times=filled(measured=clock.read(obx, 14), recorded=clock.read(obx, 19)),
        interpretation=[flag.component(1) for flag in obx.repetitions(8) if flag.component(1)],
        referenceRange=_reference_range(obx.field(7).plain()),
        method=concept(obx.field(17)),
        device=entity(obx.field(18)),
        notes=notes,
    )


def normalise(found: dict[str, Any] | None, codes: Mapping[str, Mapping[str, str]]) -> dict[str, Any] | None:
    """Add the shared coding that the profile knows for a local code, where none was sent."""
    if found is None or "normalised" in found:
        return found
    for coding in found.get("codings", ()):
        if (known := codes.get(coding.get("code", ""))) is not None:
            return {**found, "normalised": dict(known)}
    return found


def _value(
    obx: Segment, unit: dict[str, Any] | None, clock: Clock, *, words_for_numbers: bool
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Give (value, nothing) or (nothing, why it is absent); both None where the field is empty."""
    kind = obx.value(2).upper()
    field = obx.field(5)
    if not obx.repetitions(5):
        return None, None
    plain = field.plain().strip()
    if kind in _NUMERIC and (word := _ABSENT_WORDS.get(plain.upper())) is not None:
        return None, {"dataAbsentReason": word, "absentRaw": plain}
    if kind in _ATTACHED:
        return _attachment(obx, field), None
    if kind in _CODED:
        return _coded(obx), None
    if kind in _MOMENTS:
        return _moment(kind, plain, clock), None
    numeric = _numeric(kind, field, plain, unit) if kind in _NUMERIC else None
    if numeric is None and kind == "NM" and not words_for_numbers:
        raise MessageRefused("an NM is no number", reason="value-unreadable", location=obx.at(5))
    return numeric or _text(obx, unit), None


def _coded(obx: Segment) -> dict[str, Any] | None:
    concepts = [found for found in (concept(part) for part in obx.repetitions(5)) if found]
    return filled(kind="coded", concepts=concepts) if concepts else None


def _text(obx: Segment, unit: dict[str, Any] | None) -> dict[str, Any] | None:
    text = "\n".join(part.plain() for part in obx.repetitions(5)).strip()
    if len(text) > LONGEST_TEXT:
        return _attachment(obx, obx.field(5))
    return filled(kind="text", text=text, unit=unit) if text else None


def _numeric(kind: str, field: Field, plain: str, unit: dict[str, Any] | None) -> dict[str, Any] | None:
    if len(plain) > _LONGEST_RAW:
        return None
    if kind == "SN":
        return _structured(field, plain, unit)
    if (pair := compared(plain)) is not None:
        return filled(kind="quantity", raw=plain, number=pair[1], comparator=pair[0], unit=unit)
    digits = number(plain)
    if digits is None or (kind != "NM" and unit is None):  # a bare ST may be a code or a name
        return None
    return filled(kind="quantity", raw=plain, number=digits, unit=unit)


def _structured(field: Field, plain: str, unit: dict[str, Any] | None) -> dict[str, Any] | None:
    """Read SN (ch. 2A): comparator, number, separator, number."""
    sign, separator = field.component(1), field.component(3)
    first, second = number(field.component(2)), number(field.component(4))
    if first and not separator and sign in ("", "=", "<", "<=", ">", ">="):
        comparator = "" if sign == "=" else sign
        return filled(kind="quantity", raw=plain, number=first, comparator=comparator, unit=unit)
    if first and second and separator in ("-", ":", "/", "+") and not sign:
        return filled(kind="interval", raw=plain, first=first, separator=separator, second=second, unit=unit)
    return None


def _moment(kind: str, plain: str, clock: Clock) -> dict[str, Any]:
    try:
        when = read_time(plain, clock.zone) if kind != "TM" else None
    except MessageRefused:
        when = None
    return filled(kind="moment", raw=plain, time=when.document() if when else None)


def _attachment(obx: Segment, field: Field) -> dict[str, Any]:
    data = obx.raw(5).encode(obx.codec, "replace")
    kind = "/".join(part for part in (field.component(2), field.component(3)) if part)
    return {
        "kind": "attachment",
        "bytes": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        **filled(type=kind[:_LONGEST_RAW], encoding=field.component(4)[:_LONGEST_RAW]),
    }


def _reference_range(text: str) -> dict[str, Any] | None:
    raw = text.strip()
    if not raw:
        return None
    low = high = None
    if found := _RANGE.fullmatch(raw):
        low, high = number(found["low"]), number(found["high"])
    elif pair := compared(raw):
        low, high = (None, pair[1]) if pair[0].startswith("<") else (pair[1], None)
    return filled(raw=raw, low=low, high=high)
