"""What every refusal of the proxy has in common: its slug, its status, and its RFC 9457 body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.operation.violation import Violation

Headers = list[tuple[bytes, bytes]]  # names in lower case
TYPE_PREFIX = "urn:interlock:refusal:"
MEDIA_TYPE = b"application/problem+json"


class Refusal:
    """One typed no.

    Subclasses give the class attributes; `slug` is API and never changes. An instance adds a `detail` of
    its own where the contract's words help, the `violations`, and the headers that the status asks for.
    Neither may ever carry a value of the message, nor a key that the contract does not name (both may be
    health data).
    """

    __slots__ = ("detail", "headers", "violations")

    slug: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    explanation: ClassVar[str]  # what happened, for whoever reads `interlock explain`
    remedy: ClassVar[str]  # what to do next
    retry_after: ClassVar[int | None] = None  # seconds; only where trying again later can help
    says_when: ClassVar[bool] = False  # each instance has a Retry-After of its own
    closes: ClassVar[bool] = False  # the connection cannot be used after this answer

    def __init__(
        self, detail: str = "", *, violations: tuple[Violation, ...] = (), headers: Headers | None = None
    ) -> None:
        self.detail = detail
        self.violations = violations
        self.headers: Headers = headers or []

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.status} {self.slug})"

    def body(self, *, request_id: str, contract: str = "", version: str = "", digest: str = "") -> bytes:
        """Write the problem details (RFC 9457), with errors, contract, version, digest and request_id."""
        problem: dict[str, Any] = {
            "type": TYPE_PREFIX + self.slug,
            "title": self.title,
            "status": self.status,
            "detail": self.detail or self.explanation,
        }
        if self.violations:
            problem["errors"] = errors_of(self.violations)
        if contract:
            problem["contract"] = contract
        if version:
            problem["version"] = version
        if digest:
            problem["digest"] = digest
        problem["request_id"] = request_id
        return orjson.dumps(problem)

    def header_lines(self) -> Headers:
        """Give the headers of the answer that belong to the refusal itself."""
        lines: Headers = [(b"content-type", MEDIA_TYPE), (b"cache-control", b"no-store"), *self.headers]
        if self.retry_after is not None:
            lines.append((b"retry-after", b"%d" % self.retry_after))
        return lines


def errors_of(violations: Iterable[Violation]) -> list[dict[str, str]]:
    """Give each violation as `{"in", "name"?, "pointer", "keyword"}` (docs/reference/proxy.md)."""
    return [
        {"in": one.location, "name": one.name, "pointer": one.pointer, "keyword": one.keyword}
        if one.name
        else {"in": one.location, "pointer": one.pointer, "keyword": one.keyword}
        for one in violations
    ]
