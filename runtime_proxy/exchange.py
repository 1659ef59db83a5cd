"""One request with its answer, on its way through the pipeline."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from typing import TYPE_CHECKING, Any, Literal, Protocol

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from adapters.wire.known_fields import KnownFields
    from kernel.audit.forms import ExchangeForm
    from kernel.operation.flows import Flow
    from runtime_proxy.client_certificates import ClientCertificate
    from runtime_proxy.edge_upload import Upload
    from runtime_proxy.idempotency_store import Claimed
    from runtime_proxy.plan import Identity, ServedOperation
    from runtime_proxy.refusal import Refusal
    from runtime_proxy.steps import Steps

Headers = list[tuple[bytes, bytes]]  # names in lower case, order kept


class StreamCut(Exception):
    """A body that has no proper end: the client must see an incomplete message."""


class ReplyStream(Protocol):
    """A reply's body that is still arriving; `length` in bytes where it is known."""

    @property
    def takes_over(self) -> Literal[False]:
        """Say no: it is the body of an answer."""

    length: int | None

    async def read(self) -> bytes:
        """Give the next bytes, b"" at the proper end; raises `StreamCut`."""

    def abandon(self, reason: str) -> None:
        """Give the rest up: the client is gone, or the edge stops."""

    def leave(self) -> None:
        """Take note that the edge will stop."""


class Line(Protocol):
    """A client connection, as whoever takes it over knows it."""

    def write(self, data: bytes) -> None:
        """Write bytes."""

    async def drained(self) -> None:
        """Wait until the client has taken enough of them."""

    def hold(self, hold: bool) -> None:  # noqa: FBT001 - a switch
        """Read no more (True), or read on."""

    def end(self) -> None:
        """Close once everything is written."""


class Takeover(Protocol):
    """A reply that keeps the connection: a WebSocket."""

    @property
    def takes_over(self) -> Literal[True]:
        """Say yes."""

    def begin(self, line: Line) -> None:
        """Write the answer's head; raises `StreamCut`."""

    async def run(self) -> None:
        """Go on until one side ends."""

    def feed(self, data: bytes) -> None:
        """Take bytes from the client."""

    def lost(self, slug: str = "") -> None:
        """Take it that no more will come."""

    def abandon(self, reason: str) -> None:
        """Take it that the client is gone, or the edge stops."""

    def leave(self) -> None:
        """Say goodbye: the edge will stop."""


class Source(Protocol):
    """An upload on its way to the provider (runtime_proxy/stream_request.py is the real one)."""

    refusal: Refusal | None  # why it broke off, if it did

    def facts(self) -> dict[str, Any]:
        """Give what the audit record says of it."""


class Reply:
    """What goes back; the edge adds framing (Content-Length, Connection, Date) and nothing else.

    `close` ends the connection after this answer. A plain class, since one is made for every call, and
    its compiled form sets four fields where a dataclass would run an `__init__` written in Python.
    """

    def __init__(self, status: int, headers: Headers, body: bytes = b"", close: bool = False) -> None:  # noqa: FBT001, FBT002 - hot
        self.status = status
        self.headers = headers
        self.body = body
        self.close = close
        self.stream: ReplyStream | Takeover | None = None  # brings the body, in place of `body`

    def __repr__(self) -> str:
        return f"Reply({self.status}, {len(self.body)} bytes)"


class LateReply(Reply):
    """A reply whose body takes long to write: `written` puts it together, others being served between."""

    def __init__(self, status: int, headers: Headers, *, pieces: Iterator[bytes]) -> None:
        super().__init__(status, headers)
        self.pieces = pieces


async def written(reply: Reply) -> Reply:
    """Give a reply with its body put together, giving way to others after each piece."""
    if isinstance(reply, LateReply):
        pieces = []
        for piece in reply.pieces:
            pieces.append(piece)
            await asyncio.sleep(0)
        reply.body = b"".join(pieces)
    return reply


class Exchange:
    """A request as the edge read it, and what each step of the pipeline found out about it.

    `target` is the raw request target as sent (origin form); `started` comes from time.perf_counter().
    The edge gives the first block and `body`; the rest belongs to the pipeline. A plain class, as `Reply`.
    """

    body: bytes = b""
    body_limit: int = 0  # bytes; set by `admit`, enforced by the edge while it reads
    flow: Flow | None = None  # how the body may be carried as it comes; set by `admit`
    upload: Upload | None = None  # the body, where it is carried so
    request_id: str = ""
    refusal: Refusal | None = None
    # What `admit` could not know at once: `serve` asks it before all else. It may set `deferred` again.
    deferred: Callable[[Exchange], Awaitable[Refusal | None]] | None = None
    read_whole: bool = False  # its body is not carried as it comes: a limit counts its bytes first
    prepared: Reply | None = None  # an answer of our own that needs no provider: health, OPTIONS
    path: bytes = b""  # raw, below the base of the route
    query: bytes = b""  # raw, without "?"
    path_values: tuple[bytes, ...] = ()  # raw, in the order of the template
    operation: ServedOperation | None = None
    identity: Identity | None = None
    certificate: ClientCertificate | None = None  # that the client has shown over TLS
    modern: bool = True  # HTTP/1.1; an upgrade is none in HTTP/1.0
    known: KnownFields | None = None  # what is remembered of the same headers, where they came before
    limited: bool = False  # a limit was asked, so RateLimit is ours to tell
    trace_id: str = ""
    form: ExchangeForm | None = None  # writes its audit records, where they are plain
    received: str | None = None  # id of the audit record that says the call goes out
    sent: bool = False  # the provider may have the call
    greeted: bool = False  # the fields of CORS are decided, and are ours alone
    needs_task: bool = False  # `serve` waits for more than promises and futures: the edge gives it a task
    upstream_seconds: float = 0.0  # that the provider took for its answer; 0: there was none
    settled: bool = False  # the record of its end has been handed over
    claim: Claimed | None = None  # the idempotency key that this exchange holds
    cached: str = ""  # what a cache did for it: hit, revalidated or miss
    observed: int = 0  # violations that were let through (report only)
    observed_answers: int = 0  # of them, those of the answer
    steps: Steps | None = None  # when each step ended, of an exchange that is looked at

    def __init__(  # noqa: PLR0917 - hot
        self,
        method: bytes,
        target: bytes,
        headers: Headers,
        peer: str,  # source address without port
        started: float,
        secure: bool = False,  # noqa: FBT001, FBT002 - it came over TLS; hot
    ) -> None:
        self.method = method
        self.target = target
        self.headers = headers
        self.peer = peer
        self.started = started
        self.secure = secure
        # mypyc sets no defaults of attributes whose type is a protocol.
        self.held: Held | None = None  # given back when the exchange has ended
        self.source: Source | None = None  # the upload as it is judged and goes on
        self.reply_headers: Headers = []  # limits, versions …: for any answer


class Held(Protocol):
    """Something that an exchange occupies while it lasts."""

    def release(self) -> None:
        """Give it back; called once."""


class Handler(Protocol):
    """What the edge needs of the pipeline."""

    def admit(self, exchange: Exchange) -> bool:
        """Judge the head alone (guard … authorize); False: do not read the body, `serve` refuses at once."""

    def serve(self, exchange: Exchange) -> Coroutine[Any, None, Reply]:
        """Carry the exchange out, the body being whole (or the refusal known); never raises."""

    def protocol_refusal(
        self, slug: str, peer: str, exchange: Exchange | None
    ) -> Coroutine[Any, None, Reply]:
        """Answer a request that the edge could not read: `slug` names a row of refusals.py."""
