"""`interlock lint PATHS`: house rules, exceptions and a team's own rulesets, for files, contracts and whole trees."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.errors import Exit
from cli.judging import day_of, day_option, project_for
from cli.output import counted, format_option, print_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ci.house import HouseRules
    from kernel.contract.finding import Finding

_FILE = click.Path(path_type=Path)
LEVELS = ("error", "warning", "info")
_NOUNS = {"error": "error", "warning": "warning", "info": "note"}


@click.command()
@click.argument("paths", nargs=-1, required=True, type=_FILE)
@click.option(
    "--ruleset", "rulesets", multiple=True, type=_FILE, metavar="FILE",
    help="Rules of your own in Spectral's format; repeatable. Those of interlock.toml hold too.",
)  # fmt: skip
@click.option(
    "--root", type=_FILE, help="Folder below which files may be referred to (default: the file's own)."
)
@click.option(
    "--level", type=click.Choice(LEVELS), default="info", show_default=True, help="The least that is told."
)
@click.option(
    "--fail-on", type=click.Choice(LEVELS), default="error", show_default=True, help="The least that fails."
)
@day_option("--as-of", "as_of", help="The day by which exceptions end (default: today, in UTC).")
@click.option(
    "--config", type=_FILE, metavar="FILE", help="The interlock.toml to lint by (default: the nearest one)."
)
@format_option
def lint(
    paths: tuple[Path, ...],
    rulesets: tuple[Path, ...],
    root: Path | None,
    level: str,
    fail_on: str,
    as_of: date | None,
    config: Path | None,
    form: str,
) -> int:
    """Lint documents, contracts' folders, and every contract below other folders.

    Prints each rule once with its reason and its remedy, and below it every place as `file:line:column`. Ends
    with 0, with 1 when something of --fail-on or worse was found, with 2 when a document or a ruleset cannot be
    read, with 3 when a rule of a ruleset cannot be run.
    """
    from ci.house import HouseRules

    found: list[Finding] = []
    documents = [one for path in paths for one in _documents(path)]
    for document in documents:
        project = project_for(document, config)
        rules = HouseRules(project, day_of(as_of, project), rulesets)
        found += _linted(document, root, rules)
    told = [one for one in found if _rank(one) <= LEVELS.index(level)]
    if form == "json":
        print_json(
            {"documents": [str(one) for one in documents], "findings": [one.as_json() for one in told]}
        )
    else:
        _print(told)
        sums = ", ".join(
            counted(sum(str(one.severity) == word for one in found), noun) for word, noun in _NOUNS.items()
        )
        click.echo(
            f"{counted(len(documents), 'document')}: {sums} (`interlock explain RULE` says more)", err=True
        )
    failing = any(_rank(one) <= LEVELS.index(fail_on) for one in found)
    return Exit.GATE_SAYS_NO if failing else Exit.OK


def _documents(path: Path) -> Iterable[Path]:
    """Give what is linted: a file, a contract's folder, or every contract below a folder."""
    from ci.contracts import discover
    from registry.lint.checking import NAMES

    if not path.is_dir() or any((path / name).is_file() for name in NAMES):
        return [path]
    here = Path.cwd()
    found = [folder.path for folder in discover([path])]
    return [one.relative_to(here) if one.is_relative_to(here) else one for one in found]


def _linted(document: Path, root: Path | None, rules: HouseRules) -> Sequence[Finding]:
    from registry.lint.checking import check_path, name_of

    folder = document if document.is_dir() else document.parent
    return check_path(document, root, rules.house(name_of(folder), folder))


def _rank(finding: Finding) -> int:
    return LEVELS.index(str(finding.severity))


def _print(found: list[Finding]) -> None:
    """Print by rule, errors first: what it asks for once, then every place."""
    by_rule: dict[tuple[int, str], list[Finding]] = {}
    for one in found:
        by_rule.setdefault((_rank(one), one.rule), []).append(one)
    for (_, rule), places in sorted(by_rule.items(), key=lambda row: row[0][0]):
        first = places[0]
        click.echo(f"{first.severity} {rule}")
        if first.why:
            click.echo(f"  why: {first.why}")
        remedies = list(dict.fromkeys(one.remedy for one in places if one.remedy))
        if len(remedies) == 1:
            click.echo(f"  fix: {remedies[0]}")
        for one in places:
            click.echo(f"  {one.source}:{one.line or 1}:{one.column or 1}: {one.what}")
            if len(remedies) > 1 and one.remedy:
                click.echo(f"    fix: {one.remedy}")
        click.echo("")
