"""May a release be deployed there: yes, no or unknown, with every reason (`interlock can-i-deploy`)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from kernel.contract.lifecycle import SERVED, State
from kernel.contract.version import Version
from registry.review.catalogue import known_version
from registry.review.meeting import Meetings
from registry.review.release import Answer, Deployable, Need, Reason, Release
from registry.review.releasing import known_environment

if TYPE_CHECKING:
    from registry.review.environment import Route
    from registry.review.ports import Ledger
    from registry.review.services import Services

MOST_PAIRS: Final = 500  # needs that one question looks at
_ORDER: Final = (Answer.NO, Answer.UNKNOWN, Answer.YES)


def can_deploy(services: Services, *, application: str, version: str, environment: str) -> Deployable:
    """Judge a release against everything else that is deployed there; raises `NotFound` for the environment.

    A release that nobody recorded is *unknown*: what it relies on is not known. Grants and routes of the
    registry count where the environment is the registry's own (setting `environment`).
    """
    with services.store.reading() as ledger:
        known_environment(ledger, environment)
        found = ledger.releases.release(application, version)
        if found is None:
            text = f"no release {version} of {application} was recorded, so what it provides and needs is not known"
            return Deployable(application, version, environment, (Reason(Answer.UNKNOWN, text),))
        question = _question(services, ledger, found, environment)
        reasons = [*question.states(), *question.for_callers(), *question.for_its_own_needs()]
    reasons.sort(key=lambda one: (_ORDER.index(one.answer), one.contract, one.other, one.text))
    return Deployable(application, version, environment, tuple(reasons))


@dataclass(frozen=True, slots=True)
class _Question:
    """`others` are the releases of other applications there; `current` is what of this one runs there."""

    services: Services
    ledger: Ledger
    release: Release
    environment: str
    current: Release | None
    others: tuple[Release, ...]
    meetings: Meetings

    @property
    def here(self) -> bool:
        """Whether the registry's own routes and grants are those of this environment."""
        return self.environment == str(self.services.settings["environment"])

    def states(self) -> Iterator[Reason]:
        """Hold what the release provides to be frozen."""
        for one in self.release.provides:
            found = known_version(self.ledger, one.contract, one.version)
            answer = Answer.YES if found.state in SERVED else Answer.NO
            more = "" if answer is Answer.YES else ": only frozen versions may be served"
            yield Reason(answer, f"it provides {found.label}, which is {found.state}{more}", one.contract)

    def for_callers(self) -> Iterator[Reason]:
        """Judge what it will provide against what everybody there relies on."""
        touched = {one.contract for side in (self.release, self.current) if side for one in side.provides}
        for number, (who, other, need) in enumerate(self._callers(touched)):
            if number >= MOST_PAIRS:
                yield Reason(
                    Answer.UNKNOWN, f"more than {MOST_PAIRS} needs are concerned: not all were looked at"
                )
                return
            yield self._met(need, self.release, who, other)

    def for_its_own_needs(self) -> Iterator[Reason]:
        """Judge what it relies on against what is there."""
        for need in self.release.needs:
            found = known_version(self.ledger, need.contract, need.version)
            if found.state is State.RETIRED:
                yield Reason(Answer.NO, f"it needs {found.label}, which is retired", need.contract)
                continue
            if self.here:
                yield from self._granted(need)
            provided = self._provided(need)
            major = Version.parse(need.version).major
            if provided is not None:
                yield provided
            if provided is None or self._routes(need.contract, major):
                yield self._routed(need, major, f"it relies on {need.contract} {need.version}")

    def _callers(self, contracts: set[str]) -> Iterator[tuple[str, str, Need]]:
        """Give (who, name, need) of every caller there whom these contracts concern."""
        recorded = set()
        for other in self.others:
            for need in other.needs:
                if need.contract in contracts:
                    recorded.add((other.application, need.contract, Version.parse(need.version).major))
                    yield f"{other.label}, deployed in {self.environment},", other.application, need
        if not self.here:
            return
        mine = self.release.application
        for consumer in self.ledger.consumers.all():
            for grant in consumer.grants:
                known = (consumer.id, grant.contract, grant.major) in recorded
                if grant.contract in contracts and not known and consumer.id != mine:
                    route = self.ledger.routes.route(grant.contract, grant.major)
                    held = grant.pin or (route.current if route else None)
                    if held is not None:
                        who = f"{consumer.id}, granted {grant.contract} v{grant.major},"
                        yield who, consumer.id, Need(grant.contract, held)

    def _met(self, need: Need, provider: Release, who: str, other: str) -> Reason:
        wanted = f"{who} relies on {need.contract} {need.version}"
        major = Version.parse(need.version).major
        if _provides(provider, need.contract, major):
            return self._judged(need, provider, wanted, other)
        elsewhere = [one for one in self.others if _provides(one, need.contract, major)]
        if not elsewhere:
            text = f"{wanted}, and {provider.label} provides no {major}.x of it"
            return Reason(Answer.NO, text, need.contract, other)
        lost = f"{wanted}, of which {provider.label} provides no {major}.x"
        found = [self._judged(need, one, lost, other) for one in elsewhere]
        return min(found, key=lambda one: _ORDER.index(one.answer))

    def _judged(self, need: Need, provider: Release, wanted: str, other: str) -> Reason:
        major = Version.parse(need.version).major
        of_it = [one.version for one in provider.provides if one.contract == need.contract]
        served = [one for one in of_it if Version.parse(one).major == major]
        if need.version in served:
            text = f"{wanted}, which {provider.label} provides"
            return Reason(Answer.YES, text, need.contract, other)
        found = [(one, self.meetings.meet(need, one)) for one in served]
        version, worst = min(found, key=lambda pair: _ORDER.index(pair[1].answer))
        text = f"{wanted}; {provider.label} provides {version}: {worst.why}"
        return Reason(worst.answer, text, need.contract, other)

    def _granted(self, need: Need) -> Iterator[Reason]:
        """Hold the caller to be let in at all: the proxy of this environment asks for a grant."""
        name, major = self.release.application, Version.parse(need.version).major
        consumer = self.ledger.consumers.get(name)
        if consumer is None:
            text = f"there is no consumer {name} here: whether it may call {need.contract} is not known"
            yield Reason(Answer.UNKNOWN, text, need.contract)
            return
        grant = next((g for g in consumer.grants if (g.contract, g.major) == (need.contract, major)), None)
        if grant is None:
            yield Reason(Answer.NO, f"{name} has no grant for {need.contract} v{major}", need.contract)
        elif grant.pin is not None and grant.pin != need.version:
            met = self.meetings.meet(need, grant.pin)
            text = f"{name} is pinned to {need.contract} {grant.pin} and was built against {need.version}: {met.why}"
            yield Reason(met.answer, text, need.contract)

    def _provided(self, need: Need) -> Reason | None:
        """Judge one need against whoever provides it there; None where nobody is recorded.

        Several providers must all meet it, or it is unknown.
        """
        major = Version.parse(need.version).major
        there = (*self.others, self.release)
        wanted = f"it relies on {need.contract} {need.version}"
        found = [
            self._met(need, one, self.release.label, one.application)
            for one in there
            if _provides(one, need.contract, major)
        ]
        if found:
            answers = {one.answer for one in found}
            if len(answers) == 1:
                return found[0]
            text = f"{wanted}; of several providers there only some meet it, and which one answers is not recorded"
            return Reason(Answer.UNKNOWN, text, need.contract)
        return None

    def _routes(self, contract: str, major: int) -> Route | None:
        """Give the route of this environment where it serves something: callers reach what it serves."""
        route = self.ledger.routes.route(contract, major) if self.here else None
        return route if route is not None and route.versions else None

    def _routed(self, need: Need, major: int, wanted: str) -> Reason:
        route = self._routes(need.contract, major)
        if route is not None:
            if need.version in route.versions:
                return Reason(Answer.YES, f"{wanted}, which a route here serves", need.contract)
            served = route.current or route.versions[-1]
            met = self.meetings.meet(need, served)
            return Reason(met.answer, f"{wanted}; the route here serves {served}: {met.why}", need.contract)
        where = self.environment
        if any(
            _provides(one, need.contract, None) for one in self.others
        ) or self.ledger.releases.ever_provided(where, need.contract):
            text = f"{wanted}, and nothing that is deployed in {where} provides {major}.x of it"
            return Reason(Answer.NO, text, need.contract)
        text = f"{wanted}, and no deployment of a provider of it was ever recorded in {where}"
        return Reason(Answer.UNKNOWN, text, need.contract)


def _question(services: Services, ledger: Ledger, release: Release, environment: str) -> _Question:
    standing = ledger.releases.standing(environment)
    found = {one.application: ledger.releases.release(one.application, one.version) for one in standing}
    others = tuple(one for name, one in found.items() if one is not None and name != release.application)
    return _Question(
        services,
        ledger,
        release,
        environment,
        found.get(release.application),
        others,
        Meetings(services, ledger),
    )


def _provides(release: Release, contract: str, major: int | None) -> bool:
    return any(
        one.contract == contract and major in (None, Version.parse(one.version).major)
        for one in release.provides
    )
