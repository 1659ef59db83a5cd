"""Which device sent a message, and which version of its profile reads it. Attribution, not authentication."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.errors import MessageRefused
from adapters.message import Device, Reading, SenderRule


@dataclass(frozen=True, slots=True)
class Identity:
    """`device` names the sender as it calls itself, `profile` is name/version."""

    device: str
    profile: str


def identify(device: Device, reading: Reading) -> Identity:
    """Attribute a message by MSH-3 and MSH-4; raises `MessageRefused` (sender-unknown).

    The first rule that fits wins; rules are given in the settings, the narrow ones first. Who may connect
    at all is ruled by TLS client certificates and the network, never by what a message says.
    """
    name = f"{reading.application or '-'}@{reading.facility or '-'}"
    if not device.senders:
        return Identity(name, device.profile)
    for rule in device.senders:
        if _fits(rule, reading):
            return Identity(name, rule.profile)
    raise MessageRefused(
        "no rule of this connection names the sender", reason="sender-unknown", location="MSH[1]-3"
    )


def _fits(rule: SenderRule, reading: Reading) -> bool:
    pairs = ((rule.application, reading.application), (rule.facility, reading.facility))
    return all(wanted in ("*", sent) for wanted, sent in pairs)
