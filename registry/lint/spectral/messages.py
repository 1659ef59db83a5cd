"""The words of a result: a rule's `message` with its placeholders, its description, or what the function says."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from registry.lint.spectral.ruleset import RulesetRule
from registry.lint.spectral.tree import Key
from registry.lint.spectral.values import printed, text

LONGEST = 500  # characters
_PLACEHOLDER = re.compile(r"(#?)\{\{([^}\n]+)\}\}")
_PRINT = re.compile(r"print\((?:\"([a-z]+)\"|'([a-z]+)')\)")


class Said(NamedTuple):
    """What placeholders may name."""

    property: str
    error: str
    path: str
    description: str
    value: Any


def filled(rule: RulesetRule, said: Said) -> str:
    """Give the message of a result."""
    own = _fill(said.error, said)
    if rule.message is None:
        return (rule.description or own).strip()[:LONGEST]
    return _fill(rule.message, said._replace(error=own)).strip()[:LONGEST]


def dotted(keys: tuple[Key, ...]) -> str:
    """Print keys as `info.contact`, positions and what looks like one as `[0]`."""
    if len(keys) == 1:
        return str(keys[0])
    out = ""
    for index, key in enumerate(keys):
        said = str(key)
        if not said or any(char.isspace() for char in said):
            out += f"['{said}']"
        elif said.replace(".", "", 1).isdecimal():
            out += f"[{said}]"
        else:
            out += ("." if index else "") + said
    return out


def _fill(template: str, said: Said) -> str:
    return _PLACEHOLDER.sub(lambda found: _value(found[1], found[2], said), template[: 4 * LONGEST])


def _value(mark: str, name: str, said: Said) -> str:
    if mark:
        asked = _PRINT.fullmatch(name.strip())
        return _printed((asked[1] or asked[2]) if asked else "", said)
    if name == "value":
        return printed(said.value) if isinstance(said.value, dict | list) else text(said.value)
    return str(getattr(said, name)) if name in Said._fields else ""


def _printed(what: str, said: Said) -> str:
    if what == "property":
        return f'"{said.property}" property ' if said.property else "The document "
    if what == "value":
        return printed(said.value)
    return str(getattr(said, what)) if what in Said._fields else ""
