"""`interlock review …`: what waits for the board, and its decisions."""

from __future__ import annotations

import time
from typing import Any

import click

from cli.errors import Exit
from cli.findings import print_findings
from cli.output import format_option, print_facts, print_json, print_rows
from cli.registry_client import Registry, registry_options
from cli.review_waiving import judgement_of, print_judgement, revoke_waiver, waive

_STATES = ("open", "frozen", "rejected", "withdrawn", "superseded")


@click.group()
def review() -> None:
    """List, show, approve and reject reviews."""


@review.command("list")
@click.option("--state", type=click.Choice([*_STATES, "all"]), default="open", show_default=True)
@format_option
@registry_options("board")
def list_(registry: Registry, state: str, form: str) -> None:
    """List reviews, oldest first."""
    found = registry.get("reviews", state=None if state == "all" else state, limit=1000)["reviews"]
    if form == "json":
        print_json(found)
        return
    rows = [
        (one["id"], f"{one['contract']}@{one['version']}", one["state"], one["assessment"]["verdict"],
         f"{len(one['approvals'])} of {one['quorum']}", one["author"], one["submitted_at"])
        for one in found
    ]  # fmt: skip
    heads = ("id", "version", "state", "verdict", "approvals", "author", "submitted")
    print_rows(heads, rows, empty="nothing waits for the board" if state == "open" else "no such reviews")


@review.command()
@click.argument("review_id", type=int, metavar="ID")
@format_option
@registry_options("board")
def show(registry: Registry, review_id: int, form: str) -> None:
    """Show what is under review, what it breaks, and exactly which digest is being signed."""
    found = registry.get("reviews", review_id)
    judgement = judgement_of(registry, review_id)
    if form == "json":
        print_json({**found, "judgement": judgement})
        return
    _print(found)
    print_judgement(judgement)
    if found["state"] == "open" and not found["blockers"]:
        click.echo(
            f"\nto approve: interlock review approve {found['id']} --digest {found['digest']} --reason …"
        )


review.add_command(waive)
review.add_command(revoke_waiver)


@review.command()
@click.argument("review_id", type=int, metavar="ID")
@click.option("--digest", required=True, help="The digest that you looked at, as `review show` prints it.")
@click.option("--reason", required=True, help="Why; it stands in the audit log.")
@format_option
@registry_options("board")
def approve(registry: Registry, review_id: int, digest: str, reason: str, form: str) -> int:
    """Approve one digest. The approval that completes the quorum freezes the version (else exit code 8)."""
    found = registry.post("reviews", review_id, "approvals", body={"digest": digest, "reason": reason})
    if form == "json":
        print_json(found)
    elif found["state"] == "frozen":
        click.echo(f"{found['contract']}@{found['version']} is frozen")
    else:
        click.echo(f"approved; {found['missing']} more approvals are needed")
    return Exit.OK if found["state"] == "frozen" else Exit.PENDING


@review.command()
@click.argument("review_id", type=int, metavar="ID")
@click.option("--digest", required=True, help="The digest that you looked at.")
@click.option("--reason", required=True, help="Why; its author reads it.")
@format_option
@registry_options("board")
def reject(registry: Registry, review_id: int, digest: str, reason: str, form: str) -> None:
    """Reject one digest; the version's number is spent."""
    found = registry.post("reviews", review_id, "rejection", body={"digest": digest, "reason": reason})
    if form == "json":
        print_json(found)
    else:
        click.echo(f"{found['contract']}@{found['version']} is rejected")


@review.command()
@click.argument("review_id", type=int, metavar="ID")
@click.option("--reason", required=True)
@format_option
@registry_options("author")
def withdraw(registry: Registry, review_id: int, reason: str, form: str) -> None:
    """Take a submission of yours back; the version's number is spent."""
    found = registry.post("reviews", review_id, "withdrawal", body={"reason": reason})
    if form == "json":
        print_json(found)
    else:
        click.echo(f"{found['contract']}@{found['version']} is withdrawn")


@review.command()
@click.argument("review_id", type=int, metavar="ID")
@click.option("--seconds", type=float, default=0.0, show_default=True, help="How long to wait for the board.")
@registry_options("ci")
def wait(registry: Registry, review_id: int, seconds: float) -> int:
    """Wait for the decision: exit 0 frozen, 1 rejected, withdrawn or superseded, 8 still open."""
    deadline = time.monotonic() + seconds
    while True:
        found = registry.get("reviews", review_id)
        if found["state"] != "open":
            click.echo(f"review {review_id} is {found['state']}")
            return Exit.OK if found["state"] == "frozen" else Exit.GATE_SAYS_NO
        left = deadline - time.monotonic()
        if left <= 0:
            click.echo(f"review {review_id} is open: {found['missing']} approvals are missing")
            return Exit.PENDING
        time.sleep(min(1.0, left))


def _print(found: dict[str, Any]) -> None:
    assessment = found["assessment"]
    print_facts([
        ("review", found["id"]),
        ("version", f"{found['contract']}@{found['version']}"),
        ("state", found["state"]),
        ("submitted", f"{found['submitted_at']} by {found['author']}"),
        ("verdict", f"{assessment['verdict']}; needs {assessment['required_bump']}"),
        ("approvals", f"{len(found['approvals'])} of {found['quorum']}"),
        ("digest", found["digest"]),
    ])  # fmt: skip
    for blocker in found["blockers"]:
        click.echo(f"stands in the way: {blocker}")
    print_findings(assessment["lint"])
    for one in assessment["comparisons"]:
        click.echo(f"against {one['base_version']}: {one['verdict']}, needs {one['required_bump']}")
        print_findings(one["findings"], indent="  ", fingerprints=True)
    for one in found["approvals"]:
        click.echo(f"approved by {one['principal']} at {one['decided_at']}: {one['reason']}")
