"""The table of docs/reference/acknowledgements.md, cell by cell, through a real listener."""

from pathlib import Path

import pytest
from sqlalchemy import text

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "acknowledgements.md"
COLUMNS = (
    "taken",
    "header refused",
    "body refused",
    "content refused",
    "failed, AR",
    "failed, silent",
    "not held, AR",
    "not held, silent",
)


def table() -> dict[str, dict[tuple[str, str], str]]:
    """Column → (MSH-15, MSH-16) → codes."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    head = next(line for line in lines if line.startswith("| MSH-15"))
    names = [cell.strip() for cell in head.strip("|").split("|")][2:]
    found: dict[str, dict[tuple[str, str], str]] = {name: {} for name in names}
    for line in lines[lines.index(head) + 1 :]:
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] not in ("empty", "AL", "NE", "ER", "SU"):
            break
        wishes = (cells[0].replace("empty", ""), cells[1].replace("empty", ""))
        for name, cell in zip(names, cells[2:], strict=True):
            found[name][wishes] = cell.replace("-", "")
    return found


TABLE = table()


def test_the_page_has_every_combination():
    assert tuple(TABLE) == COLUMNS
    assert {len(cells) for cells in TABLE.values()} == {25}


def break_inserts(lab, name):
    engine = lab.house.intake().store.engine
    with engine.begin() as connection:
        connection.execute(
            text(f"CREATE TRIGGER broken BEFORE INSERT ON {name} BEGIN SELECT RAISE(ABORT, 'disk'); END")
        )


@pytest.mark.parametrize("column", COLUMNS)
async def test_every_cell(lab, talk, column):
    silent = column.endswith("silent")
    listener = await lab.listen(on_failure="silent" if silent else "AR")
    if column.startswith("failed"):
        break_inserts(lab, "events")
    if column.startswith("not held"):
        break_inserts(lab, "inbox")
    for number, ((accept, application), expected) in enumerate(TABLE[column].items()):
        control = f"C{number}"
        message = talk.oru(
            "" if column == "header refused" else control,
            accept=accept,
            application=application,
            filler=f"{number}^LAB",
            status="QQ" if column == "content refused" else "F",
            extra="not a segment\r" if column == "body refused" else "",
        )
        answers = await talk.converse(listener, talk.frame(message))
        assert talk.codes(answers) == expected, (column, accept, application)
        for answer in answers:
            named = control if column != "header refused" else "UNKNOWN"
            assert f"|{named}\r".encode() in answer or f"|{named}|".encode() in answer
    states = {state for (state,) in talk.rows(lab, "SELECT state FROM inbox")}
    assert states <= {
        "taken": {"published"},
        "failed, AR": {"failed", "held"},
        "failed, silent": {"held"},
        "not held, AR": set(),
        "not held, silent": set(),
    }.get(column, {"refused"})


@pytest.mark.parametrize(
    ("accept", "application", "expected"),
    [("", "", ""), ("AL", "", "CA"), ("AL", "AL", "CA AA"), ("NE", "NE", "")],
)
async def test_acknowledgements_are_stored_and_answered_only_when_they_ask(
    lab, talk, accept, application, expected
):
    listener = await lab.listen()
    ack = f"MSH|^~\\&|LIS|LAB|INTERLOCK|H|20260301||ACK|K1|P|2.5.1|||{accept}|{application}\rMSA|AA|X1\r".encode()
    assert talk.codes(await talk.converse(listener, talk.frame(ack))) == expected
    assert talk.rows(lab, "SELECT state FROM inbox") == [("stored-only",)]


async def test_an_answer_names_the_place_and_never_the_value(lab, talk):
    listener = await lab.listen()
    [answer] = await talk.converse(listener, talk.frame(talk.oru(status="ZQX")))
    assert b"ERR||OBR^1^25|103^Table value not found^HL70357|E||||status-unknown\r" in answer
    assert b"ZQX" not in answer
    assert b"Zelenka" not in answer


async def test_the_reason_of_every_row_is_on_the_page():
    from adapters.reasons import ROWS

    page = PAGE.read_text()
    assert [row.slug for row in ROWS if f"| `{row.slug}` | {row.blame} | {row.summary} |" not in page] == []
