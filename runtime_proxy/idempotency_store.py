"""What the proxy asks of a store of idempotency keys: claimed durably before a call goes out, ended once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from kernel.operation.idempotency import Idempotency

State = Literal[
    "running",  # the call is under way in a process that lives
    "done",  # its answer is here
    "unknown",  # it went out, and nobody here knows what became of it
    "resolved",  # it was carried out, says the operator; there is no answer
]


@dataclass(frozen=True, slots=True)
class Claim:
    """One call that wants to be the first with its key; no field holds the key, or anything of the message.

    `row` (32 bytes) names key, consumer and scope, `fingerprint` (32 bytes) the request itself.
    `again`: an entry with an unknown outcome may be taken over, since the provider keeps keys too.
    """

    row: bytes
    fingerprint: bytes
    request_id: str
    contract: str
    operation: str
    consumer: str
    again: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What stands under a key already; `answer` is sealed."""

    state: State
    fingerprint: bytes
    request_id: str
    answer: bytes | None


@dataclass(frozen=True, slots=True)
class Unresolved:
    """One entry whose outcome is not known, for whoever settles it; `since` in seconds since the epoch."""

    row: bytes
    request_id: str
    contract: str
    operation: str
    consumer: str
    since: float


Fate = Literal["keep", "release", "doubt"]


@dataclass(slots=True)
class Claimed:
    """A key that an exchange holds; `fate` is set where it does not follow from what was sent."""

    claim: Claim
    terms: Idempotency
    fate: Fate | None = None


class IdempotencyStore(Protocol):
    """Keeps entries durably, for all workers that share it; every call raises `KeysUnavailable`.

    An entry whose process has died while the call was under way becomes `unknown`.
    """

    def claim(self, claim: Claim) -> Awaitable[Kept | None]:
        """Enter a key as running, durably; gives what stands there already, or None: it is yours."""

    def keep(self, claim: Claim, answer: bytes, ttl_seconds: int) -> Awaitable[None]:
        """End a claim with the sealed answer, which is given to repeats for `ttl_seconds`."""

    def release(self, claim: Claim) -> Awaitable[None]:
        """End a claim as if it had never been: nothing was done."""

    def doubt(self, claim: Claim) -> Awaitable[None]:
        """End a claim as unknown: it stays until somebody resolves it."""

    async def close(self) -> None:
        """Let go of the store; entries stay."""
