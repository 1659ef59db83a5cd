"""Errors of the adapters.

AdapterError
├── AdapterSettingsError   settings do not fit the kind's schema
├── ListenFailed           an address cannot be bound
├── UpstreamError          a call failed; `sent` says whether its outcome is unknown
│   ├── UpstreamUnreachable   no connection: nothing was sent
│   ├── UpstreamTimeout       connect, write, read or total time passed
│   └── UpstreamBroken        the answer was not HTTP, too large, or ended early
├── MessageRefused         a message that must be answered negatively, with a typed reason
├── ReplayRefused          a dead letter that may not, or could not, be replayed
└── CanonicalStoreError    the canonical store could not keep something
"""

from __future__ import annotations

from kernel.errors import InterlockError, Place


class AdapterError(InterlockError):
    """Any failure of an adapter."""

    code = "adapter-error"


class AdapterSettingsError(AdapterError):
    """Settings that do not fit the adapter's schema."""

    code = "adapter-settings-invalid"
    exit_code = 2


class ListenFailed(AdapterError):
    """An address that cannot be bound."""

    code = "listen-failed"


class UpstreamError(AdapterError):
    """A call that brought no usable answer; `sent` is True when the provider may have acted on it."""

    code = "upstream-error"

    def __init__(self, message: str, *, sent: bool, hint: str = "", place: Place | None = None) -> None:
        super().__init__(message, hint=hint, place=place)
        self.sent = sent


class UpstreamUnreachable(UpstreamError):
    """No connection could be made."""

    code = "upstream-unreachable"


class UpstreamTimeout(UpstreamError):
    """The provider did not answer in time."""

    code = "upstream-timeout"


class UpstreamBroken(UpstreamError):
    """The provider answered something that is not an answer."""

    code = "upstream-broken"


class MessageRefused(AdapterError):
    """A message that is handed back to its sender.

    `reason` is a slug of adapters/reasons.py; `location` names the place inside the message, never
    its value, as `OBX[2]-5.1` (segment, its 1-based occurrence, field, component).
    """

    code = "message-refused"

    def __init__(
        self, message: str, *, reason: str, location: str = "", hint: str = "", place: Place | None = None
    ) -> None:
        super().__init__(message, hint=hint, place=place)
        self.reason = reason
        self.location = location


class ReplayRefused(AdapterError):
    """A dead letter that may not, or could not, be replayed; it stays as it was."""

    code = "replay-refused"
    exit_code = 1


class CanonicalStoreError(AdapterError):
    """The canonical store could not keep something; nothing was acknowledged."""

    code = "canonical-store-failed"
