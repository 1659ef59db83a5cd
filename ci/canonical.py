"""Canonical schemas that contracts refer to: they are known, pinned to what is there, and not on their way out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from ci.bases import Get
from ci.contracts import Contract, Folder
from ci.rules import found
from kernel.contract.finding import Finding
from kernel.contract.urn import Urn
from kernel.errors import InterlockError

_NOT_FOUND = 404
_PIN = re.compile(rb"urn:interlock:schema:([a-z0-9-]{1,64}):([^:#\"'\s]{1,64}):sha256-[0-9a-f]{64}")
_STATES = {"retired": "canonical-retired", "deprecated": "canonical-deprecated"}
_FROZEN = frozenset({"frozen", "deprecated", "retired"})


@dataclass(slots=True)
class Shelf:
    """What is known of canonical schemas: those of the tree, and those of a registry where one can be asked."""

    digests: dict[tuple[str, str], str]  # name and version: digest, of the schemas in the tree
    get: Get | None = None
    touched: frozenset[tuple[str, str]] = frozenset()  # frozen schemas that this change edits or removes
    asked: dict[tuple[str, str], tuple[str, str] | None] = field(default_factory=dict)  # state and digest
    silent: str = ""  # why the registry was not asked any more

    def check(self, contract: Contract) -> tuple[Finding, ...]:
        """Judge every URN of a contract, once for each schema version that it names."""
        seen: set[str] = set()
        out: list[Finding] = []
        for pointer, urn in contract.urns:
            key = f"{urn.name} {urn.version} {urn.digest}"
            if key not in seen:
                seen.add(key)
                out += self._judge(contract, pointer, urn)
        return tuple(out)

    def _judge(self, contract: Contract, pointer: str, urn: Urn) -> Iterator[Finding]:
        key = (urn.name, str(urn.version))
        name = f"{urn.name} {urn.version}"
        registered = self._registered(key)
        if registered is not None and registered[0] in _STATES:
            yield found(
                _STATES[registered[0]],
                pointer,
                f"{contract.label} refers to {name}, which is {registered[0]}",
            )
        digests = [one for one in (self.digests.get(key), registered[1] if registered else None) if one]
        if digests and urn.digest not in digests:
            what = f"the URN pins {name} as {_short(urn.digest)}, and that version has the digest {_short(digests[0])}"
            more = {
                "remedy": f"Write {replace(urn, digest=digests[0])} here, or restore the schema where it was edited."
            }
            if key in self.touched:
                what = f"{contract.label} is built on {name} as it was frozen, and {name} is edited here"
                more = {}
            yield found(
                "canonical-digest-differs", pointer, what, before=urn.digest, after=digests[0], **more
            )
        elif not digests and self.get is not None and not self.silent:
            yield found(
                "canonical-unknown", pointer, f"neither this repository nor the registry knows {name}"
            )
        elif not digests:
            gone = "is removed here" if key in self.touched else "is not known here"
            yield found("canonical-unresolved", pointer, f"{contract.label} is built on {name}, which {gone}")

    def state(self, name: str, version: str) -> str | None:
        """Say where a version of any contract stands in the registry; "absent" for none, None where nobody answers."""
        row = self._asked((name, version))
        if self.get is None or self.silent:
            return None
        return "absent" if row is None else row[0]

    def _registered(self, key: tuple[str, str]) -> tuple[str, str] | None:
        """Give state and digest of a frozen version; None where there is none, or nobody answers."""
        row = self._asked(key)
        return row if row is not None and row[0] in _FROZEN else None

    def _asked(self, key: tuple[str, str]) -> tuple[str, str] | None:
        if self.get is None or self.silent:
            return None
        if key not in self.asked:
            try:
                row = self.get("contracts", key[0], "versions", key[1])
                self.asked[key] = (row["state"], row["digest"])
            except InterlockError as error:
                if getattr(error, "status", None) != _NOT_FOUND:
                    self.silent = error.message
                    return None
                self.asked[key] = None
        return self.asked[key]


def shelf(
    contracts: Iterable[Contract], get: Get | None = None, touched: frozenset[tuple[str, str]] = frozenset()
) -> Shelf:
    """Gather the canonical schemas among contracts."""
    schemas = {(one.name, str(one.version)): one.digest for one in contracts if one.kind == "schema"}
    return Shelf(schemas, get, touched)


def pins(folder: Folder) -> frozenset[tuple[str, str]]:
    """Give names and versions of the schemas that the files of a folder name in URNs, without reading them as documents."""
    found_pins: set[tuple[str, str]] = set()
    for file in sorted(Path(folder.path).rglob("*")):
        if file.is_file():
            found_pins |= {
                (name.decode(), version.decode()) for name, version in _PIN.findall(file.read_bytes())
            }
    return frozenset(found_pins)


def _short(digest: str) -> str:
    return digest[:19] + "…"
