"""Units as laboratories write them, in UCUM; what is not known stays as it was sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.formats.hl7v2.datatypes import filled
from adapters.formats.hl7v2.parse import Field

# Written by real senders (HL7 v2 samples, Simulated Hospital, OpenELIS profiles); keys in upper case.
ALIASES: Mapping[str, str] = {
    "%": "%", "G/L": "g/L", "G/DL": "g/dL", "MG/L": "mg/L", "MG/DL": "mg/dL", "UG/L": "ug/L",
    "UG/DL": "ug/dL", "NG/ML": "ng/mL", "PG/ML": "pg/mL", "PG": "pg", "G": "g", "MG": "mg", "KG": "kg",
    "MMOL/L": "mmol/L", "MMOLL": "mmol/L", "UMOL/L": "umol/L", "UMOLL": "umol/L", "NMOL/L": "nmol/L",
    "PMOL/L": "pmol/L", "MEQ/L": "meq/L", "U/L": "U/L", "UNIT/L": "U/L", "IU/L": "[iU]/L",
    "IU/ML": "[iU]/mL", "MIU/L": "m[iU]/L", "UIU/ML": "u[iU]/mL", "FL": "fL", "L/L": "L/L",
    "10*9/L": "10*9/L", "10^9/L": "10*9/L", "10*12/L": "10*12/L", "10^12/L": "10*12/L",
    "10*3/UL": "10*3/uL", "10^3/UL": "10*3/uL", "10*6/UL": "10*6/uL", "10^6/UL": "10*6/uL",
    "K/UL": "10*3/uL", "M/UL": "10*6/uL", "/UL": "/uL", "S": "s", "SEC": "s", "SECONDS": "s", "MIN": "min",
    "H": "h", "HR": "h", "YR": "a", "YEARS": "a", "WK": "wk", "DAYS": "d", "MMHG": "mm[Hg]",
    "BPM": "{beats}/min", "CM": "cm", "MM": "mm", "MM/H": "mm/h", "MM/HR": "mm/h", "ML": "mL", "L": "L",
    "ML/MIN": "mL/min", "ML/MIN/1.73M2": "mL/min/{1.73_m2}", "COPIES/ML": "{copies}/mL", "RATIO": "{ratio}",
    "INR": "{INR}", "CEL": "Cel", "DEG C": "Cel", "PH": "[pH]",
}  # fmt: skip


def read_unit(field: Field, local: Mapping[str, str]) -> dict[str, Any] | None:
    """Read OBX-6 (CE or CWE): as sent, and in UCUM where sent so, or known; None where it is empty."""
    code, text, system = (field.component(number) for number in (1, 2, 3))
    raw = code or text
    if not raw:
        return None
    ucum = code if system.upper() == "UCUM" else ""
    if field.component(6).upper() == "UCUM":
        ucum = ucum or field.component(4)
    ucum = ucum or local.get(raw, "") or ALIASES.get(_plain(raw), "")
    return filled(raw=raw, ucum=ucum)


def _plain(unit: str) -> str:
    """Write both micro signs (U+00B5, and Greek mu) as UCUM does, and letters in upper case."""
    return unit.replace("\u00b5", "u").replace("\u03bc", "u").upper()
