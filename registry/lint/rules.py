"""Every rule that a finding of lint, of `check` or of a submission can carry: one row each."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from kernel.contract.finding import Severity
from registry.lint.answer_rules import ANSWER_RULES
from registry.lint.asyncapi_binding_rules import BINDING_RULES
from registry.lint.asyncapi_message_rules import MESSAGE_RULES
from registry.lint.asyncapi_rules import ASYNCAPI_RULES
from registry.lint.asyncapi_schema_rules import ASYNCAPI_SCHEMA_RULES
from registry.lint.asyncapi_usage_rules import USAGE_RULES
from registry.lint.asyncapi_value_rules import VALUE_RULES
from registry.lint.canon_rules import CANON_RULES
from registry.lint.event_rules import EVENT_RULES
from registry.lint.example_rules import EXAMPLE_RULES
from registry.lint.exception_rules import EXCEPTION_RULES
from registry.lint.foreign_rules import FOREIGN_RULES
from registry.lint.form_rules import FORM_RULES
from registry.lint.house_rules import HOUSE_RULES
from registry.lint.identity_rules import IDENTITY_RULES
from registry.lint.naming_rules import NAMING_RULES
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
    *ANSWER_RULES,
    *IDENTITY_RULES,
    *EVENT_RULES,
    *NAMING_RULES,
    *SCHEMA_RULES,
    *FORM_RULES,
    *CANON_RULES,
    *EXAMPLE_RULES,
    *EXCEPTION_RULES,
    *FOREIGN_RULES,
)
RULESET_PREFIX = "ruleset/"  # of the rules that a team brings in Spectral's format
BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}


def fault_of(rule: str) -> str | None:
    """Say why a rule can be neither excepted nor given another severity, or None when it can."""
    if rule.startswith(RULESET_PREFIX):
        return None
    found = BY_ID.get(rule)
    if found is None:
        near = difflib.get_close_matches(rule, BY_ID, n=1)
        return f"there is no rule `{rule[:80]}`" + (f"; did you mean `{near[0]}`?" if near else "")
    if found.severity is Severity.ERROR:
        return f"`{rule}` is an error: the document is not valid, or cannot be served, and no exception mends that"
    if found in FOREIGN_RULES:
        return (
            f"`{rule}` is told outside of lint, which knows no exceptions from it: waive the finding instead"
        )
    if found in EXCEPTION_RULES:
        return f"`{rule}` is about exceptions, and has none"
    return None
