"""`interlock explain`: by which names a topic is found, and what is printed once."""

from __future__ import annotations

from typing import get_args

import pytest
from click.testing import CliRunner

from cli.explain import explain
from cli.topics import LOG_FAULTS
from kernel.audit.verify import Reason


def _explained(code: str) -> str:
    return CliRunner().invoke(explain, [code], standalone_mode=False).output


@pytest.mark.parametrize(
    ("said", "head"),
    [
        ("INTERLOCK_REGISTRY_PORT", "registry_port · setting"),
        ("oasdiff/api-tag-added", "oasdiff-rules · rule"),
        ("contract-missing", "contract-missing · reason"),
        ("truncated", "truncated · log fault"),
        ("3", "exit-3 · exit code"),
    ],
)
def test_every_name_that_interlock_prints_is_known(said: str, head: str) -> None:
    assert _explained(said).splitlines()[0] == head


def test_a_single_sentence_stands_once_and_the_exit_code_in_its_own_line() -> None:
    assert _explained("audit-failed") == (
        "audit-failed · error\nThe audit log cannot be written, or does not verify.\n\nExit code: 3\n"
    )


def test_every_log_fault_is_explained() -> None:
    assert set(LOG_FAULTS) == set(get_args(Reason))
