"""The ordinary ways in which people break contracts, and what the gate says of each."""

from __future__ import annotations

import contextlib
import io
import os
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cli.main import main as interlock
from tests.ci.scratch_repository import DAY, ORDERS, Scratch

COMMAND = ("ci", "gate", "--against", "git:main", "--as-of", DAY)
_ENGINES = re.compile(r"^judged by .*\n", re.MULTILINE)  # they change with every release


@dataclass(frozen=True, slots=True)
class Way:
    """One way to break something: what somebody did, in words and in files."""

    name: str
    title: str
    story: str
    do: Callable[[Scratch], None]
    exit_code: int


_REQUIRED = ("required: [patient, meal]", "required: [patient, meal, portions]")
_NOTE = (
    "                note:\n                  description: For the kitchen.\n                  type: string\n                  maxLength: 200\n",
    "",
)
_DELETE = ORDERS[ORDERS.index("  /orders/{orderId}:") : ORDERS.index("components:")]


def _bump_in_place(repo: Scratch) -> None:
    for file in ("meta.yaml", "openapi.yaml"):
        repo.edit(f"contracts/meal-orders/1.0.0/{file}", ("version: 1.0.0", "version: 1.1.0"))


def _schema_edited(repo: Scratch) -> None:
    repo.edit("contracts/patient-ref/1.0.0/schema.json", ('"maxLength": 20', '"maxLength": 12'))


def _stricter_schema(repo: Scratch) -> None:
    repo.next("patient-ref", "1.1.0", ('"required": ["mrn"]', '"required": ["mrn", "ward"]'))


def _removed(repo: Scratch) -> None:
    repo.git("rm", "-rq", "contracts/bed-events")


def _two_at_once(repo: Scratch) -> None:
    repo.edit("contracts/bed-events/1.0.0/asyncapi.yaml", ("channels:\n", "channels:\n  beds: {}\n"))
    repo.next("meal-orders", "1.1.0", ("maxLength: 200", "maxLength: 400"))


WAYS: tuple[Way, ...] = (
    Way("required-field", "A field of a request becomes required", "Version 1.1.0 asks for `portions`, which callers could leave out.", lambda repo: repo.next("meal-orders", "1.1.0", _REQUIRED), 1),
    Way("narrower-limit", "A limit gets narrower", "Version 1.1.0 takes at most 2 portions; 1.0.0 took 4.", lambda repo: repo.next("meal-orders", "1.1.0", ("maximum: 4", "maximum: 2")), 1),
    Way("enum-value-removed", "A value of an enumeration goes", "Version 1.1.0 no longer knows `dinner`.", lambda repo: repo.next("meal-orders", "1.1.0", ("lunch, dinner]", "lunch]")), 1),
    Way("field-dropped", "A field of a request is dropped", "Version 1.1.0 has no `note` any more, and takes no unknown fields.", lambda repo: repo.next("meal-orders", "1.1.0", _NOTE), 1),
    Way("answer-field-optional", "An answer promises less", "In version 1.1.0 `readyAt` may be missing from the answer.", lambda repo: repo.next("meal-orders", "1.1.0", ("required: [orderId, readyAt]", "required: [orderId]")), 1),
    Way("operation-removed", "An operation is removed", "Version 1.1.0 has no way to cancel an order.", lambda repo: repo.next("meal-orders", "1.1.0", (_DELETE, "")), 1),
    Way("event-field-renamed", "A field of an event gets another name", "In version 1.1.0 of the events `at` is called `since`.", lambda repo: repo.next("bed-events", "1.1.0", ("[bed, at]", "[bed, since]"), ("          at:\n", "          since:\n")), 1),
    Way("edited-in-place", "A frozen version is edited", "Somebody corrects 1.0.0 where it lies instead of making 1.0.1.", lambda repo: repo.edit("contracts/meal-orders/1.0.0/openapi.yaml", ("maximum: 4", "maximum: 6")), 1),
    Way("bumped-in-place", "A new number, in the old folder", "Somebody writes `version: 1.1.0` into the folder of 1.0.0.", _bump_in_place, 1),
    Way("folder-removed", "A frozen version is removed", "Nobody seems to use the events any more, so somebody deletes them.", _removed, 1),
    Way("number-too-low", "The number says less than the change", "A new optional field, released as patch 1.0.1.", lambda repo: repo.next("meal-orders", "1.0.1", ("                note:\n", "                diet:\n                  description: What the patient must not eat.\n                  type: string\n                  maxLength: 100\n                note:\n")), 1),
    Way("shared-schema-edited", "A schema that others use is edited", "Somebody shortens the medical record number in the frozen canonical schema.", _schema_edited, 1),
    Way("stricter-schema", "A new version of a schema is stricter", "Version 1.1.0 of the canonical schema asks for the ward; no contract uses it yet.", _stricter_schema, 1),
    Way("server-moved", "The address changes", "Version 1.1.0 is served below another path.", lambda repo: repo.next("meal-orders", "1.1.0", ("/meal-orders/v1", "/kitchen/meal-orders/v1")), 3),
    Way("slip-of-the-pen", "A slip of the pen, and a good change beside it", "One document has a key twice; a longer note in another contract is fine.", _two_at_once, 1),
)  # fmt: skip


def run(home: Path, *arguments: str) -> tuple[int, str]:
    """Run the program in a folder; gives exit code and what it printed."""
    before = Path.cwd()
    kept = io.BytesIO()
    out = io.TextIOWrapper(kept, encoding="utf-8", newline="\n", write_through=True)
    code = 0
    os.chdir(home)
    try:
        with contextlib.redirect_stdout(out):
            interlock([*arguments])
    except SystemExit as ended:
        code = int(ended.code or 0)
    finally:
        os.chdir(before)
    return code, kept.getvalue().decode()


def told(way: Way) -> tuple[int, str]:
    """Break a fresh repository in one way, and give exit code and report."""
    with tempfile.TemporaryDirectory(prefix="interlock-scratch-") as folder:
        repo = Scratch(Path(folder).resolve())
        way.do(repo)
        code, text = run(repo.home, *COMMAND)
    return code, _ENGINES.sub("", text).rstrip("\n") + "\n"
