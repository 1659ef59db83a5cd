"""What is deployed where: environments, releases of applications, deployments (all immutable values)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Environment:
    """A place where releases are deployed, such as `test` or `production`."""

    name: str
    note: str
    created_at: datetime
    created_by: str


@dataclass(frozen=True, slots=True)
class Provided:
    """A contract version that a release implements."""

    contract: str
    version: str


@dataclass(frozen=True, slots=True)
class Need:
    """A contract version that a release was built against; without `operations` it may call all of them.

    `operations` are operationIds, or `METHOD /path`, of exactly that version.
    """

    contract: str
    version: str
    operations: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Release:
    """One version of one application, with what it provides and what it relies on; it never changes."""

    application: str
    version: str
    provides: tuple[Provided, ...]
    needs: tuple[Need, ...]
    recorded_at: datetime
    recorded_by: str

    @property
    def label(self) -> str:
        """`application version`, as sentences name it."""
        return f"{self.application} {self.version}"

    def same_as(self, other: Release) -> bool:
        """Whether both say the same, whoever recorded them when."""
        return (set(self.provides), set(self.needs)) == (set(other.provides), set(other.needs))


@dataclass(frozen=True, slots=True)
class Deployment:
    """A release in an environment, from when to when; it stands while `ended_at` is None."""

    id: int
    environment: str
    application: str
    version: str
    deployed_at: datetime
    deployed_by: str
    ended_at: datetime | None = None
    ended_by: str | None = None


class Answer(StrEnum):
    """Whether a release may be deployed; `unknown` blocks like `no`, but is never called so."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that was looked at, in a sentence; `other` is the application or consumer on the other side."""

    answer: Answer
    text: str
    contract: str = ""
    other: str = ""


@dataclass(frozen=True, slots=True)
class Deployable:
    """The answer with everything that was looked at, what blocks first."""

    application: str
    version: str
    environment: str
    reasons: tuple[Reason, ...]

    @property
    def answer(self) -> Answer:
        """The worst of all reasons: no before unknown before yes."""
        found = {reason.answer for reason in self.reasons}
        return next((one for one in (Answer.NO, Answer.UNKNOWN) if one in found), Answer.YES)
