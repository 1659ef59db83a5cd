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
_GAP: Final = "\0"  # stands for what is filled in; JSON text holds no such character, as it is
_NUMBER: Final = "\1"

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
        # One that closes nothing says nothing of it: the text around that value is empty too.
        alone = _template({**static, "stage": "completed"}, _ALONE)
        self._alone = [alone[0], "", *alone[1:]]
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
        text = self._received
        head = "".join([
            text[0], client, text[1], consumer, text[2], str(duration_us), text[3], record_id, text[4], key,
            text[5], now(), text[6], str(len(body)), text[7], request_id, text[8],
            hashlib.sha256(body).hexdigest(), text[9],
        ])  # fmt: skip
        return Draft(record_id, head, "".join([text[10], trace_id, text[11]]), "", opens=True)

    def completed(
        self, *, request_id: str, client: str, consumer: str, key: str, trace_id: str, closes: str,
        outcome: str, status: int, body: bytes, upstream_us: int, duration_us: int,
    ) -> Draft:  # fmt: skip
        """Write the provider's answer, whose body is not empty; `closes` may be ""."""
        record_id = new_id()
        text = self._closing if closes else self._alone
        head = "".join([
            text[0], client, text[1], closes, text[2], consumer, text[3], str(duration_us), text[4], record_id,
            text[5], key, text[6], outcome, text[7], now(), text[8], request_id, text[9], str(len(body)),
            text[10], hashlib.sha256(body).hexdigest(), text[11],
        ])  # fmt: skip
        code = str(status)
        tail = "".join([
            text[12], code, text[13], trace_id, text[14], code, text[15], str(upstream_us), text[16]
        ])  # fmt: skip
        return Draft(record_id, head, tail, closes, opens=False)

    def _learn(self, text: str) -> bool:
        if _PLAIN.fullmatch(text) is None:
            return False
        if len(self._known) >= _MOST_KNOWN:
            self._known.clear()
        self._known.add(text)
        return True


def _template(static: Mapping[str, Any], dynamic: tuple[str, ...]) -> list[str]:
    """Write the text around what each record fills in: one piece more than those before `seq`, and after it."""
    unknown = (static.keys() | set(dynamic)) - FIELDS.keys()
    assert not unknown, unknown  # the callers are above
    members = {name: orjson.dumps(value).decode() for name, value in static.items()}
    members |= dict.fromkeys(dynamic, _GAP) | {"seq": _NUMBER}
    pieces = "{" + ",".join(
        f'"{name}":"{value}"' if value is _GAP and name not in _NUMBERS else f'"{name}":{value}'
        for name, value in sorted(members.items())
    )
    before, after = f"{pieces}}}".split(_NUMBER)
    return [*before.split(_GAP), *after.split(_GAP)]
