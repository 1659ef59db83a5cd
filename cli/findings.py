"""How findings are printed on a terminal: worst first, one line each, with place, reason and witness."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import click

from cli.judging import ruling_lines

_ORDER = ("breaking", "error", "undecided", "risky", "warning", "info", "safe")
_BLOCKING = frozenset({"breaking", "undecided", "risky"})
_LONGEST_WITNESS = 300  # characters


def print_findings(
    findings: Iterable[Mapping[str, Any]], *, indent: str = "", fingerprints: bool = False
) -> None:
    """Print each finding on stdout: severity, rule, place, what, and below it why and the witness.

    `fingerprints`: also that of each finding that can be waived.
    """
    for one in sorted(findings, key=lambda row: (_rank(row["severity"]), row["pointer"], row["rule"])):
        source = one.get("source") or {}
        place = f"{source['file']}:{source['line']}:{source['column']} " if source.get("line") else ""
        ruling = one.get("ruling") or {}
        waived = ", waived" if ruling.get("by") == "waiver" else ""
        click.echo(
            f"{indent}{place}{one['severity']}{waived} {one['rule']} at {one['pointer'] or '/'}: {one['what']}"
        )
        for line in ruling_lines(one["severity"], ruling):
            click.echo(f"{indent}    {line}")
        if waived:
            continue
        if one.get("why"):
            click.echo(f"{indent}    why: {one['why']}")
        if one.get("witness") is not None:
            text = json.dumps(one["witness"], ensure_ascii=False)
            click.echo(
                f"{indent}    witness: {text[:_LONGEST_WITNESS]}{'…' if len(text) > _LONGEST_WITNESS else ''}"
            )
        if one.get("remedy"):
            click.echo(f"{indent}    remedy: {one['remedy']}")
        if fingerprints and one["severity"] in _BLOCKING:
            click.echo(f"{indent}    fingerprint: {one['fingerprint']}")


def _rank(severity: str) -> int:
    return _ORDER.index(severity) if severity in _ORDER else len(_ORDER)
