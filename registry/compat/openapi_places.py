"""Where in two OpenAPI documents something is compared: the operation, the part of a call, the schemas."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from registry.compat.openapi_sides import Message, Part
from registry.compat.schema_change import Direction
from registry.compat.wire import Wire


@dataclass(frozen=True, slots=True)
class Placed:
    """An operation where it stands: its template, its path item, itself."""

    template: str
    item: Part
    method: str
    operation: Part

    @property
    def names(self) -> list[str]:
        """The names in the braces, in order."""
        return re.findall(r"\{([^{}]*)\}", self.template)


Ends = tuple[Placed | None, Placed | None]  # an operation in the old document and in the new one


@dataclass(slots=True)
class Scope:
    """An operation in both documents; `called`: we call the other party (callback, webhook)."""

    label: str
    key: tuple[str, str]  # method, path as the new document writes it
    called: bool = False
    ends: Ends = (None, None)

    def direction(self, message: Message) -> Direction:
        """Say whether we accept or emit a message: requests are accepted unless we are the caller."""
        return "accepts" if (message == "request") is not self.called else "emits"


@dataclass(frozen=True, slots=True)
class Spot:
    """The part of a call that a finding speaks of, for the exchange that shows it.

    `where` and `name` are those of a parameter (path parameters by the new document's name), `name` that of
    a header of the answer too; `status` and `media` as the documents write them.
    """

    kind: Literal["call", "parameter", "body", "answer", "header"] = "call"
    where: str = ""
    name: str = ""
    status: str = ""
    media: str = ""


@dataclass(frozen=True, slots=True)
class Position:
    """Where schemas stand in both documents: `area` groups them for the second opinion.

    `wire` is for values that travel as text; `xml`: the words of `xml` count.
    """

    scope: Scope
    message: Message
    area: str
    label: str
    ends: tuple[Part, Part]
    wire: Wire | None = None
    xml: bool = False
    spot: Spot = Spot()
    key: str = "schema"  # where the schema stands in both
