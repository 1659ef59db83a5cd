"""Two limits of one owner must not share a name: plain ones and those of its policy are kept apart, and held together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.bundle.check import check_limits
from kernel.errors import BundleError
from registry.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kernel.bundle.limits import Limits
    from kernel.bundle.model import Limit


def refuse_twin_limits(owner: str, plain: Iterable[Limit], more: Limits | None) -> None:
    """Raise `Conflict` for what would keep every later bundle from being served."""
    try:
        check_limits(owner, plain, more)
    except BundleError as error:
        raise Conflict(error.message, hint="give one of them another name") from None
