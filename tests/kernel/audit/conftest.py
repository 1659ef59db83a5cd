"""One audit log in a folder of its own, with the key that signs its heads."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from kernel.audit.journal import Journal
from kernel.audit.record import exchange_record, operation_fields
from kernel.audit.segment import segments
from kernel.audit.segment_file import open_segment
from kernel.audit.verify import Report, verify
from kernel.sealing.keys import KeyFolder, SigningKey

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CREATE = operation_fields(
    contract="lab-orders", version="1.1.0", digest=f"sha256:{'ab' * 32}", operation="createOrder", method="POST",
    route="/orders", adapter="laboratory", server="proxy-0", environment="dev", data_category="health", bundle="4.9.3",
)  # fmt: skip


@dataclass
class Log:
    data: Path
    key: SigningKey
    journals: list[Journal] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.data / "audit"

    @property
    def heads(self) -> Path:
        return self.data / "audit-heads"

    @staticmethod
    def received(request_id: str = "r-1", **more: Any) -> dict[str, Any]:
        return exchange_record(
            CREATE, "received", request_id=request_id, client="192.0.2.7", consumer="ward-7", **more
        )

    @staticmethod
    def completed(request_id: str = "r-1", closes: str | None = None, **more: Any) -> dict[str, Any]:
        values = {"status": 201, "outcome": "success", "duration_us": 1304} | more
        who = {"request_id": request_id, "client": "192.0.2.7", "consumer": "ward-7", "closes": closes}
        return exchange_record(CREATE, "completed", **who, **values)

    def open(self, writer: str = "proxy-0", **options: Any) -> Journal:
        journal = Journal.open(self.folder, writer, self.key, **options)
        self.journals.append(journal)
        return journal

    def write(self, count: int, writer: str = "proxy-0", **options: Any) -> None:
        """Keep `count` exchanges of two records each, and close in order."""
        journal = self.open(writer, **options)
        for number in range(count):
            first = self.received(f"r-{number}")
            journal.append_and_wait(first)
            journal.append_and_wait(self.completed(f"r-{number}", closes=first["id"]))
        journal.close()

    def verify(self) -> Report:
        return verify(self.folder, self.heads, KeyFolder(self.data / "keys").trust().may_sign("audit-heads"))

    def lines(self, writer: str = "proxy-0") -> list[bytes]:
        """All lines of all segments, headers among them."""
        return [
            line for _, path in segments(self.folder / writer) for line in path.read_bytes().splitlines(True)
        ]

    def records(self, writer: str = "proxy-0") -> list[dict[str, Any]]:
        """All records as they stand on disk."""
        return [json.loads(line)["record"] for line in self.lines(writer) if b'"record":' in line[:90]]

    def goes_past(self) -> bool:
        """Whether journals here are written past the page cache: blocks are whole then."""
        file = self.data / "probe"
        file.write_bytes(b"x")
        open_segment(file, 1, fsync=True).close()
        return file.stat().st_size > 1

    def segment(self, number: int = 1, writer: str = "proxy-0") -> Path:
        return self.folder / writer / f"{number:08d}.jsonl"


@pytest.fixture(params=["past the cache", "cached"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How a journal is written: by the better way, where the file system of the tests has it, and by the other."""
    way: str = request.param
    if way == "cached":
        monkeypatch.delattr(os, "O_DIRECT", raising=False)
    return way


@pytest.fixture
def log(tmp_path: Path, way: str) -> Iterator[Log]:
    del way  # in force from here on
    one = Log(tmp_path, KeyFolder(tmp_path / "keys").ensure("audit", "audit-heads"))
    yield one
    for journal in one.journals:
        journal.close()
