"""Every metric that the proxy tells, one row each: docs/reference/metrics.md is written from this table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]

# OpenTelemetry's semantic conventions for http.server.request.duration, in seconds.
CALL_BUCKETS: Final = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
# What we add is far below those: from 100 µs on.
OWN_BUCKETS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
CODE_CLASSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")
OTHER: Final = "other"  # labels of the row that counts what has no row of its own any more
NONE: Final = "-"  # label of what is not known: no operation matched, no consumer named


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric; gauges are summed over the workers unless `worker` is among their labels."""

    name: str
    kind: Kind
    labels: tuple[str, ...]
    help: str
    buckets: tuple[float, ...] = ()  # upper bounds in seconds, of a histogram

    @property
    def width(self) -> int:
        """How many numbers one row of it takes: a histogram's buckets, +Inf, and the sum."""
        return len(self.buckets) + 2 if self.kind == "histogram" else 1


_OPERATION: Final = ("contract", "version", "operation")
REQUESTS = Metric(
    "interlock_requests_total",
    "counter",
    (*_OPERATION, "consumer", "code_class"),
    "Requests that were answered, by the class of their status.",
)
DURATION = Metric(
    "interlock_request_duration_seconds",
    "histogram",
    _OPERATION,
    "Time from the end of the request head to the answer, the provider's included.",
    CALL_BUCKETS,
)
OVERHEAD = Metric(
    "interlock_gateway_overhead_seconds",
    "histogram",
    _OPERATION,
    "The same without the provider: reading the body, checks, audit, and waiting for the disk.",
    OWN_BUCKETS,
)
UPSTREAM = Metric(
    "interlock_upstream_duration_seconds",
    "histogram",
    ("partner",),
    "Time that an adapter's provider took for an answer.",
    CALL_BUCKETS,
)
REFUSALS_TOTAL = Metric(
    "interlock_refusals_total", "counter", ("slug",), "Answers that were refusals of ours, by slug."
)
VALIDATION = Metric(
    "interlock_validation_failures_total",
    "counter",
    ("side", "reason"),
    "Requests or answers outside their contract, by the refusal that they led to.",
)
THROTTLED = Metric(
    "interlock_throttled_total",
    "counter",
    ("by",),
    "Requests above a limit: of a source, or of a consumer or route.",
)
OBSERVED = Metric(
    "interlock_violations_let_through_total",
    "counter",
    (),
    "Violations that report-only routes counted and let pass.",
)
LET_THROUGH = Metric(
    "interlock_shadow_violations_total",
    "counter",
    ("contract", "version", "operation", "consumer", "side"),
    "The same by operation, consumer and side (request or response).",
)
CACHE = Metric(
    "interlock_cache_answers_total",
    "counter",
    ("contract", "version", "operation", "how"),
    "Answers of operations that may be kept: hit, revalidated or miss.",
)
IN_FLIGHT = Metric(
    "interlock_exchanges_in_flight", "gauge", ("partner",), "Calls that are on their way to a provider."
)
CIRCUIT = Metric(
    "interlock_adapter_circuit",
    "gauge",
    ("worker", "partner"),
    "Circuit of an adapter with a breaker: 0 closed, 1 half-open, 2 open.",
)
CIRCUIT_OPENED = Metric(
    "interlock_adapter_circuit_opened_total",
    "counter",
    ("partner",),
    "How often an adapter's circuit has opened.",
)
WAITING = Metric(
    "interlock_adapter_waiting", "gauge", ("partner",), "Calls that wait for room in an adapter's bulkhead."
)
ADAPTER_SHED = Metric(
    "interlock_adapter_shed_total", "counter", ("partner",), "Calls refused because an adapter had no room."
)
UPSTREAM_USABLE = Metric(
    "interlock_upstream_usable",
    "gauge",
    ("partner", "upstream"),
    "Workers that send calls to this one of several upstreams; the others have left it out.",
)
SENT_AGAIN = Metric(
    "interlock_sent_again_total", "counter", ("route", "how"), "Calls sent again: by retry or by hedge."
)
CONNECTIONS = Metric("interlock_connections_open", "gauge", ("worker",), "Client connections that are open.")
COMMIT = Metric(
    "interlock_audit_commit_seconds",
    "histogram",
    (),
    "Time that the disk took for one group of audit records (fdatasync).",
    OWN_BUCKETS,
)
RECORDS = Metric("interlock_audit_records_total", "counter", (), "Audit records that are durable.")
QUEUE = Metric(
    "interlock_audit_queue_depth", "gauge", ("worker",), "Audit records that wait for the disk just now."
)
ACTIVATIONS = Metric(
    "interlock_bundle_activations_total", "counter", (), "Bundles that were taken up, by all workers."
)
REFUSED_BUNDLES = Metric(
    "interlock_bundle_refused_total",
    "counter",
    (),
    "Bundles that were not taken up; why stands in /-/readyz.",
)
SERIAL = Metric("interlock_bundle_serial", "gauge", ("worker", "part"), "Serial of each part in force.")
SHADOW = Metric(
    "interlock_limit_shadow_refusals_total",
    "counter",
    ("owner", "limit"),
    "Calls that a shadow limit would have refused.",
)
SHED = Metric(
    "interlock_shed_total",
    "counter",
    ("priority",),
    "Calls refused because the worker had more than it could do.",
)
UNAVAILABLE = Metric(
    "interlock_limits_unavailable_total",
    "counter",
    (),
    "Calls refused because the shared store of the limits was out of reach.",
)
STORE_CALLS = Metric(
    "interlock_limit_store_calls_total", "counter", (), "Accounts settled with the shared store."
)
STORE_LOSSES = Metric(
    "interlock_limit_store_losses_total", "counter", (), "Times that the shared store came out of reach."
)
ALONE = Metric(
    "interlock_limit_alone_tokens_total",
    "counter",
    (),
    "Calls (or bytes) admitted out of local shares while the store was out of reach.",
)
STORE_UP = Metric(
    "interlock_limit_store_up", "gauge", ("worker",), "1 while the shared store answers this worker."
)
LISTENERS_OUT = Metric(
    "interlock_listeners_out",
    "gauge",
    (),
    "Device listeners that cannot listen now; which, and why, says /-/readyz of their worker.",
)
LISTENER_FAULTS = Metric(
    "interlock_listener_faults_total", "counter", (), "Vain attempts of device listeners to listen."
)
DENIED = Metric(
    "interlock_denied",
    "gauge",
    ("worker", "kind"),
    "Keys, consumers and routes that the deny lists name.",
)
TRACED = Metric(
    "interlock_traces_total",
    "counter",
    ("fate",),
    "Exchanges that were traced: sent to the collector, dropped since too many waited, or failed to be sent.",
)
LAG = Metric(
    "interlock_bundle_lag_seconds",
    "gauge",
    ("worker",),
    "How long a newer bundle has been there without being served; 0 when there is none.",
)
LOOP_LAG = Metric(
    "interlock_event_loop_lag_seconds",
    "gauge",
    ("worker",),
    "How late the worker's loop was at its last beat.",
)
STARTED = Metric(
    "interlock_worker_start_time_seconds", "gauge", ("worker",), "When the worker began, since the epoch."
)
MEMORY = Metric("interlock_worker_resident_bytes", "gauge", ("worker",), "Resident memory of the worker.")
CPU = Metric("interlock_worker_cpu_seconds", "gauge", ("worker",), "CPU time of the worker so far.")
ROWS = Metric(
    "interlock_metric_rows",
    "gauge",
    (),
    "Rows in use over all metrics; above metrics_rows, new ones are counted as `other`.",
)

METRICS: Final = (
    REQUESTS, DURATION, OVERHEAD, UPSTREAM, REFUSALS_TOTAL, VALIDATION, THROTTLED, OBSERVED, LET_THROUGH, CACHE,
    SHADOW, SHED, UNAVAILABLE,
    STORE_CALLS, STORE_LOSSES, ALONE, STORE_UP, IN_FLIGHT, CIRCUIT,
    CIRCUIT_OPENED, WAITING, ADAPTER_SHED, UPSTREAM_USABLE, SENT_AGAIN, CONNECTIONS,
    COMMIT, RECORDS, QUEUE, ACTIVATIONS, REFUSED_BUNDLES, SERIAL, DENIED, LISTENERS_OUT,
    LISTENER_FAULTS, TRACED, LAG, LOOP_LAG, STARTED, MEMORY, CPU, ROWS,
)  # fmt: skip
BY_NAME: Final = {one.name: one for one in METRICS}
