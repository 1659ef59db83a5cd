"""Errors of the control plane.

RegistryError
├── NotFound            nothing has that name, version or number
├── Conflict            what is asked contradicts what stands (number taken, still in use, …)
├── RequestRefused      a value that a caller sent has no legal meaning here
├── NotSignedIn         no token or session, or one that is not valid any more
├── NotAllowed          the principal's roles do not hold this act
│   └── DutiesNotSeparate  an author cannot decide on what that author submitted
├── GateRefused         a review cannot be approved as it stands; `reasons` lists why
├── DigestMismatch      the digest that was seen is not the one under review
├── StoreFailed         the database refused or cannot be reached
├── PublicationFailed   the act is recorded, and the bundle could not be written yet
└── RegistryUnreachable the command line found no registry to talk to
"""

from __future__ import annotations

from typing import ClassVar

from kernel.errors import InterlockError, Place


class RegistryError(InterlockError):
    """Any failure of the registry; `status` is the HTTP status that the API and the pages answer with."""

    code = "registry-error"
    status: ClassVar[int] = 500


class NotFound(RegistryError):
    """Nothing has that name, version or number."""

    code = "not-found"
    exit_code = 2
    status = 404


class Conflict(RegistryError):
    """What is asked contradicts what stands."""

    code = "conflict"
    exit_code = 2
    status = 409


class RequestRefused(RegistryError):
    """A value without a legal meaning here."""

    code = "request-refused"
    exit_code = 2
    status = 422


class NotSignedIn(RegistryError):
    """No token or session, or one that is unknown, expired or revoked (which one is not said)."""

    code = "not-signed-in"
    exit_code = 4
    status = 401


class NotAllowed(RegistryError):
    """The principal's roles do not hold this act."""

    code = "not-allowed"
    exit_code = 4
    status = 403


class DutiesNotSeparate(NotAllowed):
    """An author cannot decide on what that author submitted."""

    code = "duties-not-separate"


class GateRefused(RegistryError):
    """A review that cannot be approved as it stands."""

    code = "gate-refused"
    exit_code = 1
    status = 409

    def __init__(
        self, message: str, *, reasons: tuple[str, ...] = (), hint: str = "", place: Place | None = None
    ) -> None:
        super().__init__(message, hint=hint, place=place)
        self.reasons = reasons


class DigestMismatch(RegistryError):
    """The digest that was seen is not the one under review."""

    code = "digest-mismatch"
    exit_code = 1
    status = 409


class StoreFailed(RegistryError):
    """The database refused or cannot be reached; nothing was recorded."""

    code = "store-failed"
    status = 503


class PublicationFailed(RegistryError):
    """The act is recorded; the bundle could not be written yet and will be tried again."""

    code = "publication-failed"
    status = 503


class RegistryUnreachable(RegistryError):
    """The command line found no registry to talk to."""

    code = "registry-unreachable"
    status = 502
