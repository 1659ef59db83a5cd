"""What an operation promises of its answers: statuses, headers and contents, compiled and checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from kernel.contract.finding import Severity
from kernel.contract.positions import token
from kernel.operation.bodies import Body
from kernel.operation.codings import decoded
from kernel.operation.declarations import compile_header
from kernel.operation.flows import may_flow
from kernel.operation.members import mapping, refused
from kernel.operation.message import about_body
from kernel.operation.shapes import dereference, follow
from kernel.operation.unchecked import unchecked
from kernel.operation.violation import Undecodable, Violation

if TYPE_CHECKING:
    from kernel.contract.finding import Finding
    from kernel.operation.flows import Flow
    from kernel.operation.message import Headers
    from kernel.operation.parameters import Parameter
    from kernel.operation.schemas import Schemas

_STATUS: Final = re.compile(r"[1-5][0-9]{2}|[1-5][xX]{2}|default")
_BODILESS: Final = frozenset({204, 205, 304})  # RFC 9110 §15.3.5, §15.3.6, §15.4.5
_NEVER_A_BODY: Final = frozenset({"204", "205", "304"})
_CODING: Final = b"content-encoding"
_UNDECLARED: Final = (Violation("status", "", "undeclared"),)


class Answer:
    """One Response Object: its headers and its contents."""

    __slots__ = ("_headers", "_limits", "_says_nothing", "body", "findings")

    def __init__(self, spec: Any, pointer: str, schemas: Schemas) -> None:
        spec = mapping(spec, pointer)
        self._limits = schemas.limits
        self.body = Body(spec.get("content"), f"{pointer}/content", schemas, "response")
        headers: list[tuple[bytes, Parameter]] = []
        for name, declared in mapping(spec.get("headers"), f"{pointer}/headers").items():
            if name.lower() == "content-type":
                continue  # OpenAPI 3.x: "SHALL be ignored", the contents say it
            header, place = follow(schemas.root, declared, f"{pointer}/headers{token(name)}")
            made = compile_header(name, mapping(header, place), place, schemas)
            headers.append((name.lower().encode(), made))
        self._headers = tuple(headers)
        notes = tuple(header.finding for _, header in headers if header.finding is not None)
        # No `content` says nothing about a body (`content: {}` says that there is none); the board is told.
        self._says_nothing = "content" not in spec
        if self._says_nothing and pointer.rpartition("/")[2] not in _NEVER_A_BODY:
            what = "the answer declares no content, so that a body is passed on unread"
            notes += (unchecked("content-undeclared", pointer, what, Severity.INFO),)
        self.findings: tuple[Finding, ...] = self.body.findings + notes

    def check(
        self, status: int, headers: Headers, body: bytes | None, *, head: bool
    ) -> tuple[Violation, ...]:
        """Judge headers and body of one answer; None: the body is judged as it flows (`flow`)."""
        found = self._check_headers(headers) if self._headers else ()
        if head or status in _BODILESS:
            found += (Violation("body", "", "unexpected"),) if body else ()
        elif body is not None:
            found += self._check_body(headers, body)
        return found[: self._limits.violations] if found else ()

    def flow(self, headers: Headers) -> Flow | None:
        """Say how the body of an answer with these headers may be carried piece by piece."""
        content_type, coded = about_body(headers)
        flow = self.body.flow(content_type) if content_type is not None else None
        if flow is not None and flow.judge is not None and coded:
            return None  # what is coded is decoded as a whole
        return flow

    def _check_headers(self, headers: Headers) -> tuple[Violation, ...]:
        found: tuple[Violation, ...] = ()
        for name, header in self._headers:
            lines = [value for known, value in headers if known == name]
            if lines:
                if name == b"set-cookie":
                    # RFC 9110 §5.3: the one field that comes in several lines and is no list.
                    found += tuple(item for line in lines for item in header.check([line]))
                else:
                    found += header.check(lines)
            elif header.required:
                found += (header.missing(),)
        return found

    def _check_body(self, headers: Headers, body: bytes) -> tuple[Violation, ...]:
        if not self.body.contents:
            return (Violation("body", "", "unexpected"),) if body and not self._says_nothing else ()
        content_type, coded = about_body(headers)
        if not body:
            entry = self.body.find(content_type)
            return () if entry is not None and entry[0].takes_nothing else (Violation("body", "", "missing"),)
        if coded:
            try:
                body = decoded([value for name, value in headers if name == _CODING], body, self._limits)
            except Undecodable as error:
                return (Violation("body", "", error.keyword),)
        problem = self.body.check(content_type, body)
        return () if problem is None else problem.violations


class Answers:
    """All Response Objects of an operation: an exact status before its range, this before `default`."""

    __slots__ = ("_by_status", "_known", "_pointer", "_schemas", "_specs")

    def __init__(self, responses: Any, pointer: str, schemas: Schemas) -> None:
        self._pointer = pointer
        self._schemas = schemas
        self._specs: dict[str, tuple[Any, str]] = {}
        for status, spec in mapping(responses, f"{pointer}/responses").items():
            if str(status).startswith("x-"):
                continue
            if not _STATUS.fullmatch(str(status)):
                raise refused(f"{str(status)[:40]!r} is no status", f"{pointer}/responses")
            self._specs[str(status).lower()] = (spec, f"{pointer}/responses/{status}")
        self._known: dict[str, Answer] = {}
        self._by_status: dict[int, Answer] = {}

    def check(
        self, status: int, headers: Headers, body: bytes | None, *, head: bool = False
    ) -> tuple[Violation, ...]:
        """Judge one answer; without any declared answer there is nothing to hold it to."""
        answer = self._by_status.get(status) or self._find(status)
        if answer is None:
            return _UNDECLARED if self._specs else ()
        return answer.check(status, headers, body, head=head)

    def flow(self, status: int, headers: Headers) -> Flow | None:
        """Say how the body of an answer with this head may be carried piece by piece; None: as a whole."""
        answer = self._by_status.get(status) or self._find(status)
        return None if answer is None or status in _BODILESS else answer.flow(headers)

    def may_flow(self) -> bool:
        """Whether any declared answer may be carried piece by piece; compiles nothing."""
        root = self._schemas.root
        found = (dereference(root, spec) for spec, _ in self._specs.values())
        return any(may_flow(root, spec.get("content")) for spec in found if isinstance(spec, dict))

    def _find(self, status: int) -> Answer | None:
        for key in (str(status), f"{status // 100}xx", "default"):
            if key in self._specs:
                answer = self._by_status[status] = self._answer(key)
                return answer
        return None

    def prepare(self) -> tuple[Finding, ...]:
        """Compile all answers; raises `ContractInvalid` or `SchemaRefused`."""
        found = list(dict.fromkeys(note for key in self._specs for note in self._answer(key).findings))
        if not self._specs:
            what = "no answer is declared, so that none can be judged"
            found.append(unchecked("answers-undeclared", self._pointer, what))
        return tuple(found)

    def _answer(self, key: str) -> Answer:
        if key not in self._known:
            spec, place = follow(self._schemas.root, *self._specs[key])
            shared: dict[str, Answer] = self._schemas.answers
            # Operations that reference one Response Object share what is compiled of it.
            if place not in shared:
                shared[place] = Answer(spec, place, self._schemas)
            self._known[key] = shared[place]
        return self._known[key]
