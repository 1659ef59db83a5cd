"""Judges every answer of a run by our own compiled validators beside schemathesis's checks, as findings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ci.conformance_rules import BY_ID, CHECKS
from kernel.contract.finding import Finding, Severity

if TYPE_CHECKING:
    from ci.conformance_engine import Call, Record
    from kernel.operation.compile import CompiledContract
    from kernel.operation.operation import Operation
    from kernel.operation.violation import Violation

OURS: Final = "interlock"
THEIRS: Final = "schemathesis"
LONGEST_WITNESS: Final = 2_000  # characters
_SERVER_ERROR, _NOT_LET_IN, _SUCCESS = 500, frozenset({401, 403}), range(200, 400)
_STATEFUL = "stateful"


@dataclass(slots=True)
class _Seen:
    """One kind of failure of one operation: who found it, how often, and its smallest witness."""

    rule: str
    operation: Operation
    status: int
    detail: str
    engines: set[str]
    count: int
    witness: Any


def judge(contract: CompiledContract, record: Record, left_out: Iterable[str]) -> tuple[Finding, ...]:
    """Give what a run found, what it did not see, and whether it came to an end."""
    known = {(one.method.decode(), one.template): one for one in contract.operations}
    skipped = set(left_out)
    seen: dict[tuple[str, str, int], _Seen] = {}
    statuses: dict[str, Counter[int]] = {one.id: Counter() for one in contract.operations}
    silent: Counter[str] = Counter()
    answered = False
    for call in record.calls:
        operation = known.get((call.method, call.template))
        if operation is None:
            continue
        if call.status is None:
            silent[operation.id] += 1
            continue
        answered = True
        statuses[operation.id][call.status] += 1
        for rule, detail, engine in _faults(operation, call):
            _note(seen, operation, call, (rule, detail, engine))
    found = [_finding(one) for one in seen.values()]
    if answered:
        found += [_about(one, "conformance/no-answer") for one in contract.operations if silent[one.id]]
    found += _coverage(contract, statuses, skipped, answered=answered)
    found += _whole(record, answered=answered)
    return tuple(sorted(found, key=lambda one: (_rank(one), one.pointer, one.rule, one.what)))


def _faults(operation: Operation, call: Call) -> Iterator[tuple[str, str, str]]:
    """Give rule, detail and who says so, for one call."""
    assert call.status is not None
    for violation in operation.check_response(
        call.status, list(call.headers), call.body, head=call.method == "HEAD"
    ):
        yield _rule_of(violation), _place(violation), OURS
    if call.status >= _SERVER_ERROR:
        yield "conformance/server-error", "", OURS
    for check in call.failed:
        yield CHECKS.get(check, "conformance/other"), "", THEIRS


def _rule_of(violation: Violation) -> str:
    if violation.location == "status":
        return "conformance/status-undeclared"
    if violation.location == "header":
        return "conformance/response-header"
    return "conformance/content-type" if violation.keyword == "media-type" else "conformance/response-body"


def _place(violation: Violation) -> str:
    if violation.location == "status":
        return ""
    name = f"{violation.name} " if violation.name else ""
    return f"{name}{violation.pointer or '(whole)'}: {violation.keyword}"


def _note(
    seen: dict[tuple[str, str, int], _Seen],
    operation: Operation,
    call: Call,
    fault: tuple[str, str, str],
) -> None:
    assert call.status is not None
    rule, detail, engine = fault
    key = (rule, operation.id, call.status)
    one = seen.get(key)
    if one is None:
        one = seen[key] = _Seen(rule, operation, call.status, detail, set(), 0, None)
    one.engines.add(engine)
    one.count += 1
    one.detail = min(filter(None, (one.detail, detail)), default="")
    witness = _witness(call)
    if witness is not None and (one.witness is None or _size(witness) < _size(one.witness)):
        one.witness = witness


def _witness(call: Call) -> Any:
    """Give the call as it was made up; none where values of answers went into it, which may be anybody's."""
    if call.phase == _STATEFUL:
        return None
    whole = {"method": call.method, "path": call.template, **call.request, "status": call.status}
    return whole if len(json.dumps(whole, default=str)) <= LONGEST_WITNESS else None


def _size(witness: Any) -> tuple[int, str]:
    text = json.dumps(witness, sort_keys=True, default=str)
    return len(text), text


def _finding(one: _Seen) -> Finding:
    rule = BY_ID[one.rule]
    operation = one.operation
    detail = f" at {one.detail}" if one.detail else ""
    times = "" if one.count == 1 else f" ({one.count} times)"
    what = rule.what.format(status=one.status)
    return Finding.of(
        rule,
        operation.pointer,
        f"{operation.method.decode()} {operation.template} {what}{detail}{times}",
        direction="answered",
        witness=one.witness,
        has_witness=one.witness is not None,
        engine=", ".join(sorted(one.engines)),
    )


def _coverage(
    contract: CompiledContract, statuses: Mapping[str, Counter[int]], left_out: set[str], *, answered: bool
) -> Iterator[Finding]:
    """Say what of the contract was not looked at: nothing of it is known to conform."""
    for operation in contract.operations:
        counts = statuses[operation.id]
        if operation.id in left_out:
            yield _about(operation, "conformance/left-out")
        elif not counts and answered:
            yield _about(operation, "conformance/not-called")
        elif counts and set(counts) <= _NOT_LET_IN:
            yield _about(operation, "conformance/never-let-in")
        elif counts and not any(status in _SUCCESS for status in counts):
            yield _about(operation, "conformance/no-success-seen")


def _about(operation: Operation, rule: str) -> Finding:
    row = BY_ID[rule]
    what = f"{operation.method.decode()} {operation.template} {row.what}"
    return Finding.of(row, operation.pointer, what)


def _whole(record: Record, *, answered: bool) -> Iterator[Finding]:
    """Say what concerns the run as a whole."""
    if not answered:
        yield _of_run(
            "conformance/unreachable"
            if record.unreachable or not record.trouble
            else "conformance/engine-failed",
            record.trouble,
        )
    elif record.trouble and not record.unreachable:
        yield _of_run("conformance/engine-failed", record.trouble)


def _of_run(rule: str, more: str) -> Finding:
    row = BY_ID[rule]
    what = f"{row.what}: {more}" if more else row.what
    return Finding.of(row, "/paths", what)


_ORDER = (Severity.BREAKING, Severity.UNDECIDED, Severity.RISKY, Severity.WARNING)


def _rank(finding: Finding) -> int:
    return _ORDER.index(finding.severity) if finding.severity in _ORDER else len(_ORDER)
