"""People and machines that may come in: accounts (argon2), sessions of the pages, tokens of the API."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from datetime import datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from registry.errors import Conflict, NotAllowed, NotFound, NotSignedIn, RequestRefused
from registry.review.acts import record
from registry.review.people import Account, IssuedToken, Session, StoredSession, Token
from registry.review.principal import Principal, Role

if TYPE_CHECKING:
    from registry.review.services import Services

__all__ = [
    "Account",
    "IssuedToken",
    "Session",
    "Token",
    "disable_account",
    "issue_token",
    "principal_of_token",
    "put_account",
    "revoke_token",
    "session",
    "sign_in",
    "sign_out",
    "tokens",
]

SESSION_LENGTH: Final = timedelta(hours=8)
SHORTEST_PASSWORD: Final = 12  # characters; NIST SP 800-63B asks for 8 at least
LONGEST_PASSWORD: Final = 1024
TOKEN_PREFIX: Final = "ilt"  # noqa: S105 - how our tokens begin, for scanners that look for leaked ones
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,99}")
_HASHING: Final = threading.BoundedSemaphore(2)  # each takes 64 MiB: many at once would be an attack
_HASHER: Final = PasswordHasher()  # RFC 9106 second recommendation: 64 MiB, 3 passes, 4 lanes


def sign_in(services: Services, name: str, password: str, *, source: str) -> Session:
    """Open a session; raises `NotSignedIn` for any failure alike, and after too many failures for a while.

    `source` is the client's address, for the audit record and the count of failures.
    """
    now = services.now()
    if services.attempts.blocked(name, source, now):
        raise NotSignedIn("too many failed attempts", hint="wait a few minutes, then try again")
    with services.store.reading() as ledger:
        found = ledger.people.account(name)
    account, encoded = found or (None, _nobody())
    # The hash is computed for unknown names too: how long it takes must not tell who has an account.
    right = len(password) <= LONGEST_PASSWORD and _verify(encoded, password)
    if account is None or account.disabled_at is not None or not right:
        services.attempts.failed(name, source, now)
        _tell_sign_in(services, account.name if account else "unknown", "sign-in-refused", source)
        raise NotSignedIn("the name or the password is wrong", hint="an operator can set a new password")
    services.attempts.succeeded(name, source)
    return _open_session(services, account, source)


def session(services: Services, token: str) -> Session:
    """Give a live session by its cookie; raises `NotSignedIn`."""
    with services.store.reading() as ledger:
        found = ledger.people.session(_hash(token))
    if found is None or found.expires_at <= services.now() or found.account.disabled_at is not None:
        raise NotSignedIn("the session has ended", hint="sign in again")
    principal = Principal(found.account.name, found.account.roles, via="session")
    return Session(principal, token, found.csrf, found.expires_at, found.signed_in_at)


def sign_out(services: Services, token: str) -> None:
    """End a session; an unknown one is no error."""
    with services.store.writing() as ledger:
        found = ledger.people.session(_hash(token))
        if found is not None:
            ledger.people.drop_session(_hash(token))
            who = Principal(found.account.name, found.account.roles, via="session")
            record(services, ledger, who, "sign-out", f"account/{who.name}")
    services.recorded()


def principal_of_token(services: Services, presented: str) -> Principal:
    """Give the principal of a bearer token; raises `NotSignedIn`."""
    with services.store.reading() as ledger:
        found = ledger.people.token(_hash(presented))
    now = services.now()
    ended = found is None or found.revoked_at is not None
    if found is None or ended or (found.expires_at is not None and found.expires_at <= now):
        raise NotSignedIn("the token is not valid", hint="`interlock db token add` issues one")
    return Principal(found.subject, found.roles, via="token")


def put_account(
    services: Services, principal: Principal, *, name: str, roles: frozenset[Role], password: str
) -> Account:
    """Enter an account, or give it other roles and another password; its sessions end.

    Only the command line on the data folder itself may: whoever could give roles over the network could
    take them all.
    """
    _require_local(principal, "manage accounts")
    _checked_subject(name)
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise RequestRefused(
            f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters", hint="take a longer one"
        )
    with services.store.writing() as ledger:
        known = ledger.people.account(name)
        made = Account(name, roles, known[0].created_at if known else services.now())
        ledger.people.put_account(made, _HASHER.hash(password))
        ledger.people.drop_sessions(name, None)
        act = "account-change" if known else "account-add"
        detail = {"roles": ", ".join(sorted(roles))}
        record(services, ledger, principal, act, f"account/{name}", detail=detail)
    services.recorded()
    return made


def accounts(services: Services) -> tuple[Account, ...]:
    """List all accounts."""
    with services.store.reading() as view:
        return view.people.accounts()


def disable_account(services: Services, principal: Principal, name: str) -> None:
    """End an account and its sessions; its name stays taken, since approvals were given under it."""
    _require_local(principal, "manage accounts")
    with services.store.writing() as ledger:
        known = ledger.people.account(name)
        if known is None:
            raise NotFound(f"there is no account {name[:128]!r}")
        account, password = known
        ended = Account(account.name, account.roles, account.created_at, services.now())
        ledger.people.put_account(ended, password)
        ledger.people.drop_sessions(name, None)
        record(services, ledger, principal, "account-disable", f"account/{name}")
    services.recorded()


def issue_token(
    services: Services,
    principal: Principal,
    *,
    subject: str,
    roles: frozenset[Role],
    expires_at: datetime | None = None,
) -> IssuedToken:
    """Make an API token that acts in the name of `subject`; only the local command line may."""
    _require_local(principal, "issue tokens")
    _checked_subject(subject)
    token = Token(secrets.token_hex(8), subject, roles, services.now(), expires_at)
    presented = f"{TOKEN_PREFIX}_{token.id}_{secrets.token_hex(32)}"
    with services.store.writing() as ledger:
        ledger.people.add_token(token, _hash(presented), principal.name)
        detail = {"subject": subject, "roles": ", ".join(sorted(roles))}
        record(services, ledger, principal, "token-add", f"token/{token.id}", detail=detail)
    services.recorded()
    return IssuedToken(token, presented)


def tokens(services: Services) -> tuple[Token, ...]:
    """List all tokens, oldest first."""
    with services.store.reading() as ledger:
        return ledger.people.tokens()


def revoke_token(services: Services, principal: Principal, token_id: str) -> None:
    """Revoke a token for good; only the local command line may."""
    _require_local(principal, "revoke tokens")
    with services.store.writing() as ledger:
        token = next((one for one in ledger.people.tokens() if one.id == token_id), None)
        if token is None:
            raise NotFound(f"there is no token {token_id[:40]!r}", hint="see `interlock db token list`")
        if token.revoked_at is not None:
            raise Conflict(f"the token {token_id} was revoked already")
        ledger.people.revoke_token(token_id, services.now())
        record(services, ledger, principal, "token-revoke", f"token/{token_id}")
    services.recorded()


def _open_session(services: Services, account: Account, source: str) -> Session:
    now = services.now()
    token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    who = Principal(account.name, account.roles, via="session")
    with services.store.writing() as ledger:
        ledger.people.drop_sessions(None, now)
        ledger.people.add_session(_hash(token), csrf, StoredSession(account, csrf, now, now + SESSION_LENGTH))
        record(services, ledger, who, "sign-in", f"account/{account.name}", detail={"source": source[:64]})
    services.recorded()
    return Session(who, token, csrf, now + SESSION_LENGTH, now)


def _tell_sign_in(services: Services, name: str, act: str, source: str) -> None:
    # A name that is no account may be a password typed into the wrong field: it is not kept.
    who = Principal(name, frozenset(), via="session")
    with services.store.writing() as ledger:
        record(services, ledger, who, act, f"account/{name}", detail={"source": source[:64]})
    services.recorded()


def _require_local(principal: Principal, act: str) -> None:
    if principal.via != "local":
        raise NotAllowed(f"{principal.name} may not {act}", hint="use `interlock db` on the registry's host")


def _checked_subject(name: str) -> None:
    if _NAME.fullmatch(name) is None:
        raise RequestRefused(
            f"{name[:64]!r} is no name for an account", hint="letters, digits, and . _ @ - between them"
        )


def _verify(encoded: str, password: str) -> bool:
    try:
        with _HASHING:
            return _HASHER.verify(encoded, password)
    except (Argon2Error, InvalidHashError):
        return False


@cache
def _nobody() -> str:
    return _HASHER.hash(secrets.token_hex(16))


def _hash(secret: str) -> str:
    # These secrets have 256 bits of their own: a slow hash would protect nothing more.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()
