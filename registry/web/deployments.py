"""What runs where: contracts by environments, with who provides and who relies on which version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.errors import NotFound
from registry.review import deployable, releasing
from registry.review.matrix import matrix
from registry.review.release import Answer
from registry.web.visit import Page, Visit
from registry.web.words import Look

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWERS: Mapping[Answer, Look] = {
    Answer.YES: Look("good", "met"),
    Answer.NO: Look("bad", "not met"),
    Answer.UNKNOWN: Look("unsure", "unknown"),
}
_DEPLOYABLE: Mapping[Answer, Look] = {
    Answer.YES: Look("good", "yes"),
    Answer.NO: Look("bad", "no"),
    Answer.UNKNOWN: Look("unsure", "unknown"),
}
_MOST_HISTORY = 200


def table(visit: Visit) -> Page:
    """Show the whole table, and the form that asks whether a release may be deployed."""
    asked = {name: visit.query.get(name, "").strip()[:128] for name in ("application", "version", "to")}
    found, wrong = None, ""
    if all(asked.values()):
        try:
            found = deployable.can_deploy(
                visit.services,
                application=asked["application"],
                version=asked["version"],
                environment=asked["to"],
            )
        except NotFound as error:
            wrong = error.message
    context = {
        "matrix": matrix(visit.services),
        "here": str(visit.services.settings["environment"]),
        "looks": ANSWERS,
        "answers": _DEPLOYABLE,
        "asked": asked,
        "found": found,
        "wrong": wrong,
    }
    return Page("deployments.html", "Deployments", context, section="/deployments")


def environment(visit: Visit) -> Page:
    """Show what ever was deployed in one environment, newest first."""
    name = visit.values["name"]
    rows = releasing.deployments(visit.services, name, ended=True, limit=_MOST_HISTORY)
    return Page(
        "environment.html", name, {"name": name, "rows": rows, "most": _MOST_HISTORY}, section="/deployments"
    )
