"""One callable thing of a contract: what it asks of a request and promises of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kernel.contract.finding import Finding
    from kernel.operation.violation import RequestProblem, Violation

Headers = list[tuple[bytes, bytes]]  # names in lower case, order kept
SecurityAlternatives = tuple[Mapping[str, tuple[str, ...]], ...]


class Operation:
    """A cheap shell over one operation object; validators are made on first use or by `prepare`.

    `id` is the operationId or "METHOD template"; `pointer` its place in the contract; `method` upper-case
    bytes; `template` the path template as declared; `segments` its segments, split on "/", undecoded.
    `security` holds the alternatives of which one must be met, each scheme → scopes; an empty mapping
    among them admits anybody, an empty tuple means that no security is declared.
    """

    __slots__ = (
        "deprecated",
        "id",
        "max_body",
        "method",
        "pointer",
        "request_body_required",
        "security",
        "segments",
        "takes_body",
        "template",
    )

    id: str
    pointer: str
    method: bytes
    template: str
    segments: tuple[str, ...]
    security: SecurityAlternatives
    takes_body: bool
    request_body_required: bool
    max_body: int | None  # bytes, of `x-interlock-max-body`; None: the edge's own limit holds
    deprecated: bool

    def prepare(self) -> tuple[Finding, ...]:
        """Compile everything declared, and say what the proxy will not look into (`content-unchecked`).

        Raises `SchemaRefused` or `ContractInvalid` with a pointer where something declared cannot be
        decoded or checked.
        """
        raise NotImplementedError

    def check_request(
        self, path_values: tuple[bytes, ...], query: bytes, headers: Headers, body: bytes
    ) -> RequestProblem | None:
        """Judge one request; `path_values` are raw, in the order of the template's braces, undecoded."""
        raise NotImplementedError

    def check_response(self, status: int, headers: Headers, body: bytes) -> tuple[Violation, ...]:
        """Judge one answer (for HEAD give `body=b""`); empty when the provider kept the contract."""
        raise NotImplementedError
