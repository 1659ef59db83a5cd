"""Who may decide on a review, and how many must agree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from registry.errors import DutiesNotSeparate
from registry.review.principal import Principal, Role

if TYPE_CHECKING:
    from kernel.settings import Settings
    from registry.review.model import Review


def require_judge(principal: Principal, review: Review, act: str) -> None:
    """Raise `NotAllowed` unless this is a board member who submitted no round of this version."""
    principal.require(Role.BOARD, act=act)
    if principal.name in review.authors:
        raise DutiesNotSeparate(
            f"{principal.name} submitted {review.contract} {review.version} and cannot also judge it",
            hint="let another board member decide",
        )


def wanted(review: Review, settings: Settings) -> int:
    """Give how many approvals freeze: the number when the review began, or a greater one set since."""
    return max(review.quorum, int(settings["board_quorum"]))


def reached(review: Review, settings: Settings) -> bool:
    """Whether enough different members, none of them an author, approved exactly this digest."""
    judges = {one.principal for one in review.approvals if one.digest == review.digest}
    return len(judges - set(review.authors)) >= wanted(review, settings)
