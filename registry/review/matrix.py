"""What runs where, contract by contract: who provides which version in each environment, and who relies on which."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kernel.contract.version import Version
from registry.review.meeting import Meetings
from registry.review.release import Answer, Environment, Need

if TYPE_CHECKING:
    from registry.review.release import Deployment, Release
    from registry.review.services import Services

MOST_ROWS: Final = 500  # contracts on one page
_ORDER: Final = (Answer.NO, Answer.UNKNOWN, Answer.YES)


@dataclass(frozen=True, slots=True)
class Side:
    """A release on one side of a contract: `answer` says whether what it relies on is met (None: it provides)."""

    application: str
    release: str
    version: str
    answer: Answer | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One contract in one environment; `active` are the versions that a route of this environment serves."""

    provides: tuple[Side, ...] = ()
    needs: tuple[Side, ...] = ()
    active: tuple[str, ...] = ()

    @property
    def answer(self) -> Answer | None:
        """The worst of those who rely on it; None where nobody does."""
        found = {side.answer for side in self.needs}
        return next((one for one in _ORDER if one in found), None)


@dataclass(frozen=True, slots=True)
class Matrix:
    """Rows are contracts, columns environments; `left_out` counts contracts that did not fit."""

    environments: tuple[Environment, ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]
    left_out: int = 0


def matrix(services: Services) -> Matrix:
    """Give the whole table, from one view of the registry; only what reviews compared is judged, nothing anew."""
    with services.store.reading() as ledger:
        places = ledger.releases.environments()
        standing = [
            (one, ledger.releases.release(one.application, one.version)) for one in ledger.releases.standing()
        ]
        found = [(where, release) for where, release in standing if release is not None]
        routes = {(one.contract, one.major): one.versions for one in ledger.routes.routes()}
        names = {side.contract for _, release in found for side in release.provides}
        names |= {need.contract for _, release in found for need in release.needs}
        meetings = Meetings(services, ledger, most_compared=0)
        here = str(services.settings["environment"])
        rows = tuple(
            (
                name,
                tuple(
                    _cell(meetings, name, place, found, routes if place.name == here else {})
                    for place in places
                ),
            )
            for name in sorted(names)[:MOST_ROWS]
        )
    return Matrix(places, rows, max(0, len(names) - MOST_ROWS))


def _cell(
    meetings: Meetings,
    contract: str,
    place: Environment,
    standing: list[tuple[Deployment, Release]],
    routes: dict[tuple[str, int], tuple[str, ...]],
) -> Cell:
    there = [release for where, release in standing if where.environment == place.name]
    provides = tuple(
        Side(release.application, release.version, one.version)
        for release in there
        for one in release.provides
        if one.contract == contract
    )
    active = tuple(
        version for (name, _), versions in sorted(routes.items()) if name == contract for version in versions
    )
    served = [side.version for side in provides] or list(active)
    needs = tuple(
        _judged(meetings, release, need, served)
        for release in there
        for need in release.needs
        if need.contract == contract
    )
    return Cell(provides, needs, active)


def _judged(meetings: Meetings, release: Release, need: Need, served: list[str]) -> Side:
    major = Version.parse(need.version).major
    same = [one for one in served if Version.parse(one).major == major]
    if not same:
        why = f"nothing there provides {major}.x" if served else "no provider is recorded there"
        answer = Answer.NO if served else Answer.UNKNOWN
        return Side(release.application, release.version, need.version, answer, why)
    if need.version in same:
        return Side(
            release.application, release.version, need.version, Answer.YES, "the same version is there"
        )
    worst = min((meetings.meet(need, one) for one in same), key=lambda met: _ORDER.index(met.answer))
    return Side(release.application, release.version, need.version, worst.answer, worst.why)
