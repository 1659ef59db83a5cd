"""`interlock ci waive`: accept one finding, by its fingerprint, until a day."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import click

from cli.errors import Exit
from cli.judging import day_option


@click.command()
@click.argument("fingerprint")
@click.option("--owner", required=True, help="Who answers for it.")
@click.option("--reason", required=True, help="Why the finding may stand, in a sentence. Name no patient.")
@day_option("--expires", required=True, help="The last day on which it holds.")
@click.option("--contract", help="Only for the contract of this name (recommended).")
@click.option("--rule", help="The finding's rule, for readers of the file.")
@click.option(
    "--config",
    "config",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="The interlock.toml to write into (default: the nearest one above here, or a new one).",
)
def waive(
    fingerprint: str,
    owner: str,
    reason: str,
    expires: date,
    contract: str | None,
    rule: str | None,
    config: Path | None,
) -> int:
    """Accept the finding with this FINGERPRINT: adds a `[[waiver]]` to interlock.toml and keeps the rest as it is.

    `interlock diff` and the reports of `interlock ci gate` name the fingerprint of each finding. A waiver that has
    expired, or that no finding needs any longer, fails the gate.
    """
    import msgspec

    from ci.waiving import add_waiver, waiver_file
    from registry.compat.policy_tables import Waiver

    if expires < datetime.now(UTC).date():
        raise click.UsageError(f"--expires {expires} is over already")
    told = {
        "fingerprint": fingerprint.strip().lower(),
        "owner": owner,
        "reason": reason,
        "expires": expires,
        "contract": contract,
        "rule": rule,
    }
    try:
        waiver = msgspec.convert(told, type=Waiver)
    except msgspec.ValidationError as error:
        if "$.fingerprint" in str(error):
            raise click.UsageError("a fingerprint is 16 hexadecimal digits, as reports show it") from None
        raise click.UsageError(str(error)) from None
    file = config or waiver_file(Path())
    add_waiver(file, waiver)
    whose = f" of {contract}" if contract else ""
    click.echo(f"waived {waiver.fingerprint}{whose} until {expires}: {file}")
    return Exit.OK
