"""Records of the plain way of a call, written as text at once: what is the same for an operation is encoded once.

A record is sorted compact JSON. The general way makes a dict, checks its fields, sorts and encodes it
(record.py, tape.py); for the two records of nearly every call a form fills the gaps of a text that was
sorted and encoded when the bundle was. Both ways give the same bytes; a test holds them together.
"""

from __future__ import annotations

import hashlib
import re
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, Final

import orjson

from kernel.audit.record import FIELDS, outcome_of
from kernel.audit.stamps import stamp

# What needs no escape in JSON, and no clipping: anything else goes the general way.
_PLAIN: Final = re.compile(r"[ !#-\[\]-~]{1,256}")
_MOST_KNOWN: Final = 4096
_sha256: Final = hashlib.sha256
_GAP: Final = "\0"  # stands for what is filled in; JSON text holds no such character, as it is
_NUMBER: Final = "\1"

_COMMON: Final = ("recorded", "id", "request_id", "trace_id", "client", "consumer", "key", "duration_us")
_RECEIVED: Final = (*_COMMON, "request_sha256", "request_bytes")
_COMPLETED: Final = (*_COMMON, "response_sha256", "response_bytes", "upstream_us")
_NUMBERS: Final = frozenset(("duration_us", "request_bytes", "response_bytes", "upstream_us"))


class Draft:
    """A record that is whole but for its number: its text is put together once that is known."""

    closes = ""  # id of the record that it ends; "" for none
    opens = False  # another record will end it

    def __init__(  # noqa: PLR0917 - hot
        self, text: list[str], request_id: str, client: str, consumer: str, key: str, trace_id: str,
        body: bytes, duration_us: int,
    ) -> None:  # fmt: skip
        self.record_id, self._recorded = stamp()
        self._text = text
        self._request_id = request_id
        self._client = client
        self._consumer = consumer
        self._key = key
        self._trace_id = trace_id
        self._bytes = len(body)
        self._sha256: str = _sha256(body).hexdigest()
        self._duration_us = duration_us

    @abstractmethod
    def encode(self, seq: int) -> bytes:
        """Give the bytes of the record."""

    def as_record(self) -> dict[str, Any]:
        """Give the record as the general way would have it."""
        record: dict[str, Any] = orjson.loads(self.encode(0))
        return record


class _Received(Draft):
    """That a call is about to go out."""

    opens = True

    def encode(self, seq: int) -> bytes:
        text = self._text
        return (
            f"{text[0]}{self._client}{text[1]}{self._consumer}{text[2]}{self._duration_us}{text[3]}{self.record_id}"
            f"{text[4]}{self._key}{text[5]}{self._recorded}{text[6]}{self._bytes}{text[7]}{self._request_id}"
            f"{text[8]}{self._sha256}{text[9]}{seq}{text[10]}{self._trace_id}{text[11]}"
        ).encode()


class _Completed(Draft):
    """The provider's answer."""

    upstream_us = 0

    def encode(self, seq: int) -> bytes:
        text = self._text
        return (
            f"{text[0]}{self._client}{text[1]}{self.closes}{text[2]}{self._consumer}{text[3]}{self._duration_us}"
            f"{text[4]}{self.record_id}{text[5]}{self._key}{text[6]}{self._recorded}{text[7]}{self._request_id}"
            f"{text[8]}{self._bytes}{text[9]}{self._sha256}{text[10]}{seq}{text[11]}{self._trace_id}{text[12]}"
            f"{self.upstream_us}{text[13]}"
        ).encode()


class ExchangeForm:
    """The forms of one operation in one epoch of one journal; `fields` come from `operation_fields`."""

    def __init__(self, fields: Mapping[str, Any], *, writer: str, epoch: int) -> None:
        self._static = {**fields, "writer": writer, "epoch": epoch}
        self._received = _template({**self._static, "stage": "received"}, _RECEIVED)
        self._closing: dict[int, list[str]] = {}  # of completed records, by status
        self._alone: dict[int, list[str]] = {}  # of those that close nothing
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
        return _Received(self._received, request_id, client, consumer, key, trace_id, body, duration_us)

    def completed(
        self, *, request_id: str, client: str, consumer: str, key: str, trace_id: str, closes: str,
        status: int, body: bytes, upstream_us: int, duration_us: int,
    ) -> Draft:  # fmt: skip
        """Write the provider's answer, whose body is not empty; `closes` may be ""."""
        text = (self._closing if closes else self._alone).get(status)
        if text is None:
            text = self._answered(status, closing=closes != "")
        draft = _Completed(text, request_id, client, consumer, key, trace_id, body, duration_us)
        draft.closes, draft.upstream_us = closes, upstream_us
        return draft

    def _answered(self, status: int, *, closing: bool) -> list[str]:
        """Make the text of an answer with this status."""
        static = {
            **self._static, "stage": "completed", "outcome": outcome_of(status), "status": status,
            "upstream_status": status,
        }  # fmt: skip
        if closing:
            text = self._closing[status] = _template(static, (*_COMPLETED, "closes"))
        else:
            # One that closes nothing says nothing of it: the text around that value is empty too.
            first, *rest = _template(static, _COMPLETED)
            text = self._alone[status] = [first, "", *rest]
        return text

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
