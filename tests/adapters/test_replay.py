"""Dead letters come back once: after the fix, never beside a resend."""

import pytest

from adapters.canonical.reading import Reading
from adapters.catalog import build_device
from adapters.errors import CanonicalStoreError, ReplayRefused
from adapters.replay import replay, replayable
from kernel.bundle.model import AdapterInstance


def reading(lab):
    store = lab.house.intake().store
    return Reading(store.engine, store.sealer)


async def run(lab, letter_id, corrected=None, **settings):
    device = build_device(AdapterInstance("analyzer", "lab_hl7v2", {"port": 0, **settings}))
    letter = replayable(reading(lab), letter_id)
    return await replay(
        lab.house.intake(), device, letter, audit=lab.journal, actor="os:tester", corrected=corrected
    )


async def refused_letter(lab, talk, **more):
    listener = await lab.listen()
    assert talk.codes(await talk.converse(listener, talk.frame(talk.oru("A1", **more)))) == "AE"
    [letter] = reading(lab).letters()
    return listener, letter


async def test_a_corrected_message_is_taken_once(lab, talk):
    _, letter = await refused_letter(lab, talk, status="QQ")
    assert (letter.reason, letter.location, letter.state) == ("status-unknown", "OBR[1]-25", "open")
    assert lab.house.open_letters() == 1
    done = await run(lab, letter.id, talk.oru("A1"))
    assert done.settled.state == "published"
    assert lab.house.open_letters() == 0
    assert len(done.settled.event_ids) == 1
    again = reading(lab).letter(letter.id)
    assert (again.state, again.replayed_by) == ("replayed", done.message)
    with pytest.raises(ReplayRefused, match="replayed before"):
        await run(lab, letter.id, talk.oru("A1"))
    assert talk.rows(lab, "SELECT count(*) FROM events") == [(1,)]
    records = talk.audited(lab)
    assert records[-1]["detail"] == {"replay_of": letter.id, "state": "published", "events": 1}


async def test_the_original_is_taken_after_the_profile_is_corrected(lab, talk):
    listener = await lab.listen(senders=[{"application": "OTHER", "facility": "*"}])
    await talk.converse(listener, talk.frame(talk.oru("A1")))
    [letter] = reading(lab).letters(state="open")
    done = await run(lab, letter.id)
    assert done.settled.state == "published"
    assert reading(lab).raw(letter.id) == talk.oru("A1")


async def test_a_replay_that_is_refused_again_leaves_the_letter_open(lab, talk):
    _, letter = await refused_letter(lab, talk, status="QQ")
    with pytest.raises(ReplayRefused, match="status-unknown"):
        await run(lab, letter.id)
    with pytest.raises(ReplayRefused, match="header-unreadable"):
        await run(lab, letter.id, b"no message")
    assert reading(lab).letter(letter.id).state == "open"
    assert len(reading(lab).letters()) == 1, "a failed replay is no dead letter of its own"
    assert (await run(lab, letter.id, talk.oru("A1"))).settled.state == "published"


async def test_never_beside_a_resend_under_the_same_control_id(lab, talk):
    listener, letter = await refused_letter(lab, talk, status="QQ")
    assert talk.codes(await talk.converse(listener, talk.frame(talk.oru("A1")))) == "AA"
    with pytest.raises(ReplayRefused, match="sent the message again"):
        await run(lab, letter.id, talk.oru("A1", value="7"))
    assert talk.rows(lab, "SELECT count(*) FROM events") == [(1,)]


async def test_never_beside_a_resend_of_the_same_result_under_another_control_id(lab, talk):
    listener, letter = await refused_letter(lab, talk, status="QQ")
    assert talk.codes(await talk.converse(listener, talk.frame(talk.oru("A2")))) == "AA"
    with pytest.raises(ReplayRefused, match="older-than-held"):
        await run(lab, letter.id, talk.oru("A1", value="7", recorded="20260301230000+0100"))
    assert talk.rows(lab, "SELECT revision FROM resources") == [(1,)]


async def test_a_quarantined_message_needs_a_control_id_of_its_own(lab, talk):
    listener = await lab.listen()
    other = {"filler": "F200^LAB", "value": "7"}
    await talk.converse(listener, talk.frame(talk.oru("A1")), talk.frame(talk.oru("A1", **other)))
    [letter] = reading(lab).letters()
    with pytest.raises(ReplayRefused, match="control-id-reused"):
        await run(lab, letter.id)
    assert (await run(lab, letter.id, talk.oru("A1-2", **other))).settled.state == "published"
    assert talk.rows(lab, "SELECT count(*) FROM events") == [(2,)]


async def test_a_replay_while_the_contract_is_missing_fails_and_can_be_repeated(lab, talk):
    _, letter = await refused_letter(lab, talk, status="QQ")
    bundle, lab.bundle = lab.bundle, None
    with pytest.raises(ReplayRefused, match="contract-missing"):
        await run(lab, letter.id, talk.oru("A1"))
    lab.bundle = bundle
    assert (await run(lab, letter.id, talk.oru("A1"))).settled.state == "published"


async def test_reading_back_lists_without_content_and_opens_by_id(lab, talk):
    listener = await lab.listen()
    await talk.converse(listener, talk.frame(talk.oru("A1")))
    back = reading(lab)
    [event] = back.events()
    assert set(event) == {"sequence", "id", "type", "subject", "schema", "made_at", "message"}
    assert back.event(event["id"])["data"]["patient"]["name"]["family"] == "Zelenka"
    [resource] = back.resources()
    assert resource["status"] == "final"
    assert back.resource(resource["id"])["revision"] == 1
    assert back.events(after=1) == []
    assert back.counts() == {"published": 1}
    for ask in (back.letter, back.raw, back.event, back.resource):
        with pytest.raises(CanonicalStoreError):
            ask("nothing")
