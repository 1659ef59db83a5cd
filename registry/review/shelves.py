"""The shelves of the registry's database, as registry/review needs them (registry/store: one file each)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from kernel.bundle.deny import Denial, Denied
    from kernel.bundle.model import Grant, Limit, PartKind
    from kernel.bundle.policy import ConsumerPolicy
    from kernel.contract.lifecycle import State
    from registry.review.environment import Adapter, Consumer, ConsumerKey, Route
    from registry.review.model import Approval, Contract, ContractVersion, Kind, Media, Review, ReviewState
    from registry.review.people import Account, StoredSession, Token


class ContractShelf(Protocol):
    """Contracts, their versions, and the canonical bytes that digests name."""

    def add(self, name: str, kind: Kind, at: datetime, by: str) -> None:
        """Enter a new name."""

    def get(self, name: str) -> Contract | None:
        """Give a contract with its versions, newest first."""

    def find(self, search: str, limit: int, after: str) -> tuple[Contract, ...]:
        """Give contracts by name whose name, title or owner holds `search`."""

    def version(self, name: str, number: str) -> ContractVersion | None:
        """Give one version."""

    def for_ever(self) -> tuple[ContractVersion, ...]:
        """Give all versions that are frozen, deprecated or retired, by name and number."""

    def put_draft(self, draft: ContractVersion) -> None:
        """Add a version as a draft, or make a version in review a draft again with another content."""

    def propose(self, name: str, number: str, review_id: int) -> None:
        """Put a draft in review."""

    def freeze(self, name: str, number: str, at: datetime, statement: bytes) -> None:
        """Freeze a version in review, with its signed statement."""

    def end(self, name: str, number: str, state: State) -> None:
        """Reject or withdraw a version."""

    def deprecate(self, name: str, number: str, at: datetime, sunset: datetime | None) -> None:
        """Deprecate a frozen version."""

    def retire(self, name: str, number: str, at: datetime) -> None:
        """Retire a deprecated version."""

    def statement(self, name: str, number: str) -> bytes | None:
        """Give the signed freeze statement."""

    def keep_blob(self, digest: str, canonical: bytes) -> None:
        """Keep canonical bytes; the same bytes twice are kept once."""

    def blob(self, digest: str) -> bytes | None:
        """Give canonical bytes."""


class ReviewShelf(Protocol):
    """Reviews with the documents, findings, verdicts and approvals that belong to them."""

    def open(self, review: Review, document: bytes, media: Media, meta: bytes) -> int:
        """Keep a new review with everything that was found; its `id` is ignored and the new one returned."""

    def get(self, review_id: int) -> Review | None:
        """Give one review."""

    def find(self, state: ReviewState | None, limit: int, after: int) -> tuple[Review, ...]:
        """Give reviews, oldest first, without their findings (verdicts and approvals are there)."""

    def open_of(self, contract: str, version: str) -> Review | None:
        """Give the open review of a version."""

    def approve(self, approval: Approval) -> None:
        """Add an approval."""

    def end(self, review_id: int, state: ReviewState, at: datetime, by: str, reason: str) -> None:
        """End a review; superseding it dismisses its approvals."""

    def document(self, review_id: int) -> tuple[bytes, Media] | None:
        """Give the submitted bytes."""


class ConsumerShelf(Protocol):
    """Consumers with keys, grants and limits."""

    def all(self) -> tuple[Consumer, ...]:
        """Give all consumers by id."""

    def get(self, consumer_id: str) -> Consumer | None:
        """Give one consumer."""

    def add(self, consumer: Consumer) -> None:
        """Enter a consumer."""

    def put_policy(self, consumer_id: str, policy: ConsumerPolicy) -> None:
        """Set a consumer's policy; replaces the one that stood."""

    def add_key(self, consumer_id: str, key: ConsumerKey, sha256: str) -> None:
        """Enter a key by the hash of the whole presented key."""

    def key_hashes(self) -> Mapping[str, str]:
        """Give key id → hex SHA-256 of the whole presented key."""

    def revoke_key(self, key_id: str, at: datetime) -> None:
        """Revoke a key."""

    def put_grant(self, consumer_id: str, grant: Grant) -> None:
        """Set the grant for one major of a contract."""

    def drop_grant(self, consumer_id: str, contract: str, major: int) -> bool:
        """Remove a grant; False when there was none."""

    def put_limit(self, consumer_id: str, limit: Limit) -> None:
        """Set the limit of that name."""

    def drop_limit(self, consumer_id: str, name: str) -> bool:
        """Remove a limit; False when there was none."""


class RouteShelf(Protocol):
    """Adapters and routes of this environment."""

    def adapters(self) -> tuple[Adapter, ...]:
        """Give all adapters by name."""

    def adapter(self, name: str) -> Adapter | None:
        """Give one adapter."""

    def put_adapter(self, adapter: Adapter) -> None:
        """Enter an adapter, or change its settings."""

    def drop_adapter(self, name: str) -> None:
        """Remove an adapter that no route uses."""

    def routes(self) -> tuple[Route, ...]:
        """Give all routes by contract and major."""

    def route(self, contract: str, major: int) -> Route | None:
        """Give one route."""

    def put_route(self, route: Route) -> None:
        """Enter a route, or change it; active versions are left alone."""

    def drop_route(self, contract: str, major: int) -> None:
        """Remove a route with its active versions."""

    def activate(self, contract: str, major: int, version: str, at: datetime, by: str) -> None:
        """Make a version active and the route's current one."""

    def deactivate(self, contract: str, major: int, version: str) -> None:
        """Make a version inactive."""


class DenialShelf(Protocol):
    """Consumers and routes that are denied, and which were; nothing is ever forgotten."""

    def standing(self) -> tuple[Denial, ...]:
        """Give what is denied now, oldest first: denials, and keys that were revoked."""

    def serial(self) -> int:
        """Count every denial, lifting and revocation there ever was: it grows with each."""

    def add(self, what: Denied, at: datetime, by: str, reason: str) -> None:
        """Enter a denial."""

    def lift(self, what: Denied, at: datetime, by: str) -> bool:
        """Lift a denial; False when there was none."""


class PeopleShelf(Protocol):
    """Accounts, sessions, tokens."""

    def account(self, name: str) -> tuple[Account, str] | None:
        """Give an account with its encoded password hash."""

    def accounts(self) -> tuple[Account, ...]:
        """Give all accounts by name."""

    def put_account(self, account: Account, password: str) -> None:
        """Enter an account, or change its roles, password or end."""

    def add_session(self, sha256: str, csrf: str, session: StoredSession) -> None:
        """Keep a session by the hash of its token."""

    def session(self, sha256: str) -> StoredSession | None:
        """Give a session, live or not."""

    def drop_session(self, sha256: str) -> None:
        """Forget a session."""

    def drop_sessions(self, account: str | None, before: datetime | None) -> None:
        """Forget the sessions of an account, or those that expired before a moment."""

    def add_token(self, token: Token, sha256: str, by: str) -> None:
        """Keep a token by its hash."""

    def token(self, sha256: str) -> Token | None:
        """Give a token, live or not."""

    def tokens(self) -> tuple[Token, ...]:
        """Give all tokens, oldest first."""

    def revoke_token(self, token_id: str, at: datetime) -> None:
        """Revoke a token."""


@dataclass(frozen=True, slots=True)
class Serial:
    """How far a bundle part has come: `serial` is wanted, `published` lies in the bundle folder."""

    part: PartKind
    serial: int
    published: int


class SerialShelf(Protocol):
    """Serial numbers of the bundle's parts; they never go back."""

    def all(self) -> tuple[Serial, ...]:
        """Give the three parts; one that was never asked for has serial 0."""

    def bump(self, part: PartKind) -> None:
        """Ask for a new edition of a part, in the same transaction as the change that needs it."""

    def published(self, part: PartKind, serial: int) -> None:
        """Note that this edition lies in the bundle folder."""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """An audit record that the journal does not surely hold yet."""

    position: int
    record: dict[str, Any]


class Outbox(Protocol):
    """Audit records that wait for the journal, kept in the transaction of what they tell of."""

    def add(self, record: Mapping[str, Any], at: datetime) -> None:
        """Keep a record."""

    def waiting(self, limit: int) -> tuple[OutboxRow, ...]:
        """Give the oldest rows that are not marked as relayed."""

    def count(self) -> int:
        """Count the rows that wait."""

    def relayed(self, positions: Iterable[int], at: datetime) -> None:
        """Mark rows: the journal holds them durably."""
