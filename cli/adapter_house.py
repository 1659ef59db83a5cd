"""What the `adapter` commands open of a data folder: bundle, canonical store, a journal of the operator's."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from kernel.errors import BundleError, BundleMissing, InterlockError, Place

if TYPE_CHECKING:
    from adapters.canonical.reading import Reading
    from adapters.canonical.store import CanonicalStore
    from adapters.message import Device
    from kernel.audit.journal import Journal
    from kernel.bundle.model import Bundle
    from kernel.settings import Settings

WRITER = "operator"  # one journal for everything that people do on this host


class NoStore(InterlockError):
    """The data folder holds no canonical store yet."""

    code = "canonical-store-missing"
    exit_code = 2


def settings_of(data: Path | None) -> Settings:
    """Read the settings for a data folder given by flag, or the default one."""
    from kernel.settings import load

    return load({"data": str(data) if data else None})


def bundle_of(settings: Settings) -> Bundle:
    """Read and verify the bundle of a data folder; raises `BundleError`."""
    from kernel.bundle.read import read_bundle
    from kernel.sealing.keys import KeyFolder

    return read_bundle(settings.path / "bundle", KeyFolder(settings.path / "keys").trust())


def bundle_or_none(settings: Settings) -> Bundle | None:
    """Read the bundle where there is a data folder with one; a damaged one still raises."""
    if not (settings.path / "bundle").is_dir():
        return None
    try:
        return bundle_of(settings)
    except BundleMissing:
        return None


def device_of(bundle: Bundle, connection: str) -> Device:
    """Make the message side of a configured adapter; raises `BundleError` when the routes name none."""
    from adapters.catalog import build_device

    for instance in bundle.routes.adapters:
        if instance.name == connection:
            return build_device(instance)
    raise BundleError(
        f"the bundle configures no adapter {connection[:64]!r}",
        hint="`interlock adapter add` it again, then replay",
    )


@contextmanager
def open_store(settings: Settings) -> Iterator[CanonicalStore]:
    """Open the canonical store; raises `NoStore` rather than making one by the way."""
    from adapters.canonical.store import CanonicalStore
    from kernel.sealing.payload import Sealer

    file = settings.path / "canonical.db"
    if not settings["database"] and not file.is_file():
        raise NoStore(
            "there is no canonical store here: no device has sent anything",
            hint="give the right --data folder",
            place=Place(str(file)),
        )
    store = CanonicalStore.open(settings, Sealer(settings.path / "keys"))
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_reading(settings: Settings) -> Iterator[Reading]:
    """Open the store for reading back."""
    from adapters.canonical.reading import Reading

    with open_store(settings) as store:
        yield Reading(store.engine, store.sealer)


@contextmanager
def open_journal(settings: Settings) -> Iterator[Journal]:
    """Open the operator's journal; raises `AuditError` while another command writes to it."""
    from kernel.audit.journal import Journal
    from kernel.sealing.keys import KeyFolder

    key = KeyFolder(settings.path / "keys").ensure(WRITER, "audit-heads")
    journal = Journal.open(settings.path / "audit", WRITER, key, fsync=settings["audit_fsync"])
    try:
        yield journal
    finally:
        journal.close()


def actor() -> str:
    """Name who runs the command: the account of this process, which no environment variable can change."""
    try:
        return f"os:{pwd.getpwuid(os.geteuid()).pw_name}"
    except KeyError:
        return f"os:{os.geteuid()}"


def record_reveal(settings: Settings, subject: str, what: str) -> None:
    """Put it in the audit log that somebody looked at health data; durable before anything is shown."""
    from kernel.audit.record import act_record

    record = act_record(
        actor=actor(), act="payload-revealed", subject=subject, data_category="health", detail={"what": what}
    )
    with open_journal(settings) as journal:
        journal.append_and_wait(record)
