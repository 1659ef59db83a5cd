"""Whatever arrives: read without raising, refused with a reason, or canonical; never a crash, never a value shown."""

import random
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.canonical.values import Held
from adapters.devices.lab_hl7v2.device import LabDevice
from adapters.devices.lab_hl7v2.settings import read_settings
from adapters.errors import MessageRefused
from adapters.formats.hl7v2.acknowledge import answered
from adapters.reasons import BY_SLUG

DEVICE = LabDevice("analyzer", read_settings({"port": 0}))
NOW = datetime(2026, 3, 1, tzinfo=UTC)
FATES = ("taken", "header-refused", "body-refused", "content-refused", "failed", "not-held")
WORDS = (
    b"|",
    b"^",
    b"~",
    b"\\",
    b"&",
    b"\r",
    b"\n",
    b"\x00",
    b"\xff",
    b'""',
    b"MSH|^~\\&|",
    b"9" * 400,
    b"<",
    b"OBX|",
    b"\\X41",
    b"\\.br\\",
)


def swallow(raw):
    """Take one message through everything that a device does; gives what became of it."""
    reading = DEVICE.read(raw)
    refusal = reading.refusal
    documents = ()
    if refusal is None and reading.mapped:
        held = Held("0" * 36, "analyzer", NOW, raw, "sha256:" + "0" * 64)
        try:
            documents = DEVICE.to_canonical(reading, held, "generic/1.0.0")
        except MessageRefused as refused:
            refusal = refused
    if refusal is not None:
        assert refusal.reason in BY_SLUG
    for fate in FATES:
        answers = DEVICE.answers(reading, fate, refusal if fate != "taken" else None)
        for answer in (answers.commit, answers.application):
            if answer:
                assert answer.startswith(b"MSH")
                assert answered(answer)[0] in answers.codes
                assert len(answer) < 5000
    return refusal, documents


@given(st.binary(max_size=400))
def test_any_bytes(raw):
    swallow(raw)


@given(st.binary(max_size=200))
def test_any_bytes_behind_a_header(raw):
    swallow(b"MSH|^~\\&|A|B|C|D|20260301||ORU^R01|1|P|2.5\r" + raw)


def mutate(raw, chance):
    data = bytearray(raw)
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(data) + 1)
        if chance.random() < 0.5:
            data[place : place + chance.randint(0, 12)] = chance.choice(WORDS)
        else:
            data[place : place + chance.randint(1, 40)] = b""
    return bytes(data)


def test_mutations_of_a_result(talk, frozen):
    from adapters.frozen_schemas import FrozenSchemas

    check = FrozenSchemas(lambda: frozen).find("lab-result", 1).check
    chance = random.Random(5)
    reasons = set()
    for _ in range(3000):
        refusal, documents = swallow(mutate(talk.oru("A1"), chance))
        reasons.add(refusal.reason if refusal else "")
        for resource in documents:
            check({**resource.document, "id": "a", "revision": 1})
    assert {"", "header-unreadable", "segment-unreadable", "status-unknown"} <= reasons


@pytest.mark.corpus
def test_mutations_of_real_messages(corpus, talk):
    from adapters.formats.hl7v2.batch import split_messages

    chance = random.Random(11)
    for path in sorted((corpus / "hl7v2").rglob("*.hl7")):
        for message in split_messages(path.read_bytes())[:3]:
            for _ in range(5):
                swallow(mutate(message[:20_000], chance))
