"""Skims over real contracts and over JSON that readers disagree about: a yes is that of reader and engine."""

import json
from pathlib import Path

import pytest

from kernel.contract.document import parse
from kernel.errors import InterlockError
from kernel.operation.samples import sample_values
from kernel.operation.strict_json import read_json
from kernel.operation.violation import Undecodable
from kernel.schema.bundling import bundle
from kernel.schema.dialects import Dialect
from kernel.schema.skimming import skim_of
from kernel.schema.validator import compile_schema

DATA = Path(__file__).resolve().parents[3] / "../shared/data"
SUITE = DATA / "json/JSONTestSuite/test_parsing"
CONTRACTS = DATA / "openapi"
MOST_SCHEMAS = 60  # of one document
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not DATA.is_dir(), reason="the shared corpus is not here"),
]
ALTERED = (None, True, -1, 10**9, 0.5, "", "x" * 300, "2026-02-30", [], {}, [None, 1], {"x": 1})


def test_cases_that_readers_disagree_about():
    made = skim_of(True)
    known = set()
    for file in sorted(SUITE.glob("*.json")):
        data = file.read_bytes()
        if made.conforms(data):
            known.add(file.name)
            read_json(data)
    assert not {name for name in known if name.startswith("n_")}
    # Of 95; the others have escapes, exponents, or a number for the whole text.
    assert sum(name.startswith("y_") for name in known) >= 48


def altered(value):
    """Give a value with each of its parts replaced by something else, or left out."""
    if isinstance(value, dict):
        for name, part in value.items():
            yield {key: item for key, item in value.items() if key != name}
            yield {**value, f"{name}x": part}
            for other in altered(part):
                yield {**value, name: other}
    elif isinstance(value, list):
        for at, part in enumerate(value[:2]):
            yield [*value[:at], *value[at + 1 :]]
            for other in altered(part):
                yield [*value[:at], other, *value[at + 1 :]]
    yield from ALTERED
    if isinstance(value, str):
        yield value + " "


@pytest.mark.parametrize(
    "file", sorted(CONTRACTS.rglob("*.*")) if CONTRACTS.is_dir() else [], ids=lambda file: file.name
)
def test_samples_of_real_contracts_with_each_part_altered(file):
    if file.suffix not in {".json", ".yaml", ".yml"} or file.stat().st_size > 4_000_000:
        pytest.skip("no contract, or a large one")
    try:
        root = parse(file.read_bytes(), name=file.name).root
    except InterlockError as error:
        pytest.skip(error.message[:80])
    dialect = Dialect.OPENAPI_30 if str(root.get("openapi", "")).startswith("3.0") else Dialect.OPENAPI_31
    schemas = (
        root.get("components", {}).get("schemas", {}) if isinstance(root.get("components"), dict) else {}
    )
    for name in list(schemas)[:MOST_SCHEMAS]:
        schema = {"$ref": f"#/components/schemas/{name.replace('~', '~0').replace('/', '~1')}"}
        try:
            validator = compile_schema(schema, root=root, dialect=dialect, direction="request")
            made = skim_of(bundle(schema, root=root, dialect=dialect, direction="request").schema)
            value = next(iter(sample_values(root, schema, name)), None)
        except InterlockError:
            continue
        if made is None:
            continue
        for count, other in enumerate((value, *altered(value))):
            if count > 400:
                break
            data = json.dumps(other, default=float).encode()
            if made.conforms(data):
                assert accepted(validator, data), (name, data[:200])


def accepted(validator, data: bytes) -> bool:
    try:
        return validator.accepts(read_json(data, exact=validator.exact))
    except Undecodable:
        return False
