"""`interlock audit verify | search | show`: read the audit log from its files; no process need run."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from cli.errors import Exit
from kernel.errors import InterlockError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.audit.verify import Report

_TIME = re.compile(r"\d{4}-\d\d-\d\d(T\d\d(:\d\d(:\d\d(\.\d{1,9})?)?)?Z?)?")
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True
)
_DATA = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Data folder (default: INTERLOCK_DATA or .interlock).",
)


@click.group()
def audit() -> None:
    """Verify, search and show the audit log."""


@audit.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path, file_okay=False))
@_DATA
@click.option("--heads", type=click.Path(path_type=Path, file_okay=False), help="Folder of the signed heads.")
@click.option(
    "--trust", type=click.Path(path_type=Path, dir_okay=False), help="trust.json with the public keys."
)
@_FORMAT
def verify(folder: Path | None, data: Path | None, heads: Path | None, trust: Path | None, form: str) -> int:
    """Prove that the log stands as it was written and signed; else name the first bad record.

    FOLDER is a copy of a data folder, or of its audit folder. Ends with 0 when all is proven, 1 when
    something is wrong, 3 when that could not be decided.
    """
    from kernel.audit.verify import verify as verify_log
    from kernel.errors import SealingError
    from kernel.sealing.keys import KeyFolder, parse_trust

    root = _root(folder, data)
    logs = root / "audit" if (root / "audit").is_dir() else root
    _require_log(logs)
    beside = logs.parent
    try:
        listed = (
            KeyFolder(beside / "keys").trust()
            if trust is None
            else parse_trust(trust.read_bytes(), str(trust))
        )
    except OSError as error:
        raise SealingError(f"the list of trusted keys cannot be read: {error.strerror}") from error
    report = verify_log(
        logs, beside / "audit-heads" if heads is None else heads, listed.may_sign("audit-heads")
    )
    if form == "json":
        click.echo(json.dumps(_report_json(report), indent=2))
    else:
        _print_report(report)
    return Exit.OK if report.ok else Exit.GATE_SAYS_NO


@audit.command()
@_DATA
@click.option("--since", default="", metavar="TIME", help="From this UTC time, e.g. 2026-11-21T07:30.")
@click.option("--until", default="", metavar="TIME", help="Before this UTC time.")
@click.option("--contract", default="", help="Name of the contract.")
@click.option("--consumer", default="", help="Id of the calling system.")
@click.option("--operation", default="", help="Operation id.")
@click.option("--adapter", default="", help="Name of the adapter.")
@click.option("--stage", default="", help="received, completed, refused, message, act …")
@click.option("--outcome", default="", help="success, refused, failed or unknown.")
@click.option("--refusal", default="", help="Slug of a refusal.")
@click.option("--actor", default="", help="Who acted.")
@click.option("--act", default="", help="What was done.")
@click.option("--request-id", default="", help="X-Request-Id of an exchange.")
@click.option("--writer", default="", help="Name of a journal: proxy-0, registry …")
@click.option(
    "--limit", type=click.IntRange(1), default=1000, show_default=True, help="Most records to print."
)
@_FORMAT
def search(data: Path | None, limit: int, form: str, **filters: str) -> int:
    """Find records, oldest first. All filters given must hold."""
    from kernel.audit.record import Outcome, Stage
    from kernel.audit.search import Query
    from kernel.audit.search import search as find

    for name in ("since", "until"):
        if filters[name] and _TIME.fullmatch(filters[name]) is None:
            raise click.UsageError(f"--{name} wants a UTC time such as 2026-11-21 or 2026-11-21T07:30:00Z")
    for name, values in (("stage", get_args(Stage)), ("outcome", get_args(Outcome))):
        if filters[name] and filters[name] not in values:
            raise click.UsageError(f"--{name} is one of {', '.join(values)}")
    found = find(_logs(data), Query(**filters))
    more = _print_json(found, limit) if form == "json" else _print_lines(found, limit)
    if more:
        click.echo(f"there are more; these are the first {limit} (see --limit, --since, --until)", err=True)
    return Exit.OK


@audit.command()
@click.argument("record_id", metavar="ID")
@_DATA
@_FORMAT
def show(record_id: str, data: Path | None, form: str) -> int:
    """Show a record by its id, or all records of a request by its X-Request-Id."""
    from kernel.audit.search import Query
    from kernel.audit.search import search as find

    logs = _logs(data)
    found = list(find(logs, Query(id=record_id))) or list(find(logs, Query(request_id=record_id)))
    if not found:
        raise click.UsageError(f"no record and no request has the id {record_id[:80]!r}")
    if form == "json":
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return Exit.OK
    for record in found:
        width = max(map(len, record))
        for name, value in record.items():
            shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            click.echo(f"{name:<{width}}  {shown}")
        click.echo()
    return Exit.OK


def _root(folder: Path | None, data: Path | None) -> Path:
    from kernel.settings import load

    if folder is not None and data is not None:
        raise click.UsageError("give FOLDER or --data, not both")
    return folder if folder is not None else load({"data": str(data) if data else None}).path


class NoAuditLog(InterlockError):
    """The folder that was named holds no audit log."""

    code = "audit-log-missing"
    exit_code = 2


def _require_log(logs: Path) -> None:
    """Raise `NoAuditLog` unless a writer's folder stands in `logs`, whole or damaged."""
    heads = logs.parent / "audit-heads"  # signed heads without their journals: a log that was taken away
    if any(logs.glob("*/*")) or (logs.name == "audit" and any(heads.glob("*.heads"))):
        return
    raise NoAuditLog(
        f"there is no audit log in {logs}", hint="name a data folder, or the audit folder within it"
    )


def _logs(data: Path | None) -> Path:
    return _root(None, data) / "audit"


def _report_json(report: Report) -> dict[str, Any]:
    return {
        "ok": report.ok,
        "records": report.records,
        "writers": [
            {
                "writer": row.writer,
                "records": row.records,
                "segments": row.segments,
                "heads": row.heads,
                "signed_to": row.signed_to,
                "under_way": row.under_way,
                "notes": row.notes,
                "problem": row.problem.as_json() if row.problem is not None else None,
            }
            for row in report.writers
        ],
    }


def _print_report(report: Report) -> None:
    width = max((len(row.writer) for row in report.writers), default=0)
    for row in report.writers:
        notes = "".join(f"; {note}" for note in row.notes)
        click.echo(
            f"{row.writer:<{width}}  {row.records} records proven, signed up to {row.signed_to}{notes}"
        )
        if row.problem is not None:
            at = f" in {row.problem.segment}" if row.problem.segment else ""
            at += f" at byte {row.problem.offset}" if row.problem.offset is not None else ""
            identity = f" (id {row.problem.record_id})" if row.problem.record_id else ""
            click.echo(f"{row.writer:<{width}}  BAD {row.problem.reason}{at}: {row.problem.what}{identity}")
    if report.ok:
        click.echo(
            f"ok: {report.records} records of {len(report.writers)} writers stand as written and signed"
        )
    else:
        click.echo(f"not ok: {len(report.problems)} of {len(report.writers)} logs do not verify")


def _print_json(found: Iterator[dict[str, Any]], limit: int) -> bool:
    """Print an array as it comes; True when there was more than the limit."""
    click.echo("[", nl=False)
    for index, record in enumerate(found):
        if index == limit:
            click.echo("\n]")
            return True
        click.echo(("," if index else "") + "\n" + json.dumps(record, ensure_ascii=False), nl=False)
    click.echo("\n]")
    return False


def _print_lines(found: Iterator[dict[str, Any]], limit: int) -> bool:
    for index, record in enumerate(found):
        if index == limit:
            return True
        click.echo(
            "  ".join((record["recorded"][:23], f"{record['stage']:<13}", _said(record), record["id"]))
        )
    return False


def _said(record: dict[str, Any]) -> str:
    """Say what a record is about in one piece of a line."""
    if record["stage"] == "act":
        return f"{record.get('actor', '?')}: {record.get('act', '?')} {record.get('subject', '')}"
    what = (
        f"{record['contract']}@{record.get('version', '?')}"
        if "contract" in record
        else record.get("adapter", "")
    )
    names = (
        "operation",
        "consumer",
        "device",
        "message_type",
        "status",
        "refusal",
        "reason",
        "count",
        "outcome",
    )
    parts = [what, *(str(record[name]) for name in names if name in record), record.get("request_id", "")]
    return " ".join(part for part in parts if part) or "-"
