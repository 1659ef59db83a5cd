"""The path of one message: published once, revised, refused, failed, recovered; and what the log says of it."""

import asyncio
import json

import pytest
from sqlalchemy import text

from adapters.catalog import build_device
from adapters.intake import Intake
from adapters.retry import RetryPolicy
from kernel.bundle.model import AdapterInstance
from kernel.errors import AuditError


async def test_a_result_is_published_once_and_audited(lab, talk):
    listener = await lab.listen()
    message = talk.oru("A1")
    first, second = await talk.converse(listener, talk.frame(message), talk.frame(message))
    assert first == second, "a resend gets the same answer, to the byte"
    assert talk.rows(lab, "SELECT state FROM inbox ORDER BY id") == [("published",), ("duplicate",)]
    assert talk.rows(lab, "SELECT type, sequence FROM events") == [("result.final.v1", 1)]
    assert talk.rows(lab, "SELECT sequence, relayed_at FROM outbox") == [(1, None)]
    assert talk.rows(lab, "SELECT revision, status FROM resources") == [(1, "final")]
    [(event_id,)] = talk.rows(lab, "SELECT id FROM events")
    published, repeated = talk.audited(lab)
    assert published["outcome"] == "success"
    assert published["event_id"] == event_id
    assert published["acknowledgement"] == "AA"
    assert published["message_id"] == "A1"
    assert published["device"] == "ANALYZER@WARD7"
    assert published["contract"] == "lab-result"
    assert published["detail"] == {"events": 1, "state": "published"}
    assert repeated["detail"]["state"] == "duplicate"
    assert repeated["detail"]["of"] == published["request_id"]
    assert await lab.house.intake().store.owed() == []


async def test_the_event_is_an_envelope_round_the_canonical_result(lab, talk):
    listener = await lab.listen(timezone="Europe/Zurich")
    await talk.converse(listener, talk.frame(talk.oru("A1")))
    store = lab.house.intake().store
    [(event_id, sealed)] = talk.rows(lab, "SELECT id, envelope FROM events")
    event = json.loads(store.sealer.open(sealed, f"canonical|event|{event_id}"))
    assert event["specversion"] == "1.0"
    assert event["type"] == "result.final.v1"
    assert event["source"] == "/adapters/analyzer"
    assert event["time"] == "2026-03-01T09:15:00.000Z"
    assert event["sequence"] == "00000000000000000001"
    assert event["dataschema"].startswith("urn:interlock:schema:lab-result:1.0.0:sha256-")
    assert event["data"]["id"] == event["subject"]
    assert "700123" not in event["partitionkey"] + event["subject"]
    [line] = event["data"]["observations"]
    assert line["value"] == {
        "kind": "quantity",
        "raw": "5.4",
        "number": "5.4",
        "unit": {"raw": "mmol/L", "ucum": "mmol/L"},
    }
    assert line["times"]["measured"]["at"] == "2026-03-01T09:30:00+01:00"
    assert event["data"]["patient"]["name"] == {"family": "Zelenka", "given": ["Božena"]}


async def test_the_same_key_with_other_bytes_is_quarantined(lab, talk):
    listener = await lab.listen()
    answers = await talk.converse(
        listener,
        talk.frame(talk.oru("A1")),
        talk.frame(talk.oru("A1", value="9.9")),
        talk.frame(talk.oru("A1")),
    )
    assert talk.codes(answers) == "AA AE AA"
    assert talk.rows(lab, "SELECT reason, handed_back FROM dead_letters") == [("control-id-reused", 1)]
    assert talk.rows(lab, "SELECT count(*) FROM events") == [(1,)]


async def test_a_refused_message_may_come_again_corrected_under_its_own_id(lab, talk):
    listener = await lab.listen()
    answers = await talk.converse(
        listener, talk.frame(talk.oru("A1", status="QQ")), talk.frame(talk.oru("A1", status="F"))
    )
    assert talk.codes(answers) == "AE AA"
    assert talk.rows(lab, "SELECT reason, state FROM dead_letters") == [("status-unknown", "superseded")]


REVISIONS = [
    # (status, recorded) of the first, of the second, answer to the second, revisions held
    (("P", "20260301100000+0100"), ("F", "20260301110000+0100"), "AA", ["preliminary", "final"]),
    (("F", "20260301100000+0100"), ("C", "20260301110000+0100"), "AA", ["final", "corrected"]),
    (("F", "20260301100000+0100"), ("P", "20260301100000+0100"), "AE", ["final"]),
    (("F", "20260301100000+0100"), ("P", "20260301110000+0100"), "AA", ["final", "preliminary"]),
    (("F", "20260301110000+0100"), ("C", "20260301100000+0100"), "AE", ["final"]),
    (("F", "20260301110000+0100"), ("F", "20260301110000+0100"), "AA", ["final"]),
    (("F", "20260301110000+0100"), ("X", "20260301110000+0100"), "AA", ["final", "cancelled"]),
    (("C", "20260301110000+0100"), ("F", "20260301110000+0100"), "AE", ["corrected"]),
    (("F", "20260301110000+0100"), ("W", "20260301120000+0100"), "AA", ["final", "entered-in-error"]),
]


@pytest.mark.parametrize(("first", "second", "code", "held"), REVISIONS)
async def test_corrections_are_revisions_and_old_news_is_refused(lab, talk, first, second, code, held):
    listener = await lab.listen()
    answers = await talk.converse(
        listener,
        talk.frame(talk.oru("A1", status=first[0], recorded=first[1])),
        talk.frame(talk.oru("A2", status=second[0], recorded=second[1])),
    )
    assert talk.codes(answers) == f"AA {code}"
    assert [status for (status,) in talk.rows(lab, "SELECT status FROM revisions ORDER BY revision")] == held
    [(revision, status)] = talk.rows(lab, "SELECT revision, status FROM resources")
    assert (revision, status) == (len(held), held[-1])
    assert talk.rows(lab, "SELECT count(*) FROM events") == [(len(held),)]


async def test_history_cannot_be_rewritten(lab, talk):
    listener = await lab.listen()
    await talk.converse(listener, talk.frame(talk.oru("A1")))
    engine = lab.house.intake().store.engine
    for statement in ("DELETE FROM events", "UPDATE revisions SET status = 'final'", "DELETE FROM revisions"):
        with pytest.raises(Exception, match="history"), engine.begin() as connection:
            connection.execute(text(statement))


async def test_without_a_frozen_schema_nothing_is_published(lab, talk):
    lab.bundle = None
    listener = await lab.listen()
    assert talk.codes(await talk.converse(listener, talk.frame(talk.oru("A1")))) == "AR"
    assert talk.rows(lab, "SELECT state, reason FROM inbox") == [("failed", "contract-missing")]
    assert [record["outcome"] for record in talk.audited(lab)] == ["failed"]


async def test_what_failed_in_silence_is_tried_again_until_it_is_published(lab, talk):
    bundle, lab.bundle = lab.bundle, None
    lab.house.intake()._retries = RetryPolicy(attempts=50, first_seconds=0.01, longest_seconds=0.01)
    listener = await lab.listen(on_failure="silent")
    assert await talk.converse(listener, talk.frame(talk.oru("A1"))) == []
    assert talk.rows(lab, "SELECT state FROM inbox") == [("held",)]
    lab.bundle = bundle
    await asyncio.gather(*lab.house.intake()._later)
    assert talk.rows(lab, "SELECT state FROM inbox") == [("published",)]
    assert talk.codes(await talk.converse(listener, talk.frame(talk.oru("A1")))) == "AA"
    assert talk.rows(lab, "SELECT count(*) FROM events") == [(1,)]


async def test_after_the_last_attempt_it_is_a_dead_letter_that_nobody_was_told_of(lab, talk):
    lab.bundle = None
    lab.house.intake()._retries = RetryPolicy(attempts=1)
    listener = await lab.listen(on_failure="silent")
    assert await talk.converse(listener, talk.frame(talk.oru("A1"))) == []
    assert talk.rows(lab, "SELECT reason, handed_back, state FROM dead_letters") == [
        ("contract-missing", 0, "open")
    ]


async def test_a_restart_finishes_what_was_held(lab, talk):
    bundle, lab.bundle = lab.bundle, None
    listener = await lab.listen(on_failure="silent")
    held = talk.oru("A1", accept="AL", application="NE")
    assert talk.codes(await talk.converse(listener, talk.frame(held))) == "CA"
    await lab.restart()
    lab.bundle = bundle
    listener = await lab.listen(on_failure="silent")
    assert talk.rows(lab, "SELECT state FROM inbox") == [("published",)]
    assert talk.codes(await talk.converse(listener, talk.frame(held))) == "CA"
    assert talk.rows(lab, "SELECT state FROM inbox ORDER BY id") == [("published",), ("duplicate",)]


class DeadLog:
    """A journal whose disk is gone."""

    def append(self, record):
        raise AuditError("the disk is gone")


async def test_no_positive_answer_without_its_audit_record(lab, talk):
    listener = await lab.listen()
    intake = lab.house.intake()
    intake._audit = DeadLog()
    assert await talk.converse(listener, talk.frame(talk.oru("A1"))) == []
    assert talk.rows(lab, "SELECT count(*) FROM audit_outbox") == [(1,)]
    await lab.restart()
    listener = await lab.listen()
    assert await lab.house.intake().store.owed() == []
    assert [record["detail"]["state"] for record in talk.audited(lab)] == ["published"]
    assert talk.codes(await talk.converse(listener, talk.frame(talk.oru("A1")))) == "AA"
    assert talk.rows(lab, "SELECT count(*) FROM events") == [(1,)]


async def test_an_interrupted_message_is_kept_and_never_taken_for_a_result(lab, talk):
    listener = await lab.listen()
    whole = talk.frame(talk.oru("A1"))
    assert await talk.converse(listener, whole[:200]) == []
    assert talk.rows(lab, "SELECT state, reason, bytes FROM inbox") == [
        ("refused", "transmission-incomplete", 199)
    ]
    assert talk.rows(lab, "SELECT handed_back FROM dead_letters") == [(0,)]
    assert talk.codes(await talk.converse(listener, whole)) == "AA"


async def test_unmapped_types_are_stored_or_refused_by_profile(lab, talk):
    adt = b"MSH|^~\\&|PAS|H|INTERLOCK|H|20260301||ADT^A01|T1|P|2.5\rPID|1||7^^^H^MR\r"
    stores = await lab.listen()
    assert talk.codes(await talk.converse(stores, talk.frame(adt))) == "AA"
    refuses = await lab.listen(name="strict", unmapped="refuse")
    assert talk.codes(await talk.converse(refuses, talk.frame(adt))) == "AR"
    assert talk.rows(lab, "SELECT state, reason FROM inbox ORDER BY id") == [
        ("stored-only", ""),
        ("refused", "type-unmapped"),
    ]


async def test_senders_are_attributed_to_their_profile_or_refused(lab, talk):
    rules = [{"application": "ANALYZER", "facility": "*", "profile": "cobas/2.1.0"}]
    listener = await lab.listen(senders=rules)
    stranger = talk.oru("A2").replace(b"|ANALYZER|", b"|STRANGER|")
    answers = await talk.converse(listener, talk.frame(talk.oru("A1")), talk.frame(stranger))
    assert talk.codes(answers) == "AA AE"
    store = lab.house.intake().store
    [(name, revision, sealed)] = talk.rows(lab, "SELECT id, revision, document FROM resources")
    document = json.loads(store.sealer.open(sealed, f"canonical|resource|{name}|{revision}"))
    assert document["source"]["profile"] == "cobas/2.1.0"
    assert talk.rows(lab, "SELECT reason FROM dead_letters") == [("sender-unknown",)]


async def test_a_document_outside_its_contract_is_refused_with_places_and_no_values(lab, talk):
    listener = await lab.listen()
    message = talk.oru("A1").replace(b"|P77^EHR|", b"|" + b"7" * 600 + b"^EHR|")
    [answer] = await talk.converse(listener, talk.frame(message))
    assert talk.codes([answer]) == "AE"
    assert b"outside-contract" in answer
    [(violations,)] = talk.rows(lab, "SELECT violations FROM dead_letters")
    assert json.loads(violations) == [["/numbers/placer/value", "maxLength"]]
    [record] = talk.audited(lab)
    assert record["problems"] == [{"pointer": "/numbers/placer/value", "keyword": "maxLength"}]


async def test_two_intakes_on_one_store_take_a_message_once(lab, talk):
    """Two worker processes: the transaction decides, not the look before it."""
    device = build_device(AdapterInstance("analyzer", "lab_hl7v2", {"port": 0}))
    first = lab.house.intake()
    second = Intake(first.store, first.schemas, lab.journal)
    sent: list[bytes] = []

    async def send(answer):
        sent.append(answer)

    message = talk.oru("A1")
    settled = await asyncio.gather(*(one.take(message, device, send) for one in (first, second) * 5))
    assert sorted(one.state for one in settled) == ["duplicate"] * 9 + ["published"]
    assert len(set(sent)) == 1
    assert talk.rows(lab, "SELECT count(*) FROM events") == [(1,)]
