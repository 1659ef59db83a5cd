"""Tokens of the data folder itself, so that the command line works beside its registry without any set-up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel.errors import SealingError
from kernel.sealing.private_files import private_folder, read_private, replace_file
from registry.errors import NotSignedIn
from registry.review import accounts
from registry.review.principal import Principal, Role

if TYPE_CHECKING:
    from pathlib import Path

    from registry.review.services import Services


def local_principal() -> Principal:
    """Who acts when the command line works on the data folder itself: whoever may read its keys."""
    return Principal("local", frozenset(Role), via="local")


def ensure_local_tokens(services: Services, folder: Path) -> list[str]:
    """Write one token a role into `folder` (mode 0600) where there is none that works; name those made.

    A token whose file is lost is revoked: nobody knows who has it.
    """
    private_folder(folder)
    made = []
    for role in Role:
        file = folder / f"{role}.token"
        if not _works(services, file, role):
            _revoke_lost(services, _subject(role))
            issued = accounts.issue_token(
                services, local_principal(), subject=_subject(role), roles=frozenset({role})
            )
            replace_file(file, f"{issued.presented}\n".encode(), 0o600)
            made.append(str(role))
    return made


def _subject(role: Role) -> str:
    return f"local-{role}"


def _works(services: Services, file: Path, role: Role) -> bool:
    try:
        presented = read_private(file).decode("ascii", "replace").strip()
        return accounts.principal_of_token(services, presented).holds(role)
    except (SealingError, NotSignedIn):
        return False


def _revoke_lost(services: Services, subject: str) -> None:
    for token in accounts.tokens(services):
        if token.subject == subject and token.revoked_at is None:
            accounts.revoke_token(services, local_principal(), token.id)
