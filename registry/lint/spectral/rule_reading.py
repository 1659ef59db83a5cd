"""Reads the rules of a ruleset, each with what it is about, what it asks for, and in which words it says so."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from kernel.contract.document import Document
from kernel.contract.finding import Severity
from kernel.contract.positions import token
from registry.lint.spectral.aliases import Aliases
from registry.lint.spectral.faults import Refused, RulesetInvalid
from registry.lint.spectral.formats import checked
from registry.lint.spectral.functions import FUNCTIONS
from registry.lint.spectral.options import check_options
from registry.lint.spectral.ruleset import SEVERITIES, RulesetRule, Then

_KEYS = frozenset({"given", "then", "severity", "message", "description", "documentationUrl", "recommended",
                   "resolved", "formats", "tags", "type", "extensions"})  # fmt: skip
_NUMBERS = {0: "error", 1: "warn", 2: "info", 3: "hint", -1: "off"}
# Keys that are taken as they are: their type, and the attribute of a rule that holds them.
_PLAIN: tuple[tuple[str, type, str], ...] = (
    ("message", str, "message"),
    ("description", str, "description"),
    ("documentationUrl", str, "documentation"),
    ("recommended", bool, "recommended"),
    ("resolved", bool, "resolved"),
)


@dataclass(frozen=True, slots=True)
class Around:
    """What the ruleset around a rule says for all of its rules."""

    aliases: Aliases
    formats: tuple[str, ...] | None
    documentation: str = ""


class RuleReader:
    """Reads the rules of one file; every complaint carries rule and line.

    `ours`: the file is one that Interlock brings, and may use functions that others may not.
    """

    def __init__(self, document: Document, *, ours: bool = False) -> None:
        self._document = document
        self._ours = ours

    def invalid(self, pointer: str, what: str, hint: str = "") -> RulesetInvalid:
        """Make a complaint about a place of the file."""
        name = (
            pointer.rsplit("/rules/", maxsplit=1)[-1].split("/", maxsplit=1)[0].replace("~1", "/")
            if "/rules/" in pointer
            else ""
        )
        return RulesetInvalid(
            f"the rule `{name[:80]}`: {what}" if name else what,
            hint=hint or "docs/guide/lint.md says what rulesets may hold",
            place=self._document.position(pointer),
        )

    def read(
        self, name: str, value: Any, pointer: str, known: RulesetRule | None, around: Around
    ) -> RulesetRule:
        """Read a rule, or what becomes of a known one: another severity, on, off, or other words."""
        if known is not None and known.asked_by and not (isinstance(value, dict) and "then" in value):
            return self._passed_on(known, value, pointer)
        if isinstance(value, dict):
            return self._defined(name, value, pointer, known, around)
        if known is None:
            what = "no ruleset that is extended has such a rule"
            raise self.invalid(pointer, what, "write its `given` and `then`")
        if isinstance(value, bool):
            return replace(known, enabled=value)
        severity = self.severity(value, pointer)
        return replace(known, severity=severity, enabled=severity is not None)

    def _passed_on(self, known: RulesetRule, value: Any, pointer: str) -> RulesetRule:
        """Keep a severity for the rule of the house that asks for the same; `true` leaves it as it is."""
        if isinstance(value, dict):
            if value.keys() - {"severity"}:
                what = (
                    f"Interlock asks for the same by its own rule `{known.asked_by}`, whose words are its own"
                )
                raise self.invalid(pointer, what, "give it a severity, or write its `given` and `then`")
            value = value.get("severity", True)
        if value is True:
            return known
        severity = None if value is False else self.severity(value, pointer)
        return replace(known, severity=severity, passed_on=True)

    def severity(self, value: Any, pointer: str) -> Severity | None:
        """Read a severity; None is off."""
        word = _NUMBERS.get(value) if isinstance(value, int) and not isinstance(value, bool) else value
        if not isinstance(word, str) or word not in SEVERITIES:
            raise self.invalid(pointer, f"a severity is one of {', '.join(SEVERITIES)}")
        return SEVERITIES[word]

    def formats(self, value: Any, pointer: str) -> tuple[str, ...] | None:
        """Read a list of formats; None where there is none."""
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.invalid(pointer, "`formats` is a list of names")
        try:
            return checked(tuple(value))
        except Refused as error:
            raise self.invalid(pointer, error.what, error.hint) from None

    def _defined(
        self, name: str, value: dict[str, Any], pointer: str, known: RulesetRule | None, around: Around
    ) -> RulesetRule:
        for key in value:
            if key not in _KEYS and not key.startswith("x-"):
                raise self.invalid(f"{pointer}{token(key)}", f"`{key[:60]}` is not known in a rule")
        if known is None and not {"given", "then"} <= value.keys():
            raise self.invalid(pointer, "a rule has `given` and `then`")
        rule = known or RulesetRule(
            name,
            (),
            (),
            formats=around.formats,
            documentation=f"{around.documentation}#{name}" if around.documentation else "",
            place=self._document.position(pointer),
        )
        changes = dict(self._plain(value, pointer))
        changes["asked_by"] = ""
        changes["enabled"] = known is not None or value.get("recommended") is not False
        if "given" in value:
            changes["given"] = self._given(value["given"], pointer, around)
        if "then" in value:
            changes["then"] = tuple(self._then(value["then"], f"{pointer}/then"))
        if "severity" in value:
            changes["severity"] = self.severity(value["severity"], f"{pointer}/severity")
        if "formats" in value:
            changes["formats"] = self.formats(value["formats"], f"{pointer}/formats")
        return replace(rule, **changes)

    def _plain(self, value: dict[str, Any], pointer: str) -> Iterator[tuple[str, Any]]:
        for key, kind, attribute in _PLAIN:
            if key in value:
                if not isinstance(value[key], kind):
                    word = "text" if kind is str else "boolean"
                    raise self.invalid(f"{pointer}/{key}", f"`{key}` is a {word}")
                yield attribute, value[key]

    def _given(self, value: Any, pointer: str, around: Around) -> Any:
        try:
            return around.aliases.targets(value)
        except Refused as error:
            raise self.invalid(f"{pointer}/given", error.what, error.hint) from None

    def _then(self, value: Any, pointer: str) -> Iterator[Then]:
        listed = value if isinstance(value, list) else [value]
        for index, item in enumerate(listed):
            at = f"{pointer}/{index}" if isinstance(value, list) else pointer
            if not isinstance(item, dict) or not isinstance(item.get("function"), str):
                raise self.invalid(at, "`then` names a `function`")
            unknown = item.keys() - {"function", "functionOptions", "field", "description"}
            if unknown:
                raise self.invalid(
                    f"{at}{token(min(unknown))}", f"`{min(unknown)[:60]}` is not known in `then`"
                )
            field = item.get("field")
            if field is not None and not isinstance(field, str):
                raise self.invalid(f"{at}/field", "`field` is a text")
            try:
                check_options(item["function"], item.get("functionOptions"), ours=self._ours)
                function = FUNCTIONS[item["function"]](item.get("functionOptions"))
                Aliases.check_field(field)
            except Refused as error:
                raise self.invalid(at, error.what, error.hint) from None
            yield Then(function, item["function"], field)
