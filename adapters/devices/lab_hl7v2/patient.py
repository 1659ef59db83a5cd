"""PID as canonical patient-identity: identifiers first; names are data, never keys."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from adapters.errors import MessageRefused
from adapters.formats.hl7v2.datatypes import filled, identifier, person_name
from adapters.formats.hl7v2.parse import Segment
from adapters.formats.hl7v2.timestamps import read_time

# HL7 table 0001, and the words that devices write in its place.
_SEX = {
    "F": "female", "FEMALE": "female", "M": "male", "MALE": "male", "A": "other", "O": "other",
    "OTHER": "other", "U": "unknown", "N": "unknown", "X": "unknown", "UNKNOWN": "unknown",
}  # fmt: skip


def read_patient(pid: Segment | None) -> dict[str, Any] | None:
    """Read PID; None where nothing identifies the patient."""
    if pid is None:
        return None
    identifiers = [found for number in (3, 2, 4) for found in _identifiers(pid, number)]
    if not identifiers:
        return None
    sex = pid.value(8)
    return filled(
        identifiers=_distinct(identifiers),
        name=person_name(pid.field(5)),
        birthDate=_birth_date(pid),
        sex=_SEX.get(sex.upper(), "unknown" if sex else None),
        sexRaw=sex,
        deceased={"Y": True, "N": False}.get(pid.value(30)),
    )


def patient_key(patient: dict[str, Any] | None) -> tuple[str, ...]:
    """Give (authority, type, value) of the first identifier; () where there is none."""
    if patient is None:
        return ()
    first = patient["identifiers"][0]
    authority = first.get("authority", {})
    return (authority.get("id") or authority.get("namespace", ""), first.get("type", ""), first["value"])


def _identifiers(pid: Segment, number: int) -> list[dict[str, Any]]:
    read = (identifier(field) for field in pid.repetitions(number))
    return [found for found in read if found is not None]


def _distinct(identifiers: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Drop a PID-2 or PID-4 that repeats a number of PID-3 without saying whose it is."""
    kept: list[dict[str, Any]] = []
    for found in identifiers:
        if found not in kept and not (
            found.keys() == {"value"} and any(other["value"] == found["value"] for other in kept)
        ):
            kept.append(found)
    return kept


def _birth_date(pid: Segment) -> str | None:
    try:
        born = read_time(pid.value(7), UTC)
    except MessageRefused:
        return None  # no clock of the result; as sent it stands in the raw message
    return born.at[:10] if born else None
