"""The rulesets that Spectral brings by name, as far as Interlock can stand for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.lint.spectral.ruleset import RulesetRule

BUILTIN: Mapping[str, str] = {}


def builtin_rules(name: str) -> dict[str, RulesetRule]:
    """Give the rules of a ruleset of that name."""
    raise KeyError(name)
