"""Kinds of adapters, their settings, retries, and what the trial of a message says."""

from dataclasses import dataclass

import jsonschema
import pytest

from adapters import catalog
from adapters.catalog import KINDS, CatalogRow, all_kinds, build, build_device, check_settings, find
from adapters.errors import AdapterSettingsError
from adapters.frozen_schemas import FrozenSchemas
from adapters.port import Adapter, AdapterKind, Listener
from adapters.retry import RetryPolicy
from adapters.trial import try_message
from kernel.bundle.model import AdapterInstance


def test_every_kind_is_named_once_and_its_schema_is_closed():
    names = [row.kind.kind for row in KINDS]
    assert names == sorted(set(names))
    for row in KINDS:
        jsonschema.Draft202012Validator.check_schema(row.kind.settings_schema)
        assert row.kind.settings_schema["additionalProperties"] is False


async def test_listeners_listen_and_adapters_are_called(lab):
    listener = build(AdapterInstance("a", "lab_hl7v2", {"port": 0}), lab.house)
    assert isinstance(listener, Listener)
    caller = build(AdapterInstance("b", "http", {"base_url": "http://127.0.0.1:1/"}), lab.house)
    assert isinstance(caller, Adapter)
    assert not isinstance(caller, Listener)
    with pytest.raises(AdapterSettingsError, match="take no messages"):
        build_device(AdapterInstance("b", "http", {"base_url": "http://127.0.0.1:1/"}))


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ({}, "/port: required"),
        ({"port": "x"}, "/port: type"),
        ({"port": 0, "colour": "crimson"}, "additionalProperties"),
        ({"port": 0, "on_failure": "AA"}, "/on_failure: enum"),
        ({"port": 0, "tls": {"certificate": "x"}}, "/tls/key: required"),
    ],
)
def test_settings_that_do_not_fit_are_refused_with_their_place(settings, place):
    with pytest.raises(AdapterSettingsError, match=place) as refused:
        check_settings(find("lab_hl7v2").kind, settings, name="analyzer")
    assert "crimson" not in str(refused.value)
    assert "on_failure" in refused.value.hint


def test_an_unknown_kind_names_the_known_ones():
    with pytest.raises(AdapterSettingsError) as refused:
        find("teleporter")
    assert "lab_hl7v2" in refused.value.hint


@dataclass
class Point:
    name: str
    row: object

    def load(self):
        return self.row


def test_other_packages_add_kinds_and_replace_none(monkeypatch):
    schema = {"type": "object", "additionalProperties": False, "properties": {}}
    added = CatalogRow(AdapterKind("imaging", "x", schema, listens=False), lambda *_: None)
    thief = CatalogRow(AdapterKind("http", "x", schema, listens=False), lambda *_: None)
    points = [Point("b", added), Point("a", thief), Point("c", "nonsense")]
    monkeypatch.setattr(catalog, "entry_points", lambda group: points)
    all_kinds.cache_clear()
    try:
        assert [row.kind.kind for row in all_kinds()] == ["http", "lab_hl7v2", "imaging"]
        assert find("http") is KINDS[0]
    finally:
        monkeypatch.undo()
        all_kinds.cache_clear()


def test_retries_double_up_to_a_ceiling_and_end():
    policy = RetryPolicy(attempts=6, first_seconds=1, longest_seconds=5)
    assert [policy.pause(attempt, spread=0) for attempt in range(1, 7)] == [1, 2, 4, 5, 5, None]
    assert policy.pause(1, spread=1) == pytest.approx(1.2)
    assert policy.pause(1, spread=-1) == pytest.approx(0.8)
    assert all(0.8 <= (policy.pause(1) or 0) <= 1.2 for _ in range(100))


@pytest.fixture
def device():
    return build_device(AdapterInstance("trial", "lab_hl7v2", {"port": 0}))


def test_a_trial_says_what_a_message_would_become(device, frozen, talk):
    schemas = FrozenSchemas(lambda: frozen)
    good = try_message(talk.oru("A1", accept="AL", application="AL"), device, schemas)
    assert (good.reason, good.answers, good.checked, len(good.documents)) == ("", "CA AA", True, 1)
    bad = try_message(talk.oru("A1").replace(b"|P77^EHR|", b"|" + b"7" * 600 + b"|"), device, schemas)
    assert (bad.reason, bad.violations, bad.answers) == (
        "outside-contract",
        (("/numbers/placer/value", "maxLength"),),
        "AE",
    )
    unchecked = try_message(talk.oru("A1"), device, None)
    assert (unchecked.reason, unchecked.checked) == ("", False)


@pytest.mark.parametrize(
    ("raw", "reason", "answers"),
    [
        (b"", "header-unreadable", "AR"),
        (b"MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5\rnonsense\r", "segment-unreadable", "AE"),
        (b"MSH|^~\\&|A|B|C|D|1||ORU^R01|1|P|2.5\r", "report-missing", "AE"),
        (b"MSH|^~\\&|A|B|C|D|1||ADT^A01|1|P|2.5\r", "", "AA"),
    ],
)
def test_a_trial_never_raises(device, raw, reason, answers):
    trial = try_message(raw, device, None)
    assert (trial.reason, trial.answers) == (reason, answers)
