"""The root of every error that Interlock raises on purpose.

    InterlockError
    ├── DocumentError      a document cannot be read: syntax, duplicate key, a limit passed
    ├── ReferenceRefused   a $ref points where none may point, or to nothing
    ├── ContractInvalid    a document is readable and is not a valid contract
    ├── SchemaRefused      a schema that we cannot compile without failing open
    ├── LifecycleError     a transition that the table of states does not hold
    ├── BundleError        a bundle part is unsigned, altered, older or incomplete
    │   └── BundleMissing  there is no bundle yet
    ├── PolicyInvalid      the policy of a route or consumer asks for what does not exist
    ├── AuditError         the log cannot be written, or does not verify
    ├── SealingError       a sealed payload cannot be opened, or a key is missing
    └── SettingsError      a setting is unknown or has no legal value

Each other package has a tree of its own below `InterlockError` (`registry/errors.py`, …).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: a file's name, a 1-based line and column, and a JSON pointer (RFC 6901)."""

    source: str = ""
    line: int | None = None
    column: int | None = None
    pointer: str | None = None

    def __str__(self) -> str:
        """`name:line:column #/pointer`, leaving out what is not known."""
        where = self.source
        if self.line is not None:
            where += f":{self.line}"
            if self.column is not None:
                where += f":{self.column}"
        if self.pointer is not None:
            where += f" #{self.pointer}"
        return where.strip()


class InterlockError(Exception):
    """An expected failure with a stable code, a place and what to do next.

    `code` is API: it never changes once released, and `interlock explain CODE` describes it.
    `exit_code` is what the command line ends with when nothing catches the error: 2 usage, 3 could
    not decide, 4 not allowed (the table stands in docs/reference/exit-codes.md).
    """

    code: ClassVar[str] = "interlock-error"
    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str = "", place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.place = place

    def __str__(self) -> str:
        """Say the message and the place; the hint is for whoever prints it."""
        return f"{self.message} ({self.place})" if self.place and str(self.place) else self.message


class DocumentError(InterlockError):
    """A document cannot be read."""

    code = "document-unreadable"
    exit_code = 2


class ReferenceRefused(InterlockError):
    """A `$ref` points to the network, outside the root folder, or to nothing."""

    code = "reference-refused"
    exit_code = 2


class ContractInvalid(InterlockError):
    """A readable document that is not a valid contract."""

    code = "contract-invalid"
    exit_code = 1


class SchemaRefused(InterlockError):
    """A schema that cannot be compiled without letting something through unchecked."""

    code = "schema-refused"
    exit_code = 1


class LifecycleError(InterlockError):
    """A transition that the lifecycle table does not hold."""

    code = "transition-refused"
    exit_code = 2


class BundleError(InterlockError):
    """A bundle part that must not be served."""

    code = "bundle-refused"


class BundleMissing(BundleError):
    """There is no bundle yet: nothing was published into this folder."""

    code = "bundle-missing"


class PolicyInvalid(InterlockError):
    """The policy of a route or consumer has an unknown field, or a value without legal meaning."""

    code = "policy-invalid"
    exit_code = 1


class AuditError(InterlockError):
    """The audit log cannot be written, or does not verify."""

    code = "audit-failed"


class SealingError(InterlockError):
    """A sealed payload cannot be opened, or a key is missing."""

    code = "sealing-failed"


class SettingsError(InterlockError):
    """A setting that is unknown or has no legal value."""

    code = "settings-invalid"
    exit_code = 2
