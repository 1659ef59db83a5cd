"""One call of an operation, as the functions of this folder get it, and what they answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from registry.errors import NotSignedIn, RequestRefused

if TYPE_CHECKING:
    from registry.review.principal import Principal
    from registry.review.services import Services


@dataclass(frozen=True, slots=True)
class Call:
    """`values` are path and query parameters by name, validated; `body` is the validated JSON body."""

    services: Services
    caller: Principal | None
    values: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def principal(self) -> Principal:
        """Give who calls; an operation that anybody may call never asks."""
        if self.caller is None:
            raise NotSignedIn("this needs a token")
        return self.caller

    def moment(self, name: str) -> datetime | None:
        """Read a time of the body, with its zone; raises `RequestRefused`."""
        text = self.body.get(name)
        if text is None:
            return None
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            moment = None
        if moment is None or moment.tzinfo is None:
            raise RequestRefused(
                f"`{name}` is no RFC 3339 time", hint="write it with its zone, like 2027-01-31T00:00:00Z"
            )
        return moment


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers: a JSON value of its contract's schema, or None without a body."""

    body: Any
    status: int = 200


Operation = Callable[[Call], Answer]
