"""The form of single values: dates and times, identifiers, formats by their right names, and patterns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kernel.contract.positions import token
from kernel.errors import SchemaRefused
from kernel.schema.lookaheads import without_lookaheads
from kernel.schema.patterns import linear
from registry.lint.pattern_ends import open_ends
from registry.lint.reading import Hit, Subject, mapping
from registry.lint.rule import ALL, INFO, WARNING, Rule
from registry.lint.words import folded, words

_FORMED = frozenset(
    {"format", "pattern", "enum", "const", "$ref", "allOf", "anyOf", "oneOf", "contentEncoding"}
)
_DATES = frozenset({"date", "datetime", "timestamp", "birthdate", "dob", "birthday", "startdate", "enddate"})
_FORMATS = {
    folded(name): name
    for name in (
        "date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6",
        "uri", "uri-reference", "iri", "iri-reference", "uuid", "uri-template", "json-pointer",
        "relative-json-pointer", "regex",
    )
} | {
    "timestamp": "date-time", "guid": "uuid", "url": "uri", "mail": "email", "emailaddress": "email",
    "ip": "ipv4", "ipaddress": "ipv4", "isodate": "date", "isodatetime": "date-time", "iso": "date-time",
    "fulldate": "date", "localdate": "date", "iso8601": "date-time", "rfc3339": "date-time",
}  # fmt: skip
_KNOWN = frozenset(_FORMATS.values())


def formless_dates(subject: Subject) -> Iterator[Hit]:
    """Find texts whose names say that they hold a date or a time, and whose form is not said."""
    for pointer, name, _ in _named_texts(subject):
        if _says_time(name):
            yield Hit(pointer, f"`{name[:80]}` is a date or time, and any text will do")


def _says_time(name: str) -> bool:
    said = words(name)
    if not said:
        return False
    last, before = said[-1], said[-2] if len(said) > 1 else ""
    return (
        last in _DATES
        or (last == "at" and before.endswith(("ed", "en", "nt", "ade")))
        or said[:2] == ("date", "of")
    )


def formless_ids(subject: Subject) -> Iterator[Hit]:
    """Find texts whose names say that they are an identifier, and whose form and length are not said."""
    for pointer, name, schema in _named_texts(subject):
        said = words(name)
        if said and said[-1] in ("id", "uuid", "guid", "identifier") and "maxLength" not in schema:
            yield Hit(pointer, f"`{name[:80]}`")


def _named_texts(subject: Subject) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Give properties and parameters that are texts without any form: pointer, name, schema."""
    for part in subject.schemas:
        for name, declared in mapping(mapping(part.node).get("properties")).items():
            if _is_formless(declared):
                yield f"{part.pointer}/properties{token(name)}", name, declared
    for part in subject.of("parameter"):
        if isinstance(part.node.get("name"), str) and _is_formless(part.node.get("schema")):
            yield f"{part.pointer}/schema", part.node["name"], part.node["schema"]


def _is_formless(schema: Any) -> bool:
    node = mapping(schema)
    kinds = node.get("type")
    text = kinds == "string" or (isinstance(kinds, list) and "string" in kinds)
    return text and not _FORMED & node.keys()


def misspelt_formats(subject: Subject) -> Iterator[Hit]:
    """Find formats that nobody checks since their names are spelled otherwise than the standard's."""
    for part in subject.schemas:
        written = mapping(part.node).get("format")
        meant = _FORMATS.get(folded(written)) if isinstance(written, str) and written not in _KNOWN else None
        if meant is not None:
            yield Hit(
                f"{part.pointer}/format",
                f"`{str(written)[:80]}` instead of `{meant}`",
            )


def unanchored_patterns(subject: Subject) -> Iterator[Hit]:
    """Find patterns that match a part of the text: what stands before or after is not looked at."""
    for part in subject.schemas:
        pattern = mapping(part.node).get("pattern")
        ends = open_ends(pattern) if isinstance(pattern, str) else ""
        if ends:
            yield Hit(f"{part.pointer}/pattern", f"{str(pattern)[:80]!r} at {ends}")


def nonlinear_patterns(subject: Subject) -> Iterator[Hit]:
    """Find patterns that cannot be run in linear time: back references, look-behind and the like."""
    for part in subject.schemas:
        node = mapping(part.node)
        if isinstance(node.get("pattern"), str):
            fault = _fault(node["pattern"])
            if fault:
                yield Hit(f"{part.pointer}/pattern", fault)
        for pattern in mapping(node.get("patternProperties")):
            fault = _fault(pattern)
            if fault:
                yield Hit(f"{part.pointer}/patternProperties{token(pattern)}", fault)


def _fault(pattern: str) -> str | None:
    try:
        rest, parts = without_lookaheads(pattern)
        for one in (rest, *(text for _, text in parts)):
            linear(one)
    except SchemaRefused as error:
        return error.message
    return None


def _holding(name: str, schema: str) -> str:
    return f"type: object\nproperties: {{{name}: {{type: string{schema}}}}}"


FORM_RULES: tuple[Rule, ...] = (
    Rule(
        "date-format-missing", WARNING, ALL,
        "03.04.26 is a day in March to some and in April to others; what is not said is not checked either.",
        "Add `format: date-time` or `format: date`, or a `pattern` where less is known (a year, a month).",
        good=_holding("orderedAt", ", format: date-time"), bad=_holding("orderedAt", ""), find=formless_dates,
    ),
    Rule(
        "id-form-missing", INFO, ALL,
        "Whoever stores the identifier must know how long it can be, and which characters stand in it.",
        "Add `format: uuid`, a `pattern` or `maxLength`.",
        good=_holding("orderId", ", maxLength: 40"), bad=_holding("orderId", ""), find=formless_ids,
        counted="identifiers are texts of any form and length",
    ),
    Rule(
        "format-misspelt", WARNING, ALL,
        "Validators take a format that they do not know for a note, so nothing is checked.",
        "Write the name that JSON Schema gives it.",
        good=_holding("orderedAt", ", format: date-time"), bad=_holding("orderedAt", ", format: datetime"),
        find=misspelt_formats, counted="formats are checked by nobody",
    ),
    Rule(
        "pattern-unanchored", INFO, ALL,
        "JSON Schema looks for the pattern anywhere in the text: [0-9]{10} takes a page of text with ten digits in it.",
        "Write `^` before and `$` after it; where only a beginning is meant, say so by `.*$`.",
        good=_holding("ward", ", pattern: '^[A-Z][0-9]$'"), bad=_holding("ward", ", pattern: '[A-Z][0-9]'"),
        find=unanchored_patterns, counted="patterns are open at an end",
    ),
    Rule(
        "pattern-nonlinear", WARNING, ALL,
        "A pattern that can backtrack lets one call take minutes, so the proxy does not run it.",
        "Write it without back references and look-behind; docs/reference/documents.md says what is taken.",
        good=_holding("ward", ", pattern: '^[A-Z]+$'"), bad=_holding("ward", ", pattern: '^([A-Z])\\1$'"),
        find=nonlinear_patterns,
    ),
)  # fmt: skip
