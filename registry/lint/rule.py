"""What a rule of lint is: one row with its words, its examples and, where lint itself finds it, a function."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from kernel.contract.document import Kind
from kernel.contract.finding import Severity
from registry.lint.reading import Hit, Subject

ERROR, WARNING, INFO = Severity.ERROR, Severity.WARNING, Severity.INFO
API: tuple[Kind, ...] = ("openapi",)
EVENTS: tuple[Kind, ...] = ("asyncapi",)
BOTH: tuple[Kind, ...] = ("openapi", "asyncapi")
SCHEMA: tuple[Kind, ...] = ("schema",)
AT_PLACE = "*"
ALL: tuple[Kind, ...] = ("openapi", "asyncapi", "schema")


@dataclass(frozen=True, slots=True)
class Rule:
    """One row; `id` is API and never changes once released.

    `good` and `bad` are pieces of YAML that stand in the documentation and are the rule's test: put into
    an otherwise perfect document, the bad one has this finding and the good one has it not. `find` is
    None for rules that others report: the kernel's compilers, the reader of meta.yaml, the registry.
    `clause` is the heading under which AsyncAPI's specification demands it, `AT_PLACE` for that of the object there.
    `counted` makes one finding of all places, at the first of them: what is told is this with the number.
    """

    id: str
    severity: Severity
    kinds: tuple[Kind, ...]
    why: str
    remedy: str
    good: str = ""
    bad: str = ""
    find: Callable[[Subject], Iterable[Hit]] | None = None
    clause: str = ""
    counted: str = ""
