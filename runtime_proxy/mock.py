"""A route without its provider: calls are judged as ever, and answered out of the contract."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from adapters.errors import UpstreamError
from adapters.port import Answer
from runtime_proxy.declared import texts_of
from runtime_proxy.errors import ActivationFailed
from runtime_proxy.mock_answers import Recipe, Unmade
from runtime_proxy.preferences import PreferenceUnreadable, preferences_of
from runtime_proxy.refusals_mock import PreferenceUnknown

if TYPE_CHECKING:
    from collections.abc import Callable

    from adapters.port import Call
    from kernel.operation.operation import Operation
    from runtime_proxy.compiled import Compiled
    from runtime_proxy.exchange import Exchange, Headers
    from runtime_proxy.plan import Header, ServedOperation, ServedRoute, ServedVersion
    from runtime_proxy.refusal import Refusal

ADAPTER: Final = "mock"  # what audit records name in place of the adapter
_LONGEST_ACCEPT: Final = 512  # bytes


class Declined(UpstreamError):
    """A call that is not answered, for the reason that `refusal` says; nothing was sent to anybody."""

    code = "declined"

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.slug, sent=False)
        self.refusal = refusal


class Mock:
    """Answers the calls of one operation; the same question gets the same answer, in every worker."""

    __slots__ = ("_operation", "_recipe", "_root", "_seed", "_served")

    def __init__(
        self, root: Callable[[], Any], operation: Operation, served: ServedOperation, seed: int
    ) -> None:
        self._root = root
        self._operation = operation
        self._served = served
        self._seed = seed
        self._recipe: Recipe | None = None

    async def call(self, exchange: Exchange, call: Call) -> Answer:
        """Give an answer that keeps the contract; raises `Declined`."""
        try:
            wanted = preferences_of(exchange.headers)
        except PreferenceUnreadable:
            raise Declined(PreferenceUnknown()) from None
        try:
            made = self._cook().make(wanted, _accepted(exchange.headers))
        except Unmade as error:
            raise Declined(error.refusal) from None
        headers = list(made.headers)
        if wanted.applied:
            headers.append((b"preference-applied", wanted.applied))
        if call.method == b"HEAD":
            return Answer(made.status, [*headers, (b"content-length", b"%d" % len(made.body))], b"")
        return Answer(made.status, headers, made.body)

    def _cook(self) -> Recipe:
        if self._recipe is None:
            root = self._root()
            responses = texts_of(root, self._operation)[1].get("responses")
            self._recipe = Recipe(
                root,
                responses if isinstance(responses, dict) else {},
                f"{self._seed}:{self._operation.id}",
                self._served.operation.check_response,
            )
        return self._recipe


def mocked(route: ServedRoute, version: ServedVersion, document: Compiled) -> None:
    """Let a version be answered out of its contract, where its route's policy says so.

    Raises `ActivationFailed` for channels: nobody would be there to talk.
    """
    mock = route.policy.mock
    if mock is None:
        return
    if document.channels:
        raise ActivationFailed(
            f"{route.name} has channels, which cannot be answered out of a contract",
            hint="take `mock` out of the route's policy",
        )
    root = _once(document.root)
    for operation, served in version.operations.items():
        served.instead = Mock(root, operation, served, mock.seed)
        served.streams = None  # bodies are judged whole: there is nobody to pass them on to
        served.audit["adapter"] = ADAPTER


def mock_headers(route: ServedRoute) -> tuple[Header, ...]:
    """Say in every answer of such a route that it is none of a provider."""
    mock = route.policy.mock
    return () if mock is None else ((b"x-interlock-mock", b"seed=%d" % mock.seed),)


def _once(root: Callable[[], Any]) -> Callable[[], Any]:
    kept: list[Any] = []

    def read() -> Any:
        if not kept:
            kept.append(root())
        return kept[0]

    return read


def _accepted(headers: Headers) -> tuple[tuple[str, float], ...]:
    """Read Accept as media ranges and how much each is liked (RFC 9110 section 12.5.1); nothing accepts anything."""
    text = b",".join(value for name, value in headers if name == b"accept")[:_LONGEST_ACCEPT]
    found: list[tuple[str, float]] = []
    for part in text.decode("latin-1").lower().split(","):
        essence, *parameters = (piece.strip() for piece in part.split(";"))
        weight = next((one[2:] for one in parameters if one.startswith("q=")), "1")
        quality = float(weight) if weight.replace(".", "", 1).isdecimal() else 1.0
        if "/" in essence:
            found.append((essence, quality))
    return tuple(found)
