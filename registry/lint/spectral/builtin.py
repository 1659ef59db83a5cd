"""The rulesets that Spectral brings by name: what core functions can say, and who asks for the rest in this house."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from registry.lint.spectral.ruleset import RulesetRule

_HERE = Path(__file__).parent
BUILTIN: Mapping[str, Path] = {
    "spectral:oas": _HERE / "spectral-oas.yaml",
    "spectral:asyncapi": _HERE / "spectral-asyncapi.yaml",
}

# Names that Spectral's rules had once, and that many rulesets still turn on and off.
RENAMED: Mapping[str, str] = {
    "operation-2xx-response": "operation-success-response",
    "oas3-unused-components-schema": "oas3-unused-component",
    "oas2-valid-parameter-example": "oas2-valid-schema-example",
    "oas2-valid-response-schema-example": "oas2-valid-schema-example",
    "oas2-valid-definition-example": "oas2-valid-schema-example",
    "oas2-valid-response-example": "oas2-valid-media-example",
    "oas3-valid-oas-parameter-example": "oas3-valid-media-example",
    "oas3-valid-oas-content-example": "oas3-valid-media-example",
    "oas3-valid-oas-header-example": "oas3-valid-media-example",
    "oas3-valid-header-schema-example": "oas3-valid-schema-example",
    "oas3-valid-parameter-schema-example": "oas3-valid-schema-example",
}


def stand_ins(root: Mapping[str, Any]) -> Iterator[RulesetRule]:
    """Give the rules that find nothing themselves: a rule of the house asks for the same, or no document is theirs.

    Documents of Swagger 2.0 are refused as a whole (`version-unsupported`), so that rules about them never speak.
    """
    for name, asked_by in root.get("x-asked-by", {}).items():
        yield RulesetRule(name, (), (), enabled=False, asked_by=asked_by)
    for name in root.get("x-swagger-2", ()):
        yield RulesetRule(name, (), (), enabled=False, formats=("oas2",))
