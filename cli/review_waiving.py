"""`interlock review waive`: the board accepts one finding until a day; and by what a review was judged."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from cli.findings import print_findings
from cli.judging import day_option
from cli.output import format_option, print_json
from cli.registry_client import Registry, registry_options
from kernel.errors import InterlockError

_NOT_FOUND = 404


@click.command()
@click.argument("review_id", type=int, metavar="ID")
@click.argument("fingerprint")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why the finding may stand; it stands in the audit log.")
@day_option("--expires", required=True, help="The last day on which it holds (UTC).")
@format_option
@registry_options("board")
def waive(
    registry: Registry, review_id: int, fingerprint: str, owner: str, reason: str, expires: date, form: str
) -> None:
    """Accept the finding FINGERPRINT of an open review, as `review show` names it, until a day.

    It holds for later submissions of the contract too, as long as they have the very same finding. Whoever submitted
    the version cannot waive.
    """
    body = {
        "fingerprint": fingerprint.strip().lower(),
        "owner": owner,
        "reason": reason,
        "expires": str(expires),
    }
    made = registry.post("reviews", review_id, "waivers", body=body)
    if form == "json":
        print_json(made)
        return
    click.echo(
        f"waiver {made['id']}: {made['rule']} of {made['contract']} is accepted until {made['expires']}"
    )
    left = registry.get("reviews", review_id)["blockers"]
    for blocker in left:
        click.echo(f"still stands in the way: {blocker}")
    if not left:
        click.echo(f"nothing stands in the way of review {review_id} any more")


@click.command("revoke-waiver")
@click.argument("waiver_id", type=int, metavar="WAIVER")
@click.option("--reason", required=True, help="Why; it stands in the audit log.")
@format_option
@registry_options("board")
def revoke_waiver(registry: Registry, waiver_id: int, reason: str, form: str) -> None:
    """Take a waiver back, from now on; what was frozen with it stays frozen."""
    done = registry.post("waivers", waiver_id, "revocation", body={"reason": reason})
    if form == "json":
        print_json(done)
    else:
        click.echo(f"waiver {waiver_id} of {done['contract']} is revoked")


def judgement_of(registry: Registry, review_id: int) -> dict[str, Any] | None:
    """Ask by what a review was judged; None from a registry of an older release."""
    try:
        found: dict[str, Any] = registry.get("reviews", review_id, "judgement")
    except InterlockError as error:
        if getattr(error, "status", None) == _NOT_FOUND:
            return None
        raise
    return found


def print_judgement(judgement: dict[str, Any] | None) -> None:
    """Print profile and day, the waivers of the contract, and who uses a schema."""
    if judgement is None:
        return
    told = [(name, judgement[name]) for name in ("profile", "mode", "fail_on", "as_of")]
    if any(value for _, value in told):
        said = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told if value)
        click.echo(f"judged by {said}")
    for use in judgement["uses"]:
        ways = " and ".join(use["directions"]) or "uses in no message"
        click.echo(f"used by {use['contract']} {use['version']} ({ways}): {use['verdict']}")
        print_findings(
            (one for one in use["findings"] if one["severity"] != "safe"), indent="  ", fingerprints=True
        )
        if use["verdict"] != "compatible" and use["consumers"]:
            names = ", ".join(sorted({hit["consumer"] for hit in use["consumers"]}))
            click.echo(f"  its consumers: {names}")
    for one in judgement["waivers"]:
        stands = "holds" if one["holds"] else "revoked" if one["revoked_at"] else "is over"
        click.echo(
            f"waiver {one['id']} ({stands}): {one['fingerprint']} {one['rule']} until {one['expires']}, "
            f"{one['owner']}: {one['reason']}"
        )
