"""`interlock ci …`: gates for pipelines."""

from __future__ import annotations

import click

from cli import ci_deploy
from cli.ci_changelog import changelog
from cli.ci_gate import gate
from cli.ci_waive import waive


@click.group(name="ci")
def ci() -> None:
    """Gates for pipelines."""


ci.add_command(gate)
ci.add_command(changelog)
ci.add_command(waive)
for _command in ci_deploy.COMMANDS:
    ci.add_command(_command)
