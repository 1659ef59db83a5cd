"""Errors of the adapters.

AdapterError
├── AdapterSettingsError   settings do not fit the kind's schema
├── ListenFailed           an address cannot be bound
├── UpstreamError          a call failed; `sent` says whether its outcome is unknown
│   ├── UpstreamUnreachable   no connection: nothing was sent
│   ├── UpstreamTimeout       connect, write, read or total time passed
│   ├── UpstreamBroken        the answer was not HTTP, too large, or ended early
│   └── CallShed              the adapter's own guards let the call not go out; nothing was sent
│       ├── CircuitOpen          the provider fails too often, so it is left alone for a while
│       └── AdapterFull          too many calls are on it, or wait for it, already
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


class CallShed(UpstreamError):
    """A call that a guard of the adapter kept back; `retry_after` in whole seconds, at least 1."""

    code = "call-shed"

    def __init__(self, message: str, *, retry_after: int, hint: str = "", place: Place | None = None) -> None:
        super().__init__(message, sent=False, hint=hint, place=place)
        self.retry_after = retry_after


class CircuitOpen(CallShed):
    """The provider failed too often lately; it is left alone for a while."""

    code = "circuit-open"


class AdapterFull(CallShed):
    """Too many calls are on the adapter, or wait for it, already."""

    code = "adapter-full"


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
