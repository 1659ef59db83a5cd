"""The `interlock` command: a table of nouns, each imported only when it is used."""

from __future__ import annotations

import importlib
import sys
from itertools import pairwise
from typing import Any

import click

# name: (module, attribute, one line of help). A row here needs its page in docs/reference/cli.md.
COMMANDS: dict[str, tuple[str, str, str]] = {
    "up": ("cli.up", "up", "Run registry, board, proxy and listeners of one data folder."),
    "demo": (
        "cli.demo.command",
        "demo",
        "Run the whole main job on example contracts and say what happened.",
    ),
    "doctor": ("cli.doctor", "doctor", "Say which tools are wanted, found and how to get them."),
    "explain": ("cli.explain", "explain", "Explain an error, rule, refusal, setting or exit code."),
    "check": ("cli.check", "check", "Check one document: validity and house rules. Works alone."),
    "lint": ("cli.lint", "lint", "House rules, exceptions and rulesets of your own. Works alone."),
    "diff": ("cli.diff", "diff", "Compare two documents: does the new one break anybody? Works alone."),
    "contract": ("cli.contract", "contract", "Submit, list, show and pull contracts."),
    "review": ("cli.review", "review", "List, show, approve and reject reviews."),
    "consumer": ("cli.consumer", "consumer", "Consumers, their keys, pins and limits."),
    "route": ("cli.route", "route", "Bind contract majors to adapters and activate versions."),
    "adapter": ("cli.adapter", "adapter", "Adapters, dead letters and replay."),
    "proxy": ("cli.proxy", "proxy", "Run, check and question the data plane."),
    "audit": ("cli.audit", "audit", "Verify, search and show the audit log."),
    "registry-serve": (
        "cli.registry_serve",
        "registry_serve",
        "Run registry and board alone (`up` does it for you).",
    ),
    "db": ("cli.db", "db", "Create and migrate the databases."),
    "can-i-deploy": (
        "cli.ci_deploy",
        "can_i_deploy",
        "Ask whether a version works with what is deployed in an environment.",
    ),
    "ci": ("cli.ci", "ci", "Gates for pipelines."),
}


class LazyGroup(click.Group):
    """A group whose subcommands are imported when called, so that `--help` stays fast."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """List the nouns in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import one noun's module and return its command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the table without importing any of its modules."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, row[2]) for name, row in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="interlock", prog_name="interlock")
def interlock() -> None:
    """Interlock: frozen contracts, checked before they change and enforced while they run."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line and end the process with a documented exit code."""
    from cli.errors import Exit, run_guarded, tell
    from cli.streams import OutputFailed, take_streams

    words = sys.argv[1:] if argv is None else argv
    output = take_streams()
    code = run_guarded(lambda: _invoke(argv), in_json=_wants_json(words))
    if output is not None:
        sys.stdout.flush()
        if output.failed is not None:
            tell(OutputFailed(f"standard output cannot be written: {output.failed.strerror}"))
            code = Exit.UNDECIDED
    sys.exit(code)


def _wants_json(words: list[str]) -> bool:
    return "--format=json" in words or ("--format", "json") in pairwise(words)


def _invoke(argv: list[str] | None) -> Any:
    return interlock.main(args=argv, prog_name="interlock", standalone_mode=False)
