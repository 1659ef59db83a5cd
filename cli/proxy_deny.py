"""`interlock proxy deny`: close a key, a consumer or a route on the proxy's host, whatever the registry does."""

from __future__ import annotations

import json
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cli.adapter_house import actor, open_journal, settings_of
from cli.errors import Exit
from cli.output import print_rows
from kernel.errors import BundleError, BundleMissing, InterlockError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kernel.bundle.deny import Denial, Denied, DenyList
    from kernel.bundle.model import Bundle
    from kernel.settings import Settings

SIGNER = "proxy-deny"
_KEY_PARTS = 3  # <prefix>_<id>_<secret>
_LONGEST_REASON = 500


class DenialUnknown(InterlockError):
    """What is to be denied stands in no bundle here, or what is to be lifted was not denied here."""

    code = "denial-unknown"
    exit_code = 2


@click.command()
@click.argument("what", required=False)
@click.option(
    "--reason", default="", help="Why, in a sentence; it stands in the audit log, so name no patient."
)
@click.option("--undo", is_flag=True, help="Lift the denial that was made here.")
@click.option("--list", "listing", is_flag=True, help="Show what is denied, here and by the registry.")
@click.option("--unseen", is_flag=True, help="Deny it although the bundle here does not hold it.")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False),
              help="Data folder (default: INTERLOCK_DATA or .interlock).")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def deny(
    *, what: str | None, reason: str, undo: bool, listing: bool, unseen: bool, data: Path | None, form: str
) -> int:
    """Refuse WHAT within a second: key/ID, consumer/ID, route/CONTRACT/vMAJOR, or just the id.

    Needs no registry. Every worker of the proxy on this data folder takes the signed list up by itself, and
    keeps it over restarts, until --undo. A whole API key may be given too; its secret is kept nowhere.
    """
    settings = settings_of(data)
    if listing:
        if what is not None or undo:
            raise click.UsageError("--list stands alone")
        _show(settings, form)
        return Exit.OK
    if what is None:
        raise click.UsageError("name what is to be denied, or ask with --list")
    if len(reason) > _LONGEST_REASON:
        raise click.UsageError(f"a reason has at most {_LONGEST_REASON} characters")
    denied = _named(settings, what, unseen=unseen or undo)
    if undo:
        _record(
            settings, "proxy-deny-undo", denied, reason
        )  # what opens something is never without its record
        _change(settings, denied, None)
        click.echo(f"{denied} is denied here no more", err=True)
        return Exit.OK
    _change(settings, denied, reason)
    _record(settings, "proxy-deny", denied, reason)
    click.echo(f"{denied} is denied: every worker on {settings.path} refuses it within a second", err=True)
    return Exit.OK


def _change(settings: Settings, denied: Denied, reason: str | None) -> None:
    """Write the next list, with the entry (or without it, where `reason` is None)."""
    from kernel.audit.stamps import now
    from kernel.bundle.deny import Denial, DenyList, local_list, write_list
    from kernel.sealing.keys import KeyFolder

    with _locked(settings):
        standing = _read(settings)
        others = tuple(one for one in standing.denials if one.what != denied)
        if reason is None and len(others) == len(standing.denials):
            raise DenialUnknown(
                f"{denied} was not denied here", hint="`interlock proxy deny --list` shows what is"
            )
        more = () if reason is None else (Denial(denied, now(), actor(), reason),)
        signer = KeyFolder(settings.path / "keys").ensure(SIGNER, "deny-list")
        write_list(
            local_list(settings.path), DenyList(standing.serial + 1, "local", (*others, *more)), signer
        )


@contextmanager
def _locked(settings: Settings) -> Iterator[None]:
    from kernel.bundle.deny import local_list
    from kernel.sealing.private_files import locked

    folder = local_list(settings.path).parent
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder):
        yield


def _read(settings: Settings) -> DenyList:
    """Read the list of this host; the newest that anybody here has seen, and an empty one before the first."""
    from cli.proxy_process import deny_sources
    from kernel.bundle.deny import DenyList

    source = deny_sources(settings, keeps=False)[1]
    try:
        found = source.read()
    except BundleError as error:
        # Closing something must not wait for the list to be mended; what was in force stays in the new one.
        click.echo(f"warning: {error}; a new list is written", err=True)
        found = source.last
    return found or DenyList(0, "local")


def _named(settings: Settings, text: str, *, unseen: bool) -> Denied:
    """Find what is meant, in the bundle that is here; raises `DenialUnknown`."""
    from kernel.bundle.deny import parse_denied

    bundle = _bundle(settings)
    parts = text.split("_")
    if len(parts) == _KEY_PARTS:
        text = f"key/{parts[1]}"
    elif text.startswith("/"):
        text = f"route{text}"
    held = _held(bundle) if bundle is not None else set()
    if "/" not in text:
        matching = [name for name in sorted(held) if name.partition("/")[2] == text]
        if len(matching) != 1:
            raise DenialUnknown(
                f"{text[:64]!r} is {'no' if not matching else 'more than one'} key, consumer or route of the bundle here",
                hint="write key/ID, consumer/ID or route/CONTRACT/vMAJOR; --unseen denies what the bundle does not hold",
            )
        text = matching[0]
    try:
        denied = parse_denied(text)
    except BundleError as error:
        raise DenialUnknown(error.message, hint=error.hint) from None
    if bundle is not None and str(denied) not in held and not unseen:
        raise DenialUnknown(f"the bundle here holds no {denied}", hint="--unseen denies it all the same")
    return denied


def _held(bundle: Bundle) -> set[str]:
    held = {f"consumer/{one.id}" for one in bundle.access.consumers}
    held |= {f"key/{key.id}" for one in bundle.access.consumers for key in one.keys}
    return held | {f"route/{one.contract}/v{one.major}" for one in bundle.routes.routes}


def _bundle(settings: Settings) -> Bundle | None:
    from kernel.bundle.read import read_bundle
    from kernel.sealing.keys import KeyFolder

    folder = settings.path / "bundle"
    if not folder.is_dir():
        hint = "name the data folder of the proxy with --data"
        raise BundleMissing("there is no bundle in this data folder", hint=hint, place=Place(str(folder)))
    try:
        return read_bundle(folder, KeyFolder(settings.path / "keys").trust())
    except InterlockError as error:
        click.echo(f"warning: the bundle cannot be looked into: {error}", err=True)
        return None


def _record(settings: Settings, act: str, denied: Denied, reason: str) -> None:
    from kernel.audit.record import act_record

    with open_journal(settings) as journal:
        more = {"note": reason} if reason else {}
        journal.append_and_wait(act_record(actor=actor(), act=act, subject=str(denied), **more))


def _show(settings: Settings, form: str) -> None:
    from cli.proxy_process import deny_sources

    rows: list[tuple[str, Denial]] = []
    for source in deny_sources(settings, keeps=False):
        try:
            found = source.read()
        except BundleError as error:
            click.echo(f"warning: {error}", err=True)
            found = source.last
        rows += [(source.origin, one) for one in (found.denials if found is not None else ())]
    if form == "json":
        shown = [
            {"what": str(one.what), "origin": origin, "at": one.at, "by": one.by, "reason": one.reason}
            for origin, one in rows
        ]
        click.echo(json.dumps(shown, indent=2))
        return
    lines = [(str(one.what), origin, one.at, one.by, one.reason) for origin, one in rows]
    print_rows(("denied", "by list", "since", "by", "why"), lines, empty="nothing is denied")
