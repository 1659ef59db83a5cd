"""HL7 v2 data types as fragments of the canonical schemas: identifiers, concepts, names, numbers."""

from __future__ import annotations

import re
from typing import Any

from adapters.formats.hl7v2.parse import Field

SHORT = 512  # characters; `shortText` of the canonical schemas
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?P<whole>\d*)(?:\.(?P<part>\d*))?(?P<power>[eE][+-]?\d{1,3})?", re.ASCII
)
_COMPARED = re.compile(r"\s*(?P<sign><=|>=|<|>)\s*(?P<number>.+)", re.DOTALL)


def identifier(field: Field) -> dict[str, Any] | None:
    """Read a CX (PID-3): value, type, authority; None where there is no value."""
    return _identifier(
        field.component(1),
        field.component(5),
        namespace=field.component(4),
        universal=field.component(4, 2),
        universal_type=field.component(4, 3),
    )


def entity(field: Field) -> dict[str, Any] | None:
    """Read an EI (OBR-2, OBR-3): value and authority; None where there is no value."""
    return _identifier(
        field.component(1),
        "",
        namespace=field.component(2),
        universal=field.component(3),
        universal_type=field.component(4),
    )


def _identifier(
    value: str, kind: str, *, namespace: str, universal: str, universal_type: str
) -> dict[str, Any] | None:
    if not value:
        return None
    authority = filled(namespace=namespace, id=universal, idType=universal_type)
    return filled(value=value, type=kind, authority=authority)


def concept(field: Field) -> dict[str, Any] | None:
    """Read a CE, CWE or CNE: both codings as sent, the one of a shared vocabulary as `normalised`."""
    first = filled(
        code=field.component(1),
        display=field.component(2),
        system=field.component(3),
        version=field.component(7),
    )
    second = filled(
        code=field.component(4),
        display=field.component(5),
        system=field.component(6),
        version=field.component(8),
    )
    codings = [coding for coding in (first, second) if coding]
    shared = next(
        (coding for coding in codings if coding.get("code") and coding.get("system", "") in SHARED), None
    )
    return filled(codings=codings, normalised=shared, text=field.component(9)) or None


# Names in HL7 table 0396 of vocabularies that mean the same everywhere.
SHARED = frozenset({"LN", "LOINC", "SCT", "SNM3", "UCUM", "MDC", "HL70078"})


def person_name(field: Field) -> dict[str, Any] | None:
    """Read an XPN or PN: family, given, prefix, suffix."""
    given = [part for part in (field.component(2), field.component(3)) if part]
    return (
        filled(family=field.component(1), given=given, prefix=field.component(5), suffix=field.component(4))
        or None
    )


def number(text: str) -> str | None:
    """Read an NM as canonical digits (`+.5` becomes `0.5`, `5.` becomes `5`); None when it is none."""
    found = _NUMBER.fullmatch(text.strip())
    if found is None or not (found["whole"] or found["part"]):
        return None
    whole = (found["whole"] or "0") + ("." + found["part"] if found["part"] else "")
    return ("-" if found["sign"] == "-" else "") + whole + (found["power"] or "")


def compared(text: str) -> tuple[str, str] | None:
    """Read a number behind a sign (`<40`, `>= 1.5`) as (comparator, digits)."""
    found = _COMPARED.fullmatch(text)
    digits = number(found["number"]) if found else None
    return (found["sign"], digits) if found and digits else None


def filled(**parts: Any) -> dict[str, Any]:
    """Keep the parts that hold something; text is cut at nothing: too long is for the schema to refuse."""
    return {name: part for name, part in parts.items() if part not in (None, "", [], {})}
