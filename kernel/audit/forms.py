"""Records of the plain way of a call, written as text at once: what is the same for an operation is encoded once.

A record is sorted compact JSON. The general way makes a dict, checks its fields, sorts and encodes it
(record.py, tape.py); for the two records of nearly every call a form fills the gaps of a text that was
sorted and encoded when the bundle was. Both ways give the same bytes; a test holds them together.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final

import orjson

from kernel.audit.record import FIELDS
from kernel.audit.stamps import new_id, now

# What needs no escape in JSON, and no clipping: anything else goes the general way.
_PLAIN: Final = re.compile(r"[ !#-\[\]-~]{1,256}")
_MOST_KNOWN: Final = 4096

_CALLER: Final = ("client", "consumer", "key")
_COMMON: Final = ("recorded", "id", "request_id", "trace_id", *_CALLER)
_NUMBERS: Final = frozenset(
    ("duration_us", "request_bytes", "response_bytes", "status", "upstream_status", "upstream_us")
)
_RECEIVED: Final = (*_COMMON, "duration_us", "request_sha256", "request_bytes")
_ALONE: Final = (
    *_COMMON, "duration_us", "outcome", "response_bytes", "response_sha256", "status", "upstream_status",
    "upstream_us",
)  # fmt: skip
_CLOSING: Final = (*_ALONE, "closes")


class Draft:
    """A record's text but for its number: `head`, the number, `tail` are its exact bytes in UTF-8."""

    def __init__(self, record_id: str, head: str, tail: str, closes: str, *, opens: bool) -> None:
        self.record_id = record_id
        self.head = head
        self.tail = tail
        self.closes = closes  # id of the record that it ends; "" for none
        self.opens = opens  # another record will end it

    def encode(self, seq: int) -> bytes:
        """Give the bytes of the record."""
        return f"{self.head}{seq}{self.tail}".encode()

    def as_record(self) -> dict[str, Any]:
        """Give the record as the general way would have it."""
        record: dict[str, Any] = orjson.loads(self.encode(0))
        return record


class ExchangeForm:
    """The forms of one operation in one epoch of one journal; `fields` come from `operation_fields`."""

    def __init__(self, fields: Mapping[str, Any], *, writer: str, epoch: int) -> None:
        static = {**fields, "writer": writer, "epoch": epoch}
        self._received = _template({**static, "stage": "received"}, _RECEIVED)
        self._closing = _template({**static, "stage": "completed"}, _CLOSING)
        self._alone = _template({**static, "stage": "completed"}, _ALONE)
        self._known: set[str] = set()  # texts that were found plain

    def takes(self, *texts: str) -> bool:
        """Whether ids that others chose can stand in a text as they are."""
        known = self._known
        return known.issuperset(texts) or all(text in known or self._learn(text) for text in texts)

    def received(
        self,
        *,
        request_id: str,
        client: str,
        consumer: str,
        key: str,
        trace_id: str,
        body: bytes,
        duration_us: int,
    ) -> Draft:
        """Write that a call is about to go out; its body is not empty."""
        record_id = new_id()
        before, after = self._received
        head = before % (
            client, consumer, duration_us, record_id, key, now(), len(body), request_id,
            hashlib.sha256(body).hexdigest(),
        )  # fmt: skip
        return Draft(record_id, head, after % trace_id, "", opens=True)

    def completed(
        self, *, request_id: str, client: str, consumer: str, key: str, trace_id: str, closes: str,
        outcome: str, status: int, body: bytes, upstream_us: int, duration_us: int,
    ) -> Draft:  # fmt: skip
        """Write the provider's answer, whose body is not empty; `closes` may be ""."""
        record_id = new_id()
        digest = hashlib.sha256(body).hexdigest()
        if closes:
            before, after = self._closing
            head = before % (
                client, closes, consumer, duration_us, record_id, key, outcome, now(), request_id, len(body), digest
            )  # fmt: skip
        else:
            before, after = self._alone
            head = before % (
                client, consumer, duration_us, record_id, key, outcome, now(), request_id, len(body), digest
            )  # fmt: skip
        return Draft(record_id, head, after % (status, trace_id, status, upstream_us), closes, opens=False)

    def _learn(self, text: str) -> bool:
        if _PLAIN.fullmatch(text) is None:
            return False
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known.add(text)
        return True


def _template(static: Mapping[str, Any], dynamic: tuple[str, ...]) -> tuple[str, str]:
    """Write the text before and after the number, `%s` and `%d` standing for what each record fills in."""
    unknown = (static.keys() | set(dynamic)) - FIELDS.keys()
    assert not unknown, unknown  # the callers are above
    members = {name: orjson.dumps(value).decode().replace("%", "%%") for name, value in static.items()}
    members |= {name: "%d" if name in _NUMBERS else '"%s"' for name in dynamic}
    before = ",".join(f'"{name}":{members[name]}' for name in sorted(members) if name < "seq")
    after = ",".join(f'"{name}":{members[name]}' for name in sorted(members) if name > "seq")
    return f'{{{before},"seq":', f",{after}}}"
