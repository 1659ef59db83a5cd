"""Records: canonical bytes, ids in order, nothing inside that must not be there."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from kernel.audit.record import (
    FIELDS,
    Stage,
    act_record,
    action_of,
    exchange_record,
    message_record,
)
from kernel.audit.redaction import clip, patient_reference, token_reference
from kernel.audit.segment import encode_record
from kernel.audit.stamps import new_id, now
from kernel.audit.verify import Reason

if TYPE_CHECKING:
    from conftest import Log

ROOT = Path(__file__).resolve().parents[3]
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(
    st.dictionaries(
        st.sampled_from(sorted(FIELDS)), TEXT | st.integers(-(2**53) + 1, 2**53 - 1) | st.booleans()
    )
)
def test_the_bytes_of_a_record_are_rfc_8785(record: dict[str, object]) -> None:
    assert encode_record(record) == rfc8785.dumps(record)  # type: ignore[arg-type]


def test_ids_are_uuid7_in_order_and_never_twice() -> None:
    ids = [new_id() for _ in range(20_000)]
    assert len(set(ids)) == len(ids)
    assert ids == sorted(ids)
    for text in ids[:50]:
        parsed = uuid.UUID(text)
        assert (parsed.version, parsed.variant) == (7, uuid.RFC_4122)


def test_times_are_utc_with_nanoseconds() -> None:
    first, second = now(), now()
    assert first < second
    assert len(first) == len("2026-11-21T07:15:46.803813516Z")
    assert first[10] == "T"
    assert first.endswith("Z")


@pytest.mark.parametrize(
    ("method", "action"), [("GET", "R"), ("HEAD", "R"), ("POST", "C"), ("PUT", "U"), ("PATCH", "U"), ("DELETE", "D"), ("QUERY", "E")]
)  # fmt: skip
def test_the_action_is_one_of_crude(method: str, action: str) -> None:
    assert action_of(method) == action


def test_bodies_go_in_as_digest_and_length(log: Log) -> None:
    body = b'{"patient":{"mrn":"77120"}}'
    record = log.completed(request_body=body, response_body=b"{}", upstream_status=201, upstream_us=812)
    assert record["request_sha256"] == hashlib.sha256(body).hexdigest()
    assert (record["request_bytes"], record["response_bytes"]) == (27, 2)
    assert "77120" not in json.dumps(record)
    assert record.keys() <= FIELDS.keys()


def test_problems_hold_places_and_not_values() -> None:
    problems = [{"pointer": "/patient/{key}", "keyword": "type", "in": "body", "value": "77120"}] * 40
    record = exchange_record(
        {}, "refused", request_id="r", client="192.0.2.7", problems=problems, refusal="body-invalid"
    )
    assert record["problems"] == [{"pointer": "/patient/{key}", "keyword": "type", "in": "body"}] * 16
    assert record["problem_count"] == 40


def test_what_others_chose_is_clipped() -> None:
    record = exchange_record({}, "refused", request_id="x" * 5000 + "\n", client="192.0.2.7")
    assert len(record["request_id"]) == 256
    assert clip("a\r\nb\x00") == "a??b?"


def test_acts_and_messages_use_known_fields() -> None:
    act = act_record(
        actor="amara", act="version-frozen", subject="lab-orders 1.0.0", outbox=7, record_id="x", recorded="t"
    )
    assert (act["id"], act["recorded"], act["stage"], act["outbox"]) == ("x", "t", "act", 7)
    message = message_record(
        adapter="analyzer", device="COBAS", outcome="failed", raw=b"MSH|", reason="no-patient"
    )
    assert message["request_bytes"] == 4
    assert act.keys() | message.keys() <= FIELDS.keys()


def test_patients_and_tokens_are_named_without_being_told() -> None:
    reference = patient_reference("77120", b"k" * 32)
    assert reference.startswith("hmac-sha256:")
    assert reference != patient_reference("77120", b"j" * 32)
    assert token_reference("a" * 30 + "b" * 60) == "b" * 32
    assert token_reference("abcdef") == "def"
    assert token_reference("secret", "t-1") == "urn:ietf:params:oauth:jti:t-1"


def test_every_field_and_reason_stands_in_the_reference() -> None:
    page = (ROOT / "docs" / "reference" / "audit-record.md").read_text(encoding="utf-8")
    assert [name for name in FIELDS if f"| `{name}` | {FIELDS[name]} |" not in page] == []
    assert [stage for stage in get_args(Stage) if f"`{stage}`" not in page] == []
    assert [reason for reason in get_args(Reason) if f"| `{reason}` |" not in page] == []


def test_the_checker_of_the_reference_page_works(log: Log) -> None:
    page = (ROOT / "docs" / "reference" / "audit-record.md").read_text(encoding="utf-8")
    program = page.split("```python\n")[1].split("```")[0]
    log.write(20, segment_bytes=4096)
    command = [sys.executable, "-c", program, str(log.folder / "proxy-0")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    head = json.loads((log.heads / "proxy-0.heads").read_bytes().splitlines()[-1])
    assert done.stdout == f"ok {head['chain']}\n"
    log.segment(2).write_bytes(log.segment(2).read_bytes().replace(b"ward-7", b"ward-8", 1))
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "was altered" in done.stderr
