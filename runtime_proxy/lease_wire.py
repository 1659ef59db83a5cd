"""What a worker and the script of the leases say to each other (lease.lua), in MessagePack.

Times are microseconds. All numbers are whole and stay below 2^53, which is as far as Lua counts exactly.
"""

from __future__ import annotations

from math import gcd
from typing import Final

import msgspec

from kernel.errors import BundleError

_MOST: Final = 2**52
_QUANTA: Final = (1, 1_000, 1_000_000)  # microseconds


class RateTerm(msgspec.Struct, frozen=True, tag_field="kind", tag="rate"):
    """A GCRA limit: one token is `token` units of debt, and each whole `quantum` of time pays `pays` off."""

    name: str
    burst: int
    token: int
    pays: int
    quantum: int


class QuotaTerm(msgspec.Struct, tag_field="kind", tag="quota"):
    """A calendar quota: windows begin at `start`, `next` and `after` by the wall clock of the store.

    `claim` and `used`: the window that this worker knows of and how much it was told is used of it, so
    that a store which lost its state does not begin from nothing.
    """

    name: str
    calls: int
    start: int = 0
    next: int = 0
    after: int = 0
    claim: int = 0
    used: int = 0


class SlotTerm(msgspec.Struct, frozen=True, tag_field="kind", tag="slots"):
    """Calls under way at the same time: what is held counts, and nothing else."""

    name: str
    calls: int


Term = RateTerm | QuotaTerm | SlotTerm


class Ask(msgspec.Struct):
    """One worker's report and wish."""

    worker: str
    number: int  # counts this worker's requests for the account: one that comes late is told `stale`
    last: int  # number of the last request whose answer came in time, and
    since: int  # the time by the worker's clock from its sending to the sending of this one
    slack: int  # an answer comes in this time, or is not taken
    kept: int  # tokens that the worker may still spend
    back: int  # tokens that it gives back unspent
    owed: int  # tokens spent beside any lease, while the store was out of reach
    age: int  # time since the last of those that are reported spent
    least: int  # the lightest waiting call
    need: int  # all waiting calls
    want: int  # wished beyond that, for calls to come
    life: int  # how long a lease is held
    brief: int  # how long tokens are held that calls wait for
    retry: int  # when to ask again for a slot
    keep: int  # milliseconds after which an untouched account says nothing any more
    full: int  # wall clock of the store: accounts that are not touched since were full then; 0: not known
    known: bool  # this worker was told of the account within `keep`
    limits: tuple[Term, ...]
    skew: int = 0  # added to the clock of the store: for tests, as is
    wall: int = 0  # what stands in for it altogether


class TermState(msgspec.Struct):
    """One limit as the store sees it: `left` counts what is granted now as still left."""

    name: str
    left: int
    reset: int
    used: int
    window: int


class Grant(msgspec.Struct):
    """The script's answer."""

    granted: int = 0
    life: int = 0
    wait: int = 0  # 0: nothing was refused
    crowd: int = 1  # workers that hold or asked within 5 s
    state: list[TermState] = []
    stale: bool = False


encode: Final = msgspec.msgpack.Encoder().encode
decode: Final = msgspec.msgpack.Decoder(Grant).decode


def rate_term(name: str, tokens: int, seconds: int, burst: int) -> RateTerm:
    """Choose units in which `tokens` per `seconds` and `burst` are whole and small enough.

    Where no exact unit fits, the rate is rounded down. Raises `BundleError` where that leaves nothing.
    """
    token, pays = seconds, tokens
    for quantum in _QUANTA:
        token = seconds * 1_000_000 // quantum
        shared = gcd(tokens, token)
        token, pays = token // shared, tokens // shared
        if burst * token < _MOST:
            return RateTerm(name, burst, token, pays, quantum)
    while burst * token >= _MOST and pays:
        token, pays = -(-token // 2), pays // 2
    if not pays:
        raise BundleError(f"the limit {name} is too wide to be kept exactly", hint="make its burst smaller")
    return RateTerm(name, burst, token, pays, _QUANTA[-1])


def drained_after(terms: tuple[Term, ...]) -> int:
    """Milliseconds after which nothing is owed any more, whatever was spent."""
    longest = 0
    for term in terms:
        if isinstance(term, RateTerm):
            longest = max(longest, -(-term.burst * term.token // term.pays) * term.quantum // 1000)
        elif isinstance(term, QuotaTerm):
            longest = max(longest, 40 * 86_400_000)
    return 2 * longest + 120_000
