"""What the pipeline asks of an operation, whoever made it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from adapters.port import Headers
    from kernel.operation.flows import Flow
    from kernel.operation.message import Remembered
    from kernel.operation.violation import RequestProblem, Violation


class Judge(Protocol):
    """What the pipeline asks of an operation (kernel.operation.operation.Operation)."""

    @property
    def id(self) -> str:
        """The operation's name."""

    @property
    def template(self) -> str:
        """The path template as the contract declares it."""

    def check_request(
        self,
        path_values: tuple[bytes, ...],
        query: bytes,
        headers: Headers,
        body: bytes | None,
        known: Remembered | None = None,
    ) -> RequestProblem | None:
        """Judge one request; its body None where it comes in pieces, `known` as the edge remembers its headers."""

    def check_response(
        self, status: int, headers: Headers, body: bytes | None, *, head: bool = False
    ) -> tuple[Violation, ...]:
        """Judge one answer; its body None where it comes in pieces."""

    def answer_flow(self, status: int, headers: Headers) -> Flow | None:
        """Say how the body of an answer may pass in pieces."""

    def undeclared(self, query: bytes, headers: Headers) -> tuple[Violation, ...]:
        """Say which fields are not declared and only to be told of."""
