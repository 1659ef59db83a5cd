"""Writes the right digest into every registry URN of the documents under contracts/, leaves first.

A canonical schema's digest changes whatever refers to it, so documents are visited in the order of
their references. `--check` changes nothing and ends with 1 when a pin is out of date.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from kernel.contract.digest import digest
from kernel.contract.document import parse

CONTRACTS = Path(__file__).resolve().parent.parent / "contracts"
PIN = re.compile(
    r"urn:interlock:schema:(?P<name>[a-z0-9-]+):(?P<version>[0-9][0-9A-Za-z.+-]*):sha256-(?P<hex>[0-9a-f]{64})"
)
FILES = ("schema.json", "openapi.yaml", "openapi.json", "asyncapi.yaml", "asyncapi.json")

Key = tuple[str, str]  # name, version


def main(*, check: bool) -> int:
    """Pin everything; returns 1 when `check` found a wrong pin, and 2 when a URN names no schema here."""
    documents = {
        (path.parent.parent.name, path.parent.name): path
        for file in FILES
        for path in sorted(CONTRACTS.glob(f"*/*/{file}"))
    }
    texts = {key: path.read_text(encoding="utf-8") for key, path in documents.items()}
    digests: dict[Key, str] = {}
    wrong = 0
    for key in _leaves_first(texts):
        if any((pin["name"], pin["version"]) not in digests for pin in PIN.finditer(texts[key])):
            print(f"{documents[key]}: a URN names a schema that is not under contracts/", file=sys.stderr)
            return 2
        pinned = PIN.sub(lambda pin: _pin(pin, digests), texts[key])
        if pinned != texts[key]:
            wrong += 1
            print(f"{documents[key].relative_to(CONTRACTS)}: {'wrong pin' if check else 'pinned anew'}")
            if not check:
                documents[key].write_text(pinned, encoding="utf-8")
        if documents[key].name == "schema.json":  # only canonical schemas are referred to
            digests[key] = digest(parse(pinned.encode(), name=documents[key].name).root)
    return 1 if check and wrong else 0


def _leaves_first(texts: dict[Key, str]) -> list[Key]:
    order: list[Key] = []

    def visit(key: Key, above: tuple[Key, ...]) -> None:
        if key in above:
            raise SystemExit(f"{key[0]} {key[1]} refers to itself over {len(above)} documents")
        if key in order or key not in texts:
            return
        for pin in PIN.finditer(texts[key]):
            visit((pin["name"], pin["version"]), (*above, key))
        order.append(key)

    for key in sorted(texts):
        visit(key, ())
    return order


def _pin(pin: re.Match[str], digests: dict[Key, str]) -> str:
    name, version = pin["name"], pin["version"]
    return f"urn:interlock:schema:{name}:{version}:{digests[name, version].replace(':', '-')}"


if __name__ == "__main__":
    sys.exit(main(check="--check" in sys.argv[1:]))
