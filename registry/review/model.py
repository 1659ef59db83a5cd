"""What the registry knows of contracts: versions, reviews, approvals, comparisons (all immutable values)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

from kernel.bundle.model import Audience
from kernel.contract.finding import Bump, Finding, Outcome, Severity
from kernel.contract.lifecycle import State

Kind = Literal["openapi", "asyncapi", "schema"]
Media = Literal["json", "yaml"]


class ReviewState(StrEnum):
    """Where a review stands; a review is one round over one digest, and ends once."""

    OPEN = "open"
    FROZEN = "frozen"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"  # the same version was submitted again


@dataclass(frozen=True, slots=True)
class ContractVersion:
    """One version of one contract; `digest` and `metadata` cannot change once it is frozen."""

    contract: str
    version: str
    kind: Kind
    state: State
    digest: str
    audience: Audience
    title: str
    owner: str
    metadata: Mapping[str, Any]
    author: str
    review_id: int
    submitted_at: datetime
    frozen_at: datetime | None = None
    deprecated_at: datetime | None = None
    sunset_at: datetime | None = None
    retired_at: datetime | None = None
    active: bool = False  # a route of this environment serves it

    @property
    def label(self) -> str:
        """`name@version`, as people and the command line write it."""
        return f"{self.contract}@{self.version}"


@dataclass(frozen=True, slots=True)
class Contract:
    """A named interface with its versions, newest first."""

    name: str
    kind: Kind
    title: str
    owner: str
    domain: str
    audience: Audience
    created_at: datetime
    versions: tuple[ContractVersion, ...] = ()

    @property
    def current(self) -> ContractVersion | None:
        """The newest version that is frozen, if any."""
        return next((row for row in self.versions if row.state is State.FROZEN), None)


@dataclass(frozen=True, slots=True)
class Comparison:
    """The verdict against one earlier version of the same major."""

    base_version: str
    base_digest: str
    outcome: Outcome
    required_bump: Bump
    declared_bump: Bump
    findings: tuple[Finding, ...]
    engines: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Use:
    """A served contract that uses a canonical schema, compared with itself on the reviewed version.

    `directions` are those in which values of the schema travel there.
    """

    contract: str
    version: str
    directions: tuple[str, ...]
    outcome: Outcome
    findings: tuple[Finding, ...]
    engines: Mapping[str, str] = field(default_factory=dict)

    @property
    def major(self) -> int:
        """The major of the contract, by which consumers are granted it."""
        return int(self.version.partition(".")[0])


@dataclass(frozen=True, slots=True)
class Judgement:
    """By what a review was judged: `policy` says profile, day, fail_on and, for schemas, mode; `uses` who uses it."""

    policy: Mapping[str, str] = field(default_factory=dict)
    uses: tuple[Use, ...] = ()


@dataclass(frozen=True, slots=True)
class Approval:
    """One board member's yes to exactly one digest; `dismissed_at` is set by a resubmission."""

    review_id: int
    principal: str
    digest: str
    reason: str
    decided_at: datetime
    dismissed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Assessment:
    """Everything that a machine has to say about one submitted document."""

    lint: tuple[Finding, ...]
    comparisons: tuple[Comparison, ...]
    judgement: Judgement = field(default_factory=Judgement)

    @property
    def refused(self) -> bool:
        """Whether the document is no valid contract, so that there is nothing to review."""
        return any(finding.severity is Severity.ERROR for finding in self.lint)

    @property
    def outcome(self) -> Outcome:
        """The worst comparison, users of a schema included: breaking before undecided before compatible."""
        outcomes = {one.outcome for one in self.comparisons} | {one.outcome for one in self.judgement.uses}
        if Outcome.BREAKING in outcomes:
            return Outcome.BREAKING
        return Outcome.UNDECIDED if Outcome.UNDECIDED in outcomes else Outcome.COMPATIBLE

    @property
    def required_bump(self) -> Bump:
        """The largest bump that any comparison asks for."""
        order = (Bump.NONE, Bump.PATCH, Bump.MINOR, Bump.MAJOR)
        return max((c.required_bump for c in self.comparisons), key=order.index, default=Bump.NONE)


@dataclass(frozen=True, slots=True)
class Review:
    """One round of judging one digest of one version.

    `blockers` are the reasons (sentences) why it cannot be approved at all as it stands; approvals that
    were dismissed are not listed. `authors` are all who submitted any round of this version.
    """

    id: int
    contract: str
    version: str
    kind: Kind
    digest: str
    state: ReviewState
    author: str
    authors: tuple[str, ...]
    submitted_at: datetime
    metadata: Mapping[str, Any]
    assessment: Assessment
    approvals: tuple[Approval, ...]
    quorum: int
    blockers: tuple[str, ...] = ()
    ended_at: datetime | None = None
    ended_by: str | None = None
    end_reason: str = ""

    @property
    def missing(self) -> int:
        """Approvals that are still wanted."""
        return max(0, self.quorum - len(self.approvals))


@dataclass(frozen=True, slots=True)
class Draft:
    """What a provider hands in: the document's bytes and its meta.yaml's, as they came."""

    document: bytes
    metadata: bytes
    source: str = "document"  # a name for messages, never opened


@dataclass(frozen=True, slots=True)
class Submission:
    """The answer to a submission: `review` is None when it was refused or only planned."""

    contract: str
    version: str
    kind: Kind | None
    digest: str | None
    status: Literal["in-review", "refused", "planned"]
    assessment: Assessment
    blockers: tuple[str, ...]
    review: Review | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """A consumer whom a contract's major concerns."""

    consumer_id: str
    consumer: str
    contract: str
    major: int
    pin: str | None
