"""The operations of one document as the proxy runs them: what a witness is shown to.

Every check stands in kernel/operation, and is the very one that the data plane makes: parameters, bodies,
answers, limits on size, idempotency keys, and whether the credentials of a call meet what is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from kernel.errors import InterlockError
from kernel.operation.compile import compile_contract
from kernel.operation.operation import Operation
from kernel.operation.security_schemes import SecurityScheme
from registry.compat.openapi_places import Placed
from registry.compat.openapi_touched import METHODS
from registry.compat.validators import Validators

_LEFT_OUT = frozenset({"paths", "webhooks"})


@dataclass(frozen=True, slots=True)
class Sent:
    """A request as bytes: `path_values` in the order of the braces, `scopes` those of its token.

    `length` is that of the body, which may be told without the body itself.
    """

    path_values: tuple[bytes, ...]
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    scopes: frozenset[str] = frozenset()
    certificate: bool = False
    length: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer as bytes."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Runtime:
    """Compiles operations of one document, each when it is first asked for."""

    def __init__(self, root: Any, validators: Validators | None = None) -> None:
        """Take a document; `validators` are those that were compiled of its schemas already."""
        self._known = partial((validators or Validators()).made, root)
        self._shared = {key: value for key, value in root.items() if key not in _LEFT_OUT}
        self._made: dict[str, tuple[Operation, dict[str, SecurityScheme]] | None] = {}

    def takes(self, placed: Placed | None, sent: Sent, *, called: bool) -> bool | None:
        """Whether an operation takes a request; one that is not there takes none.

        None: it cannot be compiled. Where we are the caller (`called`), who is admitted is not our question.
        """
        if placed is None:
            return False
        made = self._operation(placed)
        if made is None:
            return None
        operation, schemes = made
        if not called and not (admits(operation, schemes, sent) and _within_limits(operation, sent)):
            return False
        if sent.length is not None and not sent.body:
            return True  # its head alone is judged
        try:
            problem = operation.check_request(sent.path_values, sent.query, list(sent.headers), sent.body)
        except InterlockError:
            return None
        return problem is None

    def allows(self, placed: Placed | None, answer: Answered) -> bool | None:
        """Whether an operation allows an answer; None: it cannot be compiled."""
        if placed is None:
            return False
        made = self._operation(placed)
        if made is None:
            return None
        try:
            head = placed.method.upper() == "HEAD"
            return not made[0].check_response(answer.status, list(answer.headers), answer.body, head=head)
        except InterlockError:
            return None

    def _operation(self, placed: Placed) -> tuple[Operation, dict[str, SecurityScheme]] | None:
        pointer = placed.operation.pointer
        if pointer not in self._made:
            self._made[pointer] = self._compiled(placed)
        return self._made[pointer]

    def _compiled(self, placed: Placed) -> tuple[Operation, dict[str, SecurityScheme]] | None:
        item = {
            key: value
            for key, value in placed.item.value.items()
            if key not in METHODS and key != "additionalOperations"
        }
        method = placed.method.lower()
        if method in METHODS:
            item[method] = placed.operation.value
        else:
            item["additionalOperations"] = {placed.method: placed.operation.value}
        try:
            root = {**self._shared, "paths": {placed.template: item}}
            contract = compile_contract(root, known=self._known)
        except InterlockError:
            return None
        return (contract.operations[0], dict(contract.security_schemes)) if contract.operations else None


def _within_limits(operation: Operation, sent: Sent) -> bool:
    length = sent.length if sent.length is not None else len(sent.body)
    if operation.max_body is not None and length > operation.max_body:
        return False
    keyed = any(name == b"idempotency-key" for name, _ in sent.headers)
    return keyed or operation.idempotency is None or not operation.idempotency.required


def admits(operation: Operation, schemes: dict[str, SecurityScheme], sent: Sent) -> bool:
    """Whether the credentials of a request meet one of the alternatives that an operation asks for."""
    return not operation.security or any(
        all(_shown(schemes[name], scopes, sent) for name, scopes in alternative.items())
        for alternative in operation.security
    )


def _shown(scheme: SecurityScheme, scopes: tuple[str, ...], sent: Sent) -> bool:
    if scheme.type == "apiKey":
        return _carries(scheme, sent)
    if scheme.type == "mutualTLS":
        return sent.certificate
    word = scheme.scheme.encode() if scheme.type == "http" else b"bearer"
    given = [value for name, value in sent.headers if name == b"authorization"]
    return any(value.lower().startswith(word + b" ") for value in given) and sent.scopes.issuperset(scopes)


def _carries(scheme: SecurityScheme, sent: Sent) -> bool:
    name = scheme.parameter.encode()
    if scheme.place == "header":
        return any(known == name.lower() for known, _ in sent.headers)
    if scheme.place == "query":
        return any(pair.partition(b"=")[0] == name for pair in sent.query.split(b"&"))
    cookies = [value for known, value in sent.headers if known == b"cookie"]
    return any(pair.strip().partition(b"=")[0] == name for line in cookies for pair in line.split(b";"))
