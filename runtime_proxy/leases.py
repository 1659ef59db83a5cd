"""What one worker holds of limits that several workers share: tokens paid for in advance, for a short time.

A token that is held may be spent at any moment without asking, so the store counts it against the burst
until it is reported, given back, or its time has ended (lease.lua).
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Protocol

from runtime_proxy.alone import Alone
from runtime_proxy.gcra import SECOND
from runtime_proxy.lease_wire import Ask, QuotaTerm, SlotTerm, drained_after
from runtime_proxy.meter import ASK, CLOSED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from runtime_proxy.lease_wire import Grant, Term, TermState
    from runtime_proxy.shared_limits import SharedLimit

LIFE: Final = 2 * SECOND  # how long a lease is held
BRIEF: Final = SECOND // 10  # how long tokens are held that calls wait for; beyond what the store may take
SLOT_LIFE: Final = 5 * SECOND
SLACK: Final = SECOND // 20  # an answer of the store comes in this time, or the store is lost
_MICRO: Final = 1_000
_LEAST_BARRED: Final = SECOND // 100  # shortest: at a used-up limit, several tokens are worth one request
_BARRED: Final = SECOND  # longest time for which a refusal is repeated without asking again
_SLOT_RETRY: Final = 20 * _MICRO  # microseconds
_LEAST_SPAN: Final = SECOND // 10  # shortest time over which the demand is measured
_MOST_WISHED: Final = 100_000


class Store(Protocol):
    """What an account needs of runtime_proxy.lease_store.LeaseStore."""

    up: bool
    lost_at: int
    losses: int
    worker: str
    wall: Callable[[], float]

    @property
    def full(self) -> int:
        """When every account was full, by the clock of the store; 0: not known."""

    @property
    def shares(self) -> int:
        """Of how many parts a worker has one while the store is out of reach."""

    def queue(self, account: Account) -> None:
        """Have the account settled with the next batch."""

    def report_soon(self, account: Account) -> None:
        """Have the account settled in a moment, unless it is before."""

    def spent_alone(self, account: Account, tokens: int) -> None:
        """Count tokens that were spent out of a local share."""


class Account:
    """One owner's limits of one unit, as one worker holds them; a Meter (runtime_proxy.meter).

    `hand` tokens may be spent until `until` (monotonic nanoseconds).
    """

    def __init__(self, key: str, limits: Sequence[SharedLimit], store: Store, *, closed: bool) -> None:
        self.key = key
        self.hand = 0
        self.until = 0
        self.in_use = 0  # slots that calls occupy
        self.owed = 0  # spent beside any lease
        self.spent_at = 0
        self._store = store
        self._low = 0  # below it the lease is renewed; 0: what is held is no lease
        self._renew_at = 0
        self._unwanted = False
        self._held = 0  # of the last grant: kept and granted
        self._spent = 0  # since the last request
        self._need = self._least = 0  # of calls that wait for the next request
        self._next: asyncio.Future[None] | None = None
        self._sent: asyncio.Future[None] | None = None
        self._sent_need = self._sent_least = self._sent_owed = 0
        self.number = self._accepted = 0
        self._drawn_at = self._accepted_at = self._told_at = 0
        self.become(limits, closed=closed)

    def become(self, limits: Sequence[SharedLimit], *, closed: bool) -> None:
        """Hold to changed limits; what is held, and what the store counted, goes on."""
        self.limits = tuple(limits)
        self.closed = closed
        self.policy = b", ".join(limit.policy for limit in limits)
        self.terms: tuple[Term, ...] = tuple(limit.term for limit in limits)
        self._keep = drained_after(self.terms)
        self._slots = isinstance(self.terms[0], SlotTerm)
        self._most = min(limit.most for limit in limits)
        self._state: list[TermState] = []
        self._alone: Alone | None = None
        self._alone_since = -1  # the loss for which `_alone` was made
        self._barred = self._barred_weight = self._retry = 0

    # -- what a limit can be asked ------------------------------------------------------------------

    def wait(self, now: int, weight: int = 1) -> int:
        """0 where the hand (or, without the store, the local share) holds enough; else wait, or ask."""
        weight = min(weight, self._most)
        if weight <= self.hand and now < self.until:
            return 0
        if now < self._barred and weight >= self._barred_weight:
            return max(self._retry - now, 1)
        if self._store.up:
            return ASK
        return CLOSED if self.closed else self._share().wait(now, weight)

    def spend(self, now: int, weight: int = 1) -> None:
        """Count a call that `wait` admitted."""
        weight = min(weight, self._most)
        if weight <= self.hand and now < self.until:
            self.hand -= weight
            if self._slots:
                self.in_use += weight
            else:
                self._spent += weight
                self.spent_at = now
            if self.hand < self._low or (now > self._renew_at and self._low):
                self._store.queue(self)
            return
        self._share().spend(now, weight)
        self._store.spent_alone(self, weight)
        if self._slots:
            self.in_use += weight
        else:
            self.owed += weight
            self.spent_at = now

    def release(self, now: int) -> None:
        """Give a slot back to the hand, for the next call of this worker."""
        self.in_use -= 1
        if now < self.until and self.hand + self.in_use < self._held:
            self.hand += 1

    def ask(self, weight: int) -> asyncio.Future[None]:
        """Have the store asked for a waiting call; done when it has answered, or is lost."""
        weight = min(weight, self._most)
        self._least = min(self._least or weight, weight)
        self._need += weight
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
            self._store.queue(self)
        return self._next

    def refund(self) -> None:
        """Give back what was granted to a call that another limit refused."""
        if self.hand and not self._low and self._store.up:
            self._unwanted = True
            self._store.report_soon(self)

    def tell(self, now: int) -> bytes:
        """Write the items of the RateLimit field, as of the store's last answer and what was spent since."""
        if not self._store.up and not self.closed:
            return self._share().tell(now)
        if len(self.limits) == 1:
            return self.limits[0].tell(*self._seen(0, now))
        return b", ".join([limit.tell(*self._seen(index, now)) for index, limit in enumerate(self.limits)])

    def blocks(self, now: int, weight: int) -> tuple[str, ...]:
        """Name the limits that do not admit the call."""
        weight = min(weight, self._most)
        if self.wait(now, weight) <= 0:
            return ()
        if not self._store.up and now >= self._barred:
            return self._share().blocks(now, weight)
        named = [one.name for one, at in zip(self.limits, self._state, strict=False) if at.left < weight]
        return tuple(named) or tuple(limit.name for limit in self.limits)

    def describe(self) -> tuple[str, ...]:
        """Say each limit in words."""
        return tuple(f"{limit.words} (shared)" for limit in self.limits)

    def _seen(self, index: int, now: int) -> tuple[int, int]:
        """Give what would be admitted at once, and seconds until more is there."""
        state = self._state[index] if self._state else None
        left = state.left + self.hand if state is not None else 0
        if state is None or left <= 0:
            return 0, max(-((now - self._retry) // SECOND), 1)
        full = -((now - self._told_at - state.reset * _MICRO) // SECOND)
        return left, max(full, 0 if left >= self.limits[index].most else 1)

    def _share(self) -> Alone:
        """Give the local share of this loss of the store; it begins with nothing in it."""
        if self._alone is None or self._alone_since != self._store.losses:
            used = [state.used for state in self._state] or [0] * len(self.limits)
            store = self._store
            self._alone = Alone(self, used, store.shares, store.lost_at, store.wall)
            self._alone_since = store.losses
        return self._alone

    # -- what the store asks ------------------------------------------------------------------------

    def draw(self, now: int) -> Ask:
        """Write the report and the wish, sent at `now`."""
        need, least, idle = self._need, self._least, now - self.spent_at > LIFE // 2
        back = 0
        if now >= self.until or ((idle or self._unwanted) and not need):
            back, self.hand = self.hand, 0
        self._unwanted = False
        wished = 0
        if not self._slots and not idle:
            span = max(now - self._drawn_at, _LEAST_SPAN)
            wished = min(self._spent * LIFE // span - self.hand, _MOST_WISHED)
        self._sent, self._next = self._next, None
        self._sent_need, self._sent_least, self._sent_owed = need, least, self.owed
        self._need = self._least = self._spent = 0
        self.number += 1
        since = (now - self._accepted_at) // _MICRO
        self._drawn_at = now
        for limit in self.limits:
            limit.turn(self._store.wall())
        life = SLOT_LIFE if self._slots else LIFE
        return Ask(
            worker=self._store.worker,
            number=self.number,
            last=self._accepted,
            since=since,
            slack=SLACK // _MICRO,
            kept=self.hand + self.in_use,
            back=back,
            owed=self.owed,
            age=max(now - self.spent_at, 0) // _MICRO if self.spent_at else 0,
            least=least,
            need=need,
            want=wished if wished > 1 else 0,
            life=life // _MICRO,
            brief=(life if self._slots else BRIEF) // _MICRO,
            retry=_SLOT_RETRY,
            keep=self._keep,
            full=self._store.full,
            known=bool(self._told_at) and now - self._told_at < self._keep * 1_000_000,
            limits=self.terms,
        )

    def settle(self, grant: Grant, now: int) -> bool:
        """Take the answer to the last `draw`; True: what was just granted should be reported soon."""
        self.owed -= self._sent_owed
        self._sent_owed = 0
        if grant.stale:
            self.wake()
            return False
        sent_at = self._drawn_at
        if now - sent_at <= SLACK:  # else it cannot say when the store's clock was read
            self._accepted, self._accepted_at = self.number, sent_at
        self._told_at = now
        self.hand += grant.granted
        self._held = self.hand + self.in_use
        self.until = sent_at + grant.life * _MICRO
        more = grant.granted > self._sent_need
        self._low = max(grant.granted // 4, 1) if more else 0
        self._renew_at = self.until - grant.life * _MICRO // 4
        self._learn(grant)
        if grant.granted < self._sent_least:
            self._retry = now + grant.wait * _MICRO
            self._barred = min(max(self._retry, now + _LEAST_BARRED), now + _BARRED)
            self._barred_weight = self._sent_least
        scarce = any(state.left < 4 * grant.crowd for state in grant.state)
        self.wake()
        return bool(grant.granted) and not more and not self._slots and grant.crowd > 1 and scarce

    def _learn(self, grant: Grant) -> None:
        if [state.name for state in grant.state] != [term.name for term in self.terms]:
            return  # the limits changed while the request was out
        self._state = grant.state
        for state, term in zip(grant.state, self.terms, strict=True):
            state.left -= grant.granted
            if isinstance(term, QuotaTerm):
                term.claim, term.used = state.window, state.used

    def wake(self) -> None:
        """Let the calls go on that waited for the last request."""
        sent, self._sent = self._sent, None
        if sent is not None and not sent.done():
            sent.set_result(None)

    def give_up(self) -> None:
        """Let all go on: the store is lost."""
        self.wake()
        self._need = self._least = 0
        self._sent, self._next = self._next, None
        self.wake()

    def ends_soon(self, now: int) -> bool:
        """Say whether it holds something that should be renewed or given back before its time ends."""
        if self.in_use:
            return now > self.until - SLOT_LIFE // 2
        return self.hand > 0 and now > self.until - LIFE // 4
