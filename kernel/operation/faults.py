"""How a compiler that tells every defect goes on after one: the defect is noted, and its part left out."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from kernel.errors import InterlockError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Note = Callable[[InterlockError], None]


@contextmanager
def noted(note: Note | None) -> Iterator[None]:
    """Hand an error of the block to `note`, and go on behind it; without `note` it is raised."""
    try:
        yield
    except InterlockError as error:
        if note is None:
            raise
        note(error)
