"""What a ruleset holds once it is read: rules ready to run, and which of them hold for a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from kernel.contract.finding import Severity
from kernel.errors import Place
from registry.lint.spectral.functions import Function
from registry.lint.spectral.globs import glob_matches
from registry.lint.spectral.paths import JsonPath

# Spectral's words for severities, and ours: an error fails the gate, a hint is a note like an info.
SEVERITIES: Mapping[str, Severity | None] = {
    "error": Severity.ERROR,
    "warn": Severity.WARNING,
    "info": Severity.INFO,
    "hint": Severity.INFO,
    "off": None,
}


_WORST = (Severity.ERROR, Severity.WARNING, Severity.INFO)


@dataclass(frozen=True, slots=True)
class Target:
    """Paths that hold for documents of some formats; `formats` None: of any."""

    formats: tuple[str, ...] | None
    paths: tuple[JsonPath, ...]


@dataclass(frozen=True, slots=True)
class Then:
    """One demand: the function, and the field of the value that it judges (None: the value itself)."""

    function: Function
    name: str
    field: str | None


@dataclass(frozen=True, slots=True)
class Exemption:
    """Another severity (None: off) for files of a glob, at a pointer and below."""

    glob: str
    pointer: str
    severity: Severity | None


@dataclass(frozen=True, slots=True)
class RulesetRule:
    """One rule; `given` has one entry for each expression, whose targets depend on the format."""

    name: str
    given: tuple[tuple[Target, ...], ...]
    then: tuple[Then, ...]
    severity: Severity | None = Severity.WARNING
    enabled: bool = True
    recommended: bool = True
    resolved: bool = True
    formats: tuple[str, ...] | None = None
    description: str = ""
    message: str | None = None
    documentation: str = ""
    exemptions: tuple[Exemption, ...] = ()
    place: Place | None = None
    asked_by: str = ""  # the rule of the house that asks for the same; then there is nothing to run
    passed_on: bool = False  # whether its severity was given, for that rule of the house

    def severity_at(self, pointer: str) -> Severity | None:
        """Give the severity at a place: that of the longest pointer of an exemption above it, else its own."""
        best, severity = -1, self.severity
        for one in self.exemptions:
            inside = pointer == one.pointer or pointer.startswith(f"{one.pointer}/")
            if inside and len(one.pointer) >= best:
                best, severity = len(one.pointer), one.severity
        return severity


@dataclass(frozen=True, slots=True)
class Override:
    """What becomes of the rules for files of some globs."""

    globs: tuple[str, ...]
    change: Callable[[Mapping[str, RulesetRule]], Mapping[str, RulesetRule]]


@dataclass(frozen=True, slots=True)
class Ruleset:
    """A ruleset with all that it extends; `home` is the folder that globs are relative to."""

    name: str
    home: str
    rules: Mapping[str, RulesetRule]
    overrides: tuple[Override, ...] = ()
    exemptions: Mapping[str, tuple[Exemption, ...]] = field(default_factory=dict)

    def rules_for(self, file: str) -> tuple[RulesetRule, ...]:
        """Give the enabled rules for a document, by its path ("" where it has none).

        A rule that is off is run all the same where a pointer into this very file gives it a severity.
        """
        known, relative = self._known(file)
        chosen: list[RulesetRule] = []
        for rule in known.values():
            here = tuple(
                one for one in self.exemptions.get(rule.name, ()) if glob_matches(one.glob, relative)
            )
            if rule.enabled or here:
                chosen.append(replace(rule, exemptions=here))
        return tuple(chosen)

    def house_severities(self, file: str) -> dict[str, Severity | None]:
        """Give the severities that were given to rules for which rules of the house stand: the worst of each."""
        found: dict[str, Severity | None] = {}
        for rule in self._known(file)[0].values():
            if rule.passed_on and rule.asked_by:
                both = (rule.severity, found.get(rule.asked_by))
                found[rule.asked_by] = next((one for one in _WORST if one in both), None)
        return found

    def _known(self, file: str) -> tuple[Mapping[str, RulesetRule], str]:
        """Give the rules for a file, with overrides applied, and its path from the folder of the ruleset."""
        known, relative = self.rules, _relative(file, self.home)
        for override in self.overrides:
            if any(glob_matches(glob, relative) for glob in override.globs):
                known = override.change(known)
        return known, relative


def _relative(file: str, home: str) -> str:
    """Give a document's path from the folder of the ruleset, with `/` between its steps."""
    return os.path.relpath(file, home).replace(os.sep, "/") if file else ""
