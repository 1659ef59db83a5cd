"""Parts of a plan that are made elsewhere, by what the pipeline asks of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Iterable

    from adapters.port import Answer, Call
    from runtime_proxy.match import Match, Miss
    from runtime_proxy.refusal import Refusal
    from runtime_proxy.stream_terms import StreamTerms


class Streams(Protocol):
    """What of an operation passes in pieces; runtime_proxy/streams.py is the real one."""

    terms: StreamTerms

    def admit(self, exchange: Any) -> None:
        """Decide from the head whether the body is carried as it comes."""

    def equip(self, served: Any, exchange: Any, call: Call) -> None:
        """Let the call bring its body, and its answer, in pieces."""


class FurtherWays(Protocol):
    """Ways to routes beside their paths (runtime_proxy/addressing.py)."""

    def choose(self, exchange: Any, path: bytes, found: Match | Miss) -> Match | Miss:
        """Give what a Host name or a header says, else what was `found` by the path."""


class Special(Protocol):
    """Limits that take more than cells of this worker (runtime_proxy.metering.Metering)."""

    def admit(self, exchange: Any, weight: int, now: int) -> Refusal | None:
        """Count the call, refuse it, or leave it to `exchange.deferred`."""

    def describe_shadows(self) -> Iterable[str]:
        """Say the limits in words that are only counted."""


class Browsers(Protocol):
    """What pages of other origins are told (runtime_proxy/browsers.py)."""

    @property
    def origins(self) -> tuple[str, ...]:
        """Name the origins that may call; `*` is any."""

    def greet(self, exchange: Any, rest: tuple[bytes, ...]) -> bool:
        """Add the fields of CORS to the answer; True: it was a preflight, and is answered."""


class Instead(Protocol):
    """Who is asked in place of the adapter: a mock or a cache (which may ask it in turn)."""

    def call(self, exchange: Any, call: Call) -> Awaitable[Answer]:
        """Give an answer as the adapter would."""
