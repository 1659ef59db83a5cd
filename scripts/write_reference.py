"""Writes the pages of docs/reference that the program itself can tell (see PAGES); `--check` only compares."""

from __future__ import annotations

import inspect
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import click
import msgspec

from ci.project import Tables
from cli.main import COMMANDS, interlock
from cli.topics import EXIT_CODES, topics
from kernel.bundle.policy import ConsumerPolicy, RoutePolicy
from kernel.settings import SETTINGS
from runtime_proxy.console.table import METRICS

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference"
NOTE = "<!-- Written by scripts/write_reference.py from the program itself; do not edit. -->\n\n"


def settings_page() -> str:
    """Write all settings as a table."""
    lines = [
        "# Settings\n",
        "A flag wins over the environment, the environment over `interlock.toml` (table `[interlock]`), that over the",
        "default. An unknown key is an error.\n",
        "| setting | environment | default | meaning |",
        "|---|---|---|---|",
    ]
    lines += [f"| `{row.name}` | `{row.env}` | `{row.default!r}` | {row.help} |" for row in SETTINGS]
    return "\n".join(lines) + "\n"


def exit_codes_page() -> str:
    """Write the exit codes."""
    rows = [f"| {int(code)} | {text} |" for code, text in EXIT_CODES.items()]
    return "\n".join(["# Exit codes\n", "| code | meaning |", "|---|---|", *rows]) + "\n"


def codes_page() -> str:
    """Write every code that `interlock explain` knows, besides settings and exit codes."""
    lines = [
        "# Codes\n",
        "Errors, refusals, reasons, rules and log faults by their stable codes, as `interlock explain CODE` tells them.\n",
    ]
    for topic in topics():
        if topic.kind in {"error", "refusal", "reason", "rule", "log fault"}:
            text = " ".join(topic.text.split()) if topic.text != topic.title else ""
            mend = f" *{' '.join(topic.remedy.split())}*" if topic.remedy else ""
            ends = "" if topic.ends_with is None else f"Exit code {topic.ends_with}."
            said = " ".join(part for part in (f"**{topic.title}**", text, ends) if part)
            lines.append(f"- `{topic.code}` ({topic.kind}): {said}{mend}")
    return "\n".join(lines) + "\n"


def metrics_page() -> str:
    """Write every metric as a table."""
    lines = [
        "# Metrics\n",
        "`GET /-/metrics` of any worker gives those of all workers (Prometheus' text format 0.0.4). A metric appears with",
        "its first count. `-` as a label stands for what is not known (no operation matched, no consumer named), `other`",
        "for what came after `metrics_rows` rows were in use. Gauges without a label `worker` are sums over the workers.\n",
        "| metric | kind | labels | meaning |",
        "|---|---|---|---|",
    ]
    for one in METRICS:
        labels = ", ".join(f"`{label}`" for label in one.labels) or "none"
        lines.append(f"| `{one.name}` | {one.kind} | {labels} | {one.help} |")
    lines += ["", "Upper bounds of the buckets, in seconds:\n"]
    lines += [f"- `{one.name}`: {', '.join(map(str, one.buckets))}" for one in METRICS if one.buckets]
    lines += [
        "",
        "The buckets of whole calls are those of OpenTelemetry's `http.server.request.duration`; what the proxy adds, and",
        "what a commit of the audit journal takes, begins at 100 µs.",
    ]
    return "\n".join(lines) + "\n"


def cli_page() -> str:
    """Write every command with its help text."""
    lines = ["# Command line\n", "As `interlock COMMAND --help` prints it.\n"]
    for path, command in commands():
        context = click.Context(command, info_name=" ".join(path))
        lines += [f"## {' '.join(path)}\n", "```", command.get_help(context), "```\n"]
    return "\n".join(lines)


def policies_page() -> str:
    """Write every part of a route's and a consumer's policy with its fields, from the structs themselves."""
    lines = [
        "# Policies of routes and consumers\n",
        "How a route behaves, and how a consumer is treated, in this environment: one YAML or JSON document",
        "each, set whole by `interlock route policy CONTRACT MAJOR --set FILE` and `interlock consumer policy ID",
        "--set FILE` (operators only), kept by the registry, signed into the bundle. A part that is left out asks",
        "for nothing. An unknown field, or a value without meaning, is refused with its JSON pointer",
        "(`policy-invalid`).\n",
    ]
    for form, title in ((RoutePolicy, "Routes"), (ConsumerPolicy, "Consumers")):
        lines += [f"## {title}\n", f"{inspect.getdoc(form)}\n"]
        for part in msgspec.structs.fields(form):
            lines.append(f"### `{part.encode_name}`\n")
            structs = list(dict.fromkeys(_structs(part.type)))
            if not structs:
                lines.append(f"{_form(part)}, default `{part.default!r}`\n")
            for struct in structs:
                if len(structs) > 1:
                    lines.append(f"**{struct.__name__}**\n")
                lines += [f"{' '.join((inspect.getdoc(struct) or '').split())}\n", *_fields(struct), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def interlock_toml_page() -> str:
    """Write every table and key of interlock.toml, from the structs themselves."""
    lines = [
        "# interlock.toml\n",
        "One file for a repository of contracts, at its root: where the contracts lie, how they are judged, what is",
        "waived. It is looked for beside a contract and in the folders above it, up to the root of the git repository;",
        "without one everything is default. An unknown key, or a value without meaning, is refused with line and key",
        "(`project-invalid`), text that is no TOML with line and column (`project-unreadable`). Comments and layout are",
        "yours: `interlock ci waive` only adds to the end.\n",
        "```toml",
        "[contracts]",
        'paths = ["contracts"]',
        "",
        "[compat]",
        'profile = "strict"',
        "notice_days = 90",
        "",
        "[compat.severity]",
        'parameter-removed = "breaking"',
        'server-changed = {severity = "safe", owner = "platform", reason = "addresses come from the bundle"}',
        "",
        "[[waiver]]",
        'fingerprint = "0123456789abcdef"',
        'contract = "lab-orders"',
        'owner = "Ada Berg"',
        'reason = "the only caller was changed on 2026-10-02"',
        "expires = 2027-01-31",
        "```\n",
        "`[interlock]` holds the [settings](settings.md) of the program itself.",
    ]
    for table in msgspec.structs.fields(Tables):
        for struct in dict.fromkeys(_structs(table.type)):
            title = f"[[{table.encode_name}]]" if struct.__name__ == "Waiver" else f"[{table.encode_name}]"
            nested = struct.__name__ == "Override"
            lines.append("\n### A rule's severity as a table\n" if nested else f"\n## `{title}`\n")
            lines += [f"{' '.join((inspect.getdoc(struct) or '').split())}\n", *_keys(struct)]
    return "\n".join(lines) + "\n"


def _keys(struct: type[msgspec.Struct]) -> list[str]:
    rows = ["| key | value | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(struct):
        default = {None: "none", (): "none"}.get(field.default, f"`{field.default}`")
        if field.required or field.default is msgspec.NODEFAULT:
            default = "required" if field.required else "none"
        elif isinstance(field.default, tuple) and field.default:
            default = ", ".join(f"`{one}`" for one in field.default)
        rows.append(f"| `{field.encode_name}` | {_in_words(field.type)} | {default} |")
    return rows


_WORDS = {str: "text", int: "a whole number", date: "a date", bool: "true or false", Any: "anything"}


def _in_words(form: Any) -> str:
    """Say what TOML may hold where a struct has this type."""
    origin, arguments = get_origin(form), get_args(form)
    if origin is Annotated:
        bounds = arguments[1]
        least, most = bounds.ge, bounds.le
        more = f" from {least} to {most}" if most is not None else ""
        more += (
            f", at most {bounds.max_length} characters" if bounds.max_length and arguments[0] is str else ""
        )
        more += ", 16 hexadecimal digits" if bounds.pattern else ""
        return _in_words(arguments[0]) + more
    if origin is Literal:
        return ", ".join(f"`{word}`" for word in arguments)
    if origin is tuple:
        return f"a list of {_in_words(arguments[0])}"
    if origin is dict:
        return f"names with {_in_words(arguments[1])}"
    if arguments:
        return " or ".join(_in_words(one) for one in arguments if one is not type(None))
    return _WORDS.get(form, "a table (below)")


def _structs(form: Any) -> Iterator[type[msgspec.Struct]]:
    """Yield every struct that a type can hold, outermost first."""
    if isinstance(form, type) and issubclass(form, msgspec.Struct):
        yield form
        for field in msgspec.structs.fields(form):
            yield from _structs(field.type)
    for argument in get_args(form):
        yield from _structs(argument)


def _fields(struct: type[msgspec.Struct]) -> list[str]:
    rows = ["| field | type | default |", "|---|---|---|"]
    for field in msgspec.structs.fields(struct):
        form = _form(field)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        shown = "required" if field.required else f"`{default!r}`"
        rows.append(f"| `{field.encode_name}` | {form} | {shown} |")
    return rows


def _form(field: Any) -> str:
    form = str(field.type) if get_args(field.type) else getattr(field.type, "__name__", str(field.type))
    form = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", form).replace("|", "or")
    form = re.sub(r"Annotated\[(\w+), Meta\(ge=(\d+), le=(\d+)\)\]", r"\1 from \2 to \3", form)
    form = re.sub(r"Annotated\[(\w+), Meta\(gt=(\d+), le=(\d+)\)\]", r"\1 above \2, to \3", form)
    return re.sub(r"Annotated\[(\w+), Meta\(pattern='([^']*)'\)\]", r"\1 `\2`", form)


def commands() -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield the path and the object of every command, in the order of the table."""

    def walk(
        path: tuple[str, ...], command: click.Command
    ) -> Iterator[tuple[tuple[str, ...], click.Command]]:
        yield path, command
        if isinstance(command, click.Group):
            for name in command.list_commands(click.Context(command)):
                child = command.get_command(click.Context(command), name)
                if child is not None:
                    yield from walk((*path, name), child)

    for name in COMMANDS:
        found = interlock.get_command(click.Context(interlock), name)
        if found is not None:
            yield from walk(("interlock", name), found)


PAGES = {
    "settings.md": settings_page,
    "metrics.md": metrics_page,
    "cli.md": cli_page,
    "exit-codes.md": exit_codes_page,
    "codes.md": codes_page,
    "policies.md": policies_page,
    "interlock-toml.md": interlock_toml_page,
}


def main(*, check: bool) -> int:
    """Write or compare every page; returns 1 when `check` finds one that is out of date."""
    stale = 0
    for name, page in PAGES.items():
        text = NOTE + page()
        path = REFERENCE / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        stale += 1
        if check:
            print(
                f"docs/reference/{name} is out of date: run python scripts/write_reference.py",
                file=sys.stderr,
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"docs/reference/{name} written")
    return 1 if check and stale else 0


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
