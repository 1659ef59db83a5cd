"""One small hospital's bundle, published into a folder of its own."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from kernel.bundle.model import (
    AccessPart,
    AdapterInstance,
    Consumer,
    ContractEntry,
    ContractsPart,
    Grant,
    Key,
    Route,
    RoutesPart,
)
from kernel.bundle.write import write_blob, write_part
from kernel.sealing.keys import SigningKey, Trust, TrustedKey

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = b'{"info":{"title":"Laboratory orders","version":"1.0.0"},"openapi":"3.1.0","paths":{}}'
NEWER = b'{"info":{"title":"Laboratory orders","version":"1.1.0"},"openapi":"3.1.0","paths":{}}'


@dataclass(frozen=True)
class Hospital:
    folder: Path
    board: SigningKey
    house: SigningKey
    trust: Trust

    def contracts(self, serial: int = 1, **changes: object) -> ContractsPart:
        digests = [write_blob(self.folder, ORDERS), write_blob(self.folder, NEWER)]
        entries = tuple(
            ContractEntry("lab-orders", version, "openapi", "frozen", "internal", digest)
            for version, digest in zip(("1.0.0", "1.1.0"), digests, strict=True)
        )
        return ContractsPart(serial, changes.get("contracts", entries))  # type: ignore[arg-type]

    def access(self, serial: int = 1) -> AccessPart:
        key = Key("k1", hashlib.sha256(b"il_dev_k1_secret").hexdigest())
        ward = Consumer("ward-7", "Ward 7", "internal", (key,), (Grant("lab-orders", 1, "1.0.0"),))
        return AccessPart(serial, (ward,))

    def routes(self, serial: int = 1, **changes: object) -> RoutesPart:
        values = {
            "current": "1.1.0",
            "versions": ("1.0.0", "1.1.0"),
            "adapter": "laboratory",
            "major": 1,
        } | changes
        laboratory = AdapterInstance("laboratory", "http", {"base_url": "http://127.0.0.1:9"})
        return RoutesPart(serial, "dev", (laboratory,), (Route(contract="lab-orders", **values),))  # type: ignore[arg-type]

    def publish(self, serial: int = 1) -> None:
        write_part(self.folder, self.contracts(serial), self.board)
        write_part(self.folder, self.access(serial), self.board)
        write_part(self.folder, self.routes(serial), self.house)


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    board, house = SigningKey.generate("board"), SigningKey.generate("environment")
    rows: dict[str, TrustedKey] = {
        **Trust.of(board, "contracts", "access").keys,
        **Trust.of(house, "routes").keys,
    }
    return Hospital(tmp_path / "bundle", board, house, Trust(rows))
