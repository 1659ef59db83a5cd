"""Reads the policies that the registry keeps; one that this release does not know is told, never dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.bundle.policy_document import read_policy
from kernel.errors import PolicyInvalid
from registry.errors import StoreFailed

if TYPE_CHECKING:
    from kernel.bundle.policy_document import P


def kept_policy(form: type[P], document: object, whose: str) -> P:
    """Read one column; raises `StoreFailed` where a later release wrote what this one cannot honour."""
    try:
        return read_policy(form, document)
    except PolicyInvalid as error:
        raise StoreFailed(
            f"the policy of {whose} cannot be read: {error.message}",
            hint="a later release of Interlock wrote it: run that one, or set the policy there to what this one knows",
        ) from None
