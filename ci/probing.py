"""Asks a deployed service whether its operations answer as declared, by GET and HEAD alone: nothing is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from ci.conformance_plan import Plan, checked, without_secrets
from ci.drift import Drift, DriftFound
from ci.drift_rules import BY_ID
from kernel.contract.finding import Finding, Severity
from kernel.contract.positions import tokens_of
from kernel.errors import InterlockError
from kernel.operation.compile import compile_contract
from kernel.operation.samples import NoSample, sample_values
from kernel.operation.shapes import dereference

if TYPE_CHECKING:
    import httpx

    from kernel.operation.operation import Operation

MOST_ASKED: Final = 500  # operations
LARGEST: Final = 8 * 1024**2  # bytes of one answer
_SECONDS = 15.0
_ASKED = frozenset({"GET", "HEAD"})
_NOT_FOUND, _NOT_LET_IN = 404, frozenset({401, 403})


def probe(found: DriftFound, url: str, headers: Mapping[str, str]) -> DriftFound:
    """Ask the service at `url`, and add what came of it; raises `ConformanceUnusable` for an address that is none."""
    parts = checked(Plan(url.rstrip("/"), headers=headers))
    probed = tuple(one.placed(found.held.document) for one in _ask(found.held.root, url.rstrip("/"), headers))
    severities = {one.severity for one in probed}
    drift = found.drift
    if Severity.BREAKING in severities:
        drift = Drift.BREAKING
    elif Severity.UNDECIDED in severities and drift is not Drift.BREAKING:
        drift = Drift.UNDECIDED
    source = " with ".join(filter(None, (found.source, without_secrets(parts))))
    return replace(found, source=source, drift=drift, probed=probed)


def _ask(root: Any, url: str, headers: Mapping[str, str]) -> Iterator[Finding]:
    import httpx  # noqa: PLC0415 - only where a service is asked

    contract = compile_contract(root)
    with httpx.Client(
        timeout=_SECONDS, trust_env=False, follow_redirects=False, headers=dict(headers)
    ) as client:
        for number, operation in enumerate(contract.operations):
            if number >= MOST_ASKED:
                yield _finding(operation, "drift/not-probed", 0, f": only {MOST_ASKED} are")
                continue
            yield from _one(client, root, url, operation)


def _one(client: httpx.Client, root: Any, url: str, operation: Operation) -> Iterator[Finding]:
    import httpx  # noqa: PLC0415 - as above

    method = operation.method.decode()
    if method not in _ASKED:
        yield from _path_only(client, url, operation)
        return
    made = _request(root, operation)
    if made is None:
        yield _finding(operation, "drift/not-probed", 0)
        return
    path, query, fields = made
    try:
        answer, body = _fetch(client, method, url + path, query, fields)
    except httpx.HTTPError as error:
        yield _finding(operation, "drift/no-answer", 0, f" ({type(error).__name__})")
        return
    if answer.status_code in _NOT_LET_IN:
        yield _finding(operation, "drift/not-let-in", answer.status_code)
        return
    raw = [(name.lower(), value) for name, value in answer.headers.raw if name.lower() not in _CODED]
    for violation in operation.check_response(answer.status_code, raw, body, head=method == "HEAD"):
        place = f"{violation.name} {violation.pointer or '(whole)'}: {violation.keyword}".strip()
        if answer.status_code == _NOT_FOUND and not operation.names:
            yield _finding(operation, "drift/path-unknown", _NOT_FOUND)
        else:
            yield _finding(operation, "drift/answer-wrong", answer.status_code, f" ({place})")
        return


# The body comes decoded and whole: what told of its coding tells nothing any more.
_CODED = frozenset({b"content-encoding", b"transfer-encoding", b"content-length"})


def _path_only(client: httpx.Client, url: str, operation: Operation) -> Iterator[Finding]:
    """Ask whether the path of an operation that may change something is there at all: GET changes nothing."""
    import httpx  # noqa: PLC0415 - as above

    if not operation.names:
        try:
            answer, _ = _fetch(client, "GET", url + operation.template, {}, {})
        except httpx.HTTPError as error:
            yield _finding(operation, "drift/no-answer", 0, f" ({type(error).__name__})")
            return
        if answer.status_code == _NOT_FOUND:
            yield _finding(operation, "drift/path-unknown", _NOT_FOUND)
            return
    yield _finding(operation, "drift/not-probed", 0)


def _fetch(
    client: httpx.Client, method: str, url: str, query: Mapping[str, str], fields: Mapping[str, str]
) -> tuple[httpx.Response, bytes]:
    import httpx  # noqa: PLC0415 - as above

    pieces, size = [], 0
    with client.stream(method, url, params=dict(query), headers=dict(fields)) as answer:
        for piece in answer.iter_bytes():
            size += len(piece)
            if size > LARGEST:
                raise httpx.DecodingError(f"more than {LARGEST} bytes")
            pieces.append(piece)
    return answer, b"".join(pieces)


def _request(root: Any, operation: Operation) -> tuple[str, dict[str, str], dict[str, str]] | None:
    """Make up path, query and headers from examples and schemas; None where a needed value cannot be made up."""
    path, query, fields = operation.template, {}, {}
    for parameter in _parameters(root, operation):
        if not parameter.get("required"):
            continue
        value = _value(root, parameter, operation.id)
        if value is None:
            return None
        name = str(parameter["name"])
        match parameter.get("in"):
            case "path":
                path = path.replace("{" + name + "}", quote(value, safe=""))
            case "query":
                query[name] = value
            case "header":
                fields[name] = value
            case _:
                return None
    return None if "{" in path or operation.request_body_required else (path, query, fields)


def _parameters(root: Any, operation: Operation) -> list[Mapping[str, Any]]:
    """Give the parameters of an operation, its path item's where it does not declare them itself."""
    steps = tokens_of(operation.pointer)
    item: Any = root
    for step in steps[:-1]:
        item = dereference(root, item[step]) if isinstance(item, Mapping) else {}
    own = item.get(steps[-1], {})
    known: dict[tuple[Any, Any], Mapping[str, Any]] = {}
    for declared in (*item.get("parameters", ()), *own.get("parameters", ())):
        parameter = dereference(root, declared)
        known[(parameter.get("in"), parameter.get("name"))] = parameter
    return list(known.values())


def _value(root: Any, parameter: Mapping[str, Any], seed: str) -> str | None:
    """Give a scalar as text: the example, else one that the schema makes up."""
    examples = parameter.get("examples")
    first: Any = next(iter(examples.values()), {}) if isinstance(examples, Mapping) else {}
    candidates = [parameter.get("example"), first.get("value") if isinstance(first, Mapping) else None]
    schema = parameter.get("schema")
    with suppress(NoSample, InterlockError):
        candidates += list(sample_values(root, schema, seed))[:1] if schema is not None else []
    value = next((one for one in candidates if one is not None), None)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) and str(value) else None


def _finding(operation: Operation, rule: str, status: int, more: str = "") -> Finding:
    row = BY_ID[rule]
    what = f"{operation.method.decode()} {operation.template} {row.what.format(status=status)}{more}"
    return Finding.of(row, operation.pointer, what, direction="answered")
