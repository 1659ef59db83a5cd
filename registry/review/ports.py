"""What registry/review asks of the rooms around it: the store, engines, signer; implemented elsewhere."""

from __future__ import annotations

from typing import Protocol


class Store(Protocol):
    """The registry's database."""
