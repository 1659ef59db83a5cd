"""Result statuses of HL7 v2 as the closed canonical sets: every code a decision (docs/guide/devices.md)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from adapters.errors import MessageRefused

# OBX-11, HL7 table 0085. HL7's own v2-to-FHIR map leaves B, I, N, O, R, S, U and V open; our decisions:
# B appended: reviewed, more was said, values unchanged: the report changed after it was final
# I specimen in the laboratory, O describes the order only: known, nothing measured yet
# N not asked, on purpose: there will be none
# R entered and not verified, S partial: preliminary
# U made final without being sent again: final, but only with a value
# V verified: final
OBSERVATION: Mapping[str, str] = {
    "A": "amended",
    "B": "amended",
    "C": "corrected",
    "D": "entered-in-error",
    "F": "final",
    "I": "registered",
    "N": "cancelled",
    "O": "registered",
    "P": "preliminary",
    "R": "preliminary",
    "S": "preliminary",
    "U": "final",
    "V": "final",
    "W": "entered-in-error",
    "X": "cancelled",
}
# Why there is no value, by OBX-11; others: unknown.
ABSENT: Mapping[str, str] = {
    "I": "temp-unknown",
    "N": "not-asked",
    "O": "temp-unknown",
    "P": "temp-unknown",
    "R": "temp-unknown",
    "S": "temp-unknown",
    "X": "not-performed",
}

# OBR-25, HL7 table 0123 (D and W are not in it and are sent all the same).
# M corrected, not final: preliminary again    Y, Z answers to queries: no order, no such patient
REPORT: Mapping[str, str] = {
    "A": "partial",
    "C": "corrected",
    "D": "entered-in-error",
    "F": "final",
    "I": "registered",
    "M": "preliminary",
    "N": "registered",
    "O": "registered",
    "P": "preliminary",
    "R": "preliminary",
    "S": "registered",
    "U": "final",
    "V": "final",
    "W": "entered-in-error",
    "X": "cancelled",
    "Y": "unknown",
    "Z": "unknown",
}

# The event that tells of a report, by its status (contracts/clinical-events).
EVENTS: Mapping[str, str] = {
    "registered": "result.preliminary",
    "unknown": "result.preliminary",
    "partial": "result.preliminary",
    "preliminary": "result.preliminary",
    "final": "result.final",
    "amended": "result.corrected",
    "appended": "result.corrected",
    "corrected": "result.corrected",
    "cancelled": "result.withdrawn",
    "entered-in-error": "result.withdrawn",
}


def observation_status(code: str, report: str, location: str) -> str:
    """Read OBX-11; where it is empty the report's status counts. Raises `MessageRefused` (status-unknown)."""
    if not code:
        return report if report in OBSERVATION.values() else "unknown"
    return _look_up(OBSERVATION, code, location)


def report_status(code: str, location: str) -> str:
    """Read OBR-25, "" where it is empty; raises `MessageRefused` (status-unknown)."""
    return _look_up(REPORT, code, location) if code else ""


def settle_report(status: str, observations: Iterable[str]) -> str:
    """Bring the report in line with its observations.

    A final report with a corrected line is a corrected report; one whose lines are all withdrawn is
    withdrawn; one that says nothing of itself takes what its lines have in common.
    """
    found = set(observations)
    if found == {"entered-in-error"}:
        return "entered-in-error"
    if status in ("final", ""):
        later = next((word for word in ("corrected", "amended") if word in found), "")
        status = later or status
    return status or _common(found)


def _common(found: set[str]) -> str:
    if found == {"cancelled"}:
        return "cancelled"
    if found and found <= {"final", "cancelled"}:
        return "final"
    return "preliminary" if found & {"preliminary", "registered"} else "unknown"


def _look_up(table: Mapping[str, str], code: str, location: str) -> str:
    status = table.get(code.upper())
    if status is None:
        raise MessageRefused("a status is in no table", reason="status-unknown", location=location)
    return status
