"""Majors of which nothing is left to call: their paths say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runtime_proxy.lifecycle import audience_of
from runtime_proxy.match import Mount

if TYPE_CHECKING:
    from kernel.bundle.model import Bundle, ContractEntry


def retired_mounts(bundle: Bundle, served: set[tuple[str, int]]) -> list[Mount]:
    """Answer 410 where every version of a major is retired and nothing routes it any more."""
    majors: dict[tuple[str, int], list[ContractEntry]] = {}
    for entry in bundle.contracts.contracts:
        if entry.kind == "openapi":
            major = int(entry.version.partition(".")[0])
            majors.setdefault((entry.name, major), []).append(entry)
    return [
        Mount(f"/{name}/v{major}", None, None, audience_of(entries), (name, major))
        for (name, major), entries in majors.items()
        if {entry.state for entry in entries} == {"retired"} and (name, major) not in served
    ]
