"""A WebSocket channel while it is open: every message judged before it goes on, in both directions.

A message outside the contract ends the channel: its sender is closed with 1008. Nothing of it goes on.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from websockets.server import ServerProtocol

from adapters.wire.websocket import GOING_AWAY, INTERNAL, POLICY, Message, Socket
from kernel.errors import AuditError
from runtime_proxy.exchange import StreamCut
from runtime_proxy.observe import observe_request, observe_response
from runtime_proxy.refusals_call import BodyInvalid

if TYPE_CHECKING:
    from adapters.wire.websocket_client import ProviderSocket
    from kernel.operation.channels import Channel, Way
    from kernel.operation.violation import Violation
    from runtime_proxy.exchange import Exchange, Line
    from runtime_proxy.plan import ServedOperation
    from runtime_proxy.stream_terms import StreamTerms
    from runtime_proxy.trail import Trail

log = logging.getLogger("interlock.proxy")
_LOOK: Final = 0.01  # seconds between looks whether both have answered
_GOODBYE: Final = 1.0  # seconds in which a peer must answer a close
_GONE: Final = "consumer-gone"
_SWITCHING: Final = 101
_KEY: Final = b"sec-websocket-key"
_NEVER_SENT: Final = frozenset({1005, 1006, 1015})  # close codes that stand for themselves (RFC 6455 §7.4.1)


@dataclass(slots=True)
class Tally:
    """What has passed in one direction."""

    messages: int = 0
    total: int = 0  # bytes
    digest: Any = field(default_factory=hashlib.sha256)

    def count(self, data: bytes) -> None:
        """Count a message that goes on."""
        self.messages += 1
        self.total += len(data)
        self.digest.update(data)


class Conversation:
    """The `Takeover` of one channel; `provider` is connected already."""

    def __init__(
        self,
        served: ServedOperation,
        exchange: Exchange,
        provider: ProviderSocket,
        trail: Trail,
    ) -> None:
        assert served.channel is not None
        self._served = served
        self._exchange = exchange
        self._channel: Channel = served.channel
        self._consumer: Socket
        self._provider = provider
        self._trail = trail
        self._terms: StreamTerms = served.route.streams
        self._inbound = Tally()
        self._outbound = Tally()
        self._broken: tuple[Violation, ...] = ()
        self._reason = ""
        self._running = False  # `run` ends it; before, `abandon` must
        self._dropped = False
        self._held, exchange.held = exchange.held, None
        served.route.adapter.in_flight += 1

    @property
    def takes_over(self) -> Literal[True]:
        """Say yes: the connection is a WebSocket from now on."""
        return True

    # -- for the edge ---------------------------------------------------------------------------------
    def begin(self, line: Line) -> None:
        """Answer the handshake on the consumer's connection; raises `StreamCut` where it cannot be."""
        chosen = self._provider.subprotocol
        protocol = ServerProtocol(
            subprotocols=None if chosen is None else [chosen],  # type: ignore[list-item]
            select_subprotocol=lambda _, __: chosen,  # type: ignore[arg-type, return-value]
            max_size=self._terms.item_bytes,
        )
        protocol.receive_data(_handshake(self._exchange, chosen))
        (request,) = protocol.events_received()
        response = protocol.accept(request)  # type: ignore[arg-type]
        if response.status_code != _SWITCHING:
            raise StreamCut("handshake-invalid")
        for name, value in self._exchange.reply_headers:
            response.headers[name.decode("latin-1")] = value.decode("latin-1")
        protocol.send_response(response)
        self._consumer = Socket(protocol, line)
        self._consumer.flush()

    def abandon(self, reason: str) -> None:
        """Take it that the consumer is gone; whether it had said goodbye, its socket knows.

        What has not begun ends here: the provider is let go, and the end is recorded.
        """
        if not self._running:
            self._drop(reason)
            return
        if reason != _GONE:
            self._reason = self._reason or reason
        self._consumer.lost()

    def feed(self, data: bytes) -> None:
        """Take bytes from the consumer."""
        self._consumer.feed(data)

    def lost(self, slug: str = "") -> None:
        """Take it that the consumer is gone."""
        self._consumer.lost(slug)

    def leave(self) -> None:
        """Say goodbye to both, since the edge stops."""
        self._end("shutting-down", GOING_AWAY, GOING_AWAY)

    async def run(self) -> None:
        """Relay until one side ends; returns when both are told, and the end is recorded."""
        self._running = True
        relays = [
            asyncio.create_task(self._relay("inbound", self._consumer, self._provider.socket, self._inbound)),
            asyncio.create_task(
                self._relay("outbound", self._provider.socket, self._consumer, self._outbound)
            ),
            asyncio.create_task(self._watch()),
        ]
        try:
            done, _ = await asyncio.wait(relays, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                if one.exception() is not None:
                    log.error("a fault on a channel: %s", type(one.exception()).__name__)
                    self._end("internal-error", INTERNAL, INTERNAL)
            self._pass_on_the_end()
        except asyncio.CancelledError:
            self._reason = self._reason or "shutting-down"
            raise
        finally:
            for one in relays:
                one.cancel()
            self._settle()
            await self._say_goodbye()

    # -- relaying -------------------------------------------------------------------------------------
    async def _relay(self, way: Way, source: Socket, target: Socket, tally: Tally) -> None:
        while (message := await source.receive()) is not None:
            violations = self._judged(way, message)
            if violations and not self._observed(way, violations):
                self._broken = violations
                ours, theirs = (POLICY, GOING_AWAY) if way == "inbound" else (INTERNAL, POLICY)
                self._end("message-outside-contract", ours, theirs)
                return
            if tally.total + len(message.data) > self._terms.max_bytes:
                self._end("stream-over-limit", POLICY, GOING_AWAY)
                return
            tally.count(message.data)
            await target.send(message)

    def _judged(self, way: Way, message: Message) -> tuple[Violation, ...]:
        return self._channel.check(way, message.data, text=message.text)

    def _observed(self, way: Way, violations: tuple[Violation, ...]) -> bool:
        if way == "inbound":
            return observe_request(self._served, self._exchange, BodyInvalid(violations=violations))
        return observe_response(self._served, self._exchange, violations)

    async def _watch(self) -> None:
        """Ask both for signs of life, and end what is silent or lasts too long."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self._terms.total_seconds
        idle = self._terms.idle_seconds
        while True:
            await asyncio.sleep(min(idle / 3, max(until - loop.time(), 0)))
            now = loop.time()
            if now >= until:
                self._end("stream-too-long", GOING_AWAY, GOING_AWAY)
                return
            if now - self._consumer.heard > idle:
                self._end("consumer-gone", POLICY, GOING_AWAY)
                return
            if now - self._provider.socket.heard > idle:
                self._end("stream-idle", INTERNAL, GOING_AWAY)
                return
            self._consumer.ping()
            self._provider.socket.ping()

    # -- ending ---------------------------------------------------------------------------------------
    def _end(self, reason: str, ours: int, theirs: int) -> None:
        """Close both: `ours` is told to the consumer, `theirs` to the provider."""
        self._reason = self._reason or reason
        self._consumer.close(ours, reason)
        self._provider.socket.close(theirs, reason)

    def _pass_on_the_end(self) -> None:
        """Tell the one side that the other has ended."""
        provider = self._provider.socket
        if self._reason:
            provider.close(GOING_AWAY, self._reason)
            self._consumer.close(GOING_AWAY, self._reason)
        elif provider.open:
            self._reason = _why(self._consumer, _GONE)
            provider.close(GOING_AWAY if self._reason else self._consumer.code)
        else:
            self._reason = _why(provider, "upstream-broken")
            self._consumer.close(INTERNAL if self._reason else provider.code)

    async def _say_goodbye(self) -> None:
        """Let what was said arrive, then let go of the provider."""
        try:
            async with asyncio.timeout(_GOODBYE):
                while not (  # noqa: ASYNC110 - two ends of two protocols, once a channel
                    self._consumer.ended and self._provider.socket.ended
                ):
                    await asyncio.sleep(_LOOK)
        except TimeoutError:
            pass
        finally:
            self._provider.abort()

    def _drop(self, reason: str) -> None:
        """End a channel that the consumer never had: it was told no status."""
        if self._dropped:
            return
        self._dropped = True
        self._reason = reason
        self._settle(status=None)
        self._provider.socket.close(GOING_AWAY, reason)
        self._provider.abort()

    def _settle(self, *, status: int | None = _SWITCHING) -> None:
        """Hand over the record of the end; nobody waits for it."""
        self._served.route.adapter.in_flight -= 1
        if self._held is not None:
            self._held.release()
        more: dict[str, Any] = {
            "request_bytes": self._inbound.total,
            "request_sha256": self._inbound.digest.hexdigest(),
            "response_bytes": self._outbound.total,
            "response_sha256": self._outbound.digest.hexdigest(),
            "detail": {"received": self._inbound.messages, "sent": self._outbound.messages},
        }
        if self._reason:
            more["reason"] = self._reason
        try:
            kept = self._trail.ended(
                self._exchange,
                outcome="failed" if self._reason else "success",
                status=status,
                violations=self._broken,
                more=more,
            )
            kept.add_done_callback(_look)
        except AuditError as error:
            log.critical("the end of a channel could not be recorded: %s", error)


def _why(ended: Socket, otherwise: str) -> str:
    """Say why a side ended; "" where it said goodbye itself."""
    if ended.failed:
        return "websocket-broken"
    return otherwise if ended.code in _NEVER_SENT else ""


def _handshake(exchange: Exchange, chosen: str | None) -> bytes:
    """Write what of the request the protocol must see, in its plainest form: it has been judged already."""
    lines = [
        b"GET / HTTP/1.1\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13",
        *(b": ".join(line) for line in exchange.headers if line[0] == _KEY),
    ]
    if chosen is not None:
        lines.append(b"sec-websocket-protocol: " + chosen.encode("latin-1"))
    return b"\r\n".join((*lines, b"\r\n"))


def _look(kept: Any) -> None:
    if not kept.cancelled() and kept.exception() is not None:
        log.critical("the end of a channel could not be recorded: %s", kept.exception())
