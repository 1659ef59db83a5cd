"""What the operations of one contract declare: held while it is needed, let go of, and read again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from kernel.operation.schemas import Schemas

# The operation object, and its parameters with their pointers.
Texts = tuple[dict[str, Any], tuple[tuple[dict[str, Any], str], ...]]


class Declared:
    """The texts of all operations in the order of the document, and the schemas that they share.

    A contract of 50 kB takes a megabyte as parsed values, of which calls need nothing once their operation
    is compiled. `again` gives the same from the document's bytes.
    """

    __slots__ = ("_again", "_schemas", "_texts")

    def __init__(self, schemas: Schemas) -> None:
        self._texts: list[Texts] | None = []
        self._schemas: Schemas | None = schemas
        self._again: Callable[[], Declared] | None = None

    @property
    def at_hand(self) -> bool:
        """Whether it is held just now."""
        return self._schemas is not None

    def add(self, texts: Texts) -> int:
        """Append one operation; gives its number."""
        assert self._texts is not None  # while a contract is compiled, nothing of it is let go
        self._texts.append(texts)
        return len(self._texts) - 1

    def of(self, number: int) -> tuple[Texts, Schemas]:
        """Give the texts of one operation, reading the document again where it was let go of."""
        texts, schemas = self.held()
        return texts[number], schemas

    def held(self) -> tuple[list[Texts], Schemas]:
        """Give all of it."""
        if self._texts is None or self._schemas is None:
            assert self._again is not None  # `let_go` has set it
            self._texts, self._schemas = held = self._again().held()
            return held
        return self._texts, self._schemas

    def let_go(self, again: Callable[[], Declared]) -> None:
        """Hold it no more until it is asked for."""
        self._again = again
        self._texts = self._schemas = None
