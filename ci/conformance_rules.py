# ruff: noqa: E501 - one row for each rule: the table reads by column
"""What a run against a provider can find: one row for each rule; ids are API and never change once released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kernel.contract.finding import Severity

BREAKING, RISKY, UNDECIDED, WARNING = Severity.BREAKING, Severity.RISKY, Severity.UNDECIDED, Severity.WARNING


@dataclass(frozen=True, slots=True)
class ConformanceRule:
    """One row. `what` continues a sentence that begins with the operation; `{status}` is the answer's."""

    id: str
    severity: Severity
    what: str
    why: str
    remedy: str


_MEND = "Mend the provider, or submit a contract version that says what it does."

RULES: tuple[ConformanceRule, ...] = (
    ConformanceRule("conformance/server-error", BREAKING, "answered {status} to a call that the contract describes", "A server error is no answer that anybody can rely on, whatever was sent.", "Refuse what cannot be served with a 4xx that the contract declares."),
    ConformanceRule("conformance/status-undeclared", BREAKING, "answered {status}, which the contract does not declare", "Callers have no way to know what this answer means.", _MEND),
    ConformanceRule("conformance/content-type", BREAKING, "answered {status} with another content type than the contract declares", "Callers parse what was declared, and cannot read this.", _MEND),
    ConformanceRule("conformance/response-header", BREAKING, "answered {status} with a declared header missing or wrong", "Callers rely on the headers that were promised.", _MEND),
    ConformanceRule("conformance/response-body", BREAKING, "answered {status} with a body that its schema refuses", "The proxy refuses such an answer (502), and callers fail on it without one.", _MEND),
    ConformanceRule("conformance/invalid-input-accepted", BREAKING, "answered {status} to a call that the contract forbids", "What is accepted against the contract is stored, forwarded and acted on unchecked.", "Check the request against the contract, or let the proxy stand before the provider."),
    ConformanceRule("conformance/missing-header-accepted", BREAKING, "answered {status} to a call without a header that the contract requires", "A required header that nobody asks for is no requirement.", _MEND),
    ConformanceRule("conformance/auth-ignored", BREAKING, "answered {status} to a call without valid credentials", "Anybody who reaches the provider is let in.", "Ask for the credentials that the contract declares, before anything else."),
    ConformanceRule("conformance/used-after-deletion", BREAKING, "answered {status} for a resource that was deleted before", "Callers see again what they were told is gone.", _MEND),
    ConformanceRule("conformance/created-but-missing", BREAKING, "answered {status} for a resource that was created just before", "Callers cannot use what they were told exists.", _MEND),
    ConformanceRule("conformance/method-undeclared", BREAKING, "answered {status} to a method that the contract does not declare", "The provider does more than the board has seen.", "Answer 405."),
    ConformanceRule("conformance/valid-input-refused", RISKY, "answered {status} to a call that the contract allows", "Callers that keep the contract are refused; rules beyond the schema may be the reason.", "Write the rule into the schema where it can be, or declare and document this answer."),
    ConformanceRule("conformance/other", BREAKING, "failed a check of schemathesis with answer {status}", "A check that has no row of its own here found something.", "Read schemathesis's own report: run it by hand with the same seed."),
    ConformanceRule("conformance/no-success-seen", UNDECIDED, "never answered with success, so no success answer was judged", "What was not seen is not known to conform.", "Give examples in the contract, links between operations, or data in the provider."),
    ConformanceRule("conformance/never-let-in", UNDECIDED, "answered every call with 401 or 403", "Nothing behind the door was looked at.", "Give credentials with --auth-file or INTERLOCK_PROVIDER_AUTH."),
    ConformanceRule("conformance/no-answer", UNDECIDED, "gave no answer to some calls", "A connection that ends or a wait without end may be the call's doing or the network's.", "Look at the provider's log for the time of the run."),
    ConformanceRule("conformance/not-called", UNDECIDED, "was not called", "What was not called is not known to conform.", "Give the run more time (--seconds) or examples (--examples)."),
    ConformanceRule("conformance/left-out", WARNING, "was left out of this run", "What was left out is not known to conform, and the evidence is not complete.", "Run against an environment where it may be called."),
    ConformanceRule("conformance/unreachable", UNDECIDED, "the provider did not answer", "Nothing is known of a provider that does not answer.", "Look at its address, and whether it runs."),
    ConformanceRule("conformance/engine-failed", UNDECIDED, "schemathesis did not finish its work", "Nothing is concluded from a run that did not end.", "Run again with the same seed; if it stays, report contract and seed."),
)  # fmt: skip

BY_ID: Mapping[str, ConformanceRule] = {rule.id: rule for rule in RULES}

# Check of schemathesis: our rule.
CHECKS: Mapping[str, str] = {
    "not_a_server_error": "conformance/server-error",
    "status_code_conformance": "conformance/status-undeclared",
    "content_type_conformance": "conformance/content-type",
    "response_headers_conformance": "conformance/response-header",
    "response_schema_conformance": "conformance/response-body",
    "negative_data_rejection": "conformance/invalid-input-accepted",
    "positive_data_acceptance": "conformance/valid-input-refused",
    "missing_required_header": "conformance/missing-header-accepted",
    "ignored_auth": "conformance/auth-ignored",
    "use_after_free": "conformance/used-after-deletion",
    "ensure_resource_availability": "conformance/created-but-missing",
    "unsupported_method": "conformance/method-undeclared",
}
