"""The audit record: its field names, and the functions that build one (docs/reference/audit-record.md).

A record is a flat JSON object of strings, integers, booleans and one list of problems: identifiers and
digests, never bodies, values, raw paths or keys (45 CFR 164.312(b), IHE BALP "minimal" pattern). There
are no floats, so that the sorted compact JSON that we store is RFC 8785 canonical too.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Literal

from kernel.audit.redaction import clip
from kernel.audit.stamps import new_id, now, stamp

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Stage = Literal[
    "received",  # a mutating call, durable before it is forwarded; a streamed answer, before its first byte
    "completed",  # the end of a call, durable before the first byte of its answer
    "replayed",  # a repeat under an idempotency key got the first answer again; nothing was forwarded
    "refused",  # a call that never reached its provider
    "series-opened",  # refusals of one source come too fast: from here on they are counted
    "series-closed",  # how many they were
    "message",  # a message of a device or partner
    "act",  # an act of governance: submitted, approved, frozen, key made …
    "opened",  # the journal was opened (a new epoch)
    "closed",  # the journal was closed in order
]
Outcome = Literal["success", "refused", "failed", "unknown"]

# Field → what it holds. `writer`, `epoch`, `seq` are set by the journal. The reference page lists them all.
FIELDS: dict[str, str] = {
    "id": "UUIDv7 of the record",
    "recorded": "RFC 3339 UTC time with nanoseconds at which the record was made",
    "writer": "name of the journal",
    "epoch": "how often this journal has been opened",
    "seq": "number of the record in its journal, from 1, without gaps",
    "stage": "what kind of record this is",
    "closes": "id of the record that this one brings to an end",
    "outcome": "success, refused, failed or unknown",
    "request_id": "X-Request-Id of the exchange",
    "trace_id": "W3C trace id",
    "consumer": "id of the calling system",
    "key": "id of the API key or token used (never the key)",
    "auth": "how the caller was authenticated",
    "token_id": "`jti` of a token, or the last 32 characters of an opaque one",
    "purpose": "purpose of use",
    "role": "role under which the caller acted",
    "client": "source address",
    "server": "name of the process that answered",
    "environment": "name of the environment",
    "contract": "name of the contract",
    "version": "version of the contract",
    "digest": "digest of the contract version",
    "operation": "operation id",
    "method": "HTTP method",
    "route": "path template (never the path)",
    "action": "C, R, U, D or E (IHE BALP)",
    "status": "HTTP status that was answered",
    "refusal": "slug of the refusal",
    "problems": "list of {pointer, keyword, in}: where a document breaks its contract, without values",
    "problem_count": "how many problems there were, where not all are listed",
    "throttle": "name of the limit that spoke",
    "adapter": "name of the adapter",
    "upstream_status": "status that the provider answered",
    "upstream_us": "microseconds that the provider took",
    "duration_us": "microseconds from the request's first byte to this record",
    "request_sha256": "hex SHA-256 of the request body",
    "request_bytes": "length of the request body",
    "response_sha256": "hex SHA-256 of the answer's body",
    "response_bytes": "length of the answer's body",
    "patient": "keyed hash of a patient identifier, where the contract marks one",
    "data_category": "sensitivity of the contract's data",
    "origin": "where the data comes from",
    "bundle": "serials of the bundle parts in force: contracts.access.routes",
    "report_only": "true where something outside the contract was let through on purpose",
    "cache": "hit, revalidated or miss, where the answer may be kept; hit: no provider was asked",
    "let_through": "how many violations were let through so: {request, response}",
    "replays": "X-Request-Id of the exchange whose answer was given again",
    "count": "refusals in a series; absent when a crash lost it",
    "first_at": "time of the first refusal of a series",
    "last_at": "time of the last refusal of a series",
    "device": "name of the device or sending application",
    "message_type": "type of a device message",
    "message_id": "control id of a device message",
    "reason": "typed reason of a failure, a slug",
    "acknowledgement": "code that the sender was given",
    "event_id": "id of the canonical event",
    "actor": "who acted: account or token name",
    "act": "what was done, a slug",
    "subject": "what it was done to",
    "subject_digest": "digest of the subject, where it has one",
    "note": "reason given by the actor",
    "outbox": "number of the outbox row that this record relays",
    "torn_bytes": "bytes of an incomplete tail that were set aside when the journal was opened",
    "torn_sha256": "hex SHA-256 of that tail",
    "detail": "further fixed facts of an act or message, an object of strings and integers",
}
JOURNAL_FIELDS = ("writer", "epoch", "seq")
PROBLEMS_LISTED = 16  # most problems in one record

_CLIENT_ERROR = 400
_ACTIONS = {"GET": "R", "HEAD": "R", "PUT": "U", "PATCH": "U", "DELETE": "D", "POST": "C"}


def outcome_of(status: int) -> Outcome:
    """Say what a provider's answer means for a call."""
    return "success" if status < _CLIENT_ERROR else "failed"


def action_of(method: str) -> str:
    """Name the kind of access (CRUDE) of an HTTP method."""
    return _ACTIONS.get(method, "E")


def operation_fields(
    *,
    contract: str,
    version: str,
    digest: str,
    operation: str,
    method: str,
    route: str,
    adapter: str = "",
    server: str = "",
    environment: str = "",
    data_category: str = "",
    bundle: str = "",
) -> dict[str, Any]:
    """Make the fields that are the same for every exchange of an operation, once per bundle."""
    fields = {
        "contract": contract,
        "version": version,
        "digest": digest,
        "operation": clip(operation),
        "method": method,
        "route": clip(route),
        "action": action_of(method),
        "adapter": adapter,
        "server": server,
        "environment": environment,
        "data_category": data_category,
        "bundle": bundle,
    }
    return {name: value for name, value in fields.items() if value}


def exchange_record(  # noqa: C901, PLR0912 - one branch per optional field is what keeps it fast
    fields: Mapping[str, Any],
    stage: Stage,
    *,
    request_id: str,
    client: str,
    consumer: str | None = None,
    key: str | None = None,
    auth: str | None = None,
    trace_id: str | None = None,
    closes: str | None = None,
    outcome: Outcome | None = None,
    status: int | None = None,
    refusal: str | None = None,
    throttle: str | None = None,
    problems: Sequence[Mapping[str, str]] | None = None,
    request_body: bytes | None = None,
    response_body: bytes | None = None,
    upstream_status: int | None = None,
    upstream_us: int | None = None,
    duration_us: int | None = None,
    more: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """Build a record of an exchange; `fields` come from `operation_fields` ({} where nothing matched).

    Bodies go in as digest and length. `more` takes any other field of `FIELDS`.
    """
    record_id, recorded = stamp()
    record = {**fields, "id": record_id, "recorded": recorded, "stage": stage}
    record["request_id"] = clip(request_id)
    record["client"] = client
    if consumer is not None:
        record["consumer"] = consumer
    if key is not None:
        record["key"] = key
    if auth is not None:
        record["auth"] = auth
    if trace_id is not None:
        record["trace_id"] = trace_id
    if closes is not None:
        record["closes"] = closes
    if outcome is not None:
        record["outcome"] = outcome
    if status is not None:
        record["status"] = status
    if refusal is not None:
        record["refusal"] = refusal
    if throttle is not None:
        record["throttle"] = throttle
    if problems:
        record["problems"] = [_problem(problem) for problem in problems[:PROBLEMS_LISTED]]
        record["problem_count"] = len(problems)
    if request_body:
        record["request_sha256"] = hashlib.sha256(request_body).hexdigest()
        record["request_bytes"] = len(request_body)
    if response_body:
        record["response_sha256"] = hashlib.sha256(response_body).hexdigest()
        record["response_bytes"] = len(response_body)
    if upstream_status is not None:
        record["upstream_status"] = upstream_status
    if upstream_us is not None:
        record["upstream_us"] = upstream_us
    if duration_us is not None:
        record["duration_us"] = duration_us
    if more:
        record.update(more)
    return record


def act_record(
    *,
    actor: str,
    act: str,
    subject: str,
    recorded: str | None = None,
    record_id: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    """Build a record of an act of governance; `more` takes any other field of `FIELDS`.

    A relay gives `record_id`, `recorded` and `outbox` of its row, so that a row sent twice shows.
    """
    return {
        **more,
        "id": record_id or new_id(),
        "recorded": recorded or now(),
        "stage": "act",
        "actor": clip(actor),
        "act": act,
        "subject": clip(subject),
    }


def message_record(
    *, adapter: str, device: str, outcome: Outcome, raw: bytes | None = None, **more: Any
) -> dict[str, Any]:
    """Build a record of a device's or partner's message; the raw bytes go in as digest and length."""
    record = {
        **more,
        "id": new_id(),
        "recorded": now(),
        "stage": "message",
        "adapter": adapter,
        "device": clip(device),
        "outcome": outcome,
    }
    if raw is not None:
        record["request_sha256"] = hashlib.sha256(raw).hexdigest()
        record["request_bytes"] = len(raw)
    return record


def _problem(problem: Mapping[str, str]) -> dict[str, str]:
    return {name: clip(problem[name]) for name in ("pointer", "keyword", "in") if name in problem}
