"""A whole intake on a temporary data folder: real store, real journal, the real contracts of contracts/."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from adapters.canonical.engine import postgresql_engine
from adapters.canonical.upgrade import upgrade
from adapters.catalog import build
from adapters.devices.lab_hl7v2.listener import LabListener
from adapters.formats.hl7v2.acknowledge import answered
from adapters.house import House
from adapters.wire.mllp.framing import Deframer, frame
from kernel.audit.journal import Journal
from kernel.bundle.model import AccessPart, AdapterInstance, Bundle, ContractEntry, ContractsPart, RoutesPart
from kernel.contract.digest import canonical_bytes, digest_of_bytes
from kernel.contract.document import kind_of, parse
from kernel.errors import BundleMissing
from kernel.sealing.keys import SigningKey
from kernel.settings import Settings, load

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
NAMES = ("patient-identity", "observation", "lab-order", "lab-result", "clinical-events")


def bundle_of(*names: str) -> Bundle:
    """Freeze version 1.0.0 of the named contracts in memory."""
    entries, blobs = [], {}
    for name in names:
        folder = CONTRACTS / name / "1.0.0"
        file = next(
            path for path in sorted(folder.iterdir()) if path.stem in ("schema", "asyncapi", "openapi")
        )
        document = parse(file.read_bytes(), name=file.name)
        blob = canonical_bytes(document.root)
        digest = digest_of_bytes(blob)
        blobs[digest] = blob
        entries.append(
            ContractEntry(name, "1.0.0", kind_of(document.root), "frozen", audience="internal", digest=digest)
        )
    return Bundle(ContractsPart(1, tuple(entries)), AccessPart(1, ()), RoutesPart(1, "test", (), ()), blobs)


@pytest.fixture(scope="session")
def frozen() -> Bundle:
    """All contracts that a laboratory result needs."""
    return bundle_of(*NAMES)


class LabHouse:
    """One process of a data folder: `restart` is a new one over the same files."""

    def __init__(self, data: Path, bundle: Bundle, database: str = "") -> None:
        flags = {"data": str(data), "database": database}
        self.settings: Settings = load(flags, environ={}, file=_empty(data))
        self.bundle: Bundle | None = bundle
        self.key = SigningKey.generate("heads")
        self.listeners: list[LabListener] = []
        self._open()

    def _open(self) -> None:
        self.journal = Journal.open(self.settings.path / "audit", "intake", self.key)
        self.house = House(self.settings, bundle=self._bundle, audit=self.journal)

    def _bundle(self) -> Bundle:
        if self.bundle is None:
            raise BundleMissing("no bundle")
        return self.bundle

    async def listen(self, **settings: Any) -> LabListener:
        """Start one listener on a free port."""
        name = settings.pop("name", "analyzer")
        instance = AdapterInstance(name, "lab_hl7v2", {"port": 0, "end_seconds": 0.05, **settings})
        listener = build(instance, self.house)
        assert isinstance(listener, LabListener)
        await listener.start()
        self.listeners.append(listener)
        return listener

    async def stop(self) -> None:
        for listener in self.listeners:
            await listener.stop()
        self.listeners.clear()
        await self.house.close()
        await self.journal.aclose()

    async def restart(self) -> None:
        await self.stop()
        self._open()


def _empty(data: Path) -> Path:
    data.mkdir(parents=True, exist_ok=True)
    file = data / "interlock.toml"
    file.write_text("")
    return file


@pytest.fixture
async def lab(tmp_path: Path, frozen: Bundle) -> AsyncIterator[LabHouse]:
    """A laboratory house that stops by itself."""
    house = LabHouse(tmp_path / "data", frozen)
    yield house
    await house.stop()


def oru(
    control: str = "M1",
    *,
    accept: str = "",
    application: str = "",
    filler: str = "F100^LAB",
    value: str = "5.4",
    status: str = "F",
    recorded: str = "20260301101500+0100",
    extra: str = "",
) -> bytes:
    """Write one ORU^R01 of a made-up patient."""
    lines = [
        f"MSH|^~\\&|ANALYZER|WARD7|INTERLOCK|HOSPITAL|20260301102000+0100||ORU^R01^ORU_R01|{control}|P|2.5.1|||{accept}|{application}||UNICODE UTF-8",
        "PID|1||700123^^^HOSP^MR||Zelenka^Božena||19610412|F",
        f"OBR|1|P77^EHR|{filler}|2951-2^Sodium^LN|||20260301093000+0100|||||||||||||||{recorded}|||{status}",
        f"OBX|1|NM|2951-2^Sodium^LN||{value}|mmol/L|3.5-5.1|H|||{status}|||20260301093000+0100",
    ]
    return ("\r".join(lines) + "\r" + extra).encode()


async def converse(listener: LabListener, *chunks: bytes) -> list[bytes]:
    """Write chunks as they are, end the line, and give every answer until the listener has closed it too."""
    reader, writer = await asyncio.open_connection(*listener.address())
    try:
        for chunk in chunks:
            writer.write(chunk)
            await writer.drain()
        writer.write_eof()
        data = await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()
        await writer.wait_closed()
    deframer = Deframer(1 << 24)
    blocks = deframer.feed(data)
    assert deframer.junk == 0
    assert not deframer.inside
    return [block.data for block in blocks]


def codes(answers: list[bytes]) -> str:
    """Give the codes of answers in the order in which they came."""
    return " ".join(answered(answer)[0] for answer in answers)


def rows(lab: LabHouse, query: str, **values: Any) -> list[tuple[Any, ...]]:
    """Ask the canonical database of a house."""
    with lab.house.intake().store.engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SET LOCAL search_path = canonical"))
        return [tuple(row) for row in connection.execute(text(query), values)]


def audited(lab: LabHouse) -> list[dict[str, Any]]:
    """Give all message records of the house's audit log, in order."""
    found = []
    for file in sorted((lab.settings.path / "audit" / "intake").glob("*.jsonl")):
        for line in file.read_text().rstrip().splitlines():
            record = json.loads(line).get("record", {})
            if record.get("stage") == "message":
                found.append(record)
    return found


def double(name: str) -> Any:
    """Load tests/doubles/<name>.py (the tests are no package)."""
    full = f"tests_doubles_{name}"
    if full not in sys.modules:
        path = Path(__file__).resolve().parents[1] / "doubles" / f"{name}.py"
        spec = importlib.util.spec_from_file_location(full, path)
        assert spec
        assert spec.loader
        module = importlib.util.module_from_spec(spec)
        sys.modules[full] = module
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Any]:
    """A real server for the whole run."""
    with double("postgres").postgres_server() as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def anywhere(request: pytest.FixtureRequest, tmp_path: Path, frozen: Bundle) -> AsyncIterator[LabHouse]:
    """A laboratory house over each database."""
    url = ""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        name = f"lab_{uuid.uuid4().hex}"
        engine = create_engine(server.url().replace("postgresql:", "postgresql+psycopg:"))
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        url = server.url(name)
        owner = postgresql_engine(url)
        upgrade(owner)
        owner.dispose()
    house = LabHouse(tmp_path / "data", frozen, url)
    yield house
    await house.stop()


@pytest.fixture
def talk() -> SimpleNamespace:
    """The verbs of these tests."""
    return SimpleNamespace(
        converse=converse, codes=codes, rows=rows, audited=audited, oru=oru, frame=frame, house=LabHouse
    )
