"""The largest real document against itself with changes strewn over it: found, shown, within the bounds of memory."""

import gzip
import multiprocessing
import re
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from kernel.contract.document import parse
from kernel.settings import load
from registry.compat.policy import compare
from tests.bench.compat.scattered import scattered

pytestmark = pytest.mark.corpus
MOST_MEGABYTES = 1_000


def judged(file):
    """Judge the document against itself with 50 changes; gives outcome, rules, rules with an exchange, and MB."""
    root = parse(gzip.decompress(file.read_bytes()), name=file.stem).root
    found = compare(root, scattered(root, 50), "openapi", settings=load(environ={}))
    rules = [finding.rule for finding in found.findings]
    shown = [finding.rule for finding in found.findings if finding.exchange is not None]
    return str(found.outcome), rules, shown, most_resident()


def most_resident():
    """Give MB; `ru_maxrss` would begin with what the process that started this one had."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def test_the_document_of_github_with_50_changes(corpus):
    file = corpus / "openapi" / "github" / "ghes-3.18.json.gz"
    # In a process of its own: what other tests have taken is not its memory.
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as apart:
        outcome, rules, shown, megabytes = apart.submit(judged, file).result(timeout=300)
    assert outcome == "breaking"
    assert {"engine-failed", "document-not-comparable"}.isdisjoint(rules)
    assert len(shown) >= 10
    assert set(shown) >= {"value-no-longer-accepted", "value-newly-emitted"}
    assert megabytes < MOST_MEGABYTES
