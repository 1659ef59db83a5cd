"""Asks a registry whom a break would hit: the consumers that are granted the contract's major."""

from __future__ import annotations

from dataclasses import replace

from ci.bases import Get
from ci.report import ContractReport, GateReport, Hit, Status
from kernel.contract.version import Version
from kernel.errors import InterlockError

_NOT_FOUND = 404


def with_consumers(report: GateReport, get: Get) -> GateReport:
    """Add to each contract that did not pass who is concerned; a registry that does not answer is only noted.

    Grants are by contract and major, so all of a major's consumers are named, whichever operation breaks.
    """
    contracts: list[ContractReport] = []
    silent = ""
    for one in report.contracts:
        if one.status in {Status.FAILED, Status.UNDECIDED} and one.version and not silent and one.name:
            try:
                one = replace(one, hit=_hit(one, get))  # noqa: PLW2901 - the report with one thing added
            except InterlockError as error:
                silent = f"who is concerned is not known: {error.message}"
        contracts.append(one)
    return replace(report, contracts=tuple(contracts), notes=(*report.notes, *([silent] if silent else [])))


def _hit(one: ContractReport, get: Get) -> tuple[Hit, ...]:
    try:
        answer = get("contracts", one.name, "majors", Version.parse(one.version).major, "consumers")
    except InterlockError as error:
        if getattr(error, "status", None) == _NOT_FOUND:
            return ()  # nobody can be granted what the registry does not know
        raise
    return tuple(Hit(row["consumer_id"], row["consumer"], row.get("pin")) for row in answer["consumers"])
