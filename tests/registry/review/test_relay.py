from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kernel.audit.journal import Journal
from kernel.audit.search import Query, search
from kernel.audit.verify import verify
from kernel.errors import AuditError
from kernel.sealing.keys import KeyFolder
from registry.review import access, publication
from registry.review.relay import WRITER, Relay


def opened(services: Any) -> Journal:
    keys = KeyFolder(services.settings.path / "keys")
    return Journal.open(
        services.settings.path / "audit", WRITER, keys.ensure("registry-heads", "audit-heads")
    )


def told(services: Any) -> list[str]:
    audit: Path = services.settings.path / "audit"
    return [record["act"] for record in search(audit, Query(writer=WRITER, stage="act"))]


def waiting(services: Any) -> int:
    with services.store.reading() as ledger:
        return int(ledger.outbox.count())


def act(services: Any, doubles: Any, name: str) -> None:
    access.add_consumer(services, doubles.OPERATOR, consumer_id=name, name="x", audience="internal")


def test_every_act_reaches_the_journal_once(services: Any, doubles: Any) -> None:
    publication.publish_first(services)
    doubles.freeze(services, doubles.openapi())
    act(services, doubles, "ehr")
    journal = opened(services)
    relay = Relay(services.store, journal, services.settings.path / "audit", services.now)
    assert relay.drain() == 5
    assert relay.drain() == 0
    assert (told(services), waiting(services)) == (
        ["submit", "approve", "approve", "freeze", "consumer-add"],
        0,
    )
    journal.close()


def test_a_crash_between_journal_and_outbox_doubles_nothing(
    services: Any, doubles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two", "three"):
        act(services, doubles, name)
    journal = opened(services)
    audit = services.settings.path / "audit"
    # The process dies when it wants to mark the rows: all three stand in the journal, none is marked.
    store_type = type(services.store)
    with monkeypatch.context() as patch:
        patch.setattr(store_type, "writing", _dead)
        with pytest.raises(SystemExit):
            Relay(services.store, journal, audit, services.now).drain()
    journal.close()
    assert (told(services), waiting(services)) == (["consumer-add"] * 3, 3)
    act(services, doubles, "four")
    again = opened(services)
    relay = Relay(services.store, again, audit, services.now)
    relay.start()
    relay.close()
    again.close()
    assert (told(services), waiting(services)) == (["consumer-add"] * 4, 0)
    subjects = [row["subject"] for row in search(audit, Query(writer=WRITER, act="consumer-add"))]
    assert subjects == ["consumer/one", "consumer/two", "consumer/three", "consumer/four"]


def _dead(_store: Any) -> Any:
    raise SystemExit


def test_what_the_journal_took_is_marked_even_when_it_fails_midway(
    desk: Any, doubles: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("one", "two"):
        act(desk, doubles, name)
    journal = opened(desk)
    keep = Journal.append_and_wait
    taken: list[str] = []

    def fail_on_second(self: Journal, record: dict[str, Any], timeout: float | None = 30.0) -> None:
        if taken:
            raise AuditError("the disk is full")
        taken.append(record["id"])
        keep(self, record, timeout)

    monkeypatch.setattr(Journal, "append_and_wait", fail_on_second)
    relay = Relay(desk.store, journal, desk.settings.path / "audit", desk.now)
    with pytest.raises(AuditError):
        relay.drain()
    assert waiting(desk) == 1
    monkeypatch.undo()
    assert relay.drain() == 1
    journal.close()
    assert told(desk) == ["consumer-add", "consumer-add"]


def test_the_thread_carries_what_it_is_woken_for(desk: Any, doubles: Any) -> None:
    journal = opened(desk)
    relay = Relay(desk.store, journal, desk.settings.path / "audit", desk.now)
    relay.start()
    act(desk, doubles, "ehr")
    relay.wake()
    relay.close()
    journal.close()
    assert told(desk) == ["consumer-add"]
    keys = KeyFolder(desk.settings.path / "keys")
    report = verify(
        desk.settings.path / "audit", desk.settings.path / "audit-heads", keys.trust().may_sign("audit-heads")
    )
    assert report.problems == ()
