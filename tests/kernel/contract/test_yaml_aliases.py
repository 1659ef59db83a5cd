"""Anchors, aliases and merge keys: read as YAML means them, bounded, and found again in the text."""

from __future__ import annotations

import pytest

from kernel.contract.document import parse
from kernel.contract.errors import LimitPassed

TEXT = """\
openapi: 3.0.3
x-page: &page
  type: integer
  bounds: &bounds {minimum: 1, maximum: 9}
x-list: [&unit ward, *unit]
paths:
  size:
    <<: *page
    type: number
    description: own
  both: {<<: [*bounds, *page], "<<": quoted}
  last: *page
end: 1
"""


def test_aliases_and_merge_keys_mean_what_they_name():
    root = parse(TEXT.encode(), name="a.yaml").root
    bounds = {"minimum": 1, "maximum": 9}
    assert root["x-list"] == ["ward", "ward"]
    assert root["paths"] == {
        "size": {"type": "number", "description": "own", "bounds": bounds},
        "both": {"<<": "quoted", "minimum": 1, "maximum": 9, "type": "integer", "bounds": bounds},
        "last": {"type": "integer", "bounds": bounds},
    }
    assert root["paths"]["last"] is not root["x-page"]
    assert list(root["paths"]["size"]) == ["type", "description", "bounds"]


@pytest.mark.parametrize(
    ("pointer", "line", "column"),
    [
        ("/x-page/bounds/maximum", 4, 32),
        ("/x-list/1", 5, 22),
        ("/paths/size/type", 9, 5),
        ("/paths/size/bounds/minimum", 4, 20),
        ("/paths/both/<<", 11, 32),
        ("/paths/both/type", 3, 3),
        ("/paths/last", 12, 3),
        ("/paths/last/bounds/maximum", 4, 32),
        ("/end", 13, 1),
        ("/paths/last/nothing", 12, 3),
    ],
)
def test_places_lead_to_where_it_is_written(pointer, line, column):
    place = parse(TEXT.encode(), name="a.yaml").position(pointer)
    assert (place.line, place.column) == (line, column)


def test_a_bomb_of_aliases_is_refused():
    lines = ["openapi: 3.0.3", "a0: &a0 [x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]" for n in range(1, 12)]
    with pytest.raises(LimitPassed, match="aliases add"):
        parse("\n".join(lines).encode(), name="bomb.yaml")


def test_a_tower_of_aliases_is_refused():
    lines = ["openapi: 3.0.3", "a0: &a0 [x]", *(f"a{n}: &a{n} [*a{n - 1}]" for n in range(1, 400))]
    with pytest.raises(LimitPassed, match="deeper"):
        parse("\n".join(lines).encode(), name="tower.yaml")
