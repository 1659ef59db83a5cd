"""What `interlock diff` prints for people: the verdict, each break with both places and a whole exchange, how to mend it."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from ci.formats.values import change, exchange_lines, on_one_line
from cli.judging import ruling_lines
from cli.output import counted

if TYPE_CHECKING:
    from kernel.contract.document import Document
    from kernel.contract.finding import Finding, Verdict

MOST_SHOWN = 600  # characters of a witness on one line
MOST_LINES = 60  # of an exchange
_SIGNS = {"breaking": "✗", "risky": "!", "undecided": "?", "safe": "·"}
_COLOURS = {
    "breaking": "red",
    "risky": "yellow",
    "undecided": "magenta",
    "compatible": "green",
    "safe": "green",
}
_MARKS = {"-": "green", "+": "red"}


def print_verdict(verdict: Verdict, old: Document, new: Document) -> None:
    """Print it on stdout; colours are left out where no terminal reads."""
    outcome = str(verdict.outcome)
    click.echo(
        f"{click.style(outcome, fg=_COLOURS[outcome], bold=True)} · required bump: {verdict.required_bump}"
    )
    click.echo(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in verdict.policy.items()))
    safe = [one for one in verdict.findings if _is_plainly_safe(one)]
    for finding in verdict.findings:
        if not _is_plainly_safe(finding):
            click.echo()
            for line in _finding(finding, old, new):
                click.echo(line)
    if safe:
        click.echo(f"\n{click.style('·', fg='green')} safe: {counted(len(safe), 'change')}")
        for finding in safe:
            click.echo(f"  {_place(new, finding.pointer)} {finding.rule}: {finding.what}")
    used = ", ".join(f"{name} {_in_short(version)}" for name, version in verdict.engines.items())
    click.echo(f"\n{counted(len(verdict.findings), 'finding')} ({used})")


def _is_plainly_safe(finding: Finding) -> bool:
    """Whether a line is enough for a finding: it is safe, and nobody ruled so."""
    return finding.severity == "safe" and not finding.ruling


def _in_short(version: str) -> str:
    return f"{version[:19]}…" if version.startswith("sha256:") else version


def _finding(finding: Finding, old: Document, new: Document) -> Iterator[str]:
    severity = str(finding.severity)
    sign = "~" if finding.waived else _SIGNS.get(severity, "·")
    said = f"{sign} {severity}{', waived' if finding.waived else ''}"
    yield f"{click.style(said, fg=_COLOURS.get(severity), bold=True)} {finding.rule}"
    yield f"  {finding.what}"
    yield from _places(finding, old, new)
    for line in ruling_lines(severity, finding.ruling):
        yield f"  {line}"
    if severity != "safe" and not finding.waived:
        if turned := change(finding):
            yield f"  was → is: {turned}"
        yield from _shown(finding)
        if finding.why:
            yield f"  why: {finding.why}"
        if finding.remedy:
            yield f"  fix: {finding.remedy}"
        if finding.agreed:
            yield f"  also: {', '.join(finding.agreed)}"
        yield f"  fingerprint: {finding.fingerprint}"


def _places(finding: Finding, old: Document, new: Document) -> Iterator[str]:
    """Say where it stands in both files; what only one of them has stands there alone."""
    base = finding.base_pointer
    gone = base is not None and base == finding.pointer and not _has(new.root, finding.pointer)
    if not gone:
        yield f"  at {_place(new, finding.pointer)} #{finding.pointer}"
    if base is not None and old.name != new.name:
        yield f"  {'at' if gone else 'before'} {_place(old, base)} #{base}"


def _has(root: Any, pointer: str) -> bool:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if isinstance(root, dict) and key in root:
            root = root[key]
        elif isinstance(root, list) and key.isdecimal() and int(key) < len(root):
            root = root[int(key)]
        else:
            return False
    return True


def _place(document: Document, pointer: str) -> str:
    place = document.position(pointer)
    return f"{place.source}:{place.line}:{place.column}" if place.line else str(place.source)


def _shown(finding: Finding) -> Iterator[str]:
    """Show the exchange as a diff against the nearest valid one, else the witness."""
    emitted = _is_emitted(finding)
    if finding.exchange is None:
        if finding.has_witness:
            sides = "the new version may send, the old one never sent" if emitted else _REFUSED
            text = on_one_line(finding.witness, MOST_SHOWN)
            yield f"  witness ({sides}): {text}"
        return
    kind = {"response": "answer", "message": "message"}.get(str(finding.exchange.get("kind")), "request")
    said = f"the new version may send this {kind}, the old one never did" if emitted else _TAKEN.format(kind)
    near = [] if finding.nearest_exchange is None else exchange_lines(finding.nearest_exchange)
    lines = exchange_lines(finding.exchange)
    said += "; - is the nearest that both take:" if near else ":"
    yield f"  {said}"
    for line in list(_compared(near, lines))[:MOST_LINES]:
        yield f"    {click.style(line, fg=_MARKS.get(line[:1]))}".rstrip()


_REFUSED = "the old version takes, the new one refuses"
_TAKEN = "the old version takes this {}, the new one refuses it"


def _is_emitted(finding: Finding) -> bool:
    """Whether the exchange is one that only the new version allows."""
    if finding.direction is not None:
        return finding.direction == "emits"
    return finding.rule in {
        "response-body-removed",
        "response-header-removed",
        "response-header-optional",
    } or (finding.rule.startswith("sent-"))


def _compared(near: list[str], lines: list[str]) -> Iterator[str]:
    if not near:
        yield from (f"  {line}" for line in lines)
        return
    for line in difflib.ndiff(near, lines):
        if not line.startswith("?"):
            yield line
