"""What the intake and a device say to each other: a message as read, and what a device can do with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from adapters.canonical.values import CanonicalResource, Held
from adapters.errors import MessageRefused
from adapters.reasons import Fate

Send = Callable[[bytes], Awaitable[None]]  # writes one answer to the sender; never raises


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message says about itself; texts are as sent and may be empty where it cannot be read.

    `mapped` is False for types that are stored and acknowledged, and become nothing canonical. `refusal`
    is why the message is handed back before anything was promised, None when it can be read.
    """

    header: Any = None  # the device's own form of it, for its answers
    message: Any = None
    type: str = ""
    control_id: str = ""
    application: str = ""
    facility: str = ""
    mapped: bool = False
    is_acknowledgement: bool = False
    refusal: MessageRefused | None = None


@dataclass(frozen=True, slots=True)
class Answers:
    """Acknowledgements as bytes, b"" where none is due, and their codes for the audit record."""

    commit: bytes = b""
    application: bytes = b""
    codes: str = ""  # "CA", "CA AA", "AE", "" …


@dataclass(frozen=True, slots=True)
class SenderRule:
    """One sender that a connection takes messages from; "*" stands for any text."""

    application: str
    facility: str
    profile: str  # name/version of the device profile


class Device(Protocol):
    """One configured device connection; it knows the protocol, the intake does not."""

    @property
    def name(self) -> str:
        """Name of the adapter instance."""

    @property
    def profile(self) -> str:
        """Device profile for senders that no rule names, as name/version."""

    @property
    def senders(self) -> tuple[SenderRule, ...]:
        """Who may send; empty means anybody who reaches the port."""

    @property
    def silent_on_failure(self) -> bool:
        """Whether a failure of ours is answered by nothing (the sender times out) and not by AR."""

    @property
    def contract(self) -> tuple[str, int]:
        """Name and major of the canonical schema that messages become."""

    def read(self, raw: bytes, damage: str = "") -> Reading:
        """Read as far as possible; never raises. `damage` is a reason that the framing found."""

    def answers(self, reading: Reading, fate: Fate, refusal: MessageRefused | None = None) -> Answers:
        """Decide and write the acknowledgements that this message asks for."""

    def to_canonical(self, reading: Reading, held: Held, profile: str) -> tuple[CanonicalResource, ...]:
        """Make canonical resources, without `id` and `revision`; raises `MessageRefused`."""
