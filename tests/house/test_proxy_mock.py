"""`interlock proxy run FILE --mock`, as a user meets it: no provider, right answers, the same ones each time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.running import ask, clean_environment, proxy_run

pytestmark = pytest.mark.house

WARD = """
openapi: 3.1.0
info: { title: Ward, version: 1.0.0 }
paths:
  /beds/{id}:
    get:
      operationId: readBed
      parameters: [{ name: id, in: path, required: true, schema: { type: integer } }]
      responses:
        "200":
          description: one
          content:
            application/json:
              schema:
                type: object
                additionalProperties: false
                required: [id, free, since]
                properties:
                  id: { type: string, format: uuid }
                  free: { type: boolean }
                  since: { type: string, format: date-time }
        "202":
          description: examples
          content:
            application/json:
              schema: { type: string }
              examples: { zeta: { value: z }, beta: { value: b }, alpha: { value: 1 } }
        "404":
          description: none
          content: { application/json: { schema: { type: object }, example: { why: no such bed } } }
"""


def test_one_file_answers_for_itself(tmp_path: Path) -> None:
    (tmp_path / "ward.yaml").write_text(WARD)
    bodies = []
    for seed in ("7", "7", "8"):
        with proxy_run(tmp_path / "ward.yaml", None, "--mock", "--seed", seed, cwd=tmp_path) as (port, said):
            assert "-> a mock" in said
            got = ask(port, "GET", "/beds/7")
            assert (got.status, got.headers["x-interlock-mock"]) == (200, f"seed={seed}")
            assert set(got.json()) == {"id", "free", "since"}
            bodies.append(got.body)
            assert ask(port, "GET", "/beds/seven").slug == "parameter-invalid"
            named = ask(port, "GET", "/beds/7", headers={"Prefer": "code=202"})
            assert (named.status, named.json()) == (202, "b")  # by name, and `alpha` breaks the schema
            other = ask(port, "GET", "/beds/7", headers={"Prefer": "code=404"})
            assert (other.status, other.json()) == (404, {"why": "no such bed"})
    assert bodies[0] == bodies[1] != bodies[2]


def test_every_answer_of_an_operation_says_that_it_is_of_a_mock(tmp_path: Path) -> None:
    (tmp_path / "ward.yaml").write_text(WARD)
    with proxy_run(tmp_path / "ward.yaml", None, "--mock", cwd=tmp_path) as (port, _):
        for method, path, status, marked in (
            ("GET", "/beds/7", 200, True),
            ("GET", "/beds/seven", 400, True),
            ("GET", "/beds|", 400, False),
            ("GET", "/wards", 404, False),
            ("POST", "/beds/7", 405, False),
            ("OPTIONS", "/beds/7", 204, False),
        ):
            got = ask(port, method, path)
            assert (got.status, "x-interlock-mock" in got.headers) == (status, marked), (method, path)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "--upstream URL, or --mock"),
        (("--mock", "--upstream", "http://127.0.0.1:9"), "leave out --upstream"),
        (("--mock", "--report-only"), "leave out --upstream and --report-only"),
        (("--upstream", "http://127.0.0.1:9", "--seed", "3"), "--seed needs --mock"),
    ],
)
def test_who_answers_is_said_once(tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    (tmp_path / "ward.yaml").write_text(WARD)
    done = subprocess.run(
        [sys.executable, "-m", "cli", "proxy", "run", "ward.yaml", *options],
        cwd=tmp_path, env=clean_environment(), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
