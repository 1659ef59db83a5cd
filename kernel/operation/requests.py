"""What an operation asks of a request, compiled: parameters of every place, and the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from kernel.operation.bodies import Body
from kernel.operation.codings import UnknownCoding, decoded
from kernel.operation.declarations import compile_parameter
from kernel.operation.fields import Fields
from kernel.operation.grouping import cookies_of, groups_of, without, without_keys
from kernel.operation.members import mapping, refused
from kernel.operation.message import IGNORED_HEADERS, about_body
from kernel.operation.shapes import follow
from kernel.operation.styles import text_of
from kernel.operation.undeclared import LENIENT, NO_CREDENTIALS, undeclared_headers
from kernel.operation.violation import RequestProblem, Undecodable, Violation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.contract.finding import Finding
    from kernel.operation.flows import Flow
    from kernel.operation.message import Headers, Remembered
    from kernel.operation.parameters import Parameter
    from kernel.operation.schemas import Schemas
    from kernel.operation.undeclared import Credentials, Unknown

_MISSING: Final = RequestProblem("body-missing", (Violation("body", "", "missing"),))
_UNEXPECTED: Final = RequestProblem("body-unexpected", (Violation("body", "", "unexpected"),))
_CODED: Final = RequestProblem(
    "content-coding-unsupported", (Violation("header", "", "content-coding", "content-encoding"),)
)
_CODED_BADLY: Final = RequestProblem("body-malformed", (Violation("body", "", "content-coding"),))
_TOO_LARGE: Final = RequestProblem("body-too-large", (Violation("body", "", "limit"),))
_CODING: Final = b"content-encoding"
_UNKNOWN_QUERY: Final = Violation("query", "", "undeclared", "{key}")
_UNKNOWN_COOKIE: Final = Violation("cookie", "", "undeclared", "{key}")


class Requests:
    """The compiled request side of one operation."""

    __slots__ = (
        "_body",
        "_body_required",
        "_cookies",
        "_credentials",
        "_declared_headers",
        "_has_cookies",
        "_headers",
        "_lasting",
        "_limits",
        "_most",
        "_path",
        "_query",
        "_query_needed",
        "_querystring",
        "_strict_cookies",
        "_strict_headers",
        "_unknown",
        "findings",
    )

    def __init__(
        self,
        specs: Iterable[tuple[Any, str]],
        names: tuple[str, ...],
        body: Any,
        pointer: str,
        schemas: Schemas,
        *,
        unknown: Unknown = LENIENT,
        credentials: Credentials = NO_CREDENTIALS,
        most: int | None = None,
    ) -> None:
        """Compile; `specs` are Parameter Objects with pointers, `names` the template's braces in order.

        `most` is in bytes, of a body whose content coding has been taken off.
        """
        self._most = most
        self._limits = schemas.limits
        self._unknown = unknown
        self._strict_headers = unknown.header == "strict"
        self._strict_cookies = unknown.cookie == "strict"
        self._credentials = credentials
        self._querystring: tuple[Body, bool] | None = None
        placed: dict[str, list[Parameter]] = {"path": [], "query": [], "header": [], "cookie": []}
        for spec, place in specs:
            if spec.get("in") == "querystring":
                self._querystring = (
                    Body(spec.get("content"), f"{place}/content", schemas, "request"),
                    spec.get("required") is True,
                )
                continue
            if spec.get("in") == "header" and str(spec.get("name")).lower() in IGNORED_HEADERS:
                continue
            parameter = compile_parameter(spec, place, schemas)
            same = str.lower if parameter.where == "header" else str
            if same(parameter.name) in {same(known.name) for known in placed[parameter.where]}:
                what = (
                    f"the {parameter.where} parameter {parameter.name!r} is declared twice, and in two ways"
                )
                raise refused(what, place)
            placed[parameter.where].append(parameter)
        every = [item for items in placed.values() for item in items]
        self.findings: tuple[Finding, ...] = tuple(item.finding for item in every if item.finding is not None)
        self._path = self._in_order(placed["path"], names, pointer)
        if self._querystring is not None and placed["query"]:
            raise refused("`in: querystring` and `in: query` exclude each other", pointer)
        self._query = Fields(placed["query"])
        self._query_needed = self._querystring is not None or any(item.required for item in placed["query"])
        self._cookies = Fields(placed["cookie"])
        self._has_cookies = bool(placed["cookie"]) or self._strict_cookies
        self._declared_headers = credentials.headers | {
            item.name.lower().encode() for item in placed["header"]
        }
        self._headers = tuple((item.name.lower().encode(), item) for item in placed["header"])
        # A length is not among the lines that are remembered.
        self._lasting = all(name != b"content-length" for name, _ in self._headers)
        spec, place = follow(schemas.root, body, f"{pointer}/requestBody")
        spec = mapping(spec, place)
        self._body = (
            Body(spec["content"], f"{place}/content", schemas, "request") if spec.get("content") else None
        )
        self.findings += self._body.findings if self._body is not None else ()
        self._body_required = spec.get("required") is True

    def check(
        self,
        path_values: tuple[bytes, ...],
        query: bytes,
        headers: Headers,
        body: bytes | None,
        known: Remembered | None = None,
    ) -> RequestProblem | None:
        """Judge one request: all parameters first, then the body (None: it is judged as it flows).

        `known`: what is remembered of the same headers; those that were good once are not judged again.
        """
        found: list[Violation] = []
        if self._path:
            for parameter, raw in zip(self._path, path_values, strict=True):
                found += parameter.check([raw])
        if query or self._query_needed:
            found += self._check_query(query)
        if known is None or not self._lasting:
            found += self._check_headers(headers)
        elif self not in known.made:
            broken = self._check_headers(headers)
            if broken:
                found += broken
            else:
                known.keep(self, True)
        if found:
            return RequestProblem("parameter-invalid", tuple(found[: self._limits.violations]))
        return None if body is None else self._check_body(headers, body)

    def _check_headers(self, headers: Headers) -> list[Violation]:
        """Judge what stands in field lines: header parameters and cookies."""
        found: list[Violation] = []
        for name, parameter in self._headers:
            raws = [value for known, value in headers if known == name]
            if raws:
                found += parameter.check(raws)
            elif parameter.required:
                found.append(parameter.missing())
        if self._strict_headers:
            found += undeclared_headers(headers, self._declared_headers)
        if self._has_cookies:
            found += self._check_cookies(headers)
        return found

    def flow(self, headers: Headers) -> Flow | None:
        """Say how a body with these headers may be carried piece by piece; None: only as a whole."""
        if self._body is None:
            return None
        types = [value for name, value in headers if name == b"content-type"]
        coded = any(name == b"content-encoding" and value.lower() != b"identity" for name, value in headers)
        return self._body.flow(types[0]) if len(types) == 1 and not coded else None

    def undeclared(self, query: bytes, headers: Headers) -> tuple[Violation, ...]:
        """Count what is only to be reported: a violation for each field that nothing declares.

        Nothing for a query or cookies that are broken: those who judge them have said so.
        """
        found: list[Violation] = []
        try:
            if query and self._unknown.query == "report" and self._querystring is None:
                groups = without(groups_of(query, self._limits), self._credentials.queries)
                found += [_UNKNOWN_QUERY] * len(self._query.undeclared(groups))
            if self._unknown.header == "report":
                found += undeclared_headers(headers, self._declared_headers)
            if self._unknown.cookie == "report":
                groups = without(cookies_of(headers, self._cookies, self._limits), self._credentials.cookies)
                found += [_UNKNOWN_COOKIE] * len(self._cookies.undeclared(groups))
        except Undecodable:
            pass
        return tuple(found[: self._limits.violations])

    def _check_body(self, headers: Headers, body: bytes) -> RequestProblem | None:
        if self._body is None:
            return _UNEXPECTED if body else None
        content_type, coded = about_body(headers)
        if body and coded:
            return self._check_coded(self._body, headers, content_type, body)
        if body:
            return self._body.check(content_type, body)
        if content_type is not None:
            entry = self._body.find(content_type)
            if entry is not None and entry[0].takes_nothing:
                return entry[0].check(entry[1], body)
        return _MISSING if self._body_required else None

    def _check_coded(
        self, declared: Body, headers: Headers, content_type: bytes | None, body: bytes
    ) -> RequestProblem | None:
        """Judge a body under its content codings; the coded bytes are what goes on."""
        try:
            body = decoded([value for name, value in headers if name == _CODING], body, self._limits)
        except UnknownCoding:
            return _CODED
        except Undecodable as error:
            return _TOO_LARGE if error.keyword == "limit" else _CODED_BADLY
        if self._most is not None and len(body) > self._most:
            return _TOO_LARGE
        return declared.check(content_type, body)

    def _check_query(self, query: bytes) -> list[Violation]:
        try:
            if self._querystring is not None:
                return self._check_querystring(query, *self._querystring)
            groups = groups_of(query, self._limits)
        except Undecodable as error:
            return [Violation("query", "", error.keyword)]
        if self._unknown.query != "strict":
            return self._query.check(groups)
        return self._query.check(without(groups, self._credentials.queries), strict="query")

    def _check_querystring(self, query: bytes, body: Body, required: bool) -> list[Violation]:  # noqa: FBT001
        """Judge a query that is one value (OpenAPI 3.2 `in: querystring`), by its only media type."""
        if not query:
            return [Violation("query", "", "missing")] if required else []
        if len(query) > self._limits.query_bytes:
            raise Undecodable("limit")
        media = body.contents[0].range
        data = (
            without_keys(query, self._credentials.queries)
            if media.kind == "form"
            else text_of(query).encode()
        )
        problem = body.contents[0].check(media, data)
        if problem is None:
            return []
        return [Violation("query", found.pointer, found.keyword) for found in problem.violations]

    def _check_cookies(self, headers: Headers) -> list[Violation]:
        """Judge cookies; those that nothing declares are mostly other people's (RFC 6265 §4.2.1)."""
        try:
            groups = cookies_of(headers, self._cookies, self._limits)
        except Undecodable as error:
            return [Violation("cookie", "", error.keyword)]
        if not self._strict_cookies:
            return self._cookies.check(groups)
        return self._cookies.check(without(groups, self._credentials.cookies), strict="cookie")

    def _in_order(
        self, found: list[Parameter], names: tuple[str, ...], pointer: str
    ) -> tuple[Parameter, ...]:
        """Put path parameters in the order of the template; each brace has exactly one."""
        by_name = {item.name: item for item in found}
        if set(names) != by_name.keys():
            odd = min(set(names) ^ by_name.keys())
            raise refused(f"the path template and its parameters disagree about {odd!r}", pointer)
        return tuple(by_name[name] for name in names)
