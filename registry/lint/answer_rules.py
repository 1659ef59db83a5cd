"""What a caller must be able to read from the contract: how calls fail, how much it may send and how lists end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from registry.lint.reading import Hit, Operation, Subject, mapping
from registry.lint.rule import API, INFO, WARNING, Rule
from registry.lint.words import folded

_PROBLEM_TYPES = frozenset({"application/problem+json", "application/problem+xml", "application/fhir+json",
                            "application/fhir+xml"})  # fmt: skip
_SENDING = frozenset({"post", "put", "patch", "query"})
_REFUSING = ("429", "503")
# Query parameters by which a list is cut into pages, folded; and those that say how long a page is.
_PAGE_SIZES = frozenset({
    "limit", "pagesize", "perpage", "size", "count", "top", "first", "last", "maxresults", "maxitems", "rows",
    "resultsperpage", "pagelimit", "itemsperpage", "recordsperpage", "maxrecords",
})  # fmt: skip
_PAGE_PLACES = frozenset({
    "page", "cursor", "offset", "after", "before", "skip", "start", "startindex", "pagetoken", "nexttoken", "token",
    "continuationtoken", "marker", "pagenumber", "startingafter", "endingbefore", "around", "since", "sinceid",
    "nextpage", "bookmark", "fetch",
})  # fmt: skip


def missing_error_answers(subject: Subject) -> Iterator[Hit]:
    """Find operations that declare no error at all."""
    for one in subject.operations:
        if not any(_is_error(status) for status in _answers(one)):
            yield Hit(f"{one.pointer}/responses", f"{one.title} declares no error answer")


def missing_client_errors(subject: Subject) -> Iterator[Hit]:
    """Find operations that declare errors of the provider, and none of the caller; probes take no input."""
    for one in subject.operations:
        statuses = [status for status in _answers(one) if _is_error(status)]
        if (
            statuses
            and not any(status.startswith(("4", "default")) for status in statuses)
            and not _is_probe(one)
        ):
            yield Hit(f"{one.pointer}/responses", f"{one.title} declares no 4xx answer")


def _is_probe(one: Operation) -> bool:
    """Whether a call takes nothing by which its caller could err: no parameter, no body, no credentials."""
    return not one.parameters and "requestBody" not in one.spec and one.spec.get("security") == []


def errors_without_problem(subject: Subject) -> Iterator[Hit]:
    """Find operations of whose error answers none has the form of RFC 9457, or of FHIR's OperationOutcome."""
    for one in subject.operations:
        bodies = [
            _media_types(subject, answer) for status, answer in _answers(one).items() if _is_error(status)
        ]
        if bodies and not any(found & _PROBLEM_TYPES for found in bodies):
            yield Hit(f"{one.pointer}/responses", one.title)


def errors_in_another_form(subject: Subject) -> Iterator[Hit]:
    """Find error answers without a problem where others of the same operation have one."""
    for one in subject.operations:
        bodies = {
            status: _media_types(subject, answer)
            for status, answer in _answers(one).items()
            if _is_error(status)
        }
        other = [status for status, found in bodies.items() if not found & _PROBLEM_TYPES]
        if len(other) < len(bodies) and other and one.method != "head":
            yield Hit(
                f"{one.pointer}/responses/{other[0]}",
                f"{one.title} answers {', '.join(other[:8])} otherwise than as application/problem+json",
            )


def undeclared_rate_limits(subject: Subject) -> Iterator[Hit]:
    """Find operations that do not declare 429, which the proxy answers to whoever calls too often."""
    for one in subject.operations:
        if not {"429", "4XX", "4xx", "default"} & _answers(one).keys():
            yield Hit(f"{one.pointer}/responses", one.title)


def missing_retry_after(subject: Subject) -> Iterator[Hit]:
    """Find answers 429 and 503 that declare headers or a body, and no Retry-After (RFC 9110 §10.2.3)."""
    for one in subject.operations:
        for status in _REFUSING:
            answer, place = subject.follow(_answers(one).get(status), f"{one.pointer}/responses/{status}")
            headers = {str(name).lower() for name in mapping(mapping(answer).get("headers"))}
            if mapping(answer) and "retry-after" not in headers:
                yield Hit(place, f"{status} of {one.title}")


def undeclared_body_limits(subject: Subject) -> Iterator[Hit]:
    """Find operations that take a body and do not say by `x-interlock-max-body` how long it may be."""
    for one in subject.operations:
        if one.method in _SENDING and "requestBody" in one.spec and "x-interlock-max-body" not in one.spec:
            yield Hit(one.pointer, one.title)


def lists_without_pages(subject: Subject) -> Iterator[Hit]:
    """Find reads of lists that have no end (`maxItems`) and no parameter that cuts them into pages."""
    for one in subject.operations:
        if one.method != "get" or one.template.rstrip("/").endswith("}"):
            continue
        asked = {folded(parameter.name) for parameter in one.parameters if parameter.place == "query"}
        if asked & (_PAGE_SIZES | _PAGE_PLACES):
            continue
        for status, answer in _answers(one).items():
            listed = _unbounded_list(subject, answer) if status.startswith("2") else None
            if listed:
                yield Hit(one.pointer, f"{one.title} answers a whole list ({listed}), however long it is")
                break


def _unbounded_list(subject: Subject, answer: Any) -> str | None:
    """Say which list of an answer has no end: its root, or the one array beside plain properties."""
    found, _ = subject.follow(answer, "")
    for media, declared in mapping(mapping(found).get("content")).items():
        if "json" not in str(media).lower():
            continue
        schema, _ = subject.follow(mapping(declared).get("schema"), "")
        if _is_endless(schema):
            return "its root"
        below = {
            name: subject.follow(part, "")[0]
            for name, part in mapping(mapping(schema).get("properties")).items()
        }
        arrays = [name for name, part in below.items() if mapping(part).get("type") == "array"]
        objects = [name for name, part in below.items() if "properties" in mapping(part)]
        if len(arrays) == 1 and not objects and _is_endless(below[arrays[0]]) and len(below) <= 3:  # noqa: PLR2004
            return f"`{arrays[0][:80]}`"
    return None


def _is_endless(schema: Any) -> bool:
    node = mapping(schema)
    return node.get("type") == "array" and not {"maxItems", "enum", "const"} & node.keys()


def endless_pages(subject: Subject) -> Iterator[Hit]:
    """Find parameters for the length of a page without a `maximum`."""
    told: set[str] = set()
    for one in subject.operations:
        for parameter in one.parameters:
            if (
                parameter.place != "query"
                or folded(parameter.name) not in _PAGE_SIZES
                or parameter.home in told
            ):
                continue
            schema, _ = subject.follow(parameter.spec.get("schema"), "")
            kinds = mapping(schema).get("type")
            whole = "integer" in kinds if isinstance(kinds, list) else kinds in ("integer", "number")
            if whole and not {"maximum", "exclusiveMaximum", "enum", "const"} & mapping(schema).keys():
                told.add(parameter.home)
                yield Hit(parameter.home, f"`{parameter.name[:80]}` has no maximum")


def _media_types(subject: Subject, declared: Any) -> set[str]:
    answer, _ = subject.follow(declared, "")
    content = mapping(mapping(answer).get("content"))
    return {str(media).partition(";")[0].strip().lower() for media in content}


def _answers(operation: Operation) -> dict[str, Any]:
    found = operation.spec.get("responses")
    return {str(status): answer for status, answer in found.items()} if isinstance(found, dict) else {}


def _is_error(status: str) -> bool:
    return status == "default" or status[:1] in ("4", "5")


_OK = "'200': {description: Done.}"
_PROBLEM = "'400': {description: Refused., content: {application/problem+json: {schema: {type: object}}}}"
_PLAIN = "'404': {description: None., content: {text/plain: {schema: {type: string}}}}"
_MANY = "'429': {description: Too many., "


def _answering(*answers: str) -> str:
    return f"paths: {{/orders: {{get: {{responses: {{{', '.join((_OK, *answers))}}}}}}}}}"


def _listing(array: str) -> str:
    body = f"content: {{application/json: {{schema: {{type: array, items: {{type: integer}}{array}}}}}}}"
    return f"paths: {{/orders: {{get: {{responses: {{'200': {{description: Orders., {body}}}}}}}}}}}"


def _sized(schema: str) -> str:
    parameter = f"{{name: limit, in: query, schema: {{type: integer{schema}}}}}"
    return f"paths: {{/orders: {{get: {{parameters: [{parameter}], responses: {{{_OK}}}}}}}}}"


def _taking(more: str) -> str:
    body = "requestBody: {content: {application/json: {schema: {type: object}}}}"
    return f"paths: {{/orders: {{post: {{{more}{body}, responses: {{{_OK}}}}}}}}}"


ANSWER_RULES: tuple[Rule, ...] = (
    Rule(
        "error-answer-missing", WARNING, API,
        "Every call can fail, and callers must be able to read how.",
        "Declare at least one 4xx, 5xx or default answer.",
        good=_answering(_PROBLEM), bad=_answering(), find=missing_error_answers,
    ),
    Rule(
        "client-error-missing", WARNING, API,
        "A caller must learn that it erred itself, so that it does not try again.",
        "Declare a 4xx answer.",
        good=_answering(_PROBLEM), bad=_answering("'500': {description: Failed.}"), find=missing_client_errors,
    ),
    Rule(
        "problem-missing", WARNING, API,
        "The proxy answers refusals as RFC 9457 problems; a provider that does the same needs one reader.",
        "Answer errors as application/problem+json (FHIR interfaces: an OperationOutcome).",
        good=_answering(_PROBLEM), bad=_answering("'400': {description: Refused.}"), find=errors_without_problem,
        counted="operations have no error answer of application/problem+json",
    ),
    Rule(
        "problem-incomplete", INFO, API,
        "A caller that reads problems must read another form for this one error.",
        "Answer this error as application/problem+json too.",
        good=_answering(_PROBLEM), bad=_answering(_PROBLEM, _PLAIN), find=errors_in_another_form,
    ),
    Rule(
        "rate-limit-undeclared", INFO, API,
        "The proxy answers 429 to whoever calls too often; a client that was generated without it takes it for a fault.",
        "Declare 429 as application/problem+json with `Retry-After`.",
        good=_answering(_MANY + "headers: {Retry-After: {schema: {type: integer}}}}"), bad=_answering(_PROBLEM),
        find=undeclared_rate_limits, counted="operations declare no answer 429",
    ),
    Rule(
        "retry-after-undeclared", INFO, API,
        "A caller that is told to wait must be told how long, or it comes back at once.",
        "Declare the header `Retry-After` (seconds) of 429 and 503.",
        good=_answering(_MANY + "headers: {Retry-After: {schema: {type: integer}}}}"),
        bad=_answering(_MANY.removesuffix(", ") + "}"),
        find=missing_retry_after, counted="answers 429 and 503 declare no `Retry-After`",
    ),
    Rule(
        "body-limit-undeclared", INFO, API,
        "Without it the proxy's general limit holds, which callers cannot read in the contract.",
        "Add `x-interlock-max-body` (bytes) to the operation.",
        good=_taking("x-interlock-max-body: 65536, "), bad=_taking(""),
        find=undeclared_body_limits, counted="operations with a body do not say how long it may be",
    ),
    Rule(
        "pagination-missing", INFO, API,
        "A list grows until its answer is too long for the caller, the proxy's limit or the provider.",
        "Take `limit` and `cursor`, or bound the list by `maxItems` where it cannot grow.",
        good=_listing(", maxItems: 50"), bad=_listing(""), find=lists_without_pages,
    ),
    Rule(
        "page-size-unbounded", INFO, API,
        "Whoever asks for a page of a million gets what pages were meant to prevent.",
        "Add `maximum` and `default` to the parameter.",
        good=_sized(", maximum: 200, default: 50"), bad=_sized(""), find=endless_pages,
    ),
)  # fmt: skip
