"""What interlock.toml may say about lint: the table `[lint]`."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal

import msgspec

Words = Annotated[str, msgspec.Meta(min_length=1, max_length=2_000, pattern=r"\S")]


class LintException(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One rule is not told for a contract, up to the last day `expires`.

    `at` narrows it to a place (a JSON pointer) and what is below it. Where the document can be changed, an
    exception at the place itself serves its readers better ([exceptions](../guide/lint.md#exceptions)).
    """

    rule: Words
    contract: Words
    owner: Words
    reason: Words
    expires: date
    at: Annotated[str, msgspec.Meta(pattern="^(/.*)?$", max_length=2_000)] = ""


class LintTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """House rules and rulesets of a team ([lint](../guide/lint.md)).

    `severity` gives rules another severity, or turns them `off`; errors stay errors. `rulesets` are files in Spectral's
    format, relative to interlock.toml. `exception` are exceptions for contracts whose documents cannot carry them.
    """

    severity: dict[str, Literal["error", "warning", "info", "off"]] = {}
    rulesets: Annotated[tuple[str, ...], msgspec.Meta(max_length=16)] = ()
    exception: Annotated[tuple[LintException, ...], msgspec.Meta(max_length=500)] = ()


def faults_of(table: LintTable) -> Iterator[tuple[tuple[str | int, ...], str]]:
    """Give what is wrong with the rules that a table names: the keys below `[lint]`, and why."""
    if table.severity or table.exception:
        from registry.lint.rules import fault_of  # noqa: PLC0415 - heavy, and only few files speak of rules

        for rule in table.severity:
            if fault := fault_of(rule):
                yield ("severity", rule), fault
        for index, one in enumerate(table.exception):
            if fault := fault_of(one.rule):
                yield ("exception", index, "rule"), fault
