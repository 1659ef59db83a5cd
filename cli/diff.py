"""`interlock diff OLD NEW`: does the new document break anybody? Works alone, from files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from cli.errors import Exit
from cli.judging import judging_options, policy_for, project_for

if TYPE_CHECKING:
    from datetime import date

    from kernel.contract.document import Document
    from kernel.contract.finding import Verdict

_FILE = click.Path(path_type=Path)
MODES = (
    "BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE", "NONE",
)  # fmt: skip
_EXIT = {"compatible": Exit.OK, "breaking": Exit.GATE_SAYS_NO, "undecided": Exit.UNDECIDED}
_MODE_OF = {"accepts": "BACKWARD", "emits": "FORWARD", "both": "FULL"}


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
    from ci.formats.values import pretty
    from cli.diff_report import print_verdict
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
        click.echo("\n".join(pretty(_with_sources(verdict, before, after))))
    else:
        print_verdict(verdict, before, after)
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


def _with_sources(verdict: Verdict, old: Document, new: Document) -> dict[str, Any]:
    """Add file, line and column of both files to the findings."""
    body = verdict.as_json()
    for entry, finding in zip(body["findings"], verdict.findings, strict=True):
        place = new.position(finding.pointer)
        entry.setdefault("source", {"file": place.source, "line": place.line, "column": place.column})
        if finding.base_pointer is not None:
            place = old.position(finding.base_pointer)
            entry.setdefault(
                "base_source", {"file": place.source, "line": place.line, "column": place.column}
            )
    return body
