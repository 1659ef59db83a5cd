"""Every rule that a finding of lint, of `check` or of a submission can carry: one row each."""

from __future__ import annotations

from collections.abc import Mapping

from registry.lint.asyncapi_rules import ASYNCAPI_RULES
from registry.lint.example_rules import EXAMPLE_RULES
from registry.lint.foreign_rules import FOREIGN_RULES
from registry.lint.house_rules import HOUSE_RULES
from registry.lint.openapi_rules import OPENAPI_RULES
from registry.lint.rule import Rule
from registry.lint.schema_rules import SCHEMA_RULES
from registry.lint.validity import VALIDITY

RULES: tuple[Rule, ...] = (
    *VALIDITY,
    *OPENAPI_RULES,
    *ASYNCAPI_RULES,
    *HOUSE_RULES,
    *SCHEMA_RULES,
    *EXAMPLE_RULES,
    *FOREIGN_RULES,
)
BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}
