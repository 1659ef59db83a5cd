"""The gate's report for people at a terminal: the verdict, then each contract, then what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Iterator

from ci.formats.places import base_where, site, where
from ci.formats.safe_text import visible
from ci.formats.values import change, exchange_lines, on_one_line, sides, steps
from ci.formats.words import SIGNS, consumers, counted, engines, headline, listed, ruling_row, summary, tag
from ci.report import ContractReport, Entry, GateReport, Status
from kernel.contract.finding import Finding, Severity

_SHOWN = frozenset({Severity.ERROR, Severity.BREAKING, Severity.RISKY, Severity.UNDECIDED, Severity.WARNING})
MOST_SHOWN = 60  # findings of one contract; the other formats hold all of them
MOST_STEPS = 4
MOST_EXCHANGE = 12  # lines


def render(report: GateReport) -> str:
    """Write the report."""
    lines = [f"{str(report.status).upper()}: {headline(report)}"]
    quiet = [one for one in report.rows() if one.status is Status.UNCHANGED and not one.findings()]
    for contract in report.rows():
        if contract not in quiet:
            lines += ["", *_contract(contract)]
    if quiet:
        lines += ["", f"· unchanged: {_shortened([one.label for one in quiet])}"]
    lines += [f"\nnote: {visible(note)}" for note in report.notes]
    lines += _next(report)
    if report.engines:
        lines += ["", f"judged by {visible(engines(report))}"]
    return "\n".join(lines) + "\n"


def _shortened(names: list[str], most: int = 12) -> str:
    more = len(names) - most
    return visible(listed(names) if more <= 0 else f"{', '.join(names[:most])} and {more} more")


def _contract(contract: ContractReport) -> Iterator[str]:
    yield f"{SIGNS[contract.status]} {visible(contract.label)}  {visible(contract.document)}"
    said = summary(contract) if contract.error is None else "nothing of it was judged"
    yield f"  {contract.status}: {said}"
    if told := consumers(contract):
        yield f"  {told}"
    entries = contract.entries()
    worth = [entry for entry in entries if entry.finding.severity in _SHOWN or entry.finding.excused]
    shown, seconds = _apart(worth)
    for entry in shown[:MOST_SHOWN]:
        yield ""
        yield from _finding(entry, several=len(contract.comparisons) > 1)
    if seconds:
        yield ""
        yield "  Second opinions say so too (each has a fingerprint of its own):"
        for entry in seconds[:MOST_SHOWN]:
            finding = entry.finding
            yield f"      {visible(f'{finding.rule}: {finding.what}')}  ({finding.fingerprint})"
    cut = max(0, len(shown) - MOST_SHOWN) + max(0, len(seconds) - MOST_SHOWN)
    mild = len(entries) - len(worth)
    if cut:
        yield f"\n  … and {cut} more like these; --report json=FILE holds every one"
    if mild:
        yield f"\n  {counted(mild, 'milder finding')} not shown; --report json=FILE holds every one"


def _apart(entries: list[Entry]) -> tuple[list[Entry], list[Entry]]:
    """Set second opinions apart that break, where our own findings say what breaks, with examples."""
    broken = {Severity.BREAKING, Severity.RISKY}
    seconds = [
        entry
        for entry in entries
        if entry.finding.engine != "interlock"
        and entry.finding.severity in broken
        and not entry.finding.waived
    ]
    own = [entry for entry in entries if entry not in seconds]
    proven = any(
        entry.finding.severity in broken and entry.finding.rule != "version-too-low" for entry in own
    )
    return (own, seconds) if proven else (entries, [])


def _finding(entry: Entry, *, several: bool) -> Iterator[str]:
    finding = entry.finding
    yield f"  [{tag(finding)}] {visible(finding.what)}"
    place = " · ".join(part for part in (where(finding), site(finding)) if part)
    before = base_where(finding)
    rows = [
        ("where", place),
        ("before", before),
        ("against", listed(entry.against) if several else ""),
        ("change", change(finding)),
        *_witness(finding),
        ("why", finding.why),
        ("fix", finding.remedy),
        ruling_row(finding),
        ("agrees", listed(finding.agreed)),
        ("rule", f"{finding.rule}  (fingerprint {finding.fingerprint})"),
    ]
    for name, text in rows:
        if text:
            label = f"{name}:" if name else ""
            yield f"      {label:<9}{visible(text)}"


def _witness(finding: Finding) -> Iterator[tuple[str, str]]:
    if finding.has_witness:
        yield "example", f"{on_one_line(finding.witness)}  ({sides(finding)})"
    if finding.exchange is not None:
        lines = [line for line in exchange_lines(finding.exchange) if line]
        for index, line in enumerate(lines[:MOST_EXCHANGE]):
            yield "sent" if index == 0 else "", line
        if len(lines) > MOST_EXCHANGE:
            yield "", "…"
    for index, step in enumerate(steps(finding.difference)[:MOST_STEPS]):
        yield (
            "differs" if index == 0 else "",
            f"{step}  (from the nearest that both take)" if index == 0 else step,
        )


def _next(report: GateReport) -> Iterator[str]:
    """Say what to do now, where something stands in the way."""
    if report.exit_code == 0:
        return
    yield ""
    if report.said:
        yield "`interlock explain RULE` says more of a rule."
        return
    yield "What now: mend what is listed, or give what breaks a new major version in a folder of its own."
    if report.status is Status.UNDECIDED:
        yield "  What is undecided never passes by itself: change it so that it can be decided, or have it accepted."
    yield "  `interlock explain RULE` says more of a rule. To accept a finding knowingly, until a day:"
    yield "  interlock ci waive FINGERPRINT --owner NAME --reason WHY --expires DATE --contract CONTRACT"
