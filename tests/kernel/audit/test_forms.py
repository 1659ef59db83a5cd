"""Records written by a form are byte for byte those of the general way, and live in the same journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from kernel.audit.forms import Draft, ExchangeForm
from kernel.audit.record import exchange_record, operation_fields
from kernel.audit.segment import encode_record
from kernel.errors import AuditError

if TYPE_CHECKING:
    from conftest import Log

FIELDS = operation_fields(
    contract="lab-orders", version="1.1.0", digest=f"sha256:{'ab' * 32}", operation='50 % "off"\\', method="POST",
    route="/orders/{id}", adapter="laboratory", server="proxy-0", environment="dév", data_category="health", bundle="4.9.3",
)  # fmt: skip
CALLER: dict[str, Any] = {
    "request_id": "0198c1a2-7d1e-7000-8000-000000000001",
    "client": "192.0.2.7",
    "consumer": "ward-7",
    "key": "k1",
    "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    "duration_us": 1304,
}
STATIC = FIELDS | {"environment": "dev", "operation": "50 % off"}


def _same(draft: Draft, made: dict[str, Any]) -> None:
    """Compare but for what is new in each record, and for that it is well-formed."""
    stamped = {name: draft.as_record()[name] for name in ("id", "recorded")}
    assert {name: len(text) for name, text in stamped.items()} == {"id": 36, "recorded": 30}
    assert stamped["id"] == draft.record_id
    assert draft.encode(42) == encode_record(made | stamped | {"writer": "proxy-0", "epoch": 3, "seq": 42})


@pytest.mark.parametrize("fields", [FIELDS, STATIC, {}])
def test_received_is_the_same_both_ways(fields: dict[str, Any]) -> None:
    form = ExchangeForm(fields, writer="proxy-0", epoch=3)
    draft = form.received(**CALLER, body=b"{}")
    _same(draft, exchange_record(fields, "received", **CALLER, request_body=b"{}"))
    assert (draft.opens, draft.closes) == (True, "")


@pytest.mark.parametrize("closes", ["", "0198c1a2-7d1e-7000-8000-0000000000aa"])
@pytest.mark.parametrize("fields", [FIELDS, STATIC])
def test_completed_is_the_same_both_ways(fields: dict[str, Any], closes: str) -> None:
    form = ExchangeForm(fields, writer="proxy-0", epoch=3)
    for status, outcome in ((201, "success"), (404, "failed"), (201, "success")):
        draft = form.completed(**CALLER, closes=closes, status=status, body=b"[1]", upstream_us=812)
        made = exchange_record(
            fields, "completed", **CALLER, closes=closes or None, outcome=outcome, status=status, response_body=b"[1]",
            upstream_status=status, upstream_us=812,
        )  # fmt: skip
        _same(draft, made)
        assert (draft.opens, draft.closes) == (False, closes)


@pytest.mark.parametrize("text", ['a"b', "a\\b", "caf\u00e9", "a\x1f", "", "x" * 257, "\x7f"])
def test_what_would_need_an_escape_goes_the_general_way(text: str) -> None:
    form = ExchangeForm(FIELDS, writer="proxy-0", epoch=3)
    assert not form.takes("192.0.2.7", text)
    assert form.takes("192.0.2.7", "ward 7's", "2001:db8::1")


async def test_both_ways_share_a_journal_and_a_restart(log: Log) -> None:
    journal = log.open()
    form = journal.form(STATIC)
    opened = form.received(**CALLER, body=b"1")
    left = form.received(**CALLER, body=b"2")
    await journal.append(opened)
    await journal.append(left)
    done = form.completed(**CALLER, closes=opened.record_id, status=200, body=b"{}", upstream_us=1)
    await journal.append(done)
    with pytest.raises(AuditError, match="closes something that is not open"):
        await journal.append(
            form.completed(**CALLER, closes=opened.record_id, status=200, body=b"{}", upstream_us=1)
        )
    await journal.aclose()
    stages = [(one["stage"], one.get("closes"), one.get("outcome")) for one in log.records()]
    assert stages == [
        ("opened", None, None), ("received", None, None), ("received", None, None),
        ("completed", opened.record_id, "success"), ("completed", left.record_id, "unknown"), ("closed", None, None),
    ]  # fmt: skip
    assert log.records()[4]["operation"] == "50 % off"
    assert not log.verify().problems
