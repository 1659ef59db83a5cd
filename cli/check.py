"""`interlock check PATH`: is this document valid, and does it keep the house rules? Works alone."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.errors import Exit
from cli.judging import day_option
from cli.output import counted, format_option, print_json

if TYPE_CHECKING:
    from kernel.contract.finding import Finding

_FILE = click.Path(path_type=Path)


@click.command()
@click.argument("path", type=_FILE)
@click.option(
    "--root", type=_FILE, help="Folder below which files may be referred to (default: the file's own)."
)
@day_option("--as-of", "as_of", help="The day by which exceptions end (default: today, in UTC).")
@click.option("--strict", is_flag=True, help="Let warnings fail too.")
@format_option
def check(path: Path, root: Path | None, as_of: date | None, strict: bool, form: str) -> int:
    """Check an OpenAPI, AsyncAPI or JSON Schema document, or a contract's folder with its meta.yaml.

    Prints `file:line:col severity rule message` for each finding. Ends with 0 when the document is valid
    (warnings allowed, unless --strict), 1 when it is not, 2 when it cannot be read.
    """
    from kernel.contract.finding import Severity
    from registry.lint.checking import check_path
    from registry.lint.document import House

    findings = check_path(path, root, House(as_of=as_of or datetime.now(UTC).date()))
    counts = {one: sum(finding.severity is one for finding in findings) for one in Severity}
    failing = counts[Severity.ERROR] + (counts[Severity.WARNING] if strict else 0)
    if form == "json":
        print_json({"valid": not counts[Severity.ERROR], "findings": [one.as_json() for one in findings]})
    else:
        for finding in findings:
            click.echo(_line(finding, path))
        word = "invalid" if counts[Severity.ERROR] else "valid"
        told = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note"))
        sums = ", ".join(counted(counts[one], noun) for one, noun in told)
        click.echo(
            f"{path}: {word}; {sums} (`interlock explain RULE` says more)",
            err=True,
        )
    return Exit.GATE_SAYS_NO if failing else Exit.OK


def _line(finding: Finding, path: Path) -> str:
    where = f"{finding.source or path}:{finding.line or 1}:{finding.column or 1}"
    return f"{where} {finding.severity} {finding.rule} {finding.what}"
