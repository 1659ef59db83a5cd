"""What a route or a consumer may ask for beyond who calls what: one struct for each kind of behaviour.

A part that is None asks for nothing. The registry keeps these as one document per route and per consumer, so
that a new kind of behaviour needs no new column; msgspec refuses what is not declared here.
"""

from __future__ import annotations

import msgspec


class RoutePolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one route behaves in this environment."""


class ConsumerPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How one consumer is treated in this environment."""
