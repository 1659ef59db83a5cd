"""`interlock contract …`: submit, list, show, pull, deprecate and retire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from cli.errors import Exit
from cli.findings import print_findings
from cli.output import format_option, print_facts, print_json, print_rows
from cli.registry_client import Registry, registry_options
from kernel.errors import DocumentError, InterlockError

_DOCUMENTS = (
    "openapi.yaml",
    "openapi.yml",
    "openapi.json",
    "asyncapi.yaml",
    "asyncapi.yml",
    "asyncapi.json",
    "schema.json",
    "schema.yaml",
)
_LARGEST_METADATA = 200_000


class NoDocument(DocumentError):
    """A folder without a contract document, or a document without meta.yaml."""

    code = "contract-files-missing"


class NotAVersion(InterlockError):
    """Something that should be NAME@VERSION and is not."""

    code = "not-a-version"
    exit_code = 2


@click.group()
def contract() -> None:
    """Submit, list, show and pull contracts."""


@contract.command()
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--meta",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="meta.yaml (default: the one beside the document).",
)
@click.option(
    "--root",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder that local references may not leave (default: the document's).",
)
@click.option("--plan", is_flag=True, help="Judge it as a submission would be, and keep nothing.")
@format_option
@registry_options("author")
def submit(
    registry: Registry, path: Path, meta: Path | None, root: Path | None, plan: bool, form: str
) -> int:
    """Submit PATH (a folder with meta.yaml, or a document beside one); local files are inlined here.

    Exit codes: 0 in review and nothing stands in the way; 1 refused or breaking; 3 undecided.
    """
    document, metadata, source = _read(path, meta, root)
    answer = registry.post(
        "submissions", body={"document": document, "metadata": metadata, "source": source, "plan": plan}
    )
    if form == "json":
        print_json(answer)
    else:
        _tell(answer)
    return _exit_of(answer)


@contract.command("list")
@click.option("--search", default="", help="A part of the name, title or owner.")
@format_option
@registry_options("auditor")
def list_(registry: Registry, search: str, form: str) -> None:
    """List contracts with their newest frozen version."""
    found = registry.get("contracts", search=search or None, limit=1000)["contracts"]
    if form == "json":
        print_json(found)
        return
    rows = [
        (one["name"], one["kind"], _newest(one, "frozen"), _active(one), one["owner"], one["audience"])
        for one in found
    ]
    print_rows(("name", "kind", "frozen", "active", "owner", "audience"), rows, empty="no contracts yet")


@contract.command()
@click.argument("name")
@format_option
@registry_options("auditor")
def show(registry: Registry, name: str, form: str) -> None:
    """Show NAME, or one version as NAME@VERSION."""
    if "@" in name:
        contract_name, version = _split(name)
        found = registry.get("contracts", contract_name, "versions", version)
        if form == "json":
            print_json(found)
        else:
            print_facts([(key, value) for key, value in found.items() if key != "metadata"])
        return
    found = registry.get("contracts", name)
    if form == "json":
        print_json(found)
        return
    print_facts([(key, found[key]) for key in ("name", "kind", "title", "owner", "domain", "audience")])
    click.echo()
    rows = [
        (one["version"], one["state"], "active" if one["active"] else "", one["author"], one["submitted_at"], one["digest"])
        for one in found["versions"]
    ]  # fmt: skip
    print_rows(("version", "state", "", "author", "submitted", "digest"), rows, empty="no versions")


@contract.command()
@click.argument("label", metavar="NAME@VERSION")
@click.option(
    "--form",
    "which",
    type=click.Choice(["submitted", "canonical", "embedded"]),
    default="submitted",
    show_default=True,
    help="As submitted, canonical (the digest is over these bytes), or with all URNs embedded.",
)
@click.option(
    "--out", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file instead of stdout."
)
@registry_options("auditor")
def pull(registry: Registry, label: str, which: str, out: Path | None) -> None:
    """Get the document of NAME@VERSION."""
    name, version = _split(label)
    found = registry.get("contracts", name, "versions", version, "document", form=which)
    data = found["document"].encode()
    if out is None:
        click.echo(data, nl=False)
    else:
        out.write_bytes(data)
        click.echo(f"{out}  {found['digest']}", err=True)


@contract.command()
@click.argument("label", metavar="NAME@VERSION")
@click.option("--reason", required=True)
@click.option("--sunset", help="Until when it is served, RFC 3339.")
@format_option
@registry_options("board")
def deprecate(registry: Registry, label: str, reason: str, sunset: str | None, form: str) -> None:
    """Announce the end of a frozen version; answers then carry Deprecation and Sunset."""
    name, version = _split(label)
    body = {"reason": reason, "sunset": sunset}
    _told(registry.post("contracts", name, "versions", version, "deprecation", body=body), form)


@contract.command()
@click.argument("label", metavar="NAME@VERSION")
@click.option("--reason", required=True)
@format_option
@registry_options("board")
def retire(registry: Registry, label: str, reason: str, form: str) -> None:
    """End a deprecated version for good: calls to it get 410."""
    name, version = _split(label)
    _told(registry.post("contracts", name, "versions", version, "retirement", body={"reason": reason}), form)


def _read(path: Path, meta: Path | None, root: Path | None) -> tuple[str, str, str]:
    from kernel.contract.local_files import inline_files

    file = path
    if path.is_dir():
        found = [path / name for name in _DOCUMENTS if (path / name).is_file()]
        if len(found) != 1:
            raise NoDocument(
                f"{path} holds {len(found)} contract documents",
                hint=f"one of {', '.join(_DOCUMENTS[:8:3])} is expected",
            )
        file = found[0]
    beside = meta or file.parent / "meta.yaml"
    if not beside.is_file():
        raise NoDocument(f"{beside} is missing", hint="write one: see docs/guide/provider.md")
    if beside.stat().st_size > _LARGEST_METADATA:
        raise NoDocument(f"{beside} is larger than {_LARGEST_METADATA} bytes")
    document = inline_files(file, root)
    try:
        return document.data.decode("utf-8-sig"), beside.read_text(encoding="utf-8"), file.name
    except UnicodeDecodeError as error:
        raise NoDocument(f"{beside} is not UTF-8: {error.reason}") from None


def _tell(answer: dict[str, Any]) -> None:
    assessment = answer["assessment"]
    print_findings(assessment["lint"])
    for one in assessment["comparisons"]:
        click.echo(
            f"against {one['base_version']}: {one['verdict']}, needs {one['required_bump']}, declares {one['declared_bump']}"
        )
        print_findings([finding for finding in one["findings"] if finding["severity"] != "safe"], indent="  ")
    for blocker in answer["blockers"]:
        click.echo(f"stands in the way: {blocker}")
    label = f"{answer['contract']}@{answer['version']}"
    if answer["status"] == "in-review":
        click.echo(f"{label} is in review {answer['review_id']}: {answer['missing']} approvals are missing")
        click.echo(f"digest {answer['digest']}")
    else:
        click.echo(f"{label} is {answer['status']}; nothing was kept")


def _exit_of(answer: dict[str, Any]) -> int:
    verdict = answer["assessment"]["verdict"]
    if answer["status"] == "refused" or answer["assessment"]["refused"] or verdict == "breaking":
        return Exit.GATE_SAYS_NO
    if verdict == "undecided":
        return Exit.UNDECIDED
    return Exit.GATE_SAYS_NO if answer["blockers"] else Exit.OK


def _split(label: str) -> tuple[str, str]:
    name, mark, version = label.partition("@")
    if not (name and mark and version):
        raise NotAVersion(
            f"{label[:100]!r} names no version", hint="write NAME@VERSION, for example lab-orders@1.0.0"
        )
    return name, version


def _newest(found: dict[str, Any], state: str) -> str:
    return next((one["version"] for one in found["versions"] if one["state"] == state), "-")


def _active(found: dict[str, Any]) -> str:
    return ", ".join(one["version"] for one in found["versions"] if one["active"]) or "-"


def _told(version: dict[str, Any], form: str) -> None:
    if form == "json":
        print_json(version)
    else:
        click.echo(f"{version['contract']}@{version['version']} is {version['state']}")
