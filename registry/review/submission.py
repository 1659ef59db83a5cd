"""The third main path, one screen: parse, lint, compile, compare, verdict, in review."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from registry.review.model import Draft, Submission
    from registry.review.principal import Principal
    from registry.review.services import Services


def submit(services: Services, principal: Principal, draft: Draft) -> Submission:
    """Judge a draft and put it in review; a refused one (status `refused`) leaves nothing behind."""
    raise NotImplementedError


def plan(services: Services, principal: Principal, draft: Draft) -> Submission:
    """Judge a draft as `submit` would and keep nothing (status `planned` or `refused`)."""
    raise NotImplementedError
