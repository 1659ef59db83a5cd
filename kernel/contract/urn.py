"""Registry URNs: how one contract names a canonical schema, pinned by digest."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kernel.contract.version import Version
from kernel.errors import ReferenceRefused

PREFIX = "urn:interlock:schema:"
NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_URN = re.compile(
    r"urn:interlock:schema:(?P<name>[a-z0-9-]{1,64}):(?P<version>[^:#]{1,64}):sha256-(?P<hex>[0-9a-f]{64})(?:#(?P<pointer>.*))?",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Urn:
    """`urn:interlock:schema:<name>:<version>:sha256-<hex>#<json pointer>` (DESIGN §2)."""

    name: str
    version: Version
    digest: str  # "sha256:<hex>"
    pointer: str = ""

    @classmethod
    def parse(cls, text: str) -> Urn:
        """Read a URN; raises `ReferenceRefused` when it is not one."""
        match = _URN.fullmatch(text)
        if match is None or NAME.fullmatch(match["name"]) is None:
            raise ReferenceRefused(
                f"{text[:200]!r} is not a registry URN",
                hint=f"write {PREFIX}<name>:<version>:sha256-<hex>#<json pointer>",
            )
        return cls(
            match["name"], Version.parse(match["version"]), f"sha256:{match['hex']}", match["pointer"] or ""
        )

    def __str__(self) -> str:
        """Write the URN as it was read."""
        fragment = f"#{self.pointer}" if self.pointer else ""
        return f"{PREFIX}{self.name}:{self.version}:{self.digest.replace(':', '-')}{fragment}"
