"""Every HL7 v2 message of ../shared/data/hl7v2 through the listener, in random TCP splits, plain and over TLS."""

import asyncio
import hashlib
import json
import random
import re
import sys
from collections import Counter
from pathlib import Path

import pytest

from adapters.devices.lab_hl7v2.device import LabDevice
from adapters.devices.lab_hl7v2.settings import read_settings
from adapters.errors import MessageRefused
from adapters.formats.hl7v2.acknowledge import answered
from adapters.formats.hl7v2.batch import split_messages
from adapters.formats.hl7v2.modes import wish
from adapters.formats.hl7v2.parse import read_header
from adapters.wire.mllp.client import MllpClient
from adapters.wire.mllp.framing import Deframer, frame
from adapters.wire.mllp.tls import client_context

pytestmark = pytest.mark.corpus
GOLDEN = Path(__file__).parent / "golden" / "lab_results.json"
PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "acknowledgements.md"

# Files that hold no message to send.
NO_MESSAGES = {
    "hapi/uuencoded_escaped.txt": "an escaped attachment, the content of one field",
    "simhospital/invalid_messages.yml": "templates with %s in place of times and ids",
}
# Reviewed by eye before the run: (file, number of its message) → reason. All others must be taken.
REFUSED = {
    ("cdc-ti-malformed/empty.hl7", 0): "header-unreadable",  # nothing at all
    ("cdc-ti-malformed/msh_present_but_missing_all_fields.hl7", 0): "header-unreadable",  # `MSH|`
    ("cdc-ti-malformed/msh_present_but_missing_msh-10.hl7", 0): "control-id-missing",
    ("cdc-ti-malformed/msh_present_but_missing_msh-9.hl7", 0): "type-missing",
    ("hapi/example_oml_o21.hl7", 10): "control-id-missing",  # MSH-10 is required (R) in every version
    ("hapi/example_oml_o21.hl7", 11): "control-id-missing",
}


def corpus_messages(folder: Path) -> dict[str, list[bytes]]:
    """Give the messages of each file, bytes unchanged, by its path below hl7v2."""
    found = {}
    for path in sorted((folder / "hl7v2").rglob("*")):
        name = path.relative_to(folder / "hl7v2").as_posix()
        if path.suffix == ".fhir" or path.is_dir() or name in NO_MESSAGES:
            continue
        data = path.read_bytes()
        if name == "hapi/messages.txt":  # comments of its own, which HAPI's reader skips too
            data = re.sub(rb"(?m)^(?://|/\*| \*)[^\r\n]*", b"", data)
        found[name] = split_messages(data) or [data]
    return found


def table() -> dict[tuple[str, str], str]:
    """Read the column `taken` of the table of acknowledgements."""
    rows = re.findall(
        r"(?m)^\| (empty|AL|NE|ER|SU) \| (empty|AL|NE|ER|SU) \| ([A-Z -]*?) \|", PAGE.read_text()
    )
    return {(a.replace("empty", ""), b.replace("empty", "")): c.replace("-", "") for a, b, c in rows}


def expected_codes(name: str, number: int, message: bytes, taken: dict[tuple[str, str], str]) -> str:
    """Say which codes a message must get: by the table, by hand for refused ones and acknowledgements."""
    if (name, number) in REFUSED:
        return "AR"  # all are in original mode, or cannot say otherwise
    header = read_header(message)
    wishes = (wish(header.raw(15)) or "", wish(header.raw(16)) or "")
    is_ack = header.value(9) == "ACK" or re.search(rb"(?m)^MSA", message.replace(b"\r", b"\n")) is not None
    return "" if is_ack and wishes == ("", "") else taken[wishes]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return make_certificates(tmp_path_factory.mktemp("tls"))


def make_certificates(folder: Path) -> tuple[Path, Path]:
    import datetime as dt
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "analyzer line")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "line.pem", folder / "line.key"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
    return certificate_file, key_file


async def send_all(listener, messages: list[bytes], chance: random.Random, tls) -> list[str]:
    """Send the messages of one file over one connection in random pieces; give the codes each one got.

    A message from nobody's device ends the run of each: its answer shows that all before it are answered.
    """
    host, port = listener.address()
    got: list[str] = []
    async with MllpClient(host, port, tls=tls, seconds=60) as line:
        for number, message in enumerate(messages):
            probe = f"MSH|^~\\&|PROBE|{number}|||||NMQ^N01|P{number}|P|2.5\r".encode()
            stream = frame(message) + frame(probe)
            while stream:
                size = chance.choice((1, 2, 3, 7, 64, 1000, 65536))
                await line.write(stream[:size])
                stream = stream[size:]
                if chance.random() < 0.05:
                    await asyncio.sleep(0)
            codes = []
            while True:
                code, control = answered(await line.receive())
                if control == f"P{number}":
                    break
                codes.append(code)
            got.append(" ".join(codes))
    return got


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "tls"])
async def test_every_message_is_taken_and_answered_as_it_asks(
    corpus, lab, talk, certificates, over_tls, capsys
):
    messages = corpus_messages(corpus)
    taken = table()
    assert len(taken) == 25
    certificate, key = certificates
    settings = {"tls": {"certificate": str(certificate), "key": str(key)}} if over_tls else {}
    chance = random.Random(20261121)
    wrong, outcome = [], Counter()
    for place, (name, of_file) in enumerate(messages.items()):
        listener = await lab.listen(name=f"file-{place}", **settings)
        tls = client_context(str(certificate)) if over_tls else None
        got = await send_all(listener, of_file, chance, tls)
        for number, (message, codes) in enumerate(zip(of_file, got, strict=True)):
            expected = expected_codes(name, number, message, taken)
            outcome[codes or "(none)"] += 1
            if codes != expected:
                wrong.append((name, number, expected, codes))
        await listener.stop()
    assert wrong == []

    sent = Counter(
        (f"file-{place}", "sha256:" + hashlib.sha256(message).hexdigest())
        for place, of_file in enumerate(messages.values())
        for message in of_file
    )
    held = talk.rows(
        lab,
        "SELECT connection, digest, state, reason FROM inbox WHERE digest NOT IN "
        "(SELECT digest FROM inbox WHERE bytes < 60 AND reason = '' AND state = 'stored-only') ORDER BY id",
    )
    assert Counter((connection, digest) for connection, digest, _, _ in held) == sent, "none lost, none twice"
    names = list(messages)
    refused = Counter(
        (names[int(one.split("-")[1])], why) for one, _, state, why in held if state == "refused"
    )
    assert refused == Counter((name, why) for (name, _), why in REFUSED.items())
    assert not [row for row in held if row[2] in ("held", "failed")]
    applied = talk.rows(lab, "SELECT count(*), count(DISTINCT id) FROM events")
    revisions = talk.rows(lab, "SELECT count(*) FROM revisions")
    assert applied[0][0] == applied[0][1] == revisions[0][0]
    assert len(talk.audited(lab)) == 2 * sum(sent.values()), "one record a message, and one a probe"

    with capsys.disabled():
        states = Counter(state for _, _, state, _ in held)
        resources = talk.rows(lab, "SELECT count(*) FROM resources")[0][0]
        way = "TLS" if over_tls else "plain"
        lines = [f"\nHL7 v2 corpus, {way}: {len(messages)} files, {sent.total()} messages"]
        for title, counts in (("answer", outcome), ("state", states)):
            listed = ", ".join(f"{word} {count}" for word, count in counts.most_common())
            lines.append(f"  {title:<8}{listed}")
        lines.append(f"  {'results':<8}{revisions[0][0]} revisions of {resources}")
        sys.stdout.write("\n".join(lines) + "\n")


def test_the_canonical_output_of_lab_results_is_as_reviewed(corpus):
    """Digests and counts only: the documents hold other people's sample data. Delete the file to make it anew."""
    from datetime import UTC, datetime

    from adapters.canonical.values import Held

    device = LabDevice("golden", read_settings({"port": 0, "timezone": "UTC"}))
    found = {}
    for name, of_file in corpus_messages(corpus).items():
        for number, message in enumerate(of_file):
            reading = device.read(message)
            if reading.refusal is not None or not reading.mapped:
                continue
            held = Held("0" * 36, "golden", datetime(2026, 11, 21, tzinfo=UTC), message, "sha256:" + "0" * 64)
            try:
                made = device.to_canonical(reading, held, "generic/1.0.0")
            except MessageRefused as refused:
                found[f"{name}#{number}"] = {"refused": refused.reason}
                continue
            found[f"{name}#{number}"] = [summary(resource) for resource in made]
    if not GOLDEN.is_file():
        GOLDEN.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
        pytest.fail("the golden file was missing and is written now: review it, and commit it")
    assert found == json.loads(GOLDEN.read_text())


def summary(resource) -> dict:
    values = Counter(
        line["value"]["kind"] if "value" in line else line["dataAbsentReason"]
        for line in resource.document["observations"]
    )
    statuses = Counter(line["status"] for line in resource.document["observations"])
    return {
        "digest": resource.content_digest,
        "status": resource.status,
        "event": resource.event,
        "values": dict(values),
        "statuses": dict(statuses),
        "quality": resource.document.get("quality", []),
    }


def test_framing_gives_back_every_message_whatever_the_splits(corpus):
    chance = random.Random(7)
    everything = [message for of_file in corpus_messages(corpus).values() for message in of_file]
    stream = b"junk".join(frame(message) for message in everything)
    deframer, blocks = Deframer(1 << 24), []
    while stream:
        size = chance.randint(1, 5000)
        blocks += deframer.feed(stream[:size])
        stream = stream[size:]
    assert [block.data for block in blocks] == everything
    assert deframer.junk == 4 * (len(everything) - 1)
