# ruff: noqa: E501 - one row for each rule: the table reads by column
"""What asking a deployed service can find: one row for each rule; ids are API and never change once released."""

from __future__ import annotations

from collections.abc import Mapping

from ci.conformance_rules import ConformanceRule
from kernel.contract.finding import Severity

BREAKING, UNDECIDED, WARNING = Severity.BREAKING, Severity.UNDECIDED, Severity.WARNING

RULES: tuple[ConformanceRule, ...] = (
    ConformanceRule("drift/answer-wrong", BREAKING, "answered {status}, and not as the contract declares", "What runs there is not what the board has frozen.", "Deploy the version that implements the contract, or submit a contract version that says what it does."),
    ConformanceRule("drift/path-unknown", UNDECIDED, "the service answers 404 to its path", "The operation may not be there, or the service hides what may not be read.", "Look at the address given with --probe, and at what is deployed."),
    ConformanceRule("drift/not-let-in", UNDECIDED, "answered {status} to the question", "Nothing behind the door was looked at.", "Give credentials with --auth-file or INTERLOCK_PROVIDER_AUTH."),
    ConformanceRule("drift/no-answer", UNDECIDED, "gave no answer", "Nothing is known of what does not answer.", "Look at the address given with --probe, and whether it runs."),
    ConformanceRule("drift/does-more", WARNING, "the application does, or may do, more than the contract says", "What nobody froze, nobody may rely on, and the proxy does not let through.", "Submit a contract version that says it, or take it out of the application."),
    ConformanceRule("drift/not-probed", WARNING, "was not asked", "It may change something, or a value that it needs cannot be made up.", "`interlock ci conformance` calls such operations too, in an environment where that may be done."),
)  # fmt: skip

BY_ID: Mapping[str, ConformanceRule] = {rule.id: rule for rule in RULES}
