"""What an operation says about a message that its contract does not admit; never a value of the message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Location = Literal["path", "query", "header", "cookie", "body", "status"]
ProblemSlug = Literal[
    "parameter-invalid",
    "body-missing",
    "body-unexpected",
    "body-malformed",
    "body-invalid",
    "body-too-large",
    "media-type-unsupported",
    "content-coding-unsupported",
]

STATUS_OF: Final[dict[ProblemSlug, int]] = {
    "parameter-invalid": 400,
    "body-missing": 400,
    "body-unexpected": 400,
    "body-malformed": 400,
    "body-invalid": 422,
    "body-too-large": 413,
    "media-type-unsupported": 415,
    "content-coding-unsupported": 415,
}


@dataclass(frozen=True, slots=True)
class Violation:
    """One place of a message and the keyword that it breaks.

    `pointer` is a JSON pointer into the decoded value ("" is the whole of it); property names that the
    schema does not name are written `{key}`. `keyword` is a JSON Schema keyword, or one of the words of
    docs/reference/operations.md (`missing`, `style`, `percent-encoding`, …). `name` is the parameter's
    or header's name as the contract declares it, "" for a body.
    """

    location: Location
    pointer: str
    keyword: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class RequestProblem:
    """Why a request is refused: a slug of the refusals table, its HTTP status, and the places."""

    slug: ProblemSlug
    violations: tuple[Violation, ...] = ()

    @property
    def status(self) -> int:
        """Give the HTTP status that belongs to the slug."""
        return STATUS_OF[self.slug]


class Undecodable(Exception):
    """Signal of a decoder to its caller inside this package: the bytes are not what was declared.

    It never leaves the package: `keyword` and `pointer` become those of a `Violation`.
    """

    def __init__(self, keyword: str, pointer: str = "") -> None:
        super().__init__(keyword)
        self.keyword = keyword
        self.pointer = pointer
