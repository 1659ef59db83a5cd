"""Accounts, sessions, tokens: hashes only."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import delete, insert, select, update

from registry.review.people import Account, StoredSession, Token
from registry.review.principal import Role
from registry.store.access_tables import accounts, sessions, tokens

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Connection, Row


class SqlPeople:
    """See registry/review/shelves.py: PeopleShelf."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def account(self, name: str) -> tuple[Account, str] | None:
        """Give an account with its encoded password hash."""
        row = self._connection.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
        return None if row is None else (_account(row), row.password)

    def accounts(self) -> tuple[Account, ...]:
        """Give all accounts by name."""
        rows = self._connection.execute(select(accounts).order_by(accounts.c.name))
        return tuple(_account(row) for row in rows)

    def put_account(self, account: Account, password: str) -> None:
        """Enter an account, or change its roles, password or end."""
        content = {
            "password": password,
            "roles": sorted(account.roles),
            "disabled_at": account.disabled_at,
        }
        changed = update(accounts).where(accounts.c.name == account.name).values(content)
        if self._connection.execute(changed).rowcount == 0:
            row = {"name": account.name, "created_at": account.created_at, **content}
            self._connection.execute(insert(accounts).values(row))

    def add_session(self, sha256: str, csrf: str, session: StoredSession) -> None:
        """Keep a session by the hash of its token."""
        row = {
            "sha256": sha256,
            "account": session.account.name,
            "csrf": csrf,
            "signed_in_at": session.signed_in_at,
            "expires_at": session.expires_at,
        }
        self._connection.execute(insert(sessions).values(row))

    def session(self, sha256: str) -> StoredSession | None:
        """Give a session, live or not."""
        query = select(sessions, accounts).join(accounts, accounts.c.name == sessions.c.account)
        row = self._connection.execute(query.where(sessions.c.sha256 == sha256)).one_or_none()
        if row is None:
            return None
        return StoredSession(_account(row), row.csrf, row.signed_in_at, row.expires_at)

    def drop_session(self, sha256: str) -> None:
        """Forget a session."""
        self._connection.execute(delete(sessions).where(sessions.c.sha256 == sha256))

    def drop_sessions(self, account: str | None, before: datetime | None) -> None:
        """Forget the sessions of an account, or those that expired before a moment."""
        query = delete(sessions)
        if account is not None:
            query = query.where(sessions.c.account == account)
        if before is not None:
            query = query.where(sessions.c.expires_at < before)
        self._connection.execute(query)

    def add_token(self, token: Token, sha256: str, by: str) -> None:
        """Keep a token by its hash."""
        row = {
            "id": token.id,
            "subject": token.subject,
            "roles": sorted(token.roles),
            "sha256": sha256,
            "created_at": token.created_at,
            "created_by": by,
            "expires_at": token.expires_at,
        }
        self._connection.execute(insert(tokens).values(row))

    def token(self, sha256: str) -> Token | None:
        """Give a token, live or not."""
        row = self._connection.execute(select(tokens).where(tokens.c.sha256 == sha256)).one_or_none()
        return None if row is None else _token(row)

    def tokens(self) -> tuple[Token, ...]:
        """Give all tokens, oldest first."""
        rows = self._connection.execute(select(tokens).order_by(tokens.c.created_at, tokens.c.id))
        return tuple(_token(row) for row in rows)

    def revoke_token(self, token_id: str, at: datetime) -> None:
        """Revoke a token."""
        self._connection.execute(update(tokens).where(tokens.c.id == token_id).values(revoked_at=at))


def _account(row: Row[Any]) -> Account:
    return Account(row.name, frozenset(map(Role, row.roles)), row.created_at, row.disabled_at)


def _token(row: Row[Any]) -> Token:
    roles = frozenset(map(Role, row.roles))
    return Token(row.id, row.subject, roles, row.created_at, row.expires_at, row.revoked_at)
