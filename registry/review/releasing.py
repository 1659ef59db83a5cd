"""Records what is deployed where: environments, releases of applications, deployments and their end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kernel.contract.lifecycle import SERVED
from registry.errors import Conflict, NotFound, RequestRefused
from registry.review.access import checked_name
from registry.review.acts import acting, record
from registry.review.catalogue import known_version
from registry.review.operations import named_operations
from registry.review.principal import Role
from registry.review.references import self_contained
from registry.review.release import Deployment, Environment, Need, Provided, Release

if TYPE_CHECKING:
    from registry.review.ports import Ledger
    from registry.review.principal import Principal
    from registry.review.services import Services

MOST_CONTRACTS: Final = 200  # that one release provides, and as many that it needs
_RELEASE: Final = re.compile(r"[0-9A-Za-z][0-9A-Za-z._+-]{0,127}")
_RECORDERS: Final = (Role.CI, Role.OPERATOR)


def environments(services: Services) -> tuple[Environment, ...]:
    """List all environments, in the order in which they were entered."""
    with services.store.reading() as ledger:
        return ledger.releases.environments()


def add_environment(services: Services, principal: Principal, name: str, note: str = "") -> Environment:
    """Enter an environment; raises `Conflict` where there is one of that name."""
    principal.require(Role.OPERATOR, act="enter an environment")
    checked_name(name, "an environment's name")
    made = Environment(name, note.strip()[:500], services.now(), principal.name)
    with acting(services) as ledger:
        if any(one.name == name for one in ledger.releases.environments()):
            raise Conflict(f"there is an environment {name} already")
        ledger.releases.add_environment(made)
        record(services, ledger, principal, "environment-add", f"environment/{name}")
    return made


def record_release(
    services: Services,
    principal: Principal,
    *,
    application: str,
    version: str,
    provides: tuple[Provided, ...],
    needs: tuple[Need, ...],
) -> Release:
    """Record what one version of an application provides and relies on; the same twice is recorded once.

    Raises `RequestRefused` for a release that says neither, or an operation that the contract version lacks,
    `NotFound` for an unknown version, `Conflict` where the release was recorded with other contracts.
    """
    principal.require(*_RECORDERS, act="record a release")
    checked_name(application, "an application's name")
    _check_release(version, provides, needs)
    made = Release(application, version, provides, needs, services.now(), principal.name)
    with acting(services) as ledger:
        standing = ledger.releases.release(application, version)
        if standing is not None:
            if standing.same_as(made):
                return standing
            raise Conflict(
                f"{made.label} was recorded with other contracts already",
                hint="a release never changes: build a new version",
            )
        for side in provides:
            known_version(ledger, side.contract, side.version)
        for need in needs:
            _check_need(ledger, need)
        ledger.releases.add_release(made)
        detail = {"provides": len(provides), "needs": len(needs)}
        record(services, ledger, principal, "release-add", f"release/{application}/{version}", detail=detail)
    return made


def release(services: Services, application: str, version: str) -> Release:
    """Give one release; raises `NotFound`."""
    with services.store.reading() as ledger:
        return known_release(ledger, application, version)


def releases(services: Services, application: str, limit: int = 100) -> tuple[Release, ...]:
    """List the releases of an application, newest first."""
    with services.store.reading() as ledger:
        return ledger.releases.releases(application, limit)


def deployments(
    services: Services,
    environment: str,
    *,
    application: str | None = None,
    ended: bool = False,
    limit: int = 1000,
) -> tuple[Deployment, ...]:
    """List what is deployed in an environment, or (`ended`) what ever was, newest first; raises `NotFound`."""
    with services.store.reading() as ledger:
        known_environment(ledger, environment)
        if ended:
            return ledger.releases.history(environment, application, limit)
        found = ledger.releases.standing(environment)
        return tuple(one for one in found if application in (None, one.application))[:limit]


def deploy(
    services: Services, principal: Principal, *, environment: str, application: str, version: str
) -> Deployment:
    """Record that a release runs in an environment now, in place of the one that ran there.

    Going back is the same act with the older version. What runs there already is recorded once. Raises `NotFound`.
    """
    principal.require(*_RECORDERS, act="record a deployment")
    with acting(services) as ledger:
        known_environment(ledger, environment)
        known_release(ledger, application, version)
        standing = _standing(ledger, environment, application)
        if standing is not None and standing.version == version:
            return standing
        return _replace(services, ledger, principal, standing, (environment, application, version))


def undeploy(
    services: Services, principal: Principal, *, environment: str, application: str, roll_back: bool = False
) -> Deployment | None:
    """Record that an application runs there no more, or (`roll_back`) again in the version before.

    Gives what runs there then. Raises `NotFound` where nothing does, `Conflict` where nothing was before.
    """
    principal.require(*_RECORDERS, act="record the end of a deployment")
    with acting(services) as ledger:
        known_environment(ledger, environment)
        standing = _standing(ledger, environment, application)
        if standing is None:
            raise NotFound(
                f"no deployment of {application[:64]} is recorded in {environment}",
                hint=f"`interlock ci deployments {environment}` lists what is",
            )
        if not roll_back:
            ledger.releases.end(standing.id, services.now(), principal.name)
            subject = f"environment/{environment}/{application}"
            detail = {"version": standing.version}
            record(services, ledger, principal, "undeploy", subject, detail=detail)
            return None
        earlier = ledger.releases.history(environment, application, 2)[1:]
        if not earlier:
            raise Conflict(f"no version of {application} was deployed in {environment} before this one")
        return _replace(services, ledger, principal, standing, (environment, application, earlier[0].version))


def known_environment(ledger: Ledger, name: str) -> Environment:
    """Give one environment; raises `NotFound`: a slip in its name must not look like an empty one."""
    found = next((one for one in ledger.releases.environments() if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in ledger.releases.environments()) or "none yet"
        raise NotFound(
            f"there is no environment {name[:64]!r} (known: {known})",
            hint="an operator enters one with `interlock ci environment add NAME`",
        )
    return found


def known_release(ledger: Ledger, application: str, version: str) -> Release:
    """Give one release; raises `NotFound` with the command that records it."""
    found = ledger.releases.release(application, version)
    if found is None:
        raise NotFound(
            f"no release {version[:128]} of {application[:64]} was recorded",
            hint=f"`interlock ci record-release {application[:64]} --version {version[:128]} "
            "--provides NAME@VERSION --needs NAME@VERSION`",
        )
    return found


def _standing(ledger: Ledger, environment: str, application: str) -> Deployment | None:
    found = ledger.releases.standing(environment)
    return next((one for one in found if one.application == application), None)


def _replace(
    services: Services,
    ledger: Ledger,
    principal: Principal,
    standing: Deployment | None,
    wanted: tuple[str, str, str],
) -> Deployment:
    environment, application, version = wanted
    at = services.now()
    if standing is not None:
        ledger.releases.end(standing.id, at, principal.name)
    ledger.releases.deploy(Deployment(0, environment, application, version, at, principal.name))
    detail = {"version": version, "before": standing.version if standing else ""}
    subject = f"environment/{environment}/{application}"
    record(services, ledger, principal, "deploy", subject, detail=detail)
    made = _standing(ledger, environment, application)
    assert made is not None
    return made


def _check_release(version: str, provides: tuple[Provided, ...], needs: tuple[Need, ...]) -> None:
    if _RELEASE.fullmatch(version) is None:
        raise RequestRefused(
            "a release's version is letters, digits and . _ + -, at most 128",
            hint="a semantic version or a commit serves",
        )
    if not provides and not needs:
        raise RequestRefused(
            "the release neither provides nor needs a contract", hint="name at least one with its version"
        )
    for side in (provides, needs):
        if len(side) > MOST_CONTRACTS:
            raise RequestRefused(f"a release names at most {MOST_CONTRACTS} contracts on one side")
        if len({(one.contract, one.version) for one in side}) < len(side):
            raise RequestRefused("a contract version is named twice on one side")


def _check_need(ledger: Ledger, need: Need) -> None:
    found = known_version(ledger, need.contract, need.version)
    if found.state not in SERVED:
        raise RequestRefused(
            f"{found.label} is {found.state}: nobody may rely on it",
            hint="only frozen and deprecated versions can be needed",
        )
    if need.operations:
        known = named_operations(self_contained(ledger, found.digest), found.kind)
        unknown = [one for one in need.operations if one not in known]
        if unknown:
            raise RequestRefused(
                f"{found.label} has no operation {unknown[0][:200]!r}",
                hint="name operationIds of exactly that version, or METHOD /path",
            )
