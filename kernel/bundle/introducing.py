"""How something new is let in: routes whose provider does not exist yet, and contracts that only watch at first."""

from __future__ import annotations

from typing import Final

import msgspec

_LARGEST_SEED = 2**32 - 1


class Shadow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is outside the contract passes, is counted by route and consumer, and stands in the audit record.

    `requests`: what a request breaks refuses it no more; `answers`: what the provider's answer breaks does not
    withhold it. Credentials, limits, grants and scopes hold as ever, and calls that the contract does not know
    are refused.
    """

    requests: bool = True
    answers: bool = True


ENFORCED: Final = Shadow(requests=False, answers=False)


class Mock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Calls of this route are answered out of the contract, its provider is never called.

    Examples of the contract come first; where there is none, an answer is made from the schema, always the same
    one for one `seed`. Requests are judged as ever.
    """

    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse seeds that no generator takes."""
        if not 0 <= self.seed <= _LARGEST_SEED:
            raise ValueError(f"a seed is a whole number from 0 to {_LARGEST_SEED}")
