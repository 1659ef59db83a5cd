"""Finds records in the log, streaming: memory does not grow with the log."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import orjson

from kernel.audit.segment import parse_header, parse_record, read_lines, segments, split_line
from kernel.errors import AuditError, Place

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Query:
    """What to look for: all that is given must hold; `since` and `until` are RFC 3339 UTC, until excluded.

    Every other field is a field of the record and is compared whole (`FIELDS` of record.py).
    """

    since: str = ""
    until: str = ""
    id: str = ""
    request_id: str = ""
    writer: str = ""
    contract: str = ""
    consumer: str = ""
    stage: str = ""
    outcome: str = ""
    operation: str = ""
    adapter: str = ""
    actor: str = ""
    act: str = ""
    refusal: str = ""
    subject: str = ""

    def texts(self) -> dict[str, str]:
        """Give the fields that are compared whole."""
        named = {row.name: getattr(self, row.name) for row in fields(self)}
        return {name: value for name, value in named.items() if value and name not in {"since", "until"}}


def search(folder: Path, query: Query) -> Iterator[dict[str, Any]]:
    """Give the records that match, of all writers, in the order of their times; raises `AuditError`.

    Nothing is verified here: a line that is no record is passed over (`verify` names it).
    """
    if not folder.is_dir():
        raise AuditError("there is no audit log here", hint="name a data folder", place=Place(str(folder)))
    writers = sorted(path for path in folder.iterdir() if path.is_dir())
    if query.writer:
        writers = [path for path in writers if path.name == query.writer]
    streams = [_search_writer(path, query) for path in writers]
    return heapq.merge(*streams, key=lambda record: str(record.get("recorded", "")))


def last_value(folder: Path, writer: str, name: str) -> Any:
    """Give the value of a field in the newest record of a writer that has it, or None.

    A relay asks for `outbox`, so that after a crash no row is sent twice.
    """
    own = folder / writer
    for _, path in reversed(segments(own)) if own.is_dir() else []:
        newest = None
        for record in _records(path, [f'"{name}":'.encode()]):
            newest = record.get(name, newest)
        if newest is not None:
            return newest
    return None


def _search_writer(folder: Path, query: Query) -> Iterator[dict[str, Any]]:
    texts = query.texts()
    since, until = query.since.rstrip("Z"), query.until.rstrip("Z")  # "…:00Z" would sort after "…:00.5Z"
    needles = [b'"%s":%s' % (name.encode(), orjson.dumps(value)) for name, value in texts.items()]
    for _, path in segments(folder):
        for record in _records(path, needles):
            recorded = str(record.get("recorded", ""))
            if (since and recorded < since) or (until and recorded >= until):
                continue
            if all(record.get(name) == value for name, value in texts.items()):
                yield record


def _records(path: Path, needles: list[bytes]) -> Iterator[dict[str, Any]]:
    """Give the records of a segment whose bytes hold all needles; only those are parsed."""
    try:
        with path.open("rb") as file:
            for line in read_lines(file):
                if not line.whole or (line.offset == 0 and parse_header(line.data) is not None):
                    continue
                if all(needle in line.data for needle in needles):
                    parts = split_line(line.data)
                    record = parse_record(parts[1]) if parts is not None else None
                    if record is not None:
                        yield record
    except OSError as error:
        raise AuditError(f"the audit log cannot be read: {error.strerror}", place=Place(str(path))) from error
