from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from registry.errors import Conflict, NotAllowed, NotFound, NotSignedIn, RequestRefused
from registry.review import accounts
from registry.review.principal import Role

PASSWORD = "correct horse battery"


@pytest.fixture
def member(desk: Any, doubles: Any) -> Any:
    accounts.put_account(desk, doubles.LOCAL, name="bo", roles=frozenset({Role.BOARD}), password=PASSWORD)
    return desk


def acts(services: Any) -> list[tuple[str, str, str]]:
    with services.store.reading() as ledger:
        rows = ledger.outbox.waiting(1000)
    return [(row.record["act"], row.record["actor"], row.record["subject"]) for row in rows]


def test_sign_in_and_out(services: Any, doubles: Any) -> None:
    accounts.put_account(services, doubles.LOCAL, name="bo", roles=frozenset({Role.BOARD}), password=PASSWORD)
    opened = accounts.sign_in(services, "bo", PASSWORD, source="127.0.0.1")
    found = accounts.session(services, opened.token)
    assert (found.principal.name, found.principal.roles) == ("bo", frozenset({Role.BOARD}))
    assert found.csrf == opened.csrf
    assert len(opened.token) >= 43
    accounts.sign_out(services, opened.token)
    accounts.sign_out(services, opened.token)
    with pytest.raises(NotSignedIn):
        accounts.session(services, opened.token)
    assert [act for act, _, _ in acts(services)] == ["account-add", "sign-in", "sign-out"]


@pytest.mark.parametrize(
    ("name", "password"), [("bo", "wrong"), ("nobody", PASSWORD), ("bo", "x" * 5000), ("", "")]
)
def test_every_failure_looks_alike(member: Any, name: str, password: str) -> None:
    with pytest.raises(NotSignedIn, match="the name or the password is wrong"):
        accounts.sign_in(member, name, password, source="127.0.0.1")
    act, actor, _ = acts(member)[-1]
    assert act == "sign-in-refused"
    assert actor in {"bo", "unknown"}  # what is no account may be a password in the wrong field


def test_too_many_failures_block_for_a_while(member: Any) -> None:
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            accounts.sign_in(member, "bo", "wrong", source="10.0.0.9")
    with pytest.raises(NotSignedIn, match="too many"):
        accounts.sign_in(member, "bo", PASSWORD, source="10.0.0.9")
    accounts.sign_in(member, "bo", PASSWORD, source="10.0.0.7")  # another source is another matter
    member.now.moment += timedelta(minutes=5)
    assert accounts.sign_in(member, "bo", PASSWORD, source="10.0.0.9").principal.name == "bo"


def test_sessions_end_by_time_and_with_the_account(member: Any, doubles: Any) -> None:
    opened = accounts.sign_in(member, "bo", PASSWORD, source="127.0.0.1")
    member.now.moment += accounts.SESSION_LENGTH
    with pytest.raises(NotSignedIn):
        accounts.session(member, opened.token)
    again = accounts.sign_in(member, "bo", PASSWORD, source="127.0.0.1")
    accounts.disable_account(member, doubles.LOCAL, "bo")
    with pytest.raises(NotSignedIn):
        accounts.session(member, again.token)
    with pytest.raises(NotSignedIn):
        accounts.sign_in(member, "bo", PASSWORD, source="127.0.0.1")


def test_a_new_password_ends_the_sessions(member: Any, doubles: Any) -> None:
    opened = accounts.sign_in(member, "bo", PASSWORD, source="127.0.0.1")
    accounts.put_account(
        member, doubles.LOCAL, name="bo", roles=frozenset({Role.BOARD}), password="another long one"
    )
    with pytest.raises(NotSignedIn):
        accounts.session(member, opened.token)
    assert accounts.sign_in(member, "bo", "another long one", source="127.0.0.1").principal.name == "bo"


def test_passwords_are_kept_as_argon2_only(member: Any) -> None:
    with member.store.reading() as ledger:
        found = ledger.people.account("bo")
    assert found[1].startswith("$argon2id$")
    data = b"".join(path.read_bytes() for path in member.settings.path.parent.rglob("*") if path.is_file())
    assert PASSWORD.encode() not in data


@pytest.mark.parametrize(
    ("name", "password"), [("bo", "short"), ("bo", "x" * 2000), ("b o", PASSWORD), ("", PASSWORD)]
)
def test_accounts_are_checked(desk: Any, doubles: Any, name: str, password: str) -> None:
    with pytest.raises(RequestRefused):
        accounts.put_account(desk, doubles.LOCAL, name=name, roles=frozenset(), password=password)


def test_tokens_live_until_revoked_or_expired(services: Any, doubles: Any) -> None:
    issued = accounts.issue_token(services, doubles.LOCAL, subject="pipeline", roles=frozenset({Role.CI}))
    found = accounts.principal_of_token(services, issued.presented)
    assert (found.name, found.roles, found.via) == ("pipeline", frozenset({Role.CI}), "token")
    accounts.revoke_token(services, doubles.LOCAL, issued.token.id)
    with pytest.raises(NotSignedIn):
        accounts.principal_of_token(services, issued.presented)
    with pytest.raises(Conflict):
        accounts.revoke_token(services, doubles.LOCAL, issued.token.id)
    with pytest.raises(NotFound):
        accounts.revoke_token(services, doubles.LOCAL, "none")
    soon = services.now() + timedelta(seconds=1)
    short = accounts.issue_token(
        services, doubles.LOCAL, subject="pipeline", roles=frozenset({Role.CI}), expires_at=soon
    )
    services.now.moment += timedelta(seconds=1)
    with pytest.raises(NotSignedIn):
        accounts.principal_of_token(services, short.presented)
    for wrong in ("", "ilt_x_y", issued.presented + "0", "\ud800"):
        with pytest.raises(NotSignedIn):
            accounts.principal_of_token(services, wrong)


def test_nobody_gives_roles_over_the_network(desk: Any, doubles: Any) -> None:
    mighty = replace(doubles.LOCAL, via="token")
    with pytest.raises(NotAllowed):
        accounts.put_account(desk, mighty, name="x", roles=frozenset(), password=PASSWORD)
    with pytest.raises(NotAllowed):
        accounts.issue_token(desk, mighty, subject="x", roles=frozenset())
    with pytest.raises(NotAllowed):
        accounts.revoke_token(desk, mighty, "x")
    with pytest.raises(NotAllowed):
        accounts.disable_account(desk, mighty, "x")
