"""The access log: one JSON line for each answer, without anything that a caller has written.

No path (its template instead), no query, no header, no address: each of them may be health data or name a
person. Lines are gathered and written together; a full disk loses lines, never an answer.
"""

from __future__ import annotations

import contextlib
import os
import random
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from kernel.errors import Place, SettingsError

if TYPE_CHECKING:
    from runtime_proxy.exchange import Exchange, Reply

STDERR: Final = "-"
_ALWAYS: Final = 500  # statuses from here on are logged whatever the sample
_TOGETHER: Final = 256  # lines that are written at once, if no second passes before
_METHODS: Final = frozenset(b"GET HEAD POST PUT PATCH DELETE OPTIONS TRACE QUERY".split())


class AccessLog:
    """Appends to `target`, a path or `-` for stderr; `sample` is the part of answers that is logged, 0 to 1."""

    def __init__(self, target: str, sample: float, worker: str) -> None:
        self._sample = sample
        self._worker = worker
        self._lines: list[bytes] = []
        self.lost = 0  # lines that the disk did not take
        if target == STDERR:
            self._file = os.dup(2)
            return
        try:
            self._file = os.open(
                target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o640
            )
        except OSError as error:
            raise SettingsError(
                f"the access log cannot be written: {error.strerror}",
                hint="see the setting access_log",
                place=Place(target),
            ) from None

    def answered(self, exchange: Exchange, reply: Reply) -> None:
        """Log one answer, if it is in the sample."""
        if reply.status < _ALWAYS and self._sample < 1.0 and random.random() >= self._sample:  # noqa: S311
            return
        self._append(self._line(exchange, reply))

    def unread(self, reply: Reply, slug: str) -> None:
        """Log the answer to what was no request."""
        self._append({"time": _now(), "worker": self._worker, "status": reply.status, "refusal": slug})

    def _append(self, line: dict[str, Any]) -> None:
        self._lines.append(orjson.dumps(line) + b"\n")
        if len(self._lines) >= _TOGETHER:
            self.flush()

    def flush(self) -> None:
        """Write what has gathered; several workers append to one file, each whole lines."""
        if self._lines:
            data, count = b"".join(self._lines), len(self._lines)
            self._lines.clear()
            try:
                written = os.write(self._file, data)
            except OSError:
                written = 0
            if written < len(data):
                self.lost += count

    def close(self) -> None:
        """Write the rest, and let go."""
        self.flush()
        with contextlib.suppress(OSError):
            os.close(self._file)

    def _line(self, exchange: Exchange, reply: Reply) -> dict[str, Any]:
        served, identity, refusal = exchange.operation, exchange.identity, exchange.refusal
        took = time.perf_counter() - exchange.started
        method = exchange.method if exchange.method in _METHODS else b"other"
        line: dict[str, Any] = {
            "time": _now(),
            "worker": self._worker,
            "request_id": exchange.request_id,
            "method": method.decode(),
            "status": reply.status,
            "duration_us": int(took * 1e6),
            "upstream_us": int(exchange.upstream_seconds * 1e6),
            "bytes_in": len(exchange.body),
            "bytes_out": len(reply.body),
        }
        if served is not None:
            audit = served.audit
            line |= {
                name: audit[name] for name in ("contract", "version", "operation", "route") if name in audit
            }
        if identity is not None and identity.key is not None:
            line["consumer"] = identity.key.consumer.id
        if refusal is not None:
            line["refusal"] = refusal.slug
        if exchange.trace_id:
            line["trace_id"] = exchange.trace_id
        if exchange.observed:
            line["violations"] = exchange.observed
        return line


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
