"""The largest real contract (11 MB, 980 operations): from its freeze to its first served call."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from kernel.bundle.model import AdapterInstance, ContractEntry, ContractsPart, Route, RoutesPart
from kernel.bundle.write import write_blob, write_part
from kernel.contract.digest import canonical_bytes
from kernel.contract.document import parse
from kernel.sealing.keys import KeyFolder
from tests.doubles.upstream import Upstream, answer
from tests.house import data_folder
from tests.house.running import ask

pytestmark = [pytest.mark.corpus, pytest.mark.house]


def test_github_is_served_soon_after_its_freeze(corpus: Path, tmp_path: Path) -> None:
    document = parse(
        gzip.decompress((corpus / "openapi/github/ghes-3.18.json.gz").read_bytes()), name="github.json"
    )
    upstream = Upstream({"GET /zen": answer(200, b"Keep it logically awesome.", "text/plain")})
    data_folder.make(tmp_path, upstream.url)
    signer = KeyFolder(tmp_path / "keys").signing_key("registry")
    folder = tmp_path / "bundle"
    try:
        with data_folder.serving(tmp_path) as (_, port):
            assert ask(port, "GET", "/github/v3/zen").status == 404
            digest = write_blob(folder, canonical_bytes(document.root))
            entry = ContractEntry("github", "3.18.0", "openapi", "frozen", "internal", digest)
            adapter = AdapterInstance("provider", "http", {"base_url": upstream.url})
            route = Route("github", 3, "3.18.0", ("3.18.0",), "provider")
            began = time.perf_counter()
            write_part(folder, ContractsPart(2, (entry,)), signer)
            write_part(folder, RoutesPart(2, "test", (adapter,), (route,)), signer)
            deadline = time.monotonic() + 120
            while ask(port, "GET", "/github/v3/zen").status != 200:
                assert time.monotonic() < deadline, (tmp_path / "proxy.log").read_text()
            print(
                f"\n11 MB, 980 operations: served {time.perf_counter() - began:.2f} s after its bundle was written"
            )
            assert ask(port, "GET", "/github/v3/no-such-thing").status == 404
            assert ask(port, "GET", "/github/v3/repos/a/b/compare/main...feature").status in {200, 401, 502}
    finally:
        upstream.close()
