"""Whatever stands in a document, lint answers with findings: no crash, no endless work, nothing changed."""

import copy
import random
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from kernel.contract.document import parse
from kernel.contract.references import resolve_pointer
from kernel.errors import DocumentError, ReferenceRefused
from registry.lint.document import MOST_FINDINGS, lint
from registry.lint.rules import BY_ID

CONTRACTS = Path(__file__).resolve().parents[3] / "contracts"
JUNK: tuple[Any, ...] = (
    None, True, 0, -1, 10**40, Decimal("1.00000000000000000000000001"), 1.5, "", "#/nowhere", "{a}{b}", [], [None], {},
    {"$ref": "#/nowhere"}, {"$ref": 5}, {"$ref": "#"}, {"$ref": "urn:interlock:schema:x"}, {"": ""}, [[]],
    {"type": 5}, {"oneOf": 5}, {"schemaFormat": 5}, "\u0000", "$message.payload#/x",
)  # fmt: skip


def places(node: Any) -> Iterator[tuple[Any, Any]]:
    steps = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in steps:
        yield node, step
        yield from places(value)


@cache
def documents() -> list[tuple[str, Any]]:
    found = []
    for kind, ending in (("openapi", "yaml"), ("asyncapi", "yaml"), ("schema", "json")):
        paths = (
            path
            for path in sorted(CONTRACTS.glob(f"*/1.0.0/{kind}.{ending}"))
            if path.stat().st_size < 40_000
        )
        found += [(kind, parse(path.read_bytes(), name=path.name).root) for path in paths]
    return found


@pytest.mark.parametrize("seed", range(40))
def test_a_document_with_junk_in_one_place_is_judged(seed: int) -> None:
    luck = random.Random(seed)
    for kind, root in documents():
        for _ in range(6):
            broken = copy.deepcopy(root)
            holder, step = luck.choice(list(places(broken)))
            holder[step] = copy.deepcopy(luck.choice(JUNK))
            before = repr(broken)
            try:
                findings = lint(broken, kind)  # type: ignore[arg-type]
            except DocumentError:
                continue  # the key that says what the document is was hit
            assert repr(broken) == before
            assert {finding.rule for finding in findings} <= BY_ID.keys()
            assert findings == lint(broken, kind)  # type: ignore[arg-type]


@pytest.mark.parametrize("root", [[], 5, "text", None, {}, {"type": "object"}], ids=repr)
@pytest.mark.parametrize("kind", ["openapi", "asyncapi", "schema"])
def test_a_root_of_another_kind_is_no_crash(root: Any, kind: Any) -> None:
    if isinstance(root, dict) and "type" in root:
        assert isinstance(lint(root, kind), tuple)
    else:
        with pytest.raises(DocumentError) as caught:
            lint(root, kind)
        assert caught.value.code == "document-kind"


def test_findings_are_bounded_and_say_how_many_more_there_are() -> None:
    paths = {
        f"/ward-{number}": {"get": {"responses": {"200": {"description": "Done."}}}} for number in range(500)
    }
    root = {"openapi": "3.1.0", "info": {"title": "Wards", "version": "1"}, "paths": paths}
    findings = lint(root, "openapi")
    assert len(findings) <= MOST_FINDINGS
    told = [one for one in findings if one.rule == "operation-id-missing"]
    assert len(told) == 100
    assert told[-1].what.endswith("(and in 400 more places)")


def test_an_enormous_choice_is_told_in_bounded_time_and_words() -> None:
    wide = {"oneOf": [{"type": "objekt", "properties": {f"p{index}": {"type": 5}}} for index in range(2_000)]}
    root = {
        "openapi": "3.0.3", "info": {"title": "Wide", "version": "1"}, "paths": {},
        "components": {"schemas": {"Wide": wide}},
    }  # fmt: skip
    findings = lint(root, "openapi")
    assert 0 < len(findings) <= MOST_FINDINGS
    assert all(len(one.what) < 400 for one in findings)


def test_pointers_of_findings_lead_to_the_place_or_its_parent() -> None:
    for kind, root in documents():
        for finding in lint(root, kind):  # type: ignore[arg-type]
            try:
                resolve_pointer(root, finding.pointer)
            except ReferenceRefused:
                resolve_pointer(root, finding.pointer.rpartition("/")[0])
