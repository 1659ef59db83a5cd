"""The gate's report as Markdown, for a comment on a change request: findable, foldable, and never too long for one."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from ci.formats.places import base_where, site, where
from ci.formats.safe_text import visible
from ci.formats.values import change, exchange_lines, on_one_line, pretty, sides
from ci.formats.words import consumers, counted, engines, headline, listed, ruling_row, summary, tag
from ci.report import ContractReport, Entry, GateReport, Status
from kernel.contract.finding import Bump, Finding, Severity

MARKER = "<!-- interlock-gate -->"  # by it a pipeline finds the comment that it wrote before
MOST = 65_000  # characters; GitHub takes 65,536, GitLab more
_SHOWN = frozenset({Severity.ERROR, Severity.BREAKING, Severity.RISKY, Severity.UNDECIDED, Severity.WARNING})
_WORDS = {
    Status.PASSED: "✅ passed",
    Status.UNCHANGED: "unchanged",
    Status.UNDECIDED: "❔ **could not be decided**",
    Status.FAILED: "❌ **failed**",
}
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$])")
_PINGS = re.compile(
    r"([@#])(?=\w)|(://)|\b(www)(?=\.)|\b(GH)(?=-\d)"
)  # mentions, issues, links that make themselves
MOST_LINES = 40  # of an example


def render(report: GateReport) -> str:
    """Write the report; where it would be too long, the findings at the end are counted instead."""
    head = "\n".join(_head(report)) + "\n"
    foot = "\n".join(_foot(report)) + "\n"
    room = MOST - len(head) - len(foot) - 200
    kept: list[str] = []
    cut = 0
    for contract in report.rows():
        entries = [
            entry for entry in contract.entries() if entry.finding.severity in _SHOWN or entry.finding.excused
        ]
        for index, entry in enumerate(entries):
            text = "" if cut else _block(contract, entry, first=index == 0)
            if cut or len(text) > room:
                cut += len(entries) - index
                break
            room -= len(text)
            kept.append(text)
    if cut:
        kept.append(
            f"\n… and {counted(cut, 'more finding')}: this comment is full, the other reports hold all of them.\n"
        )
    return head + "".join(kept) + foot


def _head(report: GateReport) -> Iterator[str]:
    yield MARKER
    yield f"## Contracts: {_WORDS[report.status]}"
    yield ""
    yield f"{plain(headline(report))}."
    yield ""
    quiet = [one for one in report.contracts if one.status is Status.UNCHANGED and not one.findings()]
    told = [one for one in report.rows() if one not in quiet]
    rows = list(_rows(told))
    if rows:
        yield "| contract | result | what | needs |"
        yield "|---|---|---|---|"
    yield from rows
    if len(told) > len(rows):
        yield f"\n… and {counted(len(told) - len(rows), 'more contract')}."
    if quiet:
        yield f"\n{counted(len(quiet), 'contract')} unchanged."


def _rows(contracts: list[ContractReport]) -> Iterator[str]:
    """Give the rows of the table, as many as a third of the comment holds; the worst first."""
    room = MOST // 3
    order = (Status.FAILED, Status.UNDECIDED, Status.PASSED, Status.UNCHANGED)
    for contract in sorted(contracts, key=lambda one: order.index(one.status)):
        bump = contract.required_bump
        needs = f"{bump} version" if contract.comparisons and bump is not Bump.NONE else ""
        label, what = plain(contract.label[:200]), plain(summary(contract)[:400])
        row = f"| {label} | {_WORDS[contract.status]} | {what} | {needs} |"
        if len(row) > room:
            return
        room -= len(row)
        yield row


def _foot(report: GateReport) -> Iterator[str]:
    for note in report.notes[:20]:
        yield f"\n> {plain(note[:400])}"
    if report.engines:
        yield f"\n<sub>Judged by {plain(engines(report))}. `interlock explain RULE` says more of a rule.</sub>"


def _block(contract: ContractReport, entry: Entry, *, first: bool) -> str:
    lines = []
    if first:
        lines += ["", f"### {plain(contract.label)}", ""]
        if told := consumers(contract):
            lines += [f"{plain(told)}.", ""]
    lines += _finding(
        entry, unfolded=first and entry.finding.severity is not Severity.WARNING and not entry.finding.waived
    )
    return "\n".join(lines) + "\n"


def _finding(entry: Entry, *, unfolded: bool) -> Iterator[str]:
    finding = entry.finding
    yield f"<details{' open' if unfolded else ''}>"
    yield f"<summary><b>{tag(finding)}</b>: {_html(finding.what)}</summary>"
    yield ""
    rows = [
        ("Where", " ".join(part for part in (_code(where(finding)), plain(site(finding))) if part)),
        ("Before", _code(base_where(finding))),
        ("Against", plain(listed(entry.against)) if len(entry.against) > 1 else ""),
        ("Change", _code(change(finding))),
        ("Why", prose(finding.why)),
        ("Fix", prose(finding.remedy)),
        (ruling_row(finding)[0].capitalize(), plain(ruling_row(finding)[1])),
        ("Agrees", ", ".join(map(_code, finding.agreed))),
        ("Rule", f"{_code(finding.rule)}, fingerprint {_code(finding.fingerprint)}"),
    ]
    for name, text in rows:
        if text:
            yield f"- **{name}**: {text}"
    yield from _example(finding)
    yield ""
    yield "</details>"
    yield ""


def _example(finding: Finding) -> Iterator[str]:
    if not finding.has_witness and finding.exchange is None:
        return
    yield ""
    yield f"Example: {sides(finding)}." if finding.has_witness else "Example:"
    if finding.exchange is not None:
        yield from _fenced("http", exchange_lines(finding.exchange))
    if finding.has_nearest:
        yield f"\nThe nearest that both versions take, {_code(on_one_line(finding.nearest, 200))}, differs like this:"
        yield from _fenced("diff", list(_diff(finding)))
    elif finding.exchange is None:
        yield from _fenced("json", [visible(line) for line in pretty(finding.witness)])


def _diff(finding: Finding) -> Iterator[str]:
    """Write the witness as a diff against the nearest valid instance, line by line."""
    import difflib  # noqa: PLC0415 - only where there is something to show

    before, after = pretty(finding.nearest), pretty(finding.witness)
    for line in difflib.ndiff(before, after) if len(before) + len(after) <= 400 else ():  # noqa: PLR2004 - it is quadratic
        if not line.startswith("?"):
            yield visible(line).rstrip()


def _fenced(kind: str, lines: list[str]) -> Iterator[str]:
    shown = [line[:400] for line in lines[:MOST_LINES]]
    if len(lines) > MOST_LINES:
        shown.append("…")
    longest = max((len(run) for line in shown for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, longest + 1)
    yield ""
    yield f"{fence}{kind}"
    yield from shown
    yield fence


def prose(text: str) -> str:
    """Write a sentence in which names stand between backticks: these become code, all else is escaped."""
    parts = visible(text).split("`")
    if len(parts) % 2 == 0:
        return plain(text)
    return "".join(_code(part) if index % 2 else plain(part) for index, part in enumerate(parts))


def plain(text: str) -> str:
    """Escape what Markdown would read, and what would call people, issues or pages."""
    return _PINGS.sub(_defused, _SPECIAL.sub(r"\\\1", visible(text)))


def _defused(match: re.Match[str]) -> str:
    text = match[0]
    return f"{text[0]}&#8203;{text[1:]}" if text in {"@", "#", "://"} else f"{text}&#8203;"


def _html(text: str) -> str:
    """Escape for inside an HTML element, where Markdown is not read; names between backticks become code."""
    parts = _PINGS.sub(_defused, html.escape(visible(text), quote=False)).split("`")
    if len(parts) % 2 == 0:
        return "`".join(parts)
    return "".join(f"<code>{part}</code>" if index % 2 else part for index, part in enumerate(parts))


def _code(text: str) -> str:
    """Write code, fenced by one more backtick than the text holds in a row; a bar would end a table's cell."""
    plain = visible(text)
    if not plain:
        return ""
    fence = "`" * (max((len(run) for run in re.findall(r"`+", plain)), default=0) + 1)
    blank = " " if plain.startswith("`") or plain.endswith("`") else ""
    return f"{fence}{blank}{plain}{blank}{fence}"
