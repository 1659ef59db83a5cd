"""One callable thing of a contract: what it asks of a request and promises of an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from kernel.operation.answers import Answers
from kernel.operation.flows import may_flow
from kernel.operation.requests import Requests
from kernel.operation.shapes import dereference

if TYPE_CHECKING:
    from kernel.contract.finding import Finding
    from kernel.operation.caching import Caching
    from kernel.operation.declared import Declared
    from kernel.operation.flows import Flow
    from kernel.operation.idempotency import Idempotency
    from kernel.operation.message import Headers, Remembered
    from kernel.operation.undeclared import Credentials, Unknown
    from kernel.operation.violation import RequestProblem, Violation

SecurityAlternatives = tuple[Mapping[str, tuple[str, ...]], ...]
# What the contract says of an operation, whatever policy it is under.
_SAID: Final = (
    "caching",
    "deprecated",
    "id",
    "idempotency",
    "max_body",
    "method",
    "names",
    "pointer",
    "request_body_required",
    "security",
    "segments",
    "takes_body",
    "template",
    "weight",
)


class Operation:
    """A cheap shell over one operation object; validators are made on first use or by `prepare`.

    `id` is the operationId or "METHOD template"; `pointer` its place in the contract; `method` upper-case
    bytes; `template` the path template as declared; `segments` its segments, split on "/", undecoded;
    `names` the parameters of its braces in order. `security` holds the alternatives of which one must be
    met, each scheme → scopes; an empty mapping among them admits anybody, an empty tuple means that no
    security is declared. `max_body` is in bytes (`x-interlock-max-body`; None: the edge's own limit).
    `unknown` is the policy for fields that nothing declares, decided for each place.
    `idempotency` is what `x-interlock-idempotency` says; `weight` is how many calls one call counts as in
    limits (`x-interlock-weight`). `caching` is what `x-interlock-cache` says.
    """

    __slots__ = ("_answers", "_credentials", "_declared", "_number", "_requests", "unknown", *_SAID)

    id: str
    pointer: str
    method: bytes
    template: str
    segments: tuple[str, ...]
    names: tuple[str, ...]
    security: SecurityAlternatives
    takes_body: bool
    request_body_required: bool
    max_body: int | None
    idempotency: Idempotency | None
    caching: Caching | None
    deprecated: bool
    unknown: Unknown
    weight: int

    def __init__(self, declared: Declared, number: int, credentials: Credentials) -> None:
        """Keep where that stands which is compiled later: operation object, parameters, schemas."""
        self._declared = declared
        self._number = number
        self._credentials = credentials
        self._requests: Requests | None = None
        self._answers: Answers | None = None

    def prepare(self) -> tuple[Finding, ...]:
        """Compile everything declared, and say what the proxy will not look into (`content-unchecked`).

        Raises `SchemaRefused` or `ContractInvalid` with a pointer where something declared cannot be
        decoded or checked.
        """
        requests = self._requests or self._compile_requests()
        answers = self._answers or self._compile_answers()
        return requests.findings + answers.prepare()

    def check_request(
        self,
        path_values: tuple[bytes, ...],
        query: bytes,
        headers: Headers,
        body: bytes | None,
        known: Remembered | None = None,
    ) -> RequestProblem | None:
        """Judge one request; `path_values` are raw, in the order of the template's braces, undecoded.

        `body` None: it comes piece by piece, as `request_flow` says, and is judged so. `known`: what is remembered
        of the same headers, where they came before.
        """
        requests = self._requests or self._compile_requests()
        return requests.check(path_values, query, headers, body, known)

    def check_response(
        self, status: int, headers: Headers, body: bytes | None, *, head: bool = False
    ) -> tuple[Violation, ...]:
        """Judge one answer; empty when the provider kept the contract. `head`: the answer is to a HEAD.

        `body` None: it comes piece by piece, as `answer_flow` says, and is judged so.
        """
        answers = self._answers or self._compile_answers()
        return answers.check(status, headers, body, head=head)

    def may_flow(self) -> tuple[bool, bool]:
        """Whether some request, and some answer, may be carried piece by piece; compiles nothing."""
        (spec, _), schemas = self._declared.of(self._number)
        body = dereference(schemas.root, spec.get("requestBody"))
        asks = isinstance(body, dict) and may_flow(schemas.root, body.get("content"))
        return asks, Answers(spec.get("responses"), self.pointer, schemas).may_flow()

    def request_flow(self, headers: Headers) -> Flow | None:
        """Say how the body of a request with this head may be carried piece by piece; None: as a whole."""
        return (self._requests or self._compile_requests()).flow(headers)

    def answer_flow(self, status: int, headers: Headers) -> Flow | None:
        """Say how the body of an answer with this head may be carried piece by piece; None: as a whole."""
        return (self._answers or self._compile_answers()).flow(status, headers)

    def undeclared(self, query: bytes, headers: Headers) -> tuple[Violation, ...]:
        """Say which fields nothing declares, where the policy is `report`."""
        requests = self._requests or self._compile_requests()
        return requests.undeclared(query, headers)

    def under(self, unknown: Unknown, carried: frozenset[bytes] = frozenset()) -> Operation:
        """Give the operation under a policy of its route for fields that it does not declare.

        `carried` are header names (lower case) that the route itself reads. Where nothing changes, the
        operation itself is given.
        """
        unknown = unknown.over(self.unknown)
        carried = frozenset() if unknown.header == "allow" else carried - self._credentials.headers
        if unknown == self.unknown and not carried:
            return self
        credentials = replace(self._credentials, headers=self._credentials.headers | carried)
        made = Operation(self._declared, self._number, credentials)
        for fact in _SAID:
            setattr(made, fact, getattr(self, fact))
        made.unknown = unknown
        made._answers = self._answers
        return made

    @property
    def awake(self) -> bool:
        """Whether anything of it is compiled."""
        return self._requests is not None or self._answers is not None

    def sleep(self) -> None:
        """Let go of what was compiled; the next call compiles it again."""
        self._requests = None
        self._answers = None

    def _compile_requests(self) -> Requests:
        (spec, specs), schemas = self._declared.of(self._number)
        self._requests = Requests(
            specs,
            self.names,
            spec.get("requestBody"),
            self.pointer,
            schemas,
            unknown=self.unknown,
            credentials=self._credentials,
            most=self.max_body,
        )
        return self._requests

    def _compile_answers(self) -> Answers:
        (spec, _), schemas = self._declared.of(self._number)
        self._answers = Answers(spec.get("responses"), self.pointer, schemas)
        return self._answers
