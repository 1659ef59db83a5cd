"""Everything that `interlock explain` can explain, gathered from the tables that the program itself uses."""

from __future__ import annotations

import importlib
import inspect
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.errors import Exit
from kernel.errors import InterlockError
from kernel.settings import SETTINGS

if TYPE_CHECKING:
    from registry.lint.rule import Rule as LintRule

# Modules that define errors; importing them is how their classes become known.
ERROR_MODULES = (
    "kernel.contract.errors",
    "registry.lint.spectral.faults",
    "adapters.errors",
    "registry.errors",
    "runtime_proxy.errors",
    "ci.errors",
    "cli.audit",
    "cli.claims",
    "cli.errors",
    "cli.proxy_deny",
    "cli.streams",
    "cli.up",
)

EXIT_CODES: dict[Exit, str] = {
    Exit.OK: "All went well, and a gate said yes.",
    Exit.GATE_SAYS_NO: "A gate says no: a breaking change, an invalid document, a log that does not verify.",
    Exit.USAGE: "The command was called wrongly, or its input cannot be read.",
    Exit.UNDECIDED: "It could not be decided: a tool is missing, the registry is down, or Interlock itself failed.",
    Exit.NOT_ALLOWED: "The token or account may not do this.",
    Exit.PENDING: "Approvals are missing; ask again later.",
    Exit.INTERRUPTED: "Interrupted from the keyboard.",
}


RULESET = "ruleset-rules"  # one topic for the whole family ruleset/<name>
OASDIFF = "oasdiff-rules"  # one topic for the whole family oasdiff/<id>

# kernel.audit.verify.Reason, in words.
LOG_FAULTS: dict[str, str] = {
    "altered": "The bytes of a record, or its chain, are not what was written.",
    "missing": "Records are gone before this one.",
    "reordered": "The record does not stand where it was written.",
    "rewritten": "The chain is whole and is not the one that was signed.",
    "truncated": "A signed head covers records that are not there.",
    "bad-segment": "A segment is missing, or its first line is not what was written.",
    "bad-head": "A head is not signed by a key that may sign heads, or cannot be read.",
    "no-head": "There are records without any signed head.",
    "unpaired": "Something was closed that was not open, or left open by an orderly end.",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """One thing that can be explained; `kind` is error, refusal, reason, rule, setting, log fault or exit code."""

    code: str
    kind: str
    title: str
    text: str
    remedy: str = ""
    examples: str = ""  # what a rule complains of, and what it does not
    ends_with: int | None = None  # the exit code that an error ends a command with


def topics() -> Iterator[Topic]:
    """Yield every topic, in the order of the kinds."""
    yield from exit_topics()
    yield from setting_topics()
    yield from error_topics()
    yield from refusal_topics()
    yield from reason_topics()
    yield from rule_topics()
    yield from log_topics()


def exit_topics() -> Iterator[Topic]:
    """Yield one topic for each exit code, and one for all of them."""
    table = "\n".join(f"{int(code):>4}  {text}" for code, text in EXIT_CODES.items())
    yield Topic("exit-codes", "exit code", "Exit codes of every command", table)
    for code, text in EXIT_CODES.items():
        yield Topic(f"exit-{int(code)}", "exit code", f"Exit code {int(code)}", text)


def setting_topics() -> Iterator[Topic]:
    """Yield one topic for each setting, and one for all of them."""
    table = "\n".join(f"  {row.name:<24} {row.help}" for row in SETTINGS)
    yield Topic("settings", "setting", "All settings (flag > INTERLOCK_* > interlock.toml > default)", table)
    for row in SETTINGS:
        text = f"{row.help}.\nIn interlock.toml: [interlock] {row.name} = …; in the environment: {row.env}."
        yield Topic(row.name, "setting", f"Setting {row.name} (default {row.default!r})", text)


def error_topics() -> Iterator[Topic]:
    """Yield one topic for each error class that Interlock raises."""
    for module in ERROR_MODULES:
        importlib.import_module(module)
    seen: set[str] = set()
    for kind in _subclasses(InterlockError):
        if kind.code not in seen and kind.__doc__:
            seen.add(kind.code)
            first, _, rest = inspect.cleandoc(kind.__doc__).partition("\n\n")
            yield Topic(kind.code, "error", first, rest or first, ends_with=int(kind.exit_code))


def refusal_topics() -> Iterator[Topic]:
    """Yield one topic for each refusal of the proxy."""
    from runtime_proxy.refusals import REFUSALS

    for slug, row in REFUSALS.items():
        yield Topic(slug, "refusal", f"{row.status} {row.title}", row.explanation, row.remedy)


def reason_topics() -> Iterator[Topic]:
    """Yield one topic for each reason why a message of a device or partner is refused or held."""
    from adapters.reasons import ROWS

    for row in ROWS:
        text = f"In ERR-3 it is told as {row.hl7[0]} {row.hl7[1]} (HL7 table 0357)."
        yield Topic(row.slug, "reason", f"{row.summary[0].upper()}{row.summary[1:]}.", text, f"{row.fix}.")


def log_topics() -> Iterator[Topic]:
    """Yield one topic for each thing that `interlock audit verify` can find wrong."""
    remedy = "Keep the folder as it is, compare it with a copy, and find out who could write there."
    for code, text in LOG_FAULTS.items():
        yield Topic(
            code, "log fault", text, "`interlock audit verify` names writer, segment and byte.", remedy
        )


def rule_topics() -> Iterator[Topic]:
    """Yield one topic for each rule of lint, of compatibility and of the gate."""
    from ci.conformance_rules import RULES as CONFORMANCE_RULES
    from ci.drift_rules import RULES as DRIFT_RULES
    from ci.rules import RULES as GATE_RULES
    from registry.compat.rules import RULES as COMPAT_RULES
    from registry.lint.rules import RULES as LINT_RULES

    for lint_rule in LINT_RULES:
        title = f"{lint_rule.id} ({lint_rule.severity})"
        yield Topic(lint_rule.id, "rule", title, lint_rule.why, lint_rule.remedy, _examples(lint_rule))
    yield Topic(
        RULESET,
        "rule",
        "Rules that a team brings, in Spectral's format",
        "They appear as ruleset/<name>. What they ask for, and why, stands in the ruleset that the finding names.",
        "docs/guide/lint.md says how to write one.",
    )
    for rule in (*COMPAT_RULES, *GATE_RULES):
        yield Topic(rule.id, "rule", f"{rule.id} ({rule.severity})", rule.why, rule.remedy)
    for row in (*CONFORMANCE_RULES, *DRIFT_RULES):
        yield Topic(row.id, "rule", f"{row.id} ({row.severity})", row.why, row.remedy)
    yield Topic(
        OASDIFF,
        "rule",
        "Rules of oasdiff, the second opinion on OpenAPI changes",
        "They appear as oasdiff/<id>. The severity is oasdiff's own; where our comparison of the same place\n"
        "proves that nobody is broken it becomes safe, and where it can neither prove nor refute, undecided.",
        "docs/rules/oasdiff.md lists each of them with what changed.",
    )


def _examples(rule: LintRule) -> str:
    pieces = (("Bad", rule.bad), ("Good", rule.good))
    return "\n\n".join(f"{word}:\n{textwrap.indent(piece, '    ')}" for word, piece in pieces if piece)


def _subclasses(kind: type[InterlockError]) -> Iterator[type[InterlockError]]:
    for child in kind.__subclasses__():
        yield child
        yield from _subclasses(child)
