"""Which roles may call which operation: the one table, and deny by default for what it does not hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from registry.errors import NotAllowed
from registry.review.principal import Role

if TYPE_CHECKING:
    from collections.abc import Mapping

    from registry.review.principal import Principal

_ALL: Final = frozenset(Role)
_AUTHORS: Final = frozenset({Role.AUTHOR, Role.CI})
_BOARD: Final = frozenset({Role.BOARD})
_OPERATOR: Final = frozenset({Role.OPERATOR})
_RECORDERS: Final = frozenset({Role.CI, Role.OPERATOR})  # pipelines: what was deployed, what was proven
_ACCESS_READERS: Final = frozenset({Role.OPERATOR, Role.BOARD, Role.AUDITOR})

# None: anybody, without a token. registry/review holds the roles of every act once more, behind this.
ROLES: Final[Mapping[str, frozenset[Role] | None]] = {
    "readHealth": None,
    "findContracts": _ALL,
    "readContract": _ALL,
    "findAffectedConsumers": _ALL,
    "findVersions": _ALL,
    "readVersion": _ALL,
    "readDocument": _ALL,
    "readStatement": _ALL,
    "deprecateVersion": _BOARD,
    "retireVersion": _BOARD,
    "submitContract": _AUTHORS | _BOARD,  # the board may plan only
    "findReviews": _ALL,
    "readReview": _ALL,
    "readReviewDocument": _ALL,
    "approveReview": _BOARD,
    "rejectReview": _BOARD,
    "readJudgement": _ALL,
    "waiveFinding": _BOARD,
    "revokeWaiver": _BOARD,
    "withdrawReview": _AUTHORS,
    "findConsumers": _ACCESS_READERS,
    "addConsumer": _OPERATOR,
    "readConsumer": _ACCESS_READERS,
    "setGrant": _OPERATOR,
    "dropGrant": _OPERATOR,
    "setLimit": _OPERATOR,
    "dropLimit": _OPERATOR,
    "readConsumerPolicy": _ACCESS_READERS,
    "setConsumerPolicy": _OPERATOR,
    "denyConsumer": _OPERATOR,
    "allowConsumer": _OPERATOR,
    "issueKey": _OPERATOR,
    "revokeKey": _OPERATOR,
    "findAdapters": _ACCESS_READERS,
    "setAdapter": _OPERATOR,
    "removeAdapter": _OPERATOR,
    "findRoutes": _ALL,
    "setRoute": _OPERATOR,
    "removeRoute": _OPERATOR,
    "denyRoute": _OPERATOR,
    "allowRoute": _OPERATOR,
    "findDenials": _ACCESS_READERS,
    "readRoutePolicy": _ALL,
    "setRoutePolicy": _OPERATOR,
    "activateVersion": _OPERATOR,
    "deactivateVersion": _OPERATOR,
    "findEnvironments": _ALL,
    "addEnvironment": _OPERATOR,
    "findDeployments": _ALL,
    "recordDeployment": _RECORDERS,
    "recordUndeployment": _RECORDERS,
    "readDeployable": _ALL,
    "findReleases": _ALL,
    "readRelease": _ALL,
    "recordRelease": _RECORDERS,
    "findConformanceRuns": _ALL,
    "recordConformanceRun": _RECORDERS,
    "readBundle": _ALL,
    "republishBundle": _OPERATOR,
}


def is_open(operation: str) -> bool:
    """Whether an operation asks for no token at all; one that the table does not hold never is."""
    return operation in ROLES and ROLES[operation] is None


def require(principal: Principal, operation: str) -> None:
    """Raise `NotAllowed` unless one of the principal's roles is listed for the operation."""
    roles = ROLES.get(operation) or frozenset()
    if not principal.holds(*roles):
        wanted = " or ".join(sorted(roles)) or "none that exists"
        raise NotAllowed(f"{principal.name} may not call {operation}", hint=f"it takes the role {wanted}")
