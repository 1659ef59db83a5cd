"""Prints what reading, digesting and compiling real documents costs, the 11 MB one of GitHub first.

    .venv/bin/python -m tests.bench.documents [FOLDER]      (FOLDER of real documents, ../shared/data by default)

Seconds are wall clock, the best of three; `compile` is every schema at its outermost place, one by one, as
the proxy would if each operation were called once. `accepts` is one judgement of an 860-byte order.
"""

from __future__ import annotations

import gzip
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import click

from kernel.contract.digest import canonical_bytes
from kernel.contract.document import parse
from kernel.contract.grammar import grammar_of, members
from kernel.contract.references import check_references
from kernel.errors import SchemaRefused
from kernel.schema.validator import compile_schema, dialect_of

FILES = (
    "openapi/github/ghes-3.18.json.gz",
    "openapi/discord/openapi.json.gz",
    "openapi/adyen-chains/LegalEntityService-v4.yaml",
    "openapi/nhs-immunisation/immunisation-fhir-api.yaml",
)
ORDER = {
    "numbers": {"placer": "ORD-20391", "filler": None},
    "patient": {"id": "9434765919", "name": {"family": "Muster", "given": ["Anna"]}, "born": "1980-02-29"},
    "tests": [
        {"code": f"718-{n}", "value": 13.2 + n, "low": 12.0, "high": 16.5, "rank": n} for n in range(6)
    ],
    "notes": "x" * 240,
    "at": "2024-02-29T12:00:00Z",
}
ORDER_SCHEMA = {
    "type": "object",
    "required": ["numbers", "patient", "tests"],
    "properties": {
        "patient": {"properties": {"id": {"pattern": "^[0-9]{10}$"}, "born": {"format": "date"}}},
        "tests": {
            "items": {
                "required": ["code"],
                "properties": {"value": {"type": "number", "minimum": 0}, "rank": {"type": "integer"}},
            }
        },
        "at": {"type": "string", "format": "date-time"},
    },
}


def best(work: Callable[[], Any]) -> tuple[float, Any]:
    """Give the best of three times in seconds, and the last result."""
    times = []
    result = None
    for _ in range(3):
        started = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - started)
    return min(times), result


def schemas(root: Any) -> Iterator[Any]:
    """Give the outermost schemas of a document."""
    grammar = grammar_of(root)
    stack: list[tuple[Any, str]] = [(root, grammar.root)]
    while stack:
        node, type_ = stack.pop()
        for _, value, row in grammar.fields(type_, node) if isinstance(node, dict) else ():
            for _, item in members(row, value):
                if row.type == "schema":
                    yield item
                else:
                    stack.append((item, row.type))


def compile_all(root: Any) -> int:
    """Compile every schema, and count those that could be."""
    dialect, count = dialect_of(root), 0
    for schema in schemas(root):
        try:
            compile_schema(schema, root=root, dialect=dialect, direction="request")
            count += 1
        except SchemaRefused:
            continue
    return count


def main(folder: Path) -> None:
    """Print one line for each document."""
    click.echo(
        f"{'document':44} {'MB':>6} {'parse':>7} {'digest':>7} {'refs':>7} {'place':>7} {'compile':>8} schemas"
    )
    for name in FILES:
        data = (folder / name).read_bytes()
        data = gzip.decompress(data) if name.endswith(".gz") else data
        parsed, document = best(lambda data=data, name=name: parse(data, name=name.removesuffix(".gz")))
        digested, _ = best(lambda root=document.root: canonical_bytes(root))
        checked, _ = best(lambda root=document.root: check_references(root))
        placed, _ = best(
            lambda data=data, name=name: parse(data, name=name.removesuffix(".gz")).position(
                "/components/schemas"
            )
        )
        compiled, count = best(lambda root=document.root: compile_all(root))
        times = f"{parsed:7.3f} {digested:7.3f} {checked:7.3f} {placed - parsed:7.3f} {compiled:8.3f}"
        click.echo(f"{name:44} {len(data) / 1e6:6.2f} {times} {count}")
    accepts = compile_schema(ORDER_SCHEMA, root=ORDER_SCHEMA, dialect=dialect_of(ORDER_SCHEMA)).accepts
    judged, _ = best(lambda: [accepts(ORDER) for _ in range(20_000)])
    click.echo(f"accepts: {judged / 20_000 * 1e6:.2f} µs for {len(canonical_bytes(ORDER))} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[3] / "shared/data")
