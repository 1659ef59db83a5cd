"""The table of all refusals by slug; slugs are API, and each has its page in docs/refusals/."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from runtime_proxy import (
    refusals_call,
    refusals_channel,
    refusals_edge,
    refusals_head,
    refusals_keyed,
    refusals_mock,
    refusals_shed,
    refusals_trust,
)

if TYPE_CHECKING:
    from runtime_proxy.refusal import Refusal

# In the order in which a request can meet them.
REFUSALS: Final[dict[str, type[Refusal]]] = {
    row.slug: row
    for rows in (
        refusals_edge,
        refusals_head,
        refusals_trust,
        refusals_keyed,
        refusals_shed,
        refusals_channel,
        refusals_mock,
        refusals_call,
    )
    for row in rows.ROWS
}
