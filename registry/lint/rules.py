"""Every rule that a finding of lint, of `check` or of a submission can carry: one row each."""

from __future__ import annotations

from collections.abc import Mapping

from registry.lint.asyncapi_binding_rules import BINDING_RULES
from registry.lint.asyncapi_message_rules import MESSAGE_RULES
from registry.lint.asyncapi_rules import ASYNCAPI_RULES
from registry.lint.asyncapi_schema_rules import ASYNCAPI_SCHEMA_RULES
from registry.lint.asyncapi_usage_rules import USAGE_RULES
from registry.lint.asyncapi_value_rules import VALUE_RULES
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
    *VALUE_RULES,
    *USAGE_RULES,
    *MESSAGE_RULES,
    *ASYNCAPI_SCHEMA_RULES,
    *BINDING_RULES,
    *HOUSE_RULES,
    *SCHEMA_RULES,
    *EXAMPLE_RULES,
    *FOREIGN_RULES,
)
BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}
