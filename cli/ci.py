"""`interlock ci …`: gates for pipelines."""

from __future__ import annotations

import click

from cli.ci_changelog import changelog
from cli.ci_conformance import conformance
from cli.ci_deploy import COMMANDS
from cli.ci_drift import drift
from cli.ci_gate import gate
from cli.ci_waive import waive


@click.group(name="ci")
def ci() -> None:
    """Gates for pipelines."""


ci.add_command(gate)
ci.add_command(changelog)
ci.add_command(waive)
ci.add_command(conformance)
ci.add_command(drift)
for _command in COMMANDS:
    ci.add_command(_command)
