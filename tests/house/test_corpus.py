"""Every real OpenAPI and AsyncAPI document is submitted, frozen and compiled by the proxy, or refused with a reason."""

from __future__ import annotations

import gzip
import json
import re
import resource
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cli.wiring import open_services, upgrade_databases
from kernel.contract.document import kind_of, specification
from kernel.contract.local_files import inline_files
from kernel.errors import InterlockError
from kernel.operation.compile import compile_contract
from kernel.settings import load
from registry.review import catalogue, decision, submission
from registry.review.model import Draft
from registry.review.principal import Principal, Role
from registry.review.services import Services

pytestmark = [pytest.mark.corpus, pytest.mark.house]

AUTHOR = Principal("author", frozenset({Role.AUTHOR}))
BOARD = tuple(Principal(name, frozenset({Role.BOARD})) for name in ("one", "two"))
META = """
name: {name}
version: 1.0.0
kind: {kind}
title: Corpus
owner: corpus
domain: corpus
audience: internal
description: A real document.
systems: {{ provider: p, consumers: [c], source_of_truth: p }}
sensitivity: none
urgency: routine
retry: {{ policy: none, max_attempts: 1 }}
objectives: {{ latency_p99_ms: 1000, availability: "99.0" }}
"""
REVIEWED = json.loads((Path(__file__).parent / "corpus_refused.json").read_text())
STARTS = re.compile(rb"^\s*[\"']?(openapi|asyncapi)[\"']?\s*:", re.MULTILINE)


@dataclass
class Row:
    document: str
    version: str = ""
    operations: int = 0
    freeze: float = 0.0
    compile: float = 0.0
    reason: str = ""


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Services]:
    settings = load({"data": str(tmp_path_factory.mktemp("corpus"))}, environ={})
    upgrade_databases(settings)
    with open_services(settings) as opened:
        yield opened


def documents(corpus: Path, unpacked: Path) -> list[tuple[str, Path]]:
    """All entry documents: files that say `openapi:` or `asyncapi:` at their top."""
    found = []
    for path in sorted([*(corpus / "openapi").rglob("*"), *(corpus / "asyncapi").rglob("*")]):
        if not path.is_file():
            continue
        name = str(path.relative_to(corpus))
        if path.suffix == ".gz":
            plain = unpacked / path.stem
            plain.write_bytes(gzip.decompress(path.read_bytes()))
            path = plain  # noqa: PLW2901 - read in its place
        if path.suffix not in {".yaml", ".yml", ".json"}:
            continue
        if STARTS.search(path.read_bytes()[:100_000].replace(b"{", b"{\n", 1)):
            found.append((name, path))
    return found


def take(services: Services, number: int, name: str, path: Path) -> Row:
    """Inline, submit, approve twice, compile as the proxy does; the reason stands in the row when refused."""
    row = Row(name)
    began = time.perf_counter()
    try:
        try:
            document = inline_files(path)
        except InterlockError:
            document = inline_files(path, path.parent.parent)  # as with `contract submit --root`
        row.version = (
            str(specification(document.root)[1])
            if isinstance(specification(document.root), tuple)
            else str(specification(document.root))
        )
        draft = Draft(
            document.data,
            META.format(name=f"corpus-{number}", kind=kind_of(document.root)).encode(),
            path.name,
        )
        submitted = submission.submit(services, AUTHOR, draft)
        if submitted.review is None:
            errors = [one for one in submitted.assessment.lint if str(one.severity) == "error"]
            row.reason = "; ".join(f"{one.rule} at {one.pointer}" for one in errors[:3]) or "; ".join(
                submitted.blockers
            )
            return row
        for member in BOARD:
            review = decision.approve(
                services, member, submitted.review.id, digest=submitted.review.digest, reason="corpus"
            )
        assert review.state == "frozen"
        row.freeze = time.perf_counter() - began
        compiled = _compile(services, f"corpus-{number}")
        row.operations = compiled
        row.compile = time.perf_counter() - began - row.freeze
    except InterlockError as error:
        row.reason = f"{error.code} at {error.place or '?'}"
    return row


def _compile(services: Services, name: str) -> int:
    data, _ = catalogue.document(services, name, "1.0.0", "embedded")
    root: Any = json.loads(data)
    if kind_of(root) != "openapi":
        return len(root.get("operations", root.get("channels", {})))
    contract = compile_contract(root, name=name)
    contract.prepare()
    return len(contract.operations)


def test_every_document_is_frozen_and_compiled_or_refused_for_a_reviewed_reason(
    corpus: Path, tmp_path: Path, services: Services
) -> None:
    rows = [
        take(services, number, name, path) for number, (name, path) in enumerate(documents(corpus, tmp_path))
    ]
    print(f"\n{'document':<72} {'version':<8} {'ops':>5} {'freeze s':>9} {'compile s':>9}  refused")
    for row in rows:
        print(
            f"{row.document[-72:]:<72} {row.version:<8} {row.operations:>5} {row.freeze:>9.2f} {row.compile:>9.2f}  {row.reason[:120]}"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    refused = {row.document: row.reason for row in rows if row.reason}
    print(f"{len(rows)} documents, {len(refused)} refused, peak {peak:.0f} MB")
    assert len(rows) > 200
    unargued = {
        name: reason
        for name, reason in refused.items()
        if name not in REVIEWED or not reason.startswith(REVIEWED[name]["rule"])
    }
    assert unargued == {}, "refused, and nobody has argued why"
    assert set(REVIEWED) - set(refused) == set(), "argued as refused, and taken"
