"""The contracts, each with its versions, and each version as people read it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from kernel.contract.document import parse
from registry.review import catalogue, impact
from registry.web import words
from registry.web.reading import read_contract
from registry.web.visit import Download, Page, Visit

if TYPE_CHECKING:
    from registry.review.model import ContractVersion

_RETRY = {"policy": "{}", "max_attempts": "at most {} attempts"}
_OBJECTIVES = {"latency_p99_ms": "99 % answered within {} ms", "availability": "{} % available"}
_A_PAGE = 100  # contracts on one page
_LARGE = 2 * 1024 * 1024  # bytes; above, the canonical form is read, which needs no strict reader


def shelf(visit: Visit) -> Page:
    """List contracts, or those whose name, title or owner holds the text looked for."""
    search = visit.query.get("search", "").strip()[:100]
    after = visit.query.get("after", "")[:100]
    found = catalogue.contracts(visit.services, search=search, limit=_A_PAGE + 1, after=after)
    context = {
        "contracts": found[:_A_PAGE],
        "search": search,
        "after": after,
        "next": found[_A_PAGE - 1].name if len(found) > _A_PAGE else None,
        "states": words.STATES,
    }
    return Page("contracts.html", "Contracts", context, section="/contracts")


def contract(visit: Visit) -> Page:
    """Show one contract with the life of its versions."""
    found = catalogue.contract(visit.services, visit.values["name"])
    majors = sorted({int(row.version.partition(".")[0]) for row in found.versions}, reverse=True)
    context = {
        "contract": found,
        "states": words.STATES,
        "hits": [hit for major in majors for hit in impact.who_is_hit(visit.services, found.name, major)],
    }
    return Page("contract.html", found.name, context, section="/contracts")


def version(visit: Visit) -> Page:
    """Show one version: operations, parameters, bodies, schemas."""
    found = catalogue.version(visit.services, visit.values["name"], visit.values["version"])
    reading = read_contract(_root(visit, found), only=visit.query.get("at", "")[:500])
    context = {
        "version": found,
        "state": words.STATES[found.state],
        "reading": reading,
        "facts": _facts(found),
    }
    return Page("version.html", f"{found.contract} {found.version}", context, section="/contracts")


def document(visit: Visit) -> Download:
    """Give the document as it was submitted."""
    name, number = visit.values["name"], visit.values["version"]
    data, media = catalogue.document(visit.services, name, number)
    kind = "application/json" if media == "json" else "application/yaml"
    return Download(data, kind, f"{name}-{number}.{media}")


def _root(visit: Visit, found: ContractVersion) -> Any:
    data, _ = catalogue.document(visit.services, found.contract, found.version)
    if len(data) > _LARGE:  # keys then come sorted, and the page comes in time
        data, _ = catalogue.document(visit.services, found.contract, found.version, "canonical")
        return json.loads(data)
    return parse(data, name=found.label).root


def _facts(found: ContractVersion) -> list[tuple[str, str]]:
    """Pick what meta.yaml says, in words."""
    meta = found.metadata
    facts = [("Owner", found.owner), ("Domain", meta.get("domain")), ("Audience", found.audience)]
    systems = meta.get("systems")
    if isinstance(systems, dict):
        consumers = systems.get("consumers")
        if isinstance(consumers, list):
            facts.append(("Consumers", ", ".join(map(str, consumers))))
        facts += [("Provider", systems.get("provider")), ("Source of truth", systems.get("source_of_truth"))]
    facts += [("Sensitivity", meta.get("sensitivity")), ("Urgency", meta.get("urgency"))]
    for label, name, known in (("Retry", "retry", _RETRY), ("Objectives", "objectives", _OBJECTIVES)):
        value = meta.get(name)
        if isinstance(value, dict):
            said = (
                known.get(key, f"{key.replace('_', ' ')} {{}}").format(entry) for key, entry in value.items()
            )
            facts.append((label, ", ".join(said)))
    return [(label, str(value)) for label, value in facts if value]
