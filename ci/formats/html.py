"""The gate's report as one HTML page: nothing is loaded, nothing runs, readable without a style sheet too."""

from __future__ import annotations

from ci.formats.page import Page, page
from ci.formats.places import base_where, site, where
from ci.formats.safe_text import visible
from ci.formats.values import change, exchange_lines, on_one_line, pretty, sides, steps
from ci.formats.words import SIGNS, consumers, engines, headline, listed, ruling_row, summary, tag
from ci.report import ContractReport, Entry, FailOn, GateReport, Status, blocks


def render(report: GateReport) -> str:
    """Write the report."""
    quiet = [one for one in report.contracts if one.status is Status.UNCHANGED and not one.findings()]
    return page(
        Page(
            template="report.html",
            title="Contracts: " + str(report.status),
            context={
                "status": str(report.status),
                "headline": headline(report),
                "contracts": [
                    _contract(contract, report.fail_on) for contract in report.rows() if contract not in quiet
                ],
                "unchanged": visible(listed([contract.label for contract in quiet])),
                "notes": [visible(note) for note in report.notes],
                "engines": visible(engines(report)),
            },
        )
    )


def _contract(contract: ContractReport, fail_on: FailOn) -> dict[str, object]:
    return {
        "label": visible(contract.label),
        "document": visible(contract.document),
        "status": str(contract.status),
        "sign": SIGNS[contract.status],
        "summary": summary(contract),
        "consumers": consumers(contract),
        "findings": [_finding(entry, fail_on) for entry in contract.entries()],
    }


def _finding(entry: Entry, fail_on: FailOn) -> dict[str, object]:
    finding = entry.finding
    shown = finding.has_witness and finding.exchange is None
    return {
        "severity": str(finding.severity),
        "tag": tag(finding),
        "open": blocks(finding, fail_on),
        "what": visible(finding.what),
        "facts": [
            (name, visible(text))
            for name, text in (
                ("Where", " · ".join(part for part in (where(finding), site(finding)) if part)),
                ("Before", base_where(finding)),
                ("Against", listed(entry.against) if len(entry.against) > 1 else ""),
                ("Change", change(finding)),
                ("Why", finding.why),
                ("Fix", finding.remedy),
                (ruling_row(finding)[0].capitalize(), ruling_row(finding)[1]),
                ("Agrees", listed(finding.agreed)),
                ("Rule", f"{finding.rule}, fingerprint {finding.fingerprint}"),
            )
            if text
        ],
        "sides": sides(finding) if finding.has_witness else "",
        "example": [visible(line) for line in pretty(finding.witness)] if shown else [],
        "exchange": exchange_lines(finding.exchange) if finding.exchange is not None else [],
        "nearest": on_one_line(finding.nearest) if finding.has_nearest else "",
        "steps": steps(finding.difference),
    }
