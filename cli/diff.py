"""`interlock diff OLD NEW`: does the new document break anybody? Works alone, from files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.errors import Exit
from cli.judging import judging_options, policy_for, project_for, ruling_lines
from cli.output import counted

if TYPE_CHECKING:
    from datetime import date

    from kernel.contract.document import Document
    from kernel.contract.finding import Finding, Verdict

MOST_SHOWN = 600  # characters of a witness in the text form
_FILE = click.Path(path_type=Path)
MODES = (
    "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE", "NONE",
)  # fmt: skip
_EXIT = {"compatible": Exit.OK, "breaking": Exit.GATE_SAYS_NO, "undecided": Exit.UNDECIDED}
_MODE_OF = {"accepts": "BACKWARD", "emits": "FORWARD", "both": "FULL"}
_SIGNS = {"breaking": "✗", "risky": "!", "undecided": "?", "safe": "·"}


@click.command()
@click.argument("old", type=_FILE)
@click.argument("new", type=_FILE)
@click.option(
    "--role",
    type=click.Choice(["accepts", "emits", "both"]),
    help="For bare schemas: do we read such values (accepts), write them (emits), or both (the default)?",
)
@click.option(
    "--mode",
    type=click.Choice(MODES, case_sensitive=False),
    help="For bare schemas: Confluent's compatibility mode, instead of --role.",
)
@judging_options
@click.option(
    "--root", type=_FILE, help="Folder below which files may be referred to (default: each file's own)."
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def diff(
    old: Path,
    new: Path,
    role: str | None,
    mode: str | None,
    profile: str | None,
    fail_on: str | None,
    as_of: date | None,
    config: Path | None,
    root: Path | None,
    form: str,
) -> int:
    """Compare two versions of an OpenAPI, AsyncAPI or JSON Schema document, and judge what changed.

    How it is judged stands in the nearest interlock.toml above NEW (docs/guide/policy.md); options win over it.
    Ends with 0 when the new one is compatible, 1 when it breaks somebody, 3 when that cannot be decided,
    2 when a file cannot be read.
    """
    from kernel.contract.document import kind_of
    from kernel.settings import load
    from registry.compat.inputs import read_self_contained
    from registry.compat.policy_judge import judge
    from registry.compat.policy_modes import Mode

    before, after = (read_self_contained(path, root) for path in (old, new))
    kind = kind_of(after.root)
    if kind_of(before.root) != kind:
        raise click.UsageError(f"{old} and {new} are documents of different kinds")
    if (role or mode) and kind != "schema":
        word = "--role is" if role else "--mode is"
        raise click.UsageError(
            f"{word} for bare schemas; in an API the operations say who reads and who writes"
        )
    if role and mode:
        raise click.UsageError("--role and --mode say the same in two ways: give one of them")
    policy = policy_for(project_for(new, config), profile, fail_on, as_of)
    chosen = Mode(mode.upper()) if mode else None
    if role is not None:
        chosen = Mode(_MODE_OF[role])
    name = _contract_of(new)
    verdict = judge(before.root, after.root, kind, policy, contract=name, mode=chosen, settings=load())
    if form == "json":
        click.echo(json.dumps(_with_sources(verdict, after), indent=2, ensure_ascii=False, default=str))
    else:
        _print(verdict, after)
    return _EXIT[str(verdict.outcome)]


def _contract_of(path: Path) -> str:
    """Give the name in the meta.yaml beside a document, by which waivers may be narrowed; "" without one."""
    from kernel.contract.metadata import read_metadata
    from kernel.errors import DocumentError

    try:
        metadata, _ = read_metadata((path.parent / "meta.yaml").read_bytes())
    except (OSError, DocumentError):
        return ""
    return metadata.name or ""


def _with_sources(verdict: Verdict, document: Document) -> dict[str, Any]:
    """Add file, line and column to the findings whose pointer stands in the new file."""
    body = verdict.as_json()
    for entry, finding in zip(body["findings"], verdict.findings, strict=True):
        place = document.position(finding.pointer)
        entry.setdefault("source", {"file": place.source, "line": place.line, "column": place.column})
    return body


def _print(verdict: Verdict, document: Document) -> None:
    """Print for people: the verdict, then each finding with its place, reason and witness."""
    click.echo(f"{verdict.outcome} · required bump: {verdict.required_bump}")
    click.echo(", ".join(f"{name.replace('_', ' ')} {value}" for name, value in verdict.policy.items()))
    for finding in verdict.findings:
        place = document.position(finding.pointer)
        where = f"{place.source}:{place.line}:{place.column}" if place.line else place.source
        sign = "~" if finding.waived else _SIGNS.get(finding.severity, "·")
        said = f"{finding.severity}, waived" if finding.waived else finding.severity
        click.echo(f"\n{sign} {said} {finding.rule}\n  {finding.what}")
        click.echo(f"  at {where} #{finding.pointer}")
        for line in ruling_lines(finding.severity, finding.ruling):
            click.echo(f"  {line}")
        if finding.severity == "safe" or finding.waived:
            continue
        if finding.why:
            click.echo(f"  why: {finding.why}")
        _print_witness(finding)
        if finding.remedy:
            click.echo(f"  fix: {finding.remedy}")
        click.echo(f"  fingerprint: {finding.fingerprint}")
    used = ", ".join(f"{name} {version}" for name, version in verdict.engines.items())
    click.echo(f"\n{counted(len(verdict.findings), 'finding')} ({used})")


def _print_witness(finding: Finding) -> None:
    if finding.has_witness:
        text = json.dumps(finding.witness, ensure_ascii=False, default=str)
        sides = "the old version takes, the new one refuses"
        if finding.direction == "emits":
            sides = "the new version may send, the old one never sent"
        click.echo(f"  witness ({sides}): {text if len(text) <= MOST_SHOWN else text[:MOST_SHOWN] + '…'}")
