"""What registry/review asks of the rooms around it; registry/store and cli/wiring.py fit these in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from kernel.bundle.deny import DenyList
    from kernel.bundle.model import AccessPart, ContractsPart, PartKind, RoutesPart
    from kernel.contract.finding import Finding, Verdict
    from kernel.contract.urn import Urn
    from kernel.sealing.dsse import Statement
    from registry.compat.canonical_uses import Candidate, User
    from registry.compat.policy_judge import Policy
    from registry.compat.policy_lifecycle import Announced
    from registry.compat.policy_modes import Mode
    from registry.lint.document import House
    from registry.review.model import Kind
    from registry.review.release_shelves import EvidenceShelf, ReleaseShelf
    from registry.review.shelves import (
        ConsumerShelf,
        ContractShelf,
        DenialShelf,
        Outbox,
        PeopleShelf,
        ReviewShelf,
        RouteShelf,
        SerialShelf,
    )
    from registry.review.waiver import WaiverShelf


class Ledger(Protocol):
    """One transaction on the registry's database, shelf by shelf."""

    @property
    def contracts(self) -> ContractShelf:
        """Contracts, versions, blobs."""

    @property
    def reviews(self) -> ReviewShelf:
        """Reviews and approvals."""

    @property
    def consumers(self) -> ConsumerShelf:
        """Consumers, keys, grants, limits."""

    @property
    def routes(self) -> RouteShelf:
        """Adapters and routes."""

    @property
    def denials(self) -> DenialShelf:
        """What is denied at once."""

    @property
    def releases(self) -> ReleaseShelf:
        """Environments, releases, deployments."""

    @property
    def evidence(self) -> EvidenceShelf:
        """Conformance evidence."""

    @property
    def waivers(self) -> WaiverShelf:
        """What the board accepted."""

    @property
    def people(self) -> PeopleShelf:
        """Accounts, sessions, tokens."""

    @property
    def serials(self) -> SerialShelf:
        """Editions of the bundle."""

    @property
    def outbox(self) -> Outbox:
        """Audit records on their way."""


class Store(Protocol):
    """The registry's database. Both contexts raise `StoreFailed`, and `Conflict` when somebody was faster."""

    def reading(self) -> AbstractContextManager[Ledger]:
        """Give one consistent view."""

    def writing(self) -> AbstractContextManager[Ledger]:
        """Give one transaction: committed durably at the end, rolled back by any exception."""


class Engines(Protocol):
    """Lint, compile check and comparison, joined in cli/wiring.py."""

    def lint(self, root: Any, kind: Kind, name: str, house: House) -> tuple[Finding, ...]:
        """Judge a self-contained document (URNs embedded); findings of severity `error` refuse it.

        `house` holds the frozen canonical schemas, and the day by which exceptions end.
        """

    def compile(self, root: Any, kind: Kind, name: str) -> tuple[Finding, ...]:
        """Compile as the proxy will; every place that it could not serve is a finding that is an error."""

    def compare(self, old: Any, new: Any, kind: Kind) -> Verdict:
        """Compare two self-contained documents of one kind."""

    def judge(
        self,
        old: Any,
        new: Any,
        kind: Kind,
        policy: Policy,
        *,
        contract: str = "",
        mode: Mode | None = None,
        used: frozenset[str] = frozenset(),
        announced: Sequence[Announced] = (),
    ) -> Verdict:
        """Compare two self-contained documents of one kind, and judge the change under a policy."""

    def judge_through(
        self, schema: Candidate, user: User, lookup: Callable[[Urn], Any], policy: Policy
    ) -> Verdict | None:
        """Judge a canonical schema through a contract that may use it; None where it does not."""

    def adapter_fault(self, kind: str, settings: Mapping[str, Any]) -> str | None:
        """Say why an adapter of this kind cannot have these settings (unknown kind too), or None."""


class BundlePress(Protocol):
    """Writes signed bundle parts and signs freeze statements; all of it raises `InterlockError`s."""

    def sign(self, statement: Statement) -> bytes:
        """Sign what the board froze: a DSSE envelope, JSON."""

    def missing(self, digests: set[str]) -> set[str]:
        """Give those of the documents that the bundle folder does not hold unaltered."""

    def keep_blob(self, data: bytes) -> None:
        """Put a document into the bundle folder."""

    def write(self, part: ContractsPart | AccessPart | RoutesPart) -> None:
        """Sign a part and put it in place of the one before."""

    def denied(self) -> int | None:
        """Give the serial of the deny list that this process wrote and that still lies there."""

    def write_denials(self, given: DenyList) -> None:
        """Sign the deny list and put it in place of the one before."""

    def holds(self, part: PartKind) -> bool:
        """Whether the folder holds any edition of this part."""
