"""What the house rules say of real documents, counted: a rule that suddenly speaks much more often is looked at."""

import gzip
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from kernel.contract.document import kind_of, parse
from kernel.errors import InterlockError
from registry.lint.checking import Beside, check_file
from registry.lint.document import House
from registry.lint.rules import BY_ID

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
# Most findings over the corpus of rules whose findings were judged by eye; the number then, and some room.
JUDGED = {
    "identity-in-url": 50, "pagination-missing": 100, "operation-id-verb": 25, "name-drift": 4, "name-spelled-twice": 25,
    "parameter-naming": 10, "path-naming": 50, "security-open": 35, "date-format-missing": 330, "schema-copied": 0,
    "schema-diverged": 8, "pattern-nonlinear": 4, "key-in-url": 4, "page-size-unbounded": 18,
}  # fmt: skip


@pytest.mark.corpus
@pytest.mark.long
def test_rules_speak_of_real_documents_as_often_as_was_judged(
    corpus: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    house = House(canon=Beside(CONTRACTS / "lab-orders" / "1.1.0").canon())
    counts, documents = Counter[str](), 0
    for path in sorted((corpus / "openapi").rglob("*")):
        if path.suffix not in (".yaml", ".json", ".gz") or "openapi-diff-pairs" in path.parts:
            continue
        entry, root = path, corpus / "openapi"
        if path.suffix == ".gz":
            entry, root = tmp_path / path.stem, tmp_path
            entry.write_bytes(gzip.decompress(path.read_bytes()))
        try:
            kind_of(parse(entry.read_bytes(), name=entry.name).root)
            found = check_file(entry, root, replace(house))
        except InterlockError:
            continue
        documents += 1
        for one in found:
            more = re.search(r"\(and in (\d+) more places\)$", one.what)
            counts[one.rule] += 1 + (int(more[1]) if more else 0)
    with capsys.disabled():
        print(f"\n{documents} documents")
        for rule, count in counts.most_common():
            print(f"{count:6} {BY_ID[rule].severity:8} {rule}")
    assert documents > 150
    assert {rule: counts[rule] for rule, most in JUDGED.items() if counts[rule] > most} == {}
