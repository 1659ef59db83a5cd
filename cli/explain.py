"""`interlock explain CODE`: what an error, rule, refusal, setting or exit code means, and what to do."""

from __future__ import annotations

import difflib
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from cli.errors import Exit

if TYPE_CHECKING:
    from cli.topics import Topic


@click.command()
@click.argument("code", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def explain(code: str | None, form: str) -> int:
    """Explain CODE; without it, list everything that can be explained."""
    from cli.topics import topics

    known = list(topics())
    if code is None:
        for topic in known:
            click.echo(f"{topic.code:<36} {topic.kind:<10} {topic.title}")
        return Exit.OK
    wanted = _code_of(code)
    found = [topic for topic in known if topic.code == wanted]
    if not found:
        near = difflib.get_close_matches(wanted, [topic.code for topic in known], n=3)
        click.echo(f"error[unknown-code]: nothing is known as {wanted[:80]!r}", err=True)
        if near:
            click.echo(f"  hint: did you mean {', '.join(near)}?", err=True)
        click.echo("  hint: `interlock explain` lists every code", err=True)
        return Exit.USAGE
    if form == "json":
        click.echo(json.dumps([asdict(topic) for topic in found], indent=2))
        return Exit.OK
    for topic in found:
        _print(topic)
    return Exit.OK


def _print(topic: Topic) -> None:
    click.echo(f"{topic.code} · {topic.kind}\n{topic.title}")
    if topic.text != topic.title:
        click.echo(f"\n{topic.text}")
    if topic.examples:
        click.echo(f"\n{topic.examples}")
    if topic.ends_with is not None:
        click.echo(f"\nExit code: {topic.ends_with}")
    if topic.remedy:
        click.echo(f"\nWhat to do: {topic.remedy}")


def _code_of(said: str) -> str:
    """Give the code that was meant.

    Also INTERLOCK_<SETTING>, a refusal's URN, oasdiff/<id>, ruleset/<name>, an exit code's number.
    """
    from cli.topics import OASDIFF, RULESET

    wanted = said.strip().lower().removeprefix("urn:interlock:refusal:")
    if wanted.startswith("ruleset/"):
        return RULESET
    if wanted.startswith("oasdiff/"):
        return OASDIFF
    if wanted.isdecimal():
        return f"exit-{int(wanted)}"
    return wanted.removeprefix("interlock_")
