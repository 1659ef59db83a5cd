"""All kinds of adapters: the one place that knows concrete ones, and how settings become an adapter.

Other packages may add kinds through the entry-point group `interlock.adapters`: each entry point names a
`CatalogRow`. A kind of this tuple cannot be replaced.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from adapters.devices.lab_hl7v2 import kind as lab_hl7v2
from adapters.errors import AdapterSettingsError
from adapters.partners import http
from adapters.port import Adapter, AdapterKind, Listener
from adapters.resilience.guarded import GUARD_SETTINGS, guard
from kernel.schema.validator import CompiledSchema, Dialect, compile_schema

if TYPE_CHECKING:
    from adapters.house import House
    from adapters.message import Device
    from kernel.bundle.model import AdapterInstance

ENTRY_POINTS = "interlock.adapters"


@dataclass(frozen=True, slots=True)
class CatalogRow:
    """A kind with its makers: `make_device` is for kinds that take messages, for trial and replay."""

    kind: AdapterKind
    make: Callable[[str, Mapping[str, Any], House], Adapter | Listener]
    make_device: Callable[[str, Mapping[str, Any]], Device] | None = None


def _http(name: str, settings: Mapping[str, Any], house: House) -> http.HttpAdapter:
    del house
    return http.HttpAdapter(name, settings)


KINDS: tuple[CatalogRow, ...] = (
    CatalogRow(http.KIND, _http),
    CatalogRow(lab_hl7v2.KIND, lab_hl7v2.make_listener, lab_hl7v2.make_device),
)


def build(instance: AdapterInstance, house: House) -> Adapter | Listener:
    """Make one adapter, not started; raises `AdapterSettingsError` for an unknown kind or wrong settings."""
    row = find(instance.kind)
    check_settings(row.kind, instance.settings, name=instance.name)
    if row.kind.listens:
        return row.make(instance.name, instance.settings, house)
    own = {name: value for name, value in instance.settings.items() if name not in GUARD_SETTINGS}
    made = row.make(instance.name, own, house)
    return made if isinstance(made, Listener) else guard(made, instance.settings)


def build_device(instance: AdapterInstance) -> Device:
    """Make the message side of an adapter alone; raises `AdapterSettingsError` where it takes no messages."""
    row = find(instance.kind)
    check_settings(row.kind, instance.settings, name=instance.name)
    if row.make_device is None:
        raise AdapterSettingsError(f"adapters of kind {instance.kind} take no messages")
    return row.make_device(instance.name, instance.settings)


def find(kind: str) -> CatalogRow:
    """Find one kind; raises `AdapterSettingsError` naming those that there are."""
    for row in all_kinds():
        if row.kind.kind == kind:
            return row
    known = ", ".join(row.kind.kind for row in all_kinds())
    raise AdapterSettingsError(f"there is no adapter kind {kind[:64]!r}", hint=f"one of: {known}")


@cache
def all_kinds() -> tuple[CatalogRow, ...]:
    """List the kinds of this release and of installed packages."""
    own = {row.kind.kind for row in KINDS}
    added = [point.load() for point in sorted(entry_points(group=ENTRY_POINTS), key=lambda point: point.name)]
    return (*KINDS, *(row for row in added if isinstance(row, CatalogRow) and row.kind.kind not in own))


def check_settings(kind: AdapterKind, settings: Mapping[str, Any], *, name: str) -> None:
    """Check settings against their kind's schema, unknown keys included; raises `AdapterSettingsError`."""
    violations = _compiled(kind.kind).violations(dict(settings))
    if violations:
        places = "; ".join(f"{found.pointer or '/'}: {found.keyword}" for found in violations)
        allowed = ", ".join(sorted(settings_of(kind)))
        raise AdapterSettingsError(
            f"settings of adapter {name[:64]!r} do not fit kind {kind.kind}: {places}",
            hint=f"settings of this kind: {allowed}",
        )


def settings_of(kind: AdapterKind) -> dict[str, Any]:
    """List the settings of a kind with their schemas: its own, and the guards of all that answer calls."""
    own = dict(kind.settings_schema["properties"])
    return own if kind.listens else {**GUARD_SETTINGS, **own}


@cache
def _compiled(kind: str) -> CompiledSchema:
    row = find(kind)
    schema = {**row.kind.settings_schema, "properties": settings_of(row.kind)}
    return compile_schema(schema, root=schema, dialect=Dialect.DRAFT_2020_12)
