"""The row of the catalog for the adapter kind `lab_hl7v2`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adapters.devices.lab_hl7v2.device import LabDevice
from adapters.devices.lab_hl7v2.listener import LabListener
from adapters.devices.lab_hl7v2.settings import SETTINGS_SCHEMA, read_settings
from adapters.port import AdapterKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from adapters.house import House

KIND: Final = AdapterKind(
    kind="lab_hl7v2",
    summary="Laboratory analyzers and systems that send HL7 v2 results over MLLP",
    settings_schema=SETTINGS_SCHEMA,
    listens=True,
)


def make_device(name: str, settings: Mapping[str, Any]) -> LabDevice:
    """Make the device alone, without a listener (trial, replay); raises `AdapterSettingsError`."""
    return LabDevice(name, read_settings(settings))


def make_listener(name: str, settings: Mapping[str, Any], house: House) -> LabListener:
    """Make the listener; raises `AdapterSettingsError`."""
    return LabListener(make_device(name, settings), house.intake)
