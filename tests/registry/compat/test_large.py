"""The largest real document against itself with changes strewn over it: found, shown, within the bounds of memory."""

import gzip
import resource

import pytest

from kernel.contract.document import parse
from kernel.settings import load
from registry.compat.policy import compare
from tests.bench.compat.scattered import scattered

pytestmark = pytest.mark.corpus
MOST_MEGABYTES = 1_000


def test_the_document_of_github_with_50_changes(corpus):
    file = corpus / "openapi" / "github" / "ghes-3.18.json.gz"
    root = parse(gzip.decompress(file.read_bytes()), name=file.stem).root
    found = compare(root, scattered(root, 50), "openapi", settings=load(environ={}))
    assert str(found.outcome) == "breaking"
    assert not [f for f in found.findings if f.rule in {"engine-failed", "document-not-comparable"}]
    shown = [f for f in found.findings if f.exchange is not None]
    assert len(shown) >= 10
    assert {f.rule for f in shown} >= {"value-no-longer-accepted", "value-newly-emitted"}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 < MOST_MEGABYTES
