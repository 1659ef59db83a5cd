# ruff: noqa: E501 - one row for each rule: the table reads by column
"""The rules of the gate itself: what a repository did to versions that others rely on, one row each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kernel.contract.finding import Finding, Severity
from registry.compat.rules import Rule

BREAKING, UNDECIDED, ERROR, WARNING = Severity.BREAKING, Severity.UNDECIDED, Severity.ERROR, Severity.WARNING
_RESTORE = "Restore the folder as it was, and put the change into a new version beside it."

RULES: tuple[Rule, ...] = (
    # Frozen versions
    Rule("version-edited", BREAKING, "A frozen version never changes: its digest is what the board signed and what consumers were built against.", _RESTORE),
    Rule("version-removed", BREAKING, "Consumers may be pinned to it: a frozen version stays until the registry has retired it.", "Restore the folder. To end a version, deprecate and retire it in the registry."),
    Rule("metadata-edited", BREAKING, "Audience, sensitivity, systems and promises of a frozen version were approved together with its document.", "Restore meta.yaml as it was, and say the new thing in a new version."),
    Rule("metadata-notes-edited", WARNING, "Title, owner, domain and description of a frozen version may change here, but the registry keeps what was approved."),
    Rule("version-rewritten", WARNING, "The file has other bytes and the same meaning (comments, order, spaces): the digest that was signed still holds.", "Leave the files of frozen versions alone, formatters too."),
    Rule("version-twice", ERROR, "Two folders say that they are the same version: which one consumers get would be luck.", "Give one of them another version in meta.yaml, or remove it."),
    Rule("document-version-differs", WARNING, "Readers of the document see another number than the one that is frozen.", "Write the same version into `info.version` and meta.yaml."),
    Rule("base-unreadable", UNDECIDED, "An earlier version cannot be read where it lies, so nothing can be said about whoever relies on it.", "Repair it on the branch that is compared with, or compare with the registry."),
    # Canonical schemas
    Rule("canonical-digest-differs", ERROR, "The URN pins a digest, and the schema of that version has another one: the reference leads nowhere.", "Restore the schema where it was edited; else pin the digest of the frozen version, which `interlock contract show NAME@VERSION` tells."),
    Rule("canonical-unknown", ERROR, "No canonical schema of that name and version exists, so the contract cannot be frozen.", "Correct the URN, or submit the schema first."),
    Rule("canonical-unresolved", UNDECIDED, "The canonical schema lies neither in this repository nor in what it is compared with.", "Give `--registry URL`, or run beside the canonical schemas."),
    Rule("canonical-retired", ERROR, "A retired schema is no longer served: a new version must not be built on it.", "Refer to a version that is frozen."),
    Rule("canonical-deprecated", WARNING, "The schema will be retired, and this version would have to change then.", "Refer to a newer version of the schema."),
    # The run
    Rule("contract-unreadable", ERROR, "A contract that cannot be read was not judged.", "Repair what the message names; `interlock check FILE` says more."),
    Rule("contract-not-judged", UNDECIDED, "Judging this contract did not come to an end, so nothing is concluded; the others were judged.", "Run again with INTERLOCK_TRACEBACK=1, and report what it prints."),
)  # fmt: skip

BY_ID: Mapping[str, Rule] = {rule.id: rule for rule in RULES}


def found(rule: str, pointer: str, what: str, **more: Any) -> Finding:
    """Make a finding of one of these rules; `more` are further fields of `Finding`."""
    return Finding.of(BY_ID[rule], pointer, what, **more)
